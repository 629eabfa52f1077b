"""Which run a data set, a verdict or a figure is of: what stands in every index, so that two runs are never mixed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from unifiedscore.study.records import identity_name

if TYPE_CHECKING:
    import xarray as xr


class Judged(Protocol):
    """A ledger, as far as it says which run it judged."""

    profile: str
    root_seed: int
    runs: Mapping[str, Mapping[str, Any]]


SAID = {"profile": "profile", "root_seed": "root seed", "identity": "state of the code"}


def stamp(dataset: xr.Dataset) -> dict[str, Any]:
    """Profile, root seed and the name of the identity (code, data, packages) of the run that a data set is of."""
    try:
        identity = identity_name(json.loads(dataset.attrs["config"])["hashes"])
    except (KeyError, TypeError, ValueError):
        identity = ""
    seed = dataset.attrs.get("root_seed")
    return {
        "profile": str(dataset.attrs.get("profile", "")),
        "root_seed": None if seed is None else int(seed),
        "identity": identity,
    }


def origin(dataset: xr.Dataset) -> dict[str, str]:
    """Commit and date of the run that a data set is of, as far as it says: for a reader, never compared."""
    commit, date = str(dataset.attrs.get("git_commit", "")), str(dataset.attrs.get("history", "")).partition("T")[0]
    changed = " with changes" if dataset.attrs.get("git_dirty") == "true" else ""
    known = commit not in ("", "unknown")
    return ({"commit": commit + changed} if known else {}) | ({"date": date} if date else {})


def disagreement(runs: Mapping[str, Any], ledger: Judged) -> str:
    """In what the runs of these studies differ from those that a ledger judged, in words; empty if they do not."""
    for study, run in runs.items():
        judged = ledger.runs.get(study, {"profile": ledger.profile, "root_seed": ledger.root_seed})
        for part, name in SAID.items():
            shown, known = run.get(part), judged.get(part)
            if shown not in (None, "") and known not in (None, "") and shown != known:
                if part == "identity":
                    return f"it shows {study} as another {name} measured it than the one that was judged"
                return f"it shows {study} with {name} {shown}, where {known} was judged"
    return ""

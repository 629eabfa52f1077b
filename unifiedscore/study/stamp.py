"""Which run a data set, a verdict or a figure is of: what stands in every index, so that two runs are never mixed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unifiedscore.study.records import identity_name

if TYPE_CHECKING:
    import xarray as xr

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


def disagreement(runs: Mapping[str, Any], ledger: Mapping[str, Any]) -> str:
    """In what the runs of these studies differ from those that a ledger judged, in words; empty if they do not."""
    for study, run in runs.items():
        judged = ledger.get("runs", {}).get(study, {"profile": ledger["profile"], "root_seed": ledger["root_seed"]})
        for part, name in SAID.items():
            shown, known = run.get(part), judged.get(part)
            if shown not in (None, "") and known not in (None, "") and shown != known:
                if part == "identity":
                    return f"it shows {study} as another {name} measured it than the one that was judged"
                return f"it shows {study} with {name} {shown}, where {known} was judged"
    return ""

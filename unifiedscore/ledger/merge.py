"""A call that judges a part keeps the rest of the ledger in its results folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.ledger.ledger import family_wise, read_ledger
from unifiedscore.study.discover import Found
from unifiedscore.study.progress import note
from unifiedscore.study.records import RecordStore
from unifiedscore.study.runner import MANIFEST, outdated, read_manifest

SAME = ("profile", "root_seed", "package_version")


def merged(ledger: dict[str, Any], found: Found, out: Path, *, claim: str | None) -> dict[str, Any]:
    """`ledger` and what the one in `out` holds on claims and studies that were not judged in this call.

    An existing ledger of another profile, root seed or package version is replaced, with a note, and kept beside it;
    a later call that belongs to it takes it up again.
    """
    old = _of_this_run(ledger, out)
    if old is None:
        return ledger
    studies = {item.study.name for item in found.studies}
    proofs = {item.derivation.claim for item in found.derivations}
    files = {item.path.stem for item in found.derivations}
    judged = {_key(verdict) for verdict in ledger["verdicts"]}

    def elsewhere(entry) -> bool:
        return entry["study"] not in studies or claim not in (None, entry["claim"])

    def kept(verdict) -> bool:
        proved_again = verdict["evidence"] == "symbolic" and verdict["claim"] in proofs
        return _key(verdict) not in judged and not proved_again and elsewhere(verdict)

    verdicts = [verdict for verdict in old["verdicts"] if kept(verdict)]
    rest = {verdict["study"] for verdict in verdicts} - studies
    new = {
        "verdicts": verdicts + ledger["verdicts"],
        "not_run": [entry for entry in old["not_run"] if elsewhere(entry)] + ledger["not_run"],
        "failed_cells": [entry for entry in old["failed_cells"] if entry["study"] not in studies | files]
        + ledger["failed_cells"],
        "runs": {study: run for study, run in old.get("runs", {}).items() if study in rest} | ledger.get("runs", {}),
        "stale": sorted({*ledger["stale"], *(name for name in rest if name in old["stale"] or _outdated(out, name))}),
    }
    return ledger | new | family_wise(new["verdicts"])


def _of_this_run(ledger: dict[str, Any], out: Path) -> dict[str, Any] | None:
    """The ledger that `out` holds of the same profile, root seed and version; another one is set aside."""
    path, own = out / "ledger.json", _aside(ledger, out)
    if not path.exists():
        return None
    try:
        old = read_ledger(path)
        if _same(old, ledger):
            return old
        aside = _aside(old, out)
        write_atomic(aside, path.read_bytes())
        was = ", ".join(f"{name.replace('_', ' ')} {old[name]}" for name in SAME)
        note(
            f"the verdicts that {path} held ({was}) do not belong to this run and are replaced; "
            f"they are kept in {aside}"
        )
        earlier = read_ledger(own) if own.exists() and own != aside else None
        return earlier if earlier is not None and _same(earlier, ledger) else None
    except FileError as error:
        note(f"{error}; it is replaced")
        return None


def _aside(ledger: dict[str, Any], out: Path) -> Path:
    profile = re.sub(r"\W", "-", ledger["profile"])  # it was read from a file
    return out / f"ledger-{profile}-seed{ledger['root_seed']}.json"


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(old[name] == new[name] for name in SAME)


def _outdated(out: Path, study: str) -> bool:
    path = RecordStore.of(out, study).folder / MANIFEST
    try:
        return path.is_file() and bool(outdated(read_manifest(path)))
    except FileError:
        return True


def _key(verdict) -> tuple[str, str, str]:
    return verdict["claim"], verdict["regime"], verdict["evidence"]

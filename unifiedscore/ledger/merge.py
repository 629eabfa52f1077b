"""A call that judges a part keeps the rest of the ledger in its results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unifiedscore.errors import FileError
from unifiedscore.ledger.ledger import family_wise, read_ledger
from unifiedscore.study.discover import Found
from unifiedscore.study.progress import note
from unifiedscore.study.records import RecordStore
from unifiedscore.study.runner import MANIFEST, outdated, read_manifest

SAME = ("profile", "root_seed", "package_version")


def merged(ledger: dict[str, Any], found: Found, out: Path, *, claim: str | None) -> dict[str, Any]:
    """`ledger` and what the one in `out` holds on claims and studies that were not judged in this call.

    An existing ledger of another profile, root seed or package version is replaced, with a note.
    """
    if not (out / "ledger.json").exists():
        return ledger
    try:
        old = read_ledger(out)
    except FileError as error:
        note(f"{error}; it is replaced")
        return ledger
    if any(old[name] != ledger[name] for name in SAME):
        was = ", ".join(f"{name.replace('_', ' ')} {old[name]}" for name in SAME)
        note(f"the verdicts that {out / 'ledger.json'} held ({was}) do not belong to this run and are replaced")
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
        "stale": sorted({*ledger["stale"], *(name for name in rest if name in old["stale"] or _outdated(out, name))}),
    }
    return ledger | new | family_wise(new["verdicts"])


def _outdated(out: Path, study: str) -> bool:
    path = RecordStore.of(out, study).folder / MANIFEST
    try:
        return path.is_file() and bool(outdated(read_manifest(path)))
    except FileError:
        return True


def _key(verdict) -> tuple[str, str, str]:
    return verdict["claim"], verdict["regime"], verdict["evidence"]

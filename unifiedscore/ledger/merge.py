"""A call that judges a part keeps the rest of the ledger in its results folder."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.ledger.ledger import FILE, Ledger
from unifiedscore.ledger.part import Part
from unifiedscore.output import note
from unifiedscore.reading import JSON_BYTES, read_file, refuse_links
from unifiedscore.study.records import RecordStore
from unifiedscore.study.runner import MANIFEST, outdated, read_manifest


def merged(ledger: Ledger, part: Part, out: Path) -> Ledger:
    """`ledger` and what the one in `out` holds on claims and studies that were not judged in this call.

    An existing ledger of another profile, root seed or package version, or of another plan for the seeds, is replaced,
    with a note, and kept beside it; a later call that belongs to it takes it up again.
    """
    old = _of_this_run(ledger, out)
    if old is None:
        return ledger
    whole = ledger.merge(old, part)
    rest = {verdict.study for verdict in whole.verdicts} - part.studies
    return replace(whole, stale=(*whole.stale, *(name for name in rest if _outdated(out, name))))


def note_judged_before(ledger: Ledger, out: Path) -> None:
    """Say which claims of a run with looks the ledger in `out` judged at the seeds of the profile alone."""
    if not ledger.until_decided or not os.path.lexists(out / FILE):
        return
    try:
        old = Ledger.read(out)
    except FileError:
        return  # whoever replaces it says so
    if old.run != ledger.run or old.until_decided:
        return
    plain = {verdict.key for verdict in old.verdicts if verdict.evidence == "monte_carlo"}
    names = [verdict.name for verdict in ledger.verdicts if verdict.looks is not None and verdict.key in plain]
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        were, rates, those = (
            ("was", "its", "that verdict is") if len(names) == 1 else ("were", "their", "those verdicts are")
        )
        note(
            f"{', '.join(names[:3])}{more} {were} judged in a plain run before; {rates} rates are those of the plan "
            f"only if {those} disregarded"
        )


def _of_this_run(ledger: Ledger, out: Path) -> Ledger | None:
    """The ledger that `out` holds of the same run and plan for the seeds; another one is set aside."""
    path, own = out / FILE, _aside(ledger, out)
    if not os.path.lexists(path):
        return None
    try:
        old = Ledger.read(out)
        if old.belongs_with(ledger):
            return old
        aside = _aside(old, out)
        write_atomic(aside, read_file(path, below=out, limit=JSON_BYTES))
        was = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in old.run.items())
        was += f", {'looks at more and more seeds' if old.until_decided else 'the seeds of the profile'}"
        note(
            f"the verdicts that {path} held ({was}) do not belong to this run and are replaced; "
            f"they are kept in {aside}"
        )
        refuse_links(own, below=out)
        earlier = Ledger.read(own) if own.exists() and own != aside else None
        return earlier if earlier is not None and earlier.belongs_with(ledger) else None
    except FileError as error:
        note(f"{error}; it is replaced")
        return None


def _aside(ledger: Ledger, out: Path) -> Path:
    profile = re.sub(r"\W", "-", ledger.profile)  # it was read from a file
    plan = "-until-decided" if ledger.until_decided else ""
    return out / f"ledger-{profile}-seed{ledger.root_seed}{plan}.json"


def _outdated(out: Path, study: str) -> bool:
    path = RecordStore.of(out, study).folder / MANIFEST
    try:
        return os.path.lexists(path) and bool(outdated(read_manifest(path)))
    except FileError:
        return True

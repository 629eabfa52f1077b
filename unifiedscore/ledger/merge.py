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

    An existing ledger of another profile, root seed or package version is replaced, with a note, and kept beside it;
    a later call that belongs to it takes it up again.
    """
    old = _of_this_run(ledger, out)
    if old is None:
        return ledger
    whole = ledger.merge(old, part)
    rest = {verdict.study for verdict in whole.verdicts} - part.studies
    return replace(whole, stale=(*whole.stale, *(name for name in rest if _outdated(out, name))))


def _of_this_run(ledger: Ledger, out: Path) -> Ledger | None:
    """The ledger that `out` holds of the same profile, root seed and version; another one is set aside."""
    path, own = out / FILE, _aside(ledger, out)
    if not os.path.lexists(path):
        return None
    try:
        old = Ledger.read(out)
        if old.run == ledger.run:
            return old
        aside = _aside(old, out)
        write_atomic(aside, read_file(path, below=out, limit=JSON_BYTES))
        was = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in old.run.items())
        note(
            f"the verdicts that {path} held ({was}) do not belong to this run and are replaced; "
            f"they are kept in {aside}"
        )
        refuse_links(own, below=out)
        earlier = Ledger.read(own) if own.exists() and own != aside else None
        return earlier if earlier is not None and earlier.run == ledger.run else None
    except FileError as error:
        note(f"{error}; it is replaced")
        return None


def _aside(ledger: Ledger, out: Path) -> Path:
    profile = re.sub(r"\W", "-", ledger.profile)  # it was read from a file
    return out / f"ledger-{profile}-seed{ledger.root_seed}.json"


def _outdated(out: Path, study: str) -> bool:
    path = RecordStore.of(out, study).folder / MANIFEST
    try:
        return os.path.lexists(path) and bool(outdated(read_manifest(path)))
    except FileError:
        return True

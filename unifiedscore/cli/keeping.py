"""The ledger that `verify`, `judge` and `map` leave in a results folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unifiedscore.output import say


def keep_ledger(ledger, found, out: Path, *, claim: str | None, partial: bool, searches: bool = False) -> Path:
    """Write the ledger of one call, with the verdicts of other calls that the results folder holds; the path."""
    from unifiedscore.atomic import locked
    from unifiedscore.ledger.merge import merged, note_judged_before
    from unifiedscore.ledger.part import Part
    from unifiedscore.ledger.words import count
    from unifiedscore.study.maps.making import stored_maps

    with locked(out):  # two calls that each judge a part must not lose one another's verdicts
        note_judged_before(ledger, out)
        whole = merged(ledger, Part.of(found, claim, searches=searches), out) if partial else ledger
        path = replace(whole, maps=stored_maps(out)).write(out)
    if kept := len(whole.verdicts) - len(ledger.verdicts):
        say(f"{path} keeps {count(kept, 'verdict')} that this call did not judge again")
    return path


def keep_maps(out: Path) -> None:
    """Write the lines of the maps in a results folder into its ledger, where it has one."""
    from unifiedscore.atomic import locked
    from unifiedscore.ledger.ledger import FILE, Ledger
    from unifiedscore.study.maps.making import stored_maps

    if (out / FILE).exists():
        with locked(out):
            replace(Ledger.read(out), maps=stored_maps(out)).write(out)

"""What changed between two ledgers: verdicts that appeared, vanished, or came out differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from unifiedscore.inference.verdict import Key, Verdict, claim_name
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.words import digits, spoken


@final
@dataclass(frozen=True, slots=True)
class Side:
    """A verdict in one of two ledgers; where there is none, `reason` may say for which profile its claim waits."""

    outcome: str | None = None
    expected: str | None = None
    control_outcome: str | None = None
    reason: str = ""
    sharpness: str = ""

    @property
    def decisive(self) -> tuple[str | None, ...]:
        """What counts as a change. Numbers do not: their last digits depend on the BLAS library, and a number that
        matters changes an outcome. A sharpness counts once it has left the range that its claim pins.
        """
        return self.outcome, self.expected, self.control_outcome, self.sharpness


@final
@dataclass(frozen=True, slots=True)
class Change:
    """One verdict that is not the same in two ledgers."""

    key: Key
    study: str
    old: Side
    new: Side

    @property
    def name(self) -> str:
        """The claim, with its regime where it has one, and the kind of evidence."""
        return f"{claim_name(*self.key[:2])} [{self.key[2]}]"

    @property
    def presence(self) -> tuple[bool, bool]:
        """Whether the old and the new ledger hold the verdict at all."""
        return self.old.outcome is not None, self.new.outcome is not None


def changes(old: Ledger, new: Ledger) -> tuple[Change, ...]:
    """The verdicts whose outcome, expectation or control differs, in the order of their keys."""
    before, after = ({verdict.key: verdict for verdict in ledger.verdicts} for ledger in (old, new))
    waiting = [{(entry.claim, entry.regime): entry.profile for entry in ledger.not_run} for ledger in (old, new)]
    found = []
    for key in sorted(before.keys() | after.keys()):
        verdicts = before.get(key), after.get(key)
        sides = [_side(verdict, key, profiles) for verdict, profiles in zip(verdicts, waiting, strict=True)]
        if sides[0].decisive != sides[1].decisive:
            study = next(verdict.study for verdict in verdicts if verdict is not None)
            found.append(Change(key, study, *sides))
    return tuple(found)


def moved_maps(old: Ledger, new: Ledger) -> tuple[str, ...]:
    """What changed about the maps that both ledgers have: areas by half a per cent, or boundaries by 2 %."""
    lines = []
    for name in sorted(old.maps.keys() & new.maps.keys()):
        was, now = old.maps[name], new.maps[name]
        outcomes = sorted(was["shares"].keys() | now["shares"].keys())
        areas = [(word, was["shares"].get(word, 0.0), now["shares"].get(word, 0.0)) for word in outcomes]
        if changed := [entry for entry in areas if abs(entry[1] - entry[2]) > 0.005]:
            text = ", ".join(f"{spoken(word)} {100 * a:.1f} % -> {100 * b:.1f} %" for word, a, b in changed)
            lines.append(f"map {name}: {text} of the area")
        pairs = zip(was["boundary"], now["boundary"], strict=False)
        moved = [(x, a, b) for (x, a), (_, b) in pairs if _apart(a, b)]
        if moved:
            x, a, b = moved[0]
            where = ("none" if y is None else digits(y) for y in (a, b))
            lines.append(f"map {name}: the boundary moved, at {was['x']} = {digits(x)} from {' to '.join(where)}")
    return tuple(lines)


def _apart(a: float | None, b: float | None) -> bool:
    return (a is None) != (b is None) or (a is not None and abs(a - b) > 0.02 * max(abs(a), abs(b)))


def _side(verdict: Verdict | None, key: Key, profiles: Mapping[tuple[str, str], str]) -> Side:
    if verdict is not None:
        sharpness = "" if verdict.sharpness_as_expected else digits(verdict.search["sharpness"])
        return Side(verdict.outcome, verdict.expected, verdict.control_outcome, verdict.reason, sharpness)
    return Side(reason=f"waits for profile {profiles[key[:2]]}" if key[:2] in profiles else "")

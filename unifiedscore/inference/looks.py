"""Looks at more and more seeds, planned in advance: how the chance of a wrong verdict is spent over them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from unifiedscore.inference.verdict import REFUTE_LEVEL, SUPPORT_LEVEL, Outcome


@final
@dataclass(frozen=True, slots=True)
class Look:
    """The k-th look at a claim, at `seeds` seeds: looks double the seeds and spend 1/(k (k + 1)) of each error rate.

    The shares of all looks add up to 1, so that by the union bound the chance of a wrong support at any of them is at
    most 1 - SUPPORT_LEVEL and that of a wrong refutation at most 1 - REFUTE_LEVEL, however many there are and whatever
    the test is, as far as its interval holds its level at a fixed number of seeds.

    Examples
    --------
    >>> look = Look(1, 16).following().following()
    >>> look.number, look.seeds, round(1 - look.support, 12)
    (3, 64, 0.000833333333)
    >>> round(sum(1 - Look(k, 16).support for k in range(1, 10**5)), 6)
    0.01
    """

    number: int
    seeds: int

    @property
    def share(self) -> float:
        """The part of each error rate that this look spends."""
        return 1 / (self.number * (self.number + 1))

    @property
    def support(self) -> float:
        """Level of the interval that must lie inside the region."""
        return 1 - (1 - SUPPORT_LEVEL) * self.share

    @property
    def refute(self) -> float:
        """Level of the interval that must miss the region."""
        return 1 - (1 - REFUTE_LEVEL) * self.share

    def following(self) -> Look:
        """The next look, at twice as many seeds."""
        return Look(self.number + 1, 2 * self.seeds)

    def to_json(self, decided_at: int | None) -> dict[str, Any]:
        """What a verdict says of its looks; `decided_at` is the look that decided it."""
        levels = {"support": self.support, "refute": self.refute}
        return {"look": self.number, "seeds": self.seeds, "levels": levels, "decided_at": decided_at}


def planned_looks(first: int, seeds: int) -> list[Look]:
    """The looks that `seeds` seeds complete, the first of them at `first`.

    Examples
    --------
    >>> [look.seeds for look in planned_looks(16, 100)]
    [16, 32, 64]
    """
    looks, look = [], Look(1, first)
    while look.seeds <= seeds:
        looks.append(look)
        look = look.following()
    return looks


def decided_at(outcomes: Sequence[Outcome], refuting: Sequence[Mapping[Hashable, int]]) -> int | None:
    """The position of the look that decides; None where none of them does.

    The first look that supports decides, and so does the first at which a hypothesis fails. A refutation counts once
    the next look repeats it: skewed replicates do their damage at early looks. It is repeated where a cell that was
    refuted is refuted again *with more replicates than before*. A cell that has got none would confirm itself with the
    data that accused it, and a second cell has not been confirmed by anything yet.

    Parameters
    ----------
    outcomes : sequence of str
        At each look.
    refuting : sequence of mappings
        At each look, the cells that were refuted by themselves and how many replicates each had.

    Examples
    --------
    >>> decided_at(["inconclusive", "refuted", "supported"], [{}, {"d=4": 32}, {}])
    2
    >>> decided_at(["refuted", "refuted"], [{"d=4": 16}, {"d=4": 32}])
    1
    >>> decided_at(["refuted", "refuted"], [{"d=4": 16}, {"d=4": 16, "d=8": 32}]) is None
    True
    """
    for position, outcome in enumerate(outcomes):
        if outcome in ("supported", "not_applicable"):
            return position
        if outcome == "refuted" and position and repeats(refuting[position - 1], refuting[position]):
            return position
    return None


def repeats(before: Mapping[Hashable, int], now: Mapping[Hashable, int]) -> bool:
    """Whether a cell that was refuted before is refuted now with more replicates."""
    return any(count > before.get(cell, count) for cell, count in now.items())

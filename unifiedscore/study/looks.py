"""Verdicts that may ask for more seeds: a claim at one planned look after the other, until one of them decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from unifiedscore.inference.estimates import PLANNED_SEEDS, no_estimate
from unifiedscore.inference.looks import Look, decided_at, planned_looks
from unifiedscore.inference.verdict import Verdict, interval_of
from unifiedscore.study.claim import Claim
from unifiedscore.study.deciding import Part

if TYPE_CHECKING:
    import xarray as xr

UNTIL_DECIDED = "until_decided"
"""Attribute of a data set that was extended until claims were decided."""


@final
@dataclass(frozen=True, slots=True)
class Standing:
    """How a claim stands.

    `need` is the number of seeds at which it is worth to look again: 0 where the claim is decided, infinite where no
    number of seeds is expected to decide it. `parts` are its cells, each judged by itself.
    """

    verdict: Verdict
    need: float = 0.0
    parts: Mapping[tuple[int, ...], Part] = field(default_factory=dict)

    @property
    def refuting(self) -> dict[tuple[int, ...], int]:
        """Replicates of the cells that refute a refuted claim."""
        refuted = self.verdict.outcome == "refuted"
        return {index: part.replicates for index, part in self.parts.items() if refuted and part.outcome == "refuted"}

    def stuck_since(self, before: Standing) -> bool:
        """Whether some cells are not supported, and none of those got replicates since the look before.

        Such a claim stays undecided: a cell that does not grow cannot confirm its own refutation, and the stricter
        levels of a later look do not let it support what it does not support now.
        """
        unsupported = {index: part for index, part in self.parts.items() if part.outcome != "supported"}
        grown = (
            part.replicates > (before.parts[index].replicates if index in before.parts else 0)
            for index, part in unsupported.items()
        )
        return bool(unsupported) and not any(grown)


def first_seeds(axes: Mapping[str, Sequence]) -> int | None:
    """Seeds of the first look: those of the quick profile, at least 16. None where seeds are not 0, 1, 2, ..., so that
    nobody knows which ones come next."""
    seeds = axes.get("seed")
    if seeds is None or tuple(seeds) != tuple(range(len(seeds))):
        return None
    return max(len(seeds), PLANNED_SEEDS)


def asks_for_seeds(claim: Claim) -> bool:
    """Whether more seeds are more data for a claim: it is a Monte Carlo claim that leaves the seeds open."""
    control = claim.control.where if claim.control is not None else None
    return claim.evidence == "monte_carlo" and "seed" not in claim.where and "seed" not in (control or {})


def first_replicates(dataset: xr.Dataset, count: int) -> xr.Dataset:
    """The part of a data set that seeds below `count` measured."""
    labels = dataset["seed"].values
    return dataset if len(labels) <= count else dataset.isel(seed=np.flatnonzero(labels < count))


def consecutive_seeds(dataset: xr.Dataset) -> int:
    """How many seeds a data set has without a gap: 0, 1, 2, ..."""
    labels = {int(label) for label in dataset["seed"].values}
    return next(count for count in range(len(labels) + 1) if count not in labels)


def over_looks(judged: Callable[..., Standing], dataset: xr.Dataset, claim: Claim, first: int) -> Standing:
    """A claim judged at one look after the other.

    A refutation is confirmed by a cell that is refuted at two successive looks, with more replicates at the second. Of
    a claim over several cells the grid may let only some grow: one that does not is judged at every look with the same
    seeds, so it can refute the claim at none. Support needs no such rule, since the looks spend its error rate.

    Parameters
    ----------
    judged : callable
        `judged(dataset, look=look)` gives the standing at one look.
    dataset : xarray.Dataset
    claim : Claim
    first : int
        Seeds of the first look.
    """
    looks = planned_looks(first, consecutive_seeds(dataset))
    if not looks:
        return _too_early(judged(dataset, look=Look(1, first)), dataset, first)
    at, outcomes, position = [], [], None
    for look in looks:
        standing = judged(first_replicates(dataset, look.seeds), look=look)
        if at and standing.verdict.cells == at[-1].verdict.cells:
            break  # the same replicates again, which can confirm nothing: the grid skips further seeds of this claim
        at.append(standing)
        outcomes.append(standing.verdict.outcome)
        position = decided_at(outcomes, [standing.refuting for standing in at])
        if position is not None:
            break
    decided = at[-1] if position is None else at[position]
    look = looks[len(at) - 1]
    verdict = replace(decided.verdict, looks=look.to_json(None if position is None else look.number))
    if position is not None:
        reason = f"{verdict.reason}, at {_seeds(look)}{_before(outcomes, looks)}"
        if look is not looks[-1]:  # for information: it decides nothing
            last = judged(first_replicates(dataset, looks[-1].seeds), look=looks[-1]).verdict
            reason += f"; at all {looks[-1].seeds} stored seeds: {last.reason}"
        return Standing(replace(verdict, reason=reason))
    again = look.following()
    need = max(decided.need, again.seeds)
    reason = f"{verdict.reason}; at {_seeds(look)}{_before(outcomes[:-1], looks)}"
    if outcomes[-1] == "refuted":
        verdict = replace(verdict, outcome="inconclusive")
        need = again.seeds
        reason = f"refuted at {_seeds(look)}, which the look at {again.seeds} seeds must repeat: {verdict.reason}"
        if len(at) > 1 and decided.refuting == at[-2].refuting:
            cells = " and of ".join(decided.parts[index].where for index in decided.refuting)
            reason = (
                f"refuted at {_seeds(look)} and before by the same replicates, which cannot confirm one another; the "
                f"grid skips further seeds of {cells}: {verdict.reason}"
            )
    if len(at) > 1 and decided.stuck_since(at[-2]):
        need = math.inf
    return Standing(replace(verdict, reason=reason), math.inf if claim.expect == "inconclusive" else need)


def _seeds(look: Look) -> str:
    return f"look {look.number} ({look.seeds} seeds)"


def _before(outcomes: Sequence[str], looks: Sequence[Look]) -> str:
    """The refutations that the next look did not repeat, in words."""
    seen = zip(outcomes, outcomes[1:], looks, looks[1:], strict=False)
    broken = [(one.seeds, two.seeds) for before, after, one, two in seen if before == "refuted" != after]
    return "".join(f"; refuted at {one} seeds, not at {two}" for one, two in broken)


def _too_early(standing: Standing, dataset: xr.Dataset, first: int) -> Standing:
    """The verdict before the first look."""
    seeds = dataset.sizes["seed"]
    reason = f"too few seeds: the first look is at {first} of them, 0 to {first - 1}; the data set has {seeds}"
    interval = interval_of(no_estimate(reason), math.nan)
    looks = {"look": 0, "seeds": 0, "levels": None, "decided_at": None}
    verdict = replace(standing.verdict, outcome="inconclusive", reason=reason, interval=interval, looks=looks)
    return Standing(verdict, math.inf if standing.verdict.expected == "inconclusive" else first)

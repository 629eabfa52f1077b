"""From the values of a claim's cells to an outcome: each cell by its interval, all of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore.inference.abstract import AbstractTest, interval_text
from unifiedscore.inference.decision import decide_values
from unifiedscore.inference.estimates import Estimate
from unifiedscore.inference.looks import Look
from unifiedscore.inference.verdict import REFUTE_LEVEL, SUPPORT_LEVEL, Outcome
from unifiedscore.study.selection import Group, Unavailable


@final
@dataclass(frozen=True, slots=True)
class Part:
    """One cell's own outcome: its labels in words, and how many replicates it has."""

    where: str
    outcome: Outcome
    replicates: int


@final
@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one test on all its cells, with the estimate of the cell that decided it."""

    outcome: Outcome
    estimate: Estimate
    level: float
    reason: str
    cells: int = 0
    need: float = 0.0  # seeds that would decide; 0 where it is decided, infinite where no number would
    parts: Mapping[tuple[int, ...], Part] = field(default_factory=dict)  # each cell by itself, by its index


def levels_of(look: Look | None, share: int) -> tuple[float, float]:
    """Levels of support and refutation of one of `share` cells, at a look or, without looks, at once."""
    support, refute = (SUPPORT_LEVEL, REFUTE_LEVEL) if look is None else (look.support, look.refute)
    return 1 - (1 - support) / share, 1 - (1 - refute) / share


def decide_cell(
    test: AbstractTest,
    group: Group,
    errors: Group | None,
    support: float,
    refute: float,
    following: tuple[float, float],
) -> Result:
    """One cell: supported by the interval at the support level, refuted by the wider one at the refutation level.

    `following` has the levels at which more seeds would be judged.
    """
    y, error = group.values, None if errors is None else errors.values
    x = None
    if group.x is not None:
        if any(isinstance(label, str) for label in group.x):
            raise Unavailable(f"the labels of the axis {test.axis} are text, no numbers to fit along")
        x = np.asarray(group.x, dtype=float)
    found = decide_values(test, y, x=x, error=error, support=support, refute=refute)
    need = 0.0
    if found.outcome == "inconclusive":
        seeds = 0 if errors is not None else y.shape[-1]
        need = _need(test, found.estimate, found.wide, seeds, (support, refute), following) if seeds else math.inf
    return Result(found.outcome, found.estimate, found.level, found.reason, need=need)


def _need(test: AbstractTest, narrow: Estimate, wide: Estimate, seeds: int, levels, following) -> float:
    """About how many seeds would decide an undecided cell at the levels that follow; infinite if no number would."""
    if narrow.few_seeds:
        return seeds + 1
    if narrow.kind == "none" or narrow.reason:  # pre-asymptotic, or values that no number of seeds makes better
        return math.inf
    inside = test.low <= narrow.value <= test.high
    shown, level = (narrow, levels[0]) if inside else (wide, levels[1])
    need = test.seeds_needed(shown, seeds=seeds, level=following[0], refute_level=following[1], shown=level)
    return math.inf if need is None else max(need, seeds + 1)


def combine_cells(test: AbstractTest, results: list[Result], groups: list[Group], cells: int) -> Result:
    """Refuted iff any cell is, supported iff all are; reported with the cell that decided."""
    where = [group.where for group in groups]
    outcomes = [result.outcome for result in results]
    region = interval_text(test.low, test.high)
    if "refuted" in outcomes:
        outcome = "refuted"
        chosen = max((i for i, o in enumerate(outcomes) if o == outcome), key=lambda i: _gap(results[i].estimate, test))
        ending = f" {region}"
    elif "inconclusive" in outcomes:
        outcome, ending = "inconclusive", ""
        chosen = outcomes.index(outcome)
    else:
        outcome = "supported"
        chosen = min(range(len(results)), key=lambda i: _margin(results[i].estimate, test))
        ending = f" {region}"
    decisive = results[chosen]
    need = _need_of_all(test, [result for result in results if result.outcome == "inconclusive"], outcome)
    reason = decisive.reason + ending
    if len(results) > 1:
        same = outcomes.count(outcome)
        role = {"supported": "the closest", "refuted": "the furthest", "inconclusive": "the first"}[outcome]
        reason = f"{same} of {len(results)} cells {outcome}, {role} at {where[chosen]}: {reason}"
    parts = {
        group.index: Part(group.where, found, group.values.shape[-1])
        for group, found in zip(groups, outcomes, strict=True)
    }
    return Result(outcome, decisive.estimate, decisive.level, reason, cells, need, parts)


def _need_of_all(test: AbstractTest, undecided: list[Result], outcome: Outcome) -> float:
    """Seeds that decide about all cells: one outside the region is enough to refute, support needs every one."""
    if outcome != "inconclusive":
        return 0.0
    outside = [result.need for result in undecided if not test.low <= result.estimate.value <= test.high]
    return min(outside) if outside else max(result.need for result in undecided)


def _gap(estimate: Estimate, test: AbstractTest) -> float:
    return max(test.low - estimate.high, estimate.low - test.high)


def _margin(estimate: Estimate, test: AbstractTest) -> float:
    return min(estimate.low - test.low, test.high - estimate.high)

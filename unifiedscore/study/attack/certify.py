"""Certificates: a candidate is a counterexample only if a second route says so too, both beyond their errors."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from unifiedscore.study.attack.evaluate import Ask, Variant
from unifiedscore.study.attack.explore import Trial
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.records import Record

MOST = 10  # candidates that are given to the second route


@final
@dataclass(frozen=True, slots=True)
class Certificate:
    """What two routes say of one instance."""

    instance: Instance
    value: float
    error: float
    second_value: float
    second_error: float
    margin: float
    certified: bool
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN where the second route failed."""
        return {
            "instance": self.instance.values_given,
            "value": self.value,
            "error": self.error,
            "second": {"value": self.second_value, "error": self.second_error},
            "margin": self.margin,
            "certified": self.certified,
            "message": self.message,
        }


def compare(instance: Instance, first: Mapping[str, float], second: Record, yardstick: Yardstick) -> Certificate:
    """Hold the two routes against each other and against the region."""
    value, error, margin = first["value"], first["error"], yardstick.margin(first)
    if second.status != "ok":
        nan = math.nan
        return Certificate(instance, value, error, nan, nan, margin, False, second.message)
    other, noise = second.values["value"], second.values["error"]
    agree = abs(value - other) <= error + noise
    outside = margin > 0 and yardstick.margin({**first, **second.values}) > 0
    certified = agree and outside and yardstick.surely_feasible(first)
    return Certificate(instance, value, error, other, noise, margin, certified)


def certify(
    universal: Universal, variant: Variant, yardstick: Yardstick, trials: Sequence[Trial], *, most: int = MOST
) -> Generator[list[Ask], list[Record], list[Certificate]]:
    """Give the candidates with the largest margins to the second route; returns their certificates in that order."""
    found = [trial for trial in trials if trial.instance is not None and yardstick.candidate(trial.values)]
    found.sort(key=lambda trial: trial.rank, reverse=True)
    chosen = list({trial.instance: trial for trial in found}.values())[:most]
    if not chosen:
        return []
    records = yield [Ask(universal, variant, "second", trial.instance) for trial in chosen]
    return [
        compare(trial.instance, trial.values, record, yardstick) for trial, record in zip(chosen, records, strict=True)
    ]

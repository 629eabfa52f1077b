"""What a test says of measured values: the one place where the two levels meet a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import Estimate
from unifiedscore.inference.verdict import REFUTE_LEVEL, SUPPORT_LEVEL, Outcome, decide


@final
@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, the estimate it rests on and the reason in words; `wide` is the estimate at the refutation level."""

    outcome: Outcome
    estimate: Estimate
    level: float
    reason: str
    wide: Estimate


def decide_values(
    test: AbstractTest, y, *, x=None, error=None, support: float = SUPPORT_LEVEL, refute: float = REFUTE_LEVEL
) -> Decision:
    """Supported by the interval at the support level, refuted by the wider one at the refutation level, or neither.

    `y`, `x` and `error` are those of `AbstractTest.estimate`; without `error` the last axis of `y` holds the seeds.
    """
    seeds = 0 if error is not None else y.shape[-1]
    narrow = test.estimate(y, x=x, error=error, level=support)
    # A numerical interval is the same at every level; what a test samples in spite of an error is not.
    wide = narrow if narrow.kind == "numerical" else test.estimate(y, x=x, error=error, level=refute)
    region = test.low, test.high
    if decide(narrow, *region) == "supported":
        words = test.describe(narrow, level=support, seeds=seeds)
        return Decision("supported", narrow, support, f"{words} lies inside", wide)
    if decide(wide, *region) == "refuted":
        words = test.describe(wide, level=refute, seeds=seeds)
        return Decision("refuted", wide, refute, f"{words} lies wholly outside", wide)
    reason = narrow.reason or test.undecided(narrow, wide, seeds=seeds, levels=(support, refute))
    return Decision("inconclusive", narrow, support, reason, wide)

"""The learning rate of a training in float32."""

from __future__ import annotations

from unifiedscore import validate
from unifiedscore.errors import InputError

LARGEST = 1e36  # Adam divides it by 1 - beta_1 = 0.1 at its first step, which float32 must hold


def checked_rate(value) -> float:
    """Return a learning rate that the optimiser can take a step with."""
    rate = validate.positive(value, "learning_rate")
    if rate > LARGEST:
        raise InputError(f"learning_rate must be at most {LARGEST:g}, for weights in float32; got {rate:g}")
    return rate

"""Checks that the measures share beyond those of `unifiedscore.validate`."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


def read_array(value, name: str) -> np.ndarray:
    """Return `value` as a finite float64 array of its own shape, () included."""
    return validate.real_array(value, name).astype(np.float64)


def read_number(value, name: str) -> float:
    """Return `value` as a finite float of any sign."""
    array = read_array(value, name)
    if array.ndim != 0:
        raise InputError(f"{name} must be a single number; got shape {array.shape}")
    return float(array)

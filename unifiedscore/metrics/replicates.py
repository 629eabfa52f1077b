"""A metric with its standard error over independent replicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import binary_exponent


@final
@dataclass(frozen=True, slots=True)
class Replicated:
    """Mean of a metric over independent replicates.

    Use when you read the mean and the standard error that `replicated` found.

    Attributes
    ----------
    values : (r, ...) array
        One value, or array of values, per replicate.
    mean, standard_error : array
        Over the replicates: the spread of whole repetitions, never of the particles of one of them.
    """

    values: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray


def replicated(metric: Callable, replicates: Iterable[tuple]) -> Replicated:
    """Evaluate `metric(*arguments)` for every tuple of arguments.

    Use when a metric needs an error bar over independent repetitions of a whole experiment.

    Raises
    ------
    InputError
        Fewer than two replicates: no standard error exists.

    Examples
    --------
    >>> result = replicated(lambda a, b: a - b, [(3.0, 1.0), (5.0, 1.0)])
    >>> float(result.mean), float(result.standard_error)
    (3.0, 1.0)
    """
    values = validate.real_array([metric(*arguments) for arguments in replicates], "metric").astype(float)
    if len(values) < 2:
        raise InputError(f"a standard error needs at least two replicates; got {len(values)}")
    # At size one: the squares of extreme values are no floats.
    exponent = binary_exponent(values, axis=0)
    scaled = np.ldexp(values, -exponent)
    error = scaled.std(0, ddof=1) / np.sqrt(len(values))
    return Replicated(values, np.ldexp(scaled.mean(0), exponent), np.ldexp(error, exponent))

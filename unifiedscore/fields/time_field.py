"""A field for every time, such as the score of a denoising network along a diffusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.validate import function, number, shown


@final
@dataclass(frozen=True, slots=True)
class TimeField:
    """A function (x, t) that is a field at every time t.

    Use when you give a learned or otherwise known score to `simulate` in place of the exact one.

    Parameters
    ----------
    fields : callable t -> AbstractField
        Such as `denoiser.score`, or `process.base_score_field`.

    Examples
    --------
    >>> import unifiedscore as us
    >>> field = TimeField(lambda t: us.ClosedFormScore([[0.0], [2.0]], t))
    >>> field([[0.5]], 0.5)
    array([[0.]])
    >>> field.at(0.5).dimension
    1
    """

    fields: Callable[[float], AbstractField]

    def __post_init__(self) -> None:
        function(self.fields, "fields", "of the time that returns a field")

    def at(self, t) -> AbstractField:
        """The field at one time."""
        t = number(t, "t", low=0.0, high=1.0)
        field = self.fields(t)
        if not isinstance(field, AbstractField):
            raise InputError(
                f"fields must return a field at time {t:g}; got {shown(field)}; wrap a function of points with as_field"
            )
        return field

    def __call__(self, x, t) -> np.ndarray:
        return self.at(t)(x)

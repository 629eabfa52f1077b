"""A field that pulls every point towards its own centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.validate import points, positive, shown


@final
@dataclass(frozen=True, slots=True)
class Attraction(AbstractField):
    r"""The field $F(x) = \lambda\,(c\,m(x) - x)$ for a field of centres m: conservative where m is.

    Use when a field is a linear pull towards centres that depend on the point.

    Scores and velocities of closed-form diffusion are attractions to barycenters; x itself is never smoothed.

    Parameters
    ----------
    centers : AbstractField
        The field m.
    scale : float
        Factor $c \ge 0$ of the centres.
    rate : float
        Strength $\lambda > 0$.
    """

    centers: AbstractField
    scale: float
    rate: float

    def __post_init__(self) -> None:
        if not isinstance(self.centers, AbstractField):
            raise InputError(f"centers must be a field (wrap a callable with as_field); got {shown(self.centers)}")
        object.__setattr__(self, "scale", positive(self.scale, "scale", allow_zero=True))
        object.__setattr__(self, "rate", positive(self.rate, "rate"))

    @property
    def dimension(self) -> int:
        return self.centers.dimension

    @property
    def is_conservative(self) -> bool:
        return self.centers.is_conservative

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        return self.rate * (self.scale * self.centers(x) - x)

    def potential(self, x):
        x = points(x, "x", dimension=self.dimension)
        height = self.centers.potential(x)
        return None if height is None else self.rate * (self.scale * height - 0.5 * np.einsum("nd,nd->n", x, x))

    def jacobian(self, x):
        x = points(x, "x", dimension=self.dimension)
        slope = self.centers.jacobian(x)
        return None if slope is None else self.rate * (self.scale * slope - np.eye(self.dimension, dtype=x.dtype))

"""Scores and controls of a tilted process at one time, as fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, final

import numpy as np

from unifiedscore import validate
from unifiedscore.fields import AbstractField
from unifiedscore.measures import GaussianMixture
from unifiedscore.processes.conditional import score_and_hessian
from unifiedscore.processes.schedules import Schedule


class HasMarginals(Protocol):
    """What a field of a process needs of it; `TiltedProcess` has it."""

    dimension: int
    schedule: Schedule
    target: GaussianMixture | None
    log_normalizer: float

    def base_marginal(self, t) -> GaussianMixture:
        """p_t."""

    def tilted_marginal(self, t) -> GaussianMixture:
        """p*_t."""

    def value(self, x, t) -> np.ndarray:
        """V(x, t), (n,)."""


@final
@dataclass(frozen=True, slots=True)
class ProcessField(AbstractField):
    """`base_score`, `tilted_score` or `optimal_control` of a process at a fixed time; made by the process.

    Use when you evaluate or plot a process at one time as a field; the process makes it.

    All three are gradients: of log p_t, of log p*_t (up to a constant) and of -sigma V.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "rectified_flow")
    >>> process.tilted_score_field(1.0)([[0.0]])
    array([[1.]])
    """

    process: HasMarginals
    time: float
    quantity: Literal["base_score", "tilted_score", "optimal_control"]

    @property
    def dimension(self) -> int:
        return self.process.dimension

    @property
    def is_conservative(self) -> bool:
        return True

    def __call__(self, x):
        return getattr(self.process, self.quantity)(x, self.time)

    def potential(self, x):
        """log p_t, log p*_t, or -sigma V."""
        process, t = self.process, self.time
        if self.quantity == "optimal_control":
            if t == 0:
                return None
            return -process.schedule.sigma(t) * process.value(x, t)
        base = process.base_marginal(t).log_density(x)
        return base if self.quantity == "base_score" else base - process.value(x, t) - process.log_normalizer

    def jacobian(self, x):
        """Hessian of the potential, (n, d, d); None for rewards that are not quadratic."""
        process, t = self.process, self.time
        x = validate.points(x, "x", dimension=self.dimension)
        wide = x.astype(np.float64, copy=False)
        if t == 0 and process.schedule.name == "foellmer":
            return None
        if self.quantity == "base_score":
            return score_and_hessian(process.base_marginal(t), wide)[1].astype(x.dtype)
        if process.target is None:
            return None
        tilted = score_and_hessian(process.tilted_marginal(t), wide)[1]
        if self.quantity == "tilted_score":
            return tilted.astype(x.dtype)
        base = score_and_hessian(process.base_marginal(t), wide)[1]
        return (process.schedule.sigma(t) * (tilted - base)).astype(x.dtype)

"""A network as the control of a tilted process: a field at every time, with an exact Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from math import log
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.gradients import PARAMETRISATIONS, output_factor
from unifiedscore.learned.network_field import NetworkField
from unifiedscore.processes.schedules import Schedule, read_schedule, read_time


@final
@dataclass(frozen=True, slots=True, init=False, eq=False)
class LearnedControl:
    r"""A network as the difference of scores :math:`c \approx s^* - s`, and as the control :math:`u = \sigma c`.

    Use when you steer `simulate` with a trained network: pass it as `control`.

    With the mean m and the variance :math:`\nu^2` per coordinate of the base, :math:`\Gamma = \alpha^2\nu^2 + \beta^2`,

    .. math:: c(x, t) = j(t)\,F\big((x - \alpha m)/\sqrt\Gamma,\ \tfrac14\log(\beta/\alpha)\big),

    where j is the `output_factor` of the parametrisation: what the network outputs decides which fine-tuning losses
    have gradients of finite variance.

    Parameters
    ----------
    module : callable of tensors (n, d), (n,) -> (n, d)
        F. A `torch.nn.Module` is copied: the copy is in evaluation mode, in float64 and without gradients.
    schedule : Schedule or str
    mean : (d,) array
        m.
    variance : float
        :math:`\nu^2`.
    parametrisation : {"score", "noise", "denoiser", "velocity"}
    cutoff : float
        The network was trained at times of [cutoff, 1 - cutoff]; outside, it is asked at the nearer end.

    Raises
    ------
    InputError
        The module does not map points of that dimension to such points, or an argument is not one of the above.
    MissingDependencyError
        PyTorch is not installed.

    References
    ----------
    Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229.

    Examples
    --------
    >>> constant = LearnedControl(lambda x, label: 0 * x + 2, "foellmer", mean=[0.0], variance=1.0)
    >>> constant([[0.3]], 0.5)
    array([[2.]])
    """

    module: Callable
    schedule: Schedule
    mean: np.ndarray
    variance: float
    parametrisation: str
    cutoff: float
    dtype: object = field(repr=False)
    device: object = field(repr=False)
    batch_size: int = field(repr=False)
    scale: float = field(repr=False)

    def __init__(
        self, module, schedule, *, mean, variance, parametrisation: str = "score", cutoff: float = 0.02
    ) -> None:
        torch = require_torch("a network as a control")
        validate.function(module, "module", "of the points (n, d) and their labels (n,)")
        mean = validate.real_array(mean, "mean").astype(np.float64)
        if mean.ndim != 1 or not mean.size:
            raise InputError(f"mean must have shape (d,); got shape {mean.shape}")
        if isinstance(module, torch.nn.Module):
            module = deepcopy(module).to(device="cpu", dtype=torch.float64).eval().requires_grad_(False)
        validate.choice(parametrisation, "parametrisation", PARAMETRISATIONS)
        values = {
            "module": module,
            "schedule": read_schedule(schedule),
            "mean": mean,
            "variance": validate.positive(variance, "variance"),
            "parametrisation": parametrisation,
            "cutoff": checked_cutoff(cutoff),
            "dtype": torch.float64,
            "device": torch.device("cpu"),
            "batch_size": 4096,
            "scale": 1.0,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.score_difference(0.5)(np.zeros((2, self.dimension)))  # a network that does not fit is refused here

    @property
    def dimension(self) -> int:
        """Dimension d of the state."""
        return len(self.mean)

    def __call__(self, x, t) -> np.ndarray:
        """u(x, t) at points (n, d)."""
        return self.at(t)(x)

    def jacobian(self, x, t) -> np.ndarray:
        r""":math:`\partial_ju_i` at points, (n, d, d), for `full_adjoint`."""
        return self.at(t).jacobian(x)

    def at(self, t) -> NetworkField:
        """The control u = sigma c at time t as a field; after time 0 where sigma is singular there."""
        t = read_time(t)
        return self._field(t, float(self.schedule.sigma(t)))

    def score_difference(self, t) -> NetworkField:
        """c at time t as a field: what the network adds to the score of the base."""
        return self._field(read_time(t), 1.0)

    def _field(self, t: float, gain: float) -> NetworkField:
        t = min(max(t, self.cutoff), 1 - self.cutoff)
        alpha = float(self.schedule.alpha(t))
        factor = float(output_factor(self.schedule, self.parametrisation, t, variance=self.variance))
        width = float(np.sqrt(self.schedule.variance(t, self.variance)))
        label = 0.25 * log(float(self.schedule.beta(t)) / alpha)
        return NetworkField(self, width, label, alpha * self.mean, np.zeros(self.dimension), 0.0, gain * factor)


def checked_cutoff(value) -> float:
    """A cut-off of time in (0, 1/2)."""
    cutoff = validate.positive(value, "cutoff")
    if cutoff >= 0.5:
        raise InputError(f"cutoff must be below 1/2; got {validate.shown(cutoff)}")
    return cutoff

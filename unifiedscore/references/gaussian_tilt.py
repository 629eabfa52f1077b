r"""The tilted path of a Gaussian process, :math:`\pi_t \propto p_te^{tr}`, and its exact correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes.rewards import QuadraticReward
from unifiedscore.processes.tilted_process import TiltedProcess


@final
@dataclass(frozen=True, slots=True, eq=False)
class GaussianTilt:
    r"""pi_t = N(mu_t, S_t I) for a process with one isotropic Gaussian and a scalar quadratic reward.

    With p_t = N(alpha m_0, Gamma I): :math:`1/S = 1/\Gamma + tq`, :math:`\mu = S(\alpha m_0/\Gamma + tl)`, and the
    exact correction is :math:`c = \mu' + (S'/2S)(x - \mu) - v`, affine in x.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), "rectified_flow")
    >>> round(float(np.exp(GaussianTilt(process).log_normalizer(1.0))), 10)
    1.0200011163
    """

    process: TiltedProcess

    def __post_init__(self) -> None:
        base, reward = self.process.base, self.process.reward
        simple = base.n_components == 1 and base.variances is not None
        if not simple or not isinstance(reward, QuadraticReward) or np.ndim(reward.quadratic):
            raise InputError("GaussianTilt needs a single isotropic Gaussian and a QuadraticReward with a number q")

    def moments(self, t: float) -> tuple[np.ndarray, float, np.ndarray, float]:
        """mu, S, mu', S' at time t."""
        center, gamma, center_rate, gamma_rate = self._base(t)
        reward = self.process.reward
        q, slope = reward.quadratic, reward.linear
        variance = 1 / (1 / gamma + t * q)
        variance_rate = variance**2 * (gamma_rate / gamma**2 - q)
        natural = center / gamma + t * slope
        natural_rate = center_rate / gamma - center * gamma_rate / gamma**2 + slope
        return variance * natural, variance, variance_rate * natural + variance * natural_rate, variance_rate

    def velocity(self, x, t: float) -> np.ndarray:
        """Probability-flow velocity v of the base, (n, d)."""
        x = validate.points(x, "x", dimension=self.process.dimension)
        center, gamma, center_rate, gamma_rate = self._base(t)
        return center_rate + gamma_rate / (2 * gamma) * (x - center)

    def correction(self, x, t: float) -> np.ndarray:
        """The exact c, (n, d)."""
        x = validate.points(x, "x", dimension=self.process.dimension)
        mean, variance, mean_rate, variance_rate = self.moments(t)
        return mean_rate + variance_rate / (2 * variance) * (x - mean) - self.velocity(x, t)

    def divergence(self, x, t: float) -> np.ndarray:
        """div c, (n,)."""
        _, gamma, _, gamma_rate = self._base(t)
        _, variance, _, variance_rate = self.moments(t)
        x = validate.points(x, "x", dimension=self.process.dimension)
        return np.full(len(x), self.process.dimension * (variance_rate / variance - gamma_rate / gamma) / 2)

    def log_normalizer(self, t: float) -> float:
        """log Z_t = log E_{p_t} exp(t r)."""
        reward = self.process.reward
        return float(self.process.base_marginal(t).tilted(t * reward.linear, t * reward.quadratic).log_normalizer)

    def log_normalizer_rate(self, t: float) -> float:
        r"""(log Z_t)' = E_{\pi_t}[r + t v.grad r]: the rate of r_t along the flow of p_t, averaged under pi_t."""
        reward = self.process.reward
        q, slope, d = reward.quadratic, reward.linear, self.process.dimension
        center, gamma, center_rate, gamma_rate = self._base(t)
        mean, variance, _, _ = self.moments(t)
        growth = gamma_rate / (2 * gamma)
        second = mean @ mean + d * variance
        value = slope @ mean - 0.5 * q * second
        offset = center_rate - growth * center
        flow = offset @ slope + growth * (slope @ mean) - q * (offset @ mean) - q * growth * second
        return float(value + t * flow)

    def _base(self, t) -> tuple[np.ndarray, float, np.ndarray, float]:
        schedule, base = self.process.schedule, self.process.base
        spread = float(base.variances[0])
        center = base.mean
        gamma, rate = schedule.variance(t, spread), schedule.variance_rate(t, spread)
        return schedule.alpha(t) * center, gamma, schedule.alpha_rate(t) * center, rate

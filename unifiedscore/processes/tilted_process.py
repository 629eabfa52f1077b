"""A diffusion process with a known base law, tilted by a reward: every score, value and control in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture
from unifiedscore.measures.isotropic import log_sum_exp
from unifiedscore.processes.conditional import (
    conditional_law,
    mixture_rule,
    mixture_velocity,
    noised,
    normal_rule,
    score_and_hessian,
)
from unifiedscore.processes.process_field import ProcessField
from unifiedscore.processes.rewards import AbstractReward, QuadraticReward
from unifiedscore.processes.schedules import Schedule, read_schedule, read_time


@final
@dataclass(frozen=True, slots=True, eq=False)
class TiltedProcess:
    r"""The diffusion that turns noise into :math:`p^* = p_1 e^r / Z`, next to the one that makes :math:`p_1`.

    Use when a diffusion is fine-tuned to a reward and you need its exact scores, control and target.

    With :math:`p_t`, :math:`p^*_t` the laws of :math:`\alpha X_1 + \beta X_0` for :math:`X_1` from :math:`p_1` and
    :math:`p^*`, and scores :math:`s`, :math:`s^*`: the memoryless base drift is :math:`b = \kappa x + 2\eta s` with
    noise :math:`\sigma^2 = 2\eta`, the value function :math:`V = -\log E[e^{r(X_1)} | X_t = x]`,
    and the optimal control

    .. math:: u^* = -\sigma\nabla V = \sigma (s^* - s).

    For a `QuadraticReward` everything is closed form in any dimension; for other rewards it is quadrature over the law
    of X_1 given X_t, in dimension 1 to 3.

    Parameters
    ----------
    base : GaussianMixture
        p_1, without point masses.
    reward : AbstractReward
    schedule : Schedule or str

    Attributes
    ----------
    target : GaussianMixture or None
        p*, where it is a mixture.
    log_normalizer : float
        log Z = log E_{p_1} exp(r).

    Raises
    ------
    InputError
        The reward does not normalise (base precision + quadratic must be positive definite), dimensions differ, or the
        base has point masses.

    References
    ----------
    Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229; Domingo-Enrich et al. 2024, arXiv 2409.08861.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), "foellmer")
    >>> round(float(np.exp(process.log_normalizer)), 10)
    1.0200011163
    >>> (process.optimal_control([[0.9]], 0.37) / process.schedule.sigma(0.37)).round(7)
    array([[0.0178562]])
    """

    base: GaussianMixture
    reward: AbstractReward
    schedule: Schedule | str
    target: GaussianMixture | None = field(init=False)
    log_normalizer: float = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.base, GaussianMixture):
            raise InputError(f"base must be a GaussianMixture; got {type(self.base).__name__}")
        if not isinstance(self.reward, AbstractReward):
            raise InputError(f"reward must be a QuadraticReward or a CallableReward; got {validate.shown(self.reward)}")
        if self.reward.dimension != self.base.dimension:
            raise InputError(
                f"reward has dimension {self.reward.dimension} but the base has dimension {self.base.dimension}"
            )
        smallest = self.base.variances if self.base.variances is not None else self.base.eigenvalues
        if smallest.min() <= 0:
            raise InputError("base must have a density; give its point masses a variance with .smoothed(variance)")
        object.__setattr__(self, "schedule", read_schedule(self.schedule))
        if isinstance(self.reward, QuadraticReward):
            target = self.base.tilted(self.reward.linear, self.reward.quadratic)
            log_normalizer = target.log_normalizer
        else:
            target, log_normalizer = None, _log_normalizer(self.base, self.reward)
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "log_normalizer", log_normalizer)

    @property
    def dimension(self) -> int:
        """Dimension d of the state."""
        return self.base.dimension

    def base_marginal(self, t) -> GaussianMixture:
        """p_t, the law of alpha X_1 + beta X_0 with X_1 from the base."""
        return noised(self.base, self.schedule, read_time(t))

    def tilted_marginal(self, t) -> GaussianMixture:
        """p*_t; quadratic rewards only."""
        return noised(self._target("tilted_marginal"), self.schedule, read_time(t))

    def base_score(self, x, t) -> np.ndarray:
        """grad log p_t at x (n, d); t in [0, 1], without 0 for Foellmer, whose p_0 is a point."""
        t = self._density_time(t)
        return self.base_marginal(t).score(x)

    def tilted_score(self, x, t) -> np.ndarray:
        """s*_t = grad log p*_t at x (n, d); t as in `base_score`."""
        t = self._density_time(t)
        if self.target is not None:
            return noised(self.target, self.schedule, t).score(x)
        x = validate.points(x, "x", dimension=self.dimension)
        return (self.base_score(x, t) + self.score_difference(x, t)).astype(x.dtype)

    def score_difference(self, x, t) -> np.ndarray:
        """s*_t - s_t = -grad V at x (n, d); t in [0, 1]: at 1 it is grad r."""
        x = validate.points(x, "x", dimension=self.dimension)
        wide, t = x.astype(np.float64, copy=False), read_time(t)
        if t == 1:
            return self.reward.gradient(wide).astype(x.dtype)
        if t == 0 and self.schedule.name == "foellmer":
            # p_0 is the point 0; the limit of (alpha / beta^2) (E*[X_1 | x] - E[X_1 | x]) there.
            return np.broadcast_to(self._tilted_mean() - self.base.mean, x.shape).astype(x.dtype)
        if self.target is not None:
            first, second = (noised(law, self.schedule, t) for law in (self.target, self.base))
            return (first.score(wide) - second.score(wide)).astype(x.dtype)
        nodes, weights, _ = self._tilted_nodes(wide, t)
        law = conditional_law(self.base, self.schedule, wide, t)
        ratio = self.schedule.alpha(t) / self.schedule.beta_squared(t)
        return (ratio * (np.einsum("nk,nkd->nd", weights, nodes) - law.mean)).astype(x.dtype)

    def value(self, x, t) -> np.ndarray:
        """V(x, t) = -log E[exp r(X_1) | X_t = x], (n,); t as in `base_score`."""
        x = validate.points(x, "x", dimension=self.dimension)
        wide, t = x.astype(np.float64, copy=False), self._density_time(t)
        if t == 1:
            return -self.reward.value(wide).astype(x.dtype)
        if self.target is None:
            return -self._tilted_nodes(wide, t)[2].astype(x.dtype)
        first, second = (noised(law, self.schedule, t) for law in (self.target, self.base))
        return (second.log_density(wide) - first.log_density(wide) - self.log_normalizer).astype(x.dtype)

    def optimal_control(self, x, t) -> np.ndarray:
        """u* = sigma (s* - s) with the memoryless sigma, (n, d); t > 0 unless Foellmer, where sigma = 1."""
        return self.schedule.sigma(t) * self.score_difference(x, t)

    def velocity(self, x, t) -> np.ndarray:
        """Probability-flow velocity v = kappa x + eta s, (n, d); t as in `base_score`."""
        x = validate.points(x, "x", dimension=self.dimension)
        wide = x.astype(np.float64, copy=False)
        return mixture_velocity(self.base, self.schedule, wide, self._density_time(t)).astype(x.dtype)

    def drift(self, x, t, *, sigma: float | None = None) -> np.ndarray:
        r"""Base drift :math:`\kappa x + (\sigma^2/2 + \eta) s`, (n, d): the same marginals for every sigma; t > 0.

        `sigma` None is the memoryless noise, for which this is b = kappa x + 2 eta s; 0 is the probability flow.
        """
        x = validate.points(x, "x", dimension=self.dimension)
        kappa, gain = self.drift_rates(t, sigma=sigma)
        return (kappa * x + gain * self.base_score(x, t)).astype(x.dtype)

    def drift_rates(self, t, *, sigma: float | None = None) -> tuple[float, float]:
        """kappa and sigma^2/2 + eta."""
        t = read_time(t, after_zero="the base drift kappa x + (sigma^2/2 + eta) s")
        kappa, eta = self.schedule.kappa(t), self.schedule.eta(t)
        if sigma is None:
            return kappa, 2 * eta
        return kappa, 0.5 * validate.positive(sigma, "sigma", allow_zero=True) ** 2 + eta

    def drift_jacobian(self, x, t, *, sigma: float | None = None) -> np.ndarray:
        """Jacobian of `drift`, (n, d, d), symmetric; t > 0."""
        x = validate.points(x, "x", dimension=self.dimension)
        kappa, gain = self.drift_rates(t, sigma=sigma)
        hessian = score_and_hessian(self.base_marginal(t), x.astype(np.float64, copy=False))[1]
        return (kappa * np.eye(self.dimension) + gain * hessian).astype(x.dtype)

    def noise(self, data, t, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Forward noising: (alpha x_1 + beta x_0, x_0) with a fresh x_0 ~ N(0, I); both (n, d)."""
        data, t = validate.points(data, "data", dimension=self.dimension), read_time(t)
        x_0 = validate.generator(rng).standard_normal(data.shape)
        return self.schedule.alpha(t) * data + self.schedule.beta(t) * x_0, x_0

    def base_score_field(self, t) -> ProcessField:
        """`base_score` at time t as a field."""
        return ProcessField(self, self._density_time(t), "base_score")

    def tilted_score_field(self, t) -> ProcessField:
        """`tilted_score` at time t as a field: it joins comparisons like any other."""
        return ProcessField(self, self._density_time(t), "tilted_score")

    def optimal_control_field(self, t) -> ProcessField:
        """`optimal_control` at time t as a field."""
        t = read_time(t)
        self.schedule.sigma(t)  # refuses the time at which it is singular
        return ProcessField(self, t, "optimal_control")

    def _density_time(self, t) -> float:
        if self.schedule.name != "foellmer":
            return read_time(t)
        return read_time(t, after_zero="the law at time 0 of the Foellmer schedule is a point, so its score")

    def _target(self, what: str) -> GaussianMixture:
        if self.target is None:
            raise InputError(f"{what} needs a QuadraticReward, whose tilted law is a mixture")
        return self.target

    def _tilted_mean(self) -> np.ndarray:
        if self.target is not None:
            return self.target.mean
        x, w = mixture_rule(self.base)
        return (w * np.exp(self.reward.value(x) - self.log_normalizer)) @ x

    def _tilted_nodes(self, x, t) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nodes (n, N, d), their weights under X_1 | X_t = x of the tilted process, and log E[e^r | x] (n,)."""
        nodes, weights = conditional_law(self.base, self.schedule, x, t).nodes()
        n, count, d = nodes.shape
        reward = self.reward.value(nodes.reshape(-1, d)).reshape(n, count)
        with np.errstate(divide="ignore"):
            terms = reward + np.log(weights)
        log_mean = log_sum_exp(terms)
        return nodes, np.exp(terms - log_mean[:, None]), log_mean


def _log_normalizer(base: GaussianMixture, reward: AbstractReward) -> float:
    """log E exp(r) by quadrature, refused where a wider range of integration would change it."""
    x, w = mixture_rule(base)
    with np.errstate(divide="ignore"):
        terms = np.log(w) + reward.value(x)
    total = float(log_sum_exp(terms[None])[0])
    edge = np.abs(normal_rule(base.dimension)[0]).max(axis=1) > 8.0
    outer = terms[np.tile(edge, base.n_components)]
    # The base alone has less than 1e-14 of its mass beyond 8 standard deviations.
    if float(log_sum_exp(outer[None])[0]) > total - 18:
        raise InputError(
            "the reward does not normalise: exp(r) times the base density does not decay within 9 standard deviations; "
            "the reward must grow more slowly than minus the log-density of the base"
        )
    return total

r"""Regression targets: random vectors whose conditional mean given the noisy state is a score or a control.

Every target of the literature is affine in x_t plus a multiple of one function of the data,

.. math:: T = a_t x_t + b_t h(X_1),

so its conditional mean and variance are those of h(X_1) given x_t: closed forms for affine h, quadrature elsewhere.

====================================  ==================================================  =========================
target                                T                                                   conditional mean
====================================  ==================================================  =========================
conditional (denoising)               -(x - alpha X_1) / beta^2                           s*
target                                grad log p*(X_1) / alpha                            s*
novel, reference N(0, tau^2 I)        -x/G + (alpha tau^2/G) grad log g(X_1)              s*
adjoint matching, base N(m, nu^2 I)   (alpha nu^2 / Gamma) grad r(X_1)                    s* - s
adjoint sampling (b = 0)              grad r(X_1)                                         s* - s
====================================  ==================================================  =========================

with G = alpha^2 tau^2 + beta^2, Gamma = alpha^2 nu^2 + beta^2 and g = p* / N(0, tau^2 I): a
reference mean m would cancel, path by path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture
from unifiedscore.memory import rows_within
from unifiedscore.processes.conditional import ConditionalLaw, conditional_law, conditional_roots, mixture_rule, noised
from unifiedscore.processes.rewards import QuadraticReward
from unifiedscore.processes.schedules import Schedule, read_time
from unifiedscore.processes.tilted_process import TiltedProcess


@final
@dataclass(frozen=True, slots=True, eq=False)
class RegressionTarget:
    """A target T = a x + b h(X_1); made by the functions of this module.

    Use when you compare the bias and the variance of what fine-tuning methods regress on.

    Parameters
    ----------
    name : str
    law : GaussianMixture
        Law of X_1: p* for unbiasedness; replace it (`dataclasses.replace`) to see the bias of any other.
    schedule : Schedule
    function : callable (n, d) -> (n, d)
        h.
    coefficients : callable t -> (a, b)
        Checks its time.
    affine : (H, h_0) or None
        h(y) = H y + h_0, where it is affine.

    Notes
    -----
    E |m - T|^2 = E |m - E[T | x]|^2 + E tr Var(T | x): the first term is the bias of a model m, the second the loss
    floor that no model goes below.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), "rectified_flow")
    >>> round(conditional_target(process).expected_variance(0.5), 10)
    1.9123055163
    """

    name: str
    law: GaussianMixture
    schedule: Schedule
    function: Callable = field(repr=False)
    coefficients: Callable = field(repr=False)
    affine: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    def __call__(self, x, data, t) -> np.ndarray:
        """The target at states x given data X_1, both (n, d)."""
        x = validate.points(x, "x", dimension=self.law.dimension)
        data = validate.points(data, "data", dimension=self.law.dimension)
        a, b = self.coefficients(t)
        return a * x + b * self.function(data)

    def conditional_mean(self, x, t) -> np.ndarray:
        """E[T | X_t = x], (n, d)."""
        x, (a, b), law = self._conditional(x, t)
        if self.affine is not None:
            return a * x + b * (law.mean @ self.affine[0].T + self.affine[1])
        return a * x + b * self._batched(law)[0]

    def conditional_variance(self, x, t) -> np.ndarray:
        """tr Var(T | X_t = x), (n,)."""
        x, (_, b), law = self._conditional(x, t)
        if self.affine is not None:
            matrix = self.affine[0]
            return b**2 * np.einsum("ij,njk,ik->n", matrix, law.covariance, matrix)
        return b**2 * self._batched(law)[1]

    def expected_variance(self, t) -> float:
        """E tr Var(T | X_t) with X_1 from `law`: the loss floor at time t."""
        if self.law.n_components == 1 and self.affine is not None:
            # The conditional variance does not depend on the state.
            (_, b), matrix = self.coefficients(t), self.affine[0]
            roots = conditional_roots(self.law, self.schedule, read_time(t))
            covariance = np.einsum("mik,mjk->mij", roots, roots)
            return float((b**2 * np.einsum("ij,njk,ik->n", matrix, covariance, matrix))[0])
        # Conditional moments vary over a whole standard deviation of the state: a coarse rule is exact to 1e-10.
        x, w = mixture_rule(
            noised(self.law, self.schedule, read_time(t)), spacing=0.25 if self.law.dimension == 1 else None
        )
        return float(w @ self.conditional_variance(x, t))

    def _conditional(self, x, t) -> tuple[np.ndarray, tuple, ConditionalLaw]:
        x = validate.points(x, "x", dimension=self.law.dimension).astype(np.float64, copy=False)
        coefficients = self.coefficients(t)
        return x, coefficients, conditional_law(self.law, self.schedule, x, read_time(t))

    def _batched(self, law: ConditionalLaw) -> tuple[np.ndarray, np.ndarray]:
        """E[h | x] (n, d) and tr Var(h | x) (n,) by quadrature; the variance of centred values."""
        n, m, d = law.means.shape
        means, variances = np.empty((n, d)), np.empty(n)
        size = rows_within(m * d * 181**d if d == 1 else m * d * 3721)
        for start in range(0, n, size):
            rows = slice(start, start + size)
            nodes, weights = ConditionalLaw(law.shares[rows], law.means[rows], law.roots).nodes()
            values = self.function(nodes.reshape(-1, d)).reshape(nodes.shape)
            means[rows] = np.einsum("nk,nkd->nd", weights, values)
            gaps = values - means[rows, None]
            variances[rows] = np.einsum("nk,nkd,nkd->n", weights, gaps, gaps)
        return means, variances


def conditional_target(process: TiltedProcess) -> RegressionTarget:
    """Conditional (denoising) score matching: -(x - alpha X_1)/beta^2, t < 1.

    Use when you need the denoising target, good near the noise and singular near the data.
    """
    law, schedule = _tilted(process), process.schedule
    d = law.dimension

    def coefficients(t):
        t = read_time(t, before_one="the conditional target -(x - alpha X_1)/beta^2", **_not_point(schedule))
        return -1 / schedule.beta_squared(t), schedule.alpha(t) / schedule.beta_squared(t)

    return RegressionTarget("conditional", law, schedule, lambda y: y, coefficients, affine=(np.eye(d), np.zeros(d)))


def target_target(process: TiltedProcess) -> RegressionTarget:
    """Target score matching: grad log p*(X_1) / alpha, t > 0 [De Bortoli et al., arXiv 2402.08667].

    Use when you need the target that is good near the data and singular near the noise.
    """
    law, schedule = _tilted(process), process.schedule

    def coefficients(t):
        t = read_time(t, after_zero="the target grad log p*(X_1) / alpha")
        return 0.0, 1 / schedule.alpha(t)

    return RegressionTarget("target", law, schedule, law.score, coefficients, affine=_affine_score(law))


def novel_target(process: TiltedProcess, *, variance: float = 1.0) -> RegressionTarget:
    r"""Novel score matching with a reference of the given variance [Phillips et al., arXiv 2402.06320].

    Use when one target should have a bounded variance at both ends of time.

    The combination :math:`\gamma` conditional + :math:`(1 - \gamma)` target with :math:`\gamma = \beta^2 / G`: the
    control variate that cancels both :math:`1/\beta^2` and :math:`1/\alpha`.
    """
    law, schedule = _tilted(process), process.schedule
    variance = validate.positive(variance, "variance")

    def function(y):
        return law.score(y) + y / variance

    def coefficients(t):
        t = read_time(t, **_not_point(schedule))
        gamma = schedule.variance(t, variance)
        return -1 / gamma, schedule.alpha(t) * variance / gamma

    affine = _affine_score(law)
    if affine is not None:
        affine = affine[0] + np.eye(law.dimension) / variance, affine[1]
    return RegressionTarget("novel", law, schedule, function, coefficients, affine=affine)


def adjoint_target(process: TiltedProcess) -> RegressionTarget:
    """Adjoint matching at the optimum over an isotropic Gaussian base: minus the lean adjoint, for s* - s.

    Use when you compare adjoint matching with other targets over an isotropic Gaussian base.

    For any other base the lean adjoint depends on the path: simulate it and call `lean_adjoint`.
    """
    law, schedule, base = _tilted(process), process.schedule, process.base
    if base.n_components != 1 or base.variances is None:
        raise InputError(
            "the lean adjoint is a function of X_1 alone only over a single isotropic Gaussian; got "
            f"{base!r}; use simulate(..., keep=True) and lean_adjoint"
        )
    variance = float(base.variances[0])

    def coefficients(t):
        t = read_time(t, **_not_point(schedule))
        return 0.0, schedule.alpha(t) * variance / schedule.variance(t, variance)

    return RegressionTarget(
        "adjoint", law, schedule, process.reward.gradient, coefficients, affine=_affine_reward(process)
    )


def sampling_target(process: TiltedProcess) -> RegressionTarget:
    """Adjoint sampling: grad r(X_1) for s* - s, where the base drift vanishes: Foellmer over N(0, I).

    Use when you compare adjoint sampling with other targets: the Foellmer schedule over a standard Gaussian.

    [Havens et al., arXiv 2504.11713]: b = 0, so the adjoint is constant in time.
    """
    base = process.base
    standard = base.n_components == 1 and base.variances is not None and base.variances[0] == 1
    if process.schedule.name != "foellmer" or not standard or np.abs(base.mean).max() > 0:
        raise InputError(
            "adjoint sampling needs a base drift that vanishes: the foellmer schedule over GaussianMixture([[0, ...]], "
            f"1.0); got {process.schedule.name} over {base!r}"
        )

    def coefficients(t):
        read_time(t)
        return 0.0, 1.0

    return RegressionTarget(
        "sampling",
        _tilted(process),
        process.schedule,
        process.reward.gradient,
        coefficients,
        affine=_affine_reward(process),
    )


def _tilted(process: TiltedProcess) -> GaussianMixture:
    if process.target is None:
        raise InputError("regression targets need the tilted law as a mixture: use a QuadraticReward")
    return process.target


def _not_point(schedule: Schedule) -> dict:
    return {"after_zero": "the law at time 0 is a point, so the target"} if schedule.name == "foellmer" else {}


def _affine_score(law: GaussianMixture) -> tuple[np.ndarray, np.ndarray] | None:
    if law.n_components != 1:
        return None
    values, vectors = law.spectrum
    precision = (vectors[0] / values[0]) @ vectors[0].T
    return -precision, precision @ law.means[0]


def _affine_reward(process: TiltedProcess) -> tuple[np.ndarray, np.ndarray] | None:
    reward = process.reward
    return (reward.hessian, reward.linear) if isinstance(reward, QuadraticReward) else None

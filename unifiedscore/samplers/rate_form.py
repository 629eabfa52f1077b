r"""Work in continuous time, discretised by the left point: identities up to O(h) for every escort and diffusivity.

Annealing: :math:`dW = (\partial_tU + e\cdot\nabla U - \mathrm{div}\,e)\,dt`. Tilting a process with known velocity v
and score s along :math:`\pi_t \propto p_te^{r_t}`:
:math:`d\mathcal{A} = (r_t' + v\cdot\nabla r_t + c\cdot(s + \nabla r_t)
+ \mathrm{div}\,c)\,dt`, which needs neither log p_t nor a normaliser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.processes.schedules import read_times
from unifiedscore.processes.tilted_process import TiltedProcess
from unifiedscore.samplers.annealing import AnnealingPath
from unifiedscore.samplers.escorted import WorkSample, gaussian_log_ratio


@renamed(steps="n_steps")
def escorted_jarzynski(
    path: AnnealingPath,
    n: int,
    rng: np.random.Generator,
    *,
    n_steps: int,
    diffusivity: float,
    escort: Callable | None = None,
    divergence: Callable | None = None,
) -> WorkSample:
    """Rate-form work: E exp(-W) f(X_1) = (Z_1/Z_0) E_{pi_1} f up to O(h), for any escort.

    Use when the divergence of the escort is known and an error of the order of the step is acceptable.

    Parameters
    ----------
    path : AnnealingPath
    n, n_steps : int
    diffusivity : float
        epsilon >= 0.
    escort, divergence : callables (x, t) -> (n, d) and (n,)
        e and div e; both or neither.
    """
    if (escort is None) != (divergence is None):
        raise InputError("give escort together with its divergence: the work needs div e")
    x = path.sample_start(validate.integer(n, "n"), validate.generator(rng))
    K = validate.integer(n_steps, "n_steps")
    epsilon, h = validate.positive(diffusivity, "diffusivity", allow_zero=True), 1 / K
    work = np.zeros(len(x))
    for k in range(K):
        t, slope = k * h, path.gradient(x, k * h)
        work += h * path.time_derivative(x, t)
        drift = -epsilon * slope
        if escort is not None:
            push = escort(x, t)
            work += h * (np.einsum("nd,nd->n", push, slope) - divergence(x, t))
            drift = drift + push
        x = x + h * drift
        if epsilon:
            x = x + np.sqrt(2 * epsilon * h) * rng.standard_normal(x.shape)
    return WorkSample(work, x, None)


@final
@dataclass(frozen=True, slots=True, eq=False)
class TiltedSample:
    """`points` (n, d) at time 1 and their `log_weight` (n,): E exp(log_weight) f(points) = E_{p_1} exp(r) f.

    Use when you read what `tilted_jarzynski` or `tilted_crooks` returned.
    """

    points: np.ndarray
    log_weight: np.ndarray


@renamed(steps="n_steps")
def tilted_jarzynski(
    process: TiltedProcess,
    n: int,
    rng: np.random.Generator,
    *,
    n_steps: int,
    diffusivity: float = 0.0,
    correction: Callable | None = None,
    divergence: Callable | None = None,
) -> TiltedSample:
    r"""Sample along :math:`\pi_t \propto p_te^{tr}`, from noise to the law tilted by the reward.

    Use when you sample a reward-tilted law along its annealing and know the divergence of the correction.

    The paths follow :math:`dX = [v + c + \varepsilon(s + t\nabla r)]dt + \sqrt{2\varepsilon}dB`. The weights are exact
    in continuous time for every correction c and diffusivity; O(h) here. With neither, the log-weight is r(X_1).

    Raises
    ------
    InputError
        A Foellmer process, whose law at time 0 has no density, or a correction without its divergence.
    """
    if (correction is None) != (divergence is None):
        raise InputError("give correction together with its divergence: the weight needs div c")
    _refuse_point(process)
    n, rng, K = validate.integer(n, "n"), validate.generator(rng), validate.integer(n_steps, "n_steps")
    epsilon, h = validate.positive(diffusivity, "diffusivity", allow_zero=True), 1 / K
    x = process.base_marginal(0.0).sample(n, rng)
    log_weight = np.zeros(n)
    for k in range(K):
        t = k * h
        parts = _Parts.at(process, x, t)
        log_weight += h * parts.rate(x, t, correction, divergence)
        drift = parts.velocity + epsilon * parts.slope
        if correction is not None:
            drift = drift + correction(x, t)
        x = x + h * drift
        if epsilon:
            x = x + np.sqrt(2 * epsilon * h) * rng.standard_normal(x.shape)
    return TiltedSample(x, log_weight)


@renamed(steps="n_steps")
def tilted_crooks(
    process: TiltedProcess,
    n: int,
    rng: np.random.Generator,
    *,
    n_steps: int,
    diffusivity: float,
    correction: Callable | None = None,
) -> TiltedSample:
    r"""Log-weights from kernel ratios with the base's own ratio subtracted, so that log p_1/p_0 is not needed.

    Use when the correction of a tilted process has no known divergence.

    :math:`r(x_K) + \sum_k[\log B_k/F_k - \log B^0_k/F^0_k]` with drifts
    :math:`v + c \pm \varepsilon(s + t\nabla r)` and :math:`v \pm \varepsilon s`. O(h), *not* exact at finite h,
    unlike `EscortedLangevin`.
    """
    _refuse_point(process)
    n, rng, K = validate.integer(n, "n"), validate.generator(rng), validate.integer(n_steps, "n_steps")
    epsilon, h = validate.positive(diffusivity, "diffusivity"), 1 / K
    x = process.base_marginal(0.0).sample(n, rng)
    log_weight = np.zeros(n)
    here = _Parts.at(process, x, 0.0)
    for k in range(K):
        push = 0.0 if correction is None else correction(x, k * h)
        move, base_move = here.velocity + push + epsilon * here.slope, here.velocity + epsilon * here.score
        after = x + h * move + np.sqrt(2 * epsilon * h) * rng.standard_normal(x.shape)
        there = _Parts.at(process, after, (k + 1) * h if k + 1 < K else 1.0)
        push = 0.0 if correction is None else correction(after, (k + 1) * h)
        back, base_back = there.velocity + push - epsilon * there.slope, there.velocity - epsilon * there.score
        step, scale = after - x, 4 * epsilon * h
        log_weight -= gaussian_log_ratio(step, h * move, h * back, scale)
        log_weight += gaussian_log_ratio(step, h * base_move, h * base_back, scale)
        x, here = after, there
    return TiltedSample(x, log_weight + process.reward.value(x))


def nets_residual(
    process: TiltedProcess, x, t, *, correction: Callable, divergence: Callable, log_normalizer_rate: float
) -> np.ndarray:
    r"""NETS residual :math:`r_t' + v\cdot\nabla r_t + c\cdot(s + \nabla r_t) + \mathrm{div}\,c - (\log Z_t)'`, (n,).

    Use when you test whether a correction transports the tilted laws, without simulating.

    It vanishes everywhere iff c transports :math:`\pi_t`; the NETS loss is its mean square [arXiv 2410.02711].
    """
    _refuse_point(process)
    x = validate.points(x, "x", dimension=process.dimension)
    t = float(read_times(t))
    return _Parts.at(process, x, t).rate(x, t, correction, divergence) - log_normalizer_rate


@dataclass(frozen=True, slots=True)
class _Parts:
    """Velocity, score, score + t grad r, grad r and r at one time; one evaluation serves drift and weight."""

    velocity: np.ndarray
    score: np.ndarray
    slope: np.ndarray
    reward_slope: np.ndarray
    reward: np.ndarray

    @classmethod
    def at(cls, process, x, t) -> _Parts:
        score, gradient = process.base_score(x, t), process.reward.gradient(x)
        if t < 0.01:
            velocity = process.velocity(x, t)
        else:
            # kappa x + eta s loses two digits here, and spares the posterior of the components.
            velocity = process.schedule.kappa(t) * x + process.schedule.eta(t) * score
        return cls(velocity, score, score + t * gradient, gradient, process.reward.value(x))

    def rate(self, x, t, correction, divergence) -> np.ndarray:
        rate = self.reward + t * np.einsum("nd,nd->n", self.velocity, self.reward_slope)
        if correction is None:
            return rate
        return rate + np.einsum("nd,nd->n", correction(x, t), self.slope) + divergence(x, t)


def _refuse_point(process) -> None:
    if not isinstance(process, TiltedProcess):
        raise InputError(f"process must be a TiltedProcess; got {type(process).__name__}")
    if process.schedule.name == "foellmer":
        raise InputError(
            "these paths start from the density at time 0, which the foellmer schedule does not have; "
            "use vp_cosine or rectified_flow"
        )

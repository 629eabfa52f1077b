"""Controlled Euler-Maruyama paths of a tilted process, with their Girsanov weights."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.fields import TimeField
from unifiedscore.posterior.threads import threads
from unifiedscore.processes.schedules import read_times
from unifiedscore.processes.tilted_process import TiltedProcess

_CHUNK = 8192  # paths of one task: state and noise stay in the cache, and results do not depend on the threads


@final
@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Simulated paths.

    Use when you read what `simulate` returned.

    Attributes
    ----------
    times : (K + 1,) array
    points : (n, d) array
        The end of each path.
    log_weight : (n,) array
        :math:`r(x_K) - \\sum_k (\\sqrt h\\, u \\cdot \\xi + h |u|^2 / 2)`: with it, averages are those of the Euler
        base chain weighted by e^r, exactly, at every step size and for every control.
    trajectory : (K + 1, n, d) array or None
        All states, where asked for.
    """

    times: np.ndarray
    points: np.ndarray
    log_weight: np.ndarray
    trajectory: np.ndarray | None


def simulate(
    process: TiltedProcess,
    n: int,
    rng: np.random.Generator,
    *,
    times,
    control: str | Callable = "optimal",
    sigma: Callable | None = None,
    start: str | np.ndarray = "base",
    score: TimeField | None = None,
    keep: bool = False,
) -> Paths:
    r"""Simulate :math:`dX = (b + \sigma u) dt + \sigma dB` by Euler-Maruyama on the given times.

    Use when you need paths under no, the optimal or your own control, with weights that correct for the control.

    Parameters
    ----------
    process : TiltedProcess
    n : int
        Number of paths.
    rng : numpy.random.Generator
    times : (K + 1,) array
        Increasing, in (0, 1]; from 0 only for the Foellmer schedule, whose drift is finite there.
    control : "optimal", "none" or callable
        u; a callable takes (x (n, d), t) and returns (n, d).
    sigma : callable, optional
        Noise t -> sigma(t) >= 0; the memoryless sqrt(2 eta) by default. The drift keeps the marginals whatever it is.
    start : "base", "tilted" or (n, d) array
        Law of the first state: p_{t_0} or p*_{t_0}.
    score : TimeField or LearnedDenoiser, optional
        Takes the place of the exact score of the base in the drift b, such as that of a network. A denoiser is asked
        for its score in the schedule of the process; a `TimeField` must have it. The weights are then those of its own
        chain. Times start above 0, and the control is "none" or your own.
    keep : bool
        Whether to keep all states.

    Raises
    ------
    InputError
        Bad times, `control="optimal"` with a sigma that is not memoryless (u* = sigma (s* - s) holds only there), or a
        control of the wrong shape.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "foellmer")
    >>> paths = us.simulate(process, 3, np.random.default_rng(0), times=np.linspace(0, 1, 101))
    >>> paths.log_weight.round(12)
    array([0.5, 0.5, 0.5])
    """
    validate.instance(process, "process", TiltedProcess)
    n, rng = validate.count(n, "n", entries=process.dimension), validate.generator(rng)
    if sigma is not None:
        validate.function(sigma, "sigma", "of t")
    times = _times(process, times)
    if not (callable(control) or (isinstance(control, str) and control in ("optimal", "none"))):
        raise InputError(f"control must be 'optimal', 'none' or a function of (x, t); got {validate.shown(control)}")
    if isinstance(control, str) and control == "optimal" and sigma is not None:
        given = np.array([sigma(t) for t in times[:-1]])
        memoryless = np.array([process.schedule.sigma(t) for t in times[:-1]])
        if np.abs(given - memoryless).max() > 1e-12 * memoryless.max():
            raise InputError(
                "the optimal control sigma (s* - s) needs the memoryless noise sigma^2 = 2 eta (X_0 and X_1 "
                "independent); leave sigma out, or pass your own control"
            )
    if score is not None:
        score = _as_time_field(score, process.schedule)
        if isinstance(control, str) and control == "optimal":
            raise InputError(
                "the optimal control is known for the exact score alone; with a score of your own pass "
                "control='none' or your own control"
            )
        if times[0] == 0:
            raise InputError("times must start above 0 with a score of your own: at the point 0 there is no score")
    chain = _prepare(process, times, control, sigma, score)
    first = _start(process, n, rng, times[0], start)
    log_weight = np.zeros(n)
    trajectory = np.empty((len(times), n, process.dimension)) if keep else None
    slices = [slice(i, min(i + _CHUNK, n)) for i in range(0, n, _CHUNK)]
    streams = rng.spawn(len(slices))

    def run(task):
        rows, stream = task
        _run(chain, first[rows], log_weight[rows], stream, None if trajectory is None else trajectory[:, rows])

    if len(slices) > 1 and threads() > 1 and not callable(control) and score is None:
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(run, zip(slices, streams, strict=True)))
    else:
        for task in zip(slices, streams, strict=True):
            run(task)
    log_weight += process.reward.value(first)
    return Paths(times, first, log_weight, trajectory)


@dataclass(frozen=True, slots=True)
class _Chain:
    """What all chunks share: per step (h, kappa, gain, sigma), and the scores of the noisy mixtures."""

    process: TiltedProcess
    times: np.ndarray
    control: str | Callable
    coefficients: list[tuple[float, float, float, float]]
    base: list | None
    tilted: list | None
    score: TimeField | None = None


def _prepare(process, times, control, sigma, score=None) -> _Chain:
    coefficients = []
    for t, h in zip(times[:-1], np.diff(times), strict=True):
        if t == 0:
            coefficients.append((float(h), 0.0, 0.0, 1.0))
            continue
        noise = process.schedule.sigma(t) if sigma is None else validate.positive(sigma(t), "sigma(t)", allow_zero=True)
        kappa, gain = process.drift_rates(t, sigma=noise)
        coefficients.append((float(h), kappa, gain, noise))
    if score is not None:
        return _Chain(process, times, control, coefficients, None, None, score)
    optimal = isinstance(control, str) and control == "optimal"
    if optimal and process.target is None:
        return _Chain(process, times, control, coefficients, None, None)
    base = [_prepared(process.base_marginal(t)) if t > 0 else None for t in times[:-1]]
    tilted = [_prepared(process.tilted_marginal(t)) if t > 0 else None for t in times[:-1]] if optimal else base
    return _Chain(process, times, control, coefficients, base, tilted)


def _prepared(mixture) -> Callable:
    """The score of one noisy mixture as a function of x (n, d), with everything that does not depend on x done."""
    with np.errstate(divide="ignore"):
        logs = np.log(mixture.weights)
    if mixture.variances is not None:
        logs = logs - 0.5 * mixture.dimension * np.log(mixture.variances)
        return partial(
            isotropic_score, centers=np.ascontiguousarray(mixture.means), rates=1 / mixture.variances, logs=logs
        )
    logs = logs - 0.5 * np.log(mixture.eigenvalues).sum(axis=1)
    # All whitening maps side by side: one matrix product whitens a point for every component.
    maps = np.concatenate(
        [u / np.sqrt(lam) for lam, u in zip(mixture.eigenvalues, mixture.eigenvectors, strict=True)], 1
    )
    offsets = np.concatenate(
        [c @ part for c, part in zip(mixture.means, np.split(maps, len(logs), axis=1), strict=True)]
    )
    return partial(whitened_score, maps=maps, offsets=offsets, logs=logs)


def _run(chain: _Chain, x, log_weight, rng, trajectory) -> None:
    """All steps for one chunk, in place."""
    optimal = isinstance(chain.control, str) and chain.control == "optimal"
    noise = np.empty_like(x)
    if trajectory is not None:
        trajectory[0] = x
    for k, t in enumerate(chain.times[:-1]):
        rng.standard_normal(out=noise)
        u = _answered(chain.control, "control", x, t) if callable(chain.control) else None
        if t == 0:
            _first_step(chain, x, noise, u, log_weight)
        elif chain.base is not None:
            _fast_step(chain, k, x, noise, u, log_weight, optimal)
        else:
            _plain_step(chain, k, x, noise, u, log_weight, optimal)
        if trajectory is not None:
            trajectory[k + 1] = x


def _fast_step(chain, k, x, noise, u, log_weight, optimal) -> None:
    h, kappa, gain, sigma = chain.coefficients[k]
    score = chain.base[k](x)
    if optimal:
        u = chain.tilted[k](x)
        u -= score
        u *= sigma
    score *= h * gain
    score += (h * kappa) * x
    _move(x, score, h, sigma, noise, u, log_weight)


def isotropic_score(x, *, centers, rates, logs) -> np.ndarray:
    """Score of sum_m exp(logs_m - rates_m |x - c_m|^2 / 2), (n, d): few passes over arrays that stay in the cache.

    No validation and few temporaries; numpy's vectorised exponential makes this faster than a compiled loop over paths.
    """
    terms = np.empty((len(rates), len(x)))
    if x.shape[1] == 1:
        np.subtract(centers, x[:, 0], out=terms)
        np.multiply(terms, terms, out=terms)
    else:
        for m, center in enumerate(centers):
            gap = x - center
            np.einsum("nd,nd->n", gap, gap, out=terms[m])
    terms *= -0.5 * rates[:, None]
    terms += logs[:, None]
    terms -= terms.max(axis=0)
    np.exp(terms, out=terms)
    terms /= terms.sum(axis=0)
    terms *= rates[:, None]
    score = terms.T @ centers
    score -= terms.sum(axis=0)[:, None] * x
    return score


def whitened_score(x, *, maps, offsets, logs) -> np.ndarray:
    """The same for full covariances: two matrix products with the whitening maps (d, m d) of all components."""
    z = x @ maps
    z -= offsets
    blocks = z.reshape(len(x), len(logs), -1)
    terms = np.einsum("nmd,nmd->nm", blocks, blocks)
    terms *= -0.5
    terms += logs
    terms -= terms.max(axis=1, keepdims=True)
    np.exp(terms, out=terms)
    terms /= -terms.sum(axis=1, keepdims=True)
    blocks *= terms[:, :, None]
    return z @ maps.T


def _plain_step(chain, k, x, noise, u, log_weight, optimal) -> None:
    (h, kappa, gain, sigma), t, process = chain.coefficients[k], chain.times[k], chain.process
    score = process.base_score(x, t) if chain.score is None else _answered(chain.score, "score", x, t)
    if optimal:
        # One mixture evaluation less than optimal_control, which would need the base score again.
        tilted = process.tilted_score(x, t) if process.target is not None else score + process.score_difference(x, t)
        u = sigma * (tilted - score)
    _move(x, h * (kappa * x + gain * score), h, sigma, noise, u, log_weight)


def _first_step(chain, x, noise, u, log_weight) -> None:
    """From the point 0 of the Foellmer schedule: b(0, 0) = E X_1 and u* = E* X_1 - E X_1."""
    process, h = chain.process, chain.coefficients[0][0]
    if u is None and chain.control == "optimal":
        u = process.score_difference(x, 0.0)
    _move(x, h * process.base.mean, h, 1.0, noise, u, log_weight)


def _move(x, drift, h, sigma, noise, u, log_weight) -> None:
    if u is not None:
        # h sigma u + sqrt(h) sigma noise = sqrt(h) sigma (noise + sqrt(h) u)
        u = np.sqrt(h) * u
        log_weight -= np.einsum("nd,nd->n", u, noise) + 0.5 * np.einsum("nd,nd->n", u, u)
        noise += u
    x += drift
    noise *= np.sqrt(h) * sigma
    x += noise


def _answered(function, name, x, t) -> np.ndarray:
    return np.ascontiguousarray(validate.answer(function(x, float(t)), name, x.shape), dtype=np.float64)


def _as_time_field(score, schedule) -> TimeField:
    """A score at every time; that of a denoiser in the schedule of the process, which it does not know by itself."""
    if callable(getattr(score, "at_level", None)) and callable(getattr(score, "score", None)):
        return TimeField(lambda t: score.score(t, schedule=schedule))
    return validate.instance(score, "score", TimeField)


def _times(process, times) -> np.ndarray:
    times = read_times(times, name="times")
    if times.ndim != 1 or len(times) < 2 or (np.diff(times) <= 0).any():
        raise InputError(f"times must be an increasing array of at least two; got shape {times.shape}")
    if times[0] == 0 and process.schedule.name != "foellmer":
        raise InputError(
            f"times must start above 0: the drift of {process.schedule.name} is singular there; start at a small "
            "time t_0 (the bias of a control from p_{t_0} is in processes.memoryless.squared_correlation)"
        )
    return times


def _start(process, n, rng, t, start) -> np.ndarray:
    if not isinstance(start, str):
        given = validate.points(start, "start", dimension=process.dimension).astype(np.float64)
        if len(given) != n:
            raise InputError(f"start must hold n = {n} points; got {len(given)}")
        return given
    if start not in ("base", "tilted"):
        raise InputError(f"start must be 'base', 'tilted' or an (n, d) array; got {validate.shown(start)}")
    if t == 0:
        return np.zeros((n, process.dimension))
    return (process.base_marginal(t) if start == "base" else process.tilted_marginal(t)).sample(n, rng)

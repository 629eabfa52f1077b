"""Moment-matched Langevin particles: their mean and covariance are exact at every step, only their shape is sampled."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from math import frexp, ldexp
from types import MappingProxyType
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.fields.moment_matched.field import SmoothedScore
from unifiedscore.fields.moment_matched.multipliers import cholesky
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.memory import rows_within
from unifiedscore.posterior.threads import one_blas_thread
from unifiedscore.samplers.estimators import OLD_ESTIMATOR, AbstractEstimator, Dense, as_estimator
from unifiedscore.samplers.manifold_chain import ManifoldChain
from unifiedscore.samplers.noise import Noise, NoiseStream, as_noise, noise_settings, old_noise
from unifiedscore.samplers.progress import steps_with_progress
from unifiedscore.samplers.stiefel import CenteredStiefel

TARGETS = ("smoothed", "data")

_OLD_NOISE = old_noise("fresh_antithetic")

# Noise levels within 2^+-20 lose no more than six digits against 1.
_RANGE = 20

# The energy is a diagnostic: this many (exchangeable) particles and draws tell its course.
_ENERGY_PARTICLES, _ENERGY_DRAWS, _ENERGY_RECORDS = 128, 4, 32


@final
@dataclass(frozen=True, slots=True)
class MomentMatchedSamples:
    """Particles with what produced them.

    Use when you read what `sample_moment_matched` returned.

    Attributes
    ----------
    samples : (P, d) array
        In the dtype of the data.
    mean_error, covariance_error : (n_steps + 1,) arrays
        Largest error of mean and covariance in standardised coordinates, at the start and after each step.
    overlap : (n_steps + 1,) array
        <Y_t, Y_0> / (P d): 1 at the start. While it is far from 0 the particles remember where they started.
    energy, energy_steps : (k,) arrays
        Mean of V over (up to 128) particles, and the steps at which it was taken.
    trajectory : (frames, P, d) array or None
        With `thin`: the start and every `thin`-th state.
    mean, covariance : (d,), (d, d) arrays
        The moments that the particles have.
    stability : float
        step * lambda_max, with the bound lambda_max = largest eigenvalue of the covariance / noise_level^2.
    settings : mapping
        Every setting, as numbers and strings.
    """

    samples: np.ndarray
    mean_error: np.ndarray
    covariance_error: np.ndarray
    overlap: np.ndarray
    energy: np.ndarray
    energy_steps: np.ndarray
    trajectory: np.ndarray | None
    mean: np.ndarray
    covariance: np.ndarray
    stability: float
    settings: Mapping[str, object]

    @property
    def moment_error(self) -> np.ndarray:
        """The larger of the two errors after each step, (n_steps + 1,)."""
        return np.maximum(self.mean_error, self.covariance_error)


@renamed(
    noise_policy=_OLD_NOISE, noise_draws=_OLD_NOISE,
    tolerance=OLD_ESTIMATOR, n_neighbours=OLD_ESTIMATOR, n_remainder=OLD_ESTIMATOR,
)  # fmt: skip
def sample_moment_matched(
    data,
    n_particles: int,
    *,
    noise_level: float,
    smoothing: float,
    noise: Noise | str | None = None,
    step: float,
    n_steps: int,
    scheme: str = "leimkuhler-matthews",
    retraction: str = "polar",
    estimator: AbstractEstimator | str = "dense",
    start=None,
    thin: int | None = None,
    rng: np.random.Generator,
    target: str = "smoothed",
) -> MomentMatchedSamples:
    r"""Run $dY = -\Pi_Y(G_Z L)\,dt + \sqrt2\,\Pi_Y\circ dW$ on the systems with mean zero and covariance one.

    Use when samples must have exactly the mean and covariance of the data, or of the smoothed data.

    Particles are $z_i = \mu + L y_i$ with $LL^T = \Sigma$, $G_Z$ holds the rows $\nabla V(z_i)$ of the smoothed score,
    and $G_Z L$ is the gradient of $\sum_i V(z_i)$ in Y. As P grows the law of one particle tends to that of
    `MomentMatchedTilt`; at finite P it is that of P draws conditioned on their mean and covariance.

    Parameters
    ----------
    data : Samples or (m, d) array
    n_particles : int
        P > d; d + 1 is a rigid simplex (warned).
    noise_level : float
        $\delta > 0$.
    smoothing : float
        $s \ge 0$, in the units of the data, as $\delta$ is: `whiten` first where directions have different scales.
    noise : Noise or "population"
        Policy and length M of the noise tuples, as in `Noise("fresh_antithetic", draws=8)`; needed where the smoothing
        is not 0. Fresh noise heats: by about $h\,\mathrm{Var}/2$ a direction.
    step : float
        $h > 0$. Stable while $h\lambda_{\max}(L^T\nabla^2V L) < 2$, for which $h\lambda_{\max}(\Sigma)/\delta^2 < 2$
        suffices; beyond it a warning says the number.
    n_steps : int
        The particles forget their start like $e^{-h\,n}$ at best: plan for $h\,n \ge 3$.
    scheme : str
        "leimkuhler-matthews" or "euler-maruyama", both of first order in the step on the manifold, or
        "geodesic-leimkuhler-matthews", of second order.
    retraction : str
        "polar" (does not depend on the choice of L) or "qr".
    estimator : Dense, Near, Neighbours or str
        As in `sample_closed_form`.
    start : None, "uniform" or (P, d) array
        By default data points drawn with replacement plus noise of the noise level. All are retracted.
    thin : int, optional
        Keep the start and every `thin`-th state in `.trajectory`.
    rng : numpy.random.Generator
        Split into streams for the start, the dynamics, the noise, the estimator and the energy.
    target : str
        Covariance of the particles: "smoothed", $\Sigma_x + \delta^2 I$, or "data", $\Sigma_x$.

    Returns
    -------
    MomentMatchedSamples

    Raises
    ------
    InputError
        P <= d, step or noise level not positive, no noise where the smoothing is not 0, a singular covariance, arrays
        of the wrong shape.
    UnknownNameError
        An unknown scheme, retraction, estimator or target.

    References
    ----------
    Yao and Paulin 2026, arXiv 2605.14276.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> rng = np.random.default_rng(0)
    >>> result = us.sample_moment_matched(us.load_measure("circle12"), 50, noise_level=0.2, smoothing=0.3,
    ...                                   noise=us.Noise("fresh_antithetic", draws=4), step=0.01, n_steps=100,
    ...                                   rng=rng)
    >>> np.allclose(result.samples.mean(0), 0), np.allclose(np.cov(result.samples.T, bias=True), 0.54 * np.eye(2))
    (True, True)
    """
    data = as_samples(data)
    delta = validate.positive(noise_level, "noise_level")
    smoothing = validate.positive(smoothing, "smoothing", allow_zero=True)
    noise, n_steps = as_noise(noise, smoothing), validate.integer(n_steps, "n_steps")
    estimator = as_estimator(estimator)
    thin = None if thin is None else validate.integer(thin, "thin")
    chain = ManifoldChain(CenteredStiefel(n_particles, data.dimension), step, scheme, retraction)
    mean, covariance = data.mean, _covariance(data, delta, target)
    factor = cholesky(covariance, "the covariance of the data")
    stability = chain.step * float(np.linalg.eigvalsh(covariance)[-1]) / delta**2
    if stability >= 2.0:
        warnings.warn(
            f"step * lambda_max = {stability:.3g} is not below the stability limit 2 (lambda_max = "
            f"{stability / chain.step:.3g} is the largest variance over noise_level^2); use step <= "
            f"{1.9 * chain.step / stability:.3g}, a larger noise_level, or whitened data",
            stacklevel=3,  # the line of the caller, past the decorator
        )
    start_rng, chain_rng, noise_rng, estimator_rng, energy_rng = validate.generator(rng).spawn(5)
    # Centred data: an offset would cost the squared distances their last digits.
    centred = Samples(data.points - mean, data.weights)
    stream = NoiseStream(noise, smoothing, n_particles, data.dimension, noise_rng)
    gradient = _Gradient(centred, delta, smoothing, noise, estimator, estimator_rng)
    energy = _Energy(centred, delta, smoothing, energy_rng)
    kind = data.points.dtype
    state = chain.start(_start(start, centred, mean, delta, factor, chain, start_rng).astype(kind), chain_rng)
    first, record = state.y.astype(np.float64), thin or -(-n_steps // _ENERGY_RECORDS)
    traces = np.empty((3, n_steps + 1))
    frames = []

    def observe(index):
        traces[:2, index] = chain.manifold.moment_errors(state.y)
        traces[2, index] = np.vdot(first, state.y) / first.size
        if index % record == 0 or index == n_steps:
            energy.add(index, state.y[:_ENERGY_PARTICLES].astype(np.float64) @ factor.T)
        if thin and index % thin == 0:
            frames.append((mean + state.y.astype(np.float64) @ factor.T).astype(kind))

    # One thread for the thin matrices of the chain; the estimators have threads of their own.
    with one_blas_thread():
        observe(0)
        steps = steps_with_progress(n_steps, "moment-matched particles")
        for index, tuples in zip(steps, stream.each_step(n_steps), strict=True):
            particles = state.y.astype(np.float64, copy=False) @ factor.T
            force = gradient(particles, tuples) @ factor
            state = chain.advance(state, lambda _, value=force: value, chain_rng)
            observe(index + 1)
    settings = {
        "n_particles": chain.manifold.n_particles, "n_steps": n_steps, "step": chain.step, "noise_level": delta,
        "smoothing": smoothing, "scheme": scheme, "retraction": retraction, "target": target, "n_data": data.size,
        "dimension": data.dimension, "time": n_steps * chain.step,
        "start": "data" if start is None else start if isinstance(start, str) else "given",
    }  # fmt: skip
    settings |= noise_settings(noise) | estimator.settings
    energy_steps, energies = energy.records()
    return MomentMatchedSamples(
        samples=(mean + state.y.astype(np.float64) @ factor.T).astype(kind),
        mean_error=traces[0],
        covariance_error=traces[1],
        overlap=traces[2],
        energy=energies,
        energy_steps=energy_steps,
        trajectory=np.stack(frames) if thin else None,
        mean=mean,
        covariance=covariance,
        stability=stability,
        settings=MappingProxyType(settings),
    )


def _covariance(data: Samples, delta: float, target: str) -> np.ndarray:
    validate.known(target, "target", TARGETS)
    covariance = data.covariance_matrix
    if target == "data":
        return covariance
    values = np.linalg.eigvalsh(covariance)
    missing = int((values <= 1e-13 * max(values[-1], 1e-300)).sum())
    if missing:
        warnings.warn(
            f"the data covariance is singular: {missing} of {data.dimension} directions are constant, and along them "
            f"the particles get only the variance noise_level^2 = {delta**2:.3g} of the kernel; drop those directions "
            "(whiten does) if that is not wanted",
            stacklevel=4,
        )
    return covariance + delta**2 * np.eye(data.dimension)


def _start(start, centred: Samples, mean, delta, factor, chain: ManifoldChain, rng) -> np.ndarray:
    manifold = chain.manifold
    shape = (manifold.n_particles, manifold.dimension)
    if isinstance(start, str):
        if start != "uniform":
            raise InputError(f'start must be None, "uniform" or a {shape} array; got {validate.shown(start)}')
        return manifold.sample(rng)
    if start is None:
        particles = centred.sample(shape[0], rng) + delta * rng.standard_normal(shape)
    else:
        particles = validate.points(start, "start", dimension=shape[1]).astype(np.float64) - mean
        if particles.shape != shape:
            raise InputError(f"start must hold n_particles = {shape[0]} points; got {len(particles)}")
    y = manifold.retract(np.linalg.solve(factor, particles.T).T, method=chain.retraction)
    if not manifold.distance(y) < 1e-10:
        raise InputError(
            "start must span all directions: its centred points have a singular covariance; add a little noise to them"
        )
    return y


@final
class _Gradient:
    """Rows grad V(z_i) of centred particles, by the chosen estimator and with the noise of the step."""

    def __init__(self, data, delta, smoothing, noise, estimator, rng):
        self._delta, self._smoothing, self._exact = delta, smoothing, None
        if noise is not None and noise.rule.population and smoothing > 0:
            if not isinstance(estimator, Dense):
                raise InputError(
                    f"population noise is averaged exactly by Dense() alone; got {validate.shown(estimator)}"
                )
            self._exact = SmoothedScore(data, delta, smoothing, noise="population")
            return
        # 1/(1 + delta) has digits only where delta is no small or large number: else lengths are counted in 2^exponent.
        self._exponent = frexp(delta)[1] if abs(frexp(delta)[1]) > _RANGE else 0
        scaled = Samples(np.ldexp(data.points, -self._exponent), data.weights) if self._exponent else data
        self._center = estimator.prepare(scaled, rng=rng)

    def __call__(self, z, tuples):
        if self._exact is not None:
            return -self._exact(z)
        delta, smoothing = (ldexp(length, -self._exponent) for length in (self._delta, self._smoothing))
        z = np.ldexp(z, -self._exponent) if self._exponent else z
        # The posterior of bandwidth delta is that of time 1/(1 + delta), with queries scaled by the time.
        time = 1.0 / (1.0 + delta)
        if tuples is None:
            value = (z - self._center(time * z, time)[0]) / delta**2
        else:
            center = self._center.smoothed(time * z, tuples, time * smoothing, time)[0]
            value = (z + smoothing * _means(tuples) - center) / delta**2
        return np.ldexp(value, -self._exponent) if self._exponent else value


def _means(tuples):
    """Means over the draws of (M, d) or (n, M, d) noise, as a matrix product: short axes are slow to sum over."""
    draws, d = tuples.shape[-2:]
    return tuples.reshape(-1, draws * d) @ np.tile(np.eye(d) / draws, (draws, 1))


@final
class _Energy:
    """Mean of V over some particles of each record, with one antithetic tuple for all of them.

    Many records at once: one is so few particles that the call would take most of the time. No more of them than fit
    into a block of memory, since with `thin=1` there is a record per step.
    """

    def __init__(self, data, delta, smoothing, rng):
        half = rng.standard_normal((_ENERGY_DRAWS // 2, data.dimension))
        self._score = SmoothedScore(data, delta, smoothing, noise=np.concatenate([half, -half]))
        self._most = rows_within(_ENERGY_PARTICLES * _ENERGY_DRAWS * data.dimension)
        self._steps, self._waiting, self._means = [], [], []

    def add(self, step: int, z) -> None:
        """Record particles (k, d) of a step."""
        self._steps.append(step)
        self._waiting.append(z)
        if len(self._waiting) == self._most:
            self._work_off()

    def records(self) -> tuple[np.ndarray, np.ndarray]:
        """The steps and the means, (records,)."""
        self._work_off()
        return np.array(self._steps), np.concatenate(self._means)

    def _work_off(self) -> None:
        if self._waiting:
            z = np.stack(self._waiting)
            self._means.append(-self._score.potential(z.reshape(-1, z.shape[-1])).reshape(len(z), -1).mean(1))
            self._waiting.clear()

"""Sampling without training: particles that follow the smoothed closed-form velocity of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.fields.closed_form import checked_time
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.samplers.estimators import OLD_ESTIMATOR, AbstractEstimator, as_estimator, most_likely
from unifiedscore.samplers.noise import Noise, NoiseStream, as_noise, noise_settings, old_noise

SPACINGS = ("time", "log_time")

_OLD_NOISE = old_noise()


@final
@dataclass(frozen=True, slots=True)
class ClosedFormSamples:
    """Samples with what produced them.

    Use when you read what `sample_closed_form` returned.

    Attributes
    ----------
    samples : (n, d) array
        In the dtype of the data.
    indices : (n, M) int array
        The training point of largest weight at each perturbed query of the last step: each sample is, up to the last
        bandwidth, the mean of its row. One column without smoothing, none for population noise.
    last_state : (n, d) array
        The particles before the last step, whose smoothed barycenters the samples are.
    times : (steps + 1,) array
        Times of the states, the last one 1.
    fractions : (steps,) array
        Share of the (query, data point) pairs that each step computed.
    trajectory : (steps + 1, n, d) array or None
        All states, where asked for.
    settings : mapping
        Every setting, as numbers and strings.
    """

    samples: np.ndarray
    indices: np.ndarray
    last_state: np.ndarray
    times: np.ndarray
    fractions: np.ndarray
    trajectory: np.ndarray | None
    settings: Mapping[str, object]


@renamed(
    n_samples="n", noise_policy=_OLD_NOISE, noise_draws=_OLD_NOISE,
    tolerance=OLD_ESTIMATOR, n_neighbours=OLD_ESTIMATOR, n_remainder=OLD_ESTIMATOR,
)  # fmt: skip
def sample_closed_form(
    data,
    n: int,
    *,
    n_steps: int,
    smoothing: float,
    noise: Noise | str | None = None,
    rng: np.random.Generator,
    start_time: float = 0.0,
    estimator: AbstractEstimator | str = "dense",
    spacing: str = "time",
    start=None,
    trajectory: bool = False,
) -> ClosedFormSamples:
    r"""Integrate $\dot z = (\hat x_\sigma(z, t) - z)/(1 - t)$ by Euler steps from noise to data.

    Use when you want new samples of a small data set without training, from its smoothed exact score.

    In log time $\theta = -\log(1 - t)$ a step is $z \leftarrow z + \eta(\hat x_\sigma - z)$. Steps uniform in t have
    $\eta_n = 1/(S - n)$; the last has $\eta = 1$, so that every sample is a smoothed barycenter exactly.

    Parameters
    ----------
    data : Samples or (m, d) array
        Training points. The particles have their dtype: for float32 data, distances and products are float32 too,
        where a bound on the error allows it, and the noise is that of a float64 run.
    n : int
        Number of particles.
    n_steps : int
        S >= 1. The last evaluation has bandwidth 1/S, so results depend on S through it.
    smoothing : float
        $\sigma \ge 0$, in the units of the data.
    noise : Noise or "population"
        Policy and length M of the noise tuples, as in `Noise("fixed", draws=4)`; needed where the smoothing is not 0.
    rng : numpy.random.Generator
        Split into one stream for starts, one for noise and one for the estimator.
    start_time : float
        $T \in [0, 1)$: particles start at $T x_i + (1 - T)\epsilon$. Steps uniform in t start at round(T S)/S.
    estimator : Dense, Near, Neighbours or str
        How barycenters are computed, as in `Near(1e-12)`. The names "dense", "near" (exact to 1e-12, at most seven
        dimensions) and "neighbours" (15 nearest plus 15 random points) stand for the defaults.
    spacing : str
        "time", or "log_time": S - 1 equal steps in log time down to the bandwidth 1/S, then the step of size one.
    start : (n, d) array, optional
        Particles at the start time, instead of drawn ones.
    trajectory : bool
        Whether to keep every state.

    Returns
    -------
    ClosedFormSamples

    Raises
    ------
    InputError
        n_steps < 1, start_time outside [0, 1) or without a step left, negative smoothing, no noise where something is
        smoothed, K + L > m, non-finite data, arrays of the wrong shape.
    UnknownNameError
        An unknown estimator or spacing.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> noise = us.Noise("fixed", given=[[[-1.0], [0.5]]])
    >>> result = us.sample_closed_form([[-1.0], [0.5], [2.0]], 1, n_steps=10, smoothing=0.4, noise=noise,
    ...                                start=[[0.3]], rng=np.random.default_rng(0))
    >>> result.samples.round(12), result.indices
    (array([[0.5]]), array([[1, 1]]))
    """
    data, estimator = as_samples(data), as_estimator(estimator)
    n, smoothing = validate.integer(n, "n"), validate.positive(smoothing, "smoothing", allow_zero=True)
    noise = as_noise(noise, smoothing)
    times, etas = time_grid(n_steps, start_time, spacing)
    start_rng, noise_rng, estimator_rng = validate.generator(rng).spawn(3)
    center = estimator.prepare(data, rng=estimator_rng)
    stream = NoiseStream(noise, smoothing, n, data.dimension, noise_rng)
    # Draws are float64 whatever the data: runs in both precisions see the same noise, rounded once.
    kind = data.points.dtype
    state = _start(start, data, n, float(times[0]), start_rng).astype(kind, copy=False)
    states, fractions = [state] if trajectory else None, np.zeros(len(etas))
    plan = zip(times[:-1], etas, stream.each_step(len(etas)), strict=True)
    for step, (time, eta, tuples) in enumerate(plan):
        before = state
        mean, fractions[step] = _smoothed_mean(data, center, before, time, smoothing, tuples)
        # Where eta = 1 the sample is the barycenter itself, without a rounding of z + (x - z).
        state = (mean if eta == 1.0 else before + eta * (mean - before)).astype(kind, copy=False)
        if trajectory:
            states.append(state)
    settings = {
        "n": n, "n_steps": int(n_steps), "smoothing": smoothing, "start_time": float(times[0]), "spacing": spacing,
        "n_data": data.size, "dimension": data.dimension,
    }  # fmt: skip
    settings |= noise_settings(noise) | estimator.settings
    return ClosedFormSamples(
        samples=state,
        indices=_tuple_indices(data, before, float(times[-2]), smoothing, tuples),
        last_state=before,
        times=times,
        fractions=fractions,
        trajectory=np.stack(states) if trajectory else None,
        settings=MappingProxyType(settings),
    )


def time_grid(n_steps: int, start_time: float = 0.0, spacing: str = "time") -> tuple[np.ndarray, np.ndarray]:
    """Return the times of the states, (steps + 1,) ending at 1, and the log-time step sizes, (steps,) ending at 1."""
    n_steps, start_time = validate.integer(n_steps, "n_steps"), checked_time(start_time, "start_time")
    # round, not int: int(0.29 * 100) is 28.
    first = round(start_time * n_steps)
    if first >= n_steps:
        raise InputError(
            f"start_time={start_time} leaves no step of the {n_steps}; use n_steps > {1 / (1 - start_time):.3g}"
        )
    if validate.known(spacing, "spacing", SPACINGS) == "time":
        steps = np.arange(first, n_steps)
        return np.append(steps / n_steps, 1.0), 1.0 / (n_steps - steps)
    log_times = np.linspace(-np.log1p(-start_time), np.log(n_steps), n_steps) if n_steps > 1 else np.zeros(1)
    times = -np.expm1(-log_times)
    times[0] = start_time
    return np.append(times, 1.0), np.append(np.diff(log_times), 1.0)


def _start(start, data: Samples, n: int, time: float, rng) -> np.ndarray:
    if start is not None:
        start = validate.points(start, "start", dimension=data.dimension).astype(np.float64)
        if len(start) != n:
            raise InputError(f"start must hold n = {n} points; got {len(start)}")
        return start
    # The Gaussian part comes first, so that runs of different start times share it.
    gaussian = rng.standard_normal((n, data.dimension))
    return gaussian if time == 0.0 else time * data.sample(n, rng) + (1.0 - time) * gaussian


def _smoothed_mean(data, center, state, time, smoothing, tuples):
    """The smoothed barycenter of every particle and the share of pairs it took."""
    if time == 0.0:
        return np.tile(data.mean, (len(state), 1)), 0.0
    return center(state, time) if tuples is None else center.smoothed(state, tuples, smoothing, time)


def _tuple_indices(data, state, time, smoothing, tuples) -> np.ndarray:
    if isinstance(tuples, str):
        return np.empty((len(state), 0), dtype=np.int64)
    queries = state[:, None] if tuples is None else state[:, None] + smoothing * tuples
    return most_likely(data, queries.reshape(-1, data.dimension), time).reshape(queries.shape[:2])

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
from unifiedscore.samplers.estimators import barycenter_estimator, most_likely
from unifiedscore.samplers.noise import NoiseStream, checked_draws, policy_by_name

SPACINGS = ("time", "log_time")


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


@renamed(n_samples="n")
def sample_closed_form(
    data,
    n: int,
    *,
    n_steps: int,
    smoothing: float,
    noise_draws: int,
    noise_policy: str,
    rng: np.random.Generator,
    start_time: float = 0.0,
    estimator: str = "dense",
    tolerance: float = 1e-12,
    n_neighbours: int = 15,
    n_remainder: int = 15,
    spacing: str = "time",
    start=None,
    noise=None,
    trajectory: bool = False,
) -> ClosedFormSamples:
    r"""Integrate $\dot z = (\hat x_\sigma(z, t) - z)/(1 - t)$ by Euler steps from noise to data.

    Use when you want new samples of a small data set without training, from its smoothed exact score.

    In log time $\theta = -\log(1 - t)$ a step is $z \leftarrow z + \eta(\hat x_\sigma - z)$. Steps uniform in t have
    $\eta_n = 1/(S - n)$; the last has $\eta = 1$, so that every sample is a smoothed barycenter exactly.

    Parameters
    ----------
    data : Samples or (m, d) array
        Training points.
    n : int
        Number of particles.
    n_steps : int
        S >= 1. The last evaluation has bandwidth 1/S, so results depend on S through it.
    smoothing : float
        $\sigma \ge 0$, in the units of the data.
    noise_draws : int
        M >= 1, the length of a noise tuple.
    noise_policy : str
        One of "fixed", "fixed_antithetic", "fresh", "fresh_antithetic", "shared", "population"; each has its own law.
    rng : numpy.random.Generator
        Split into one stream for starts, one for noise and one for the estimator.
    start_time : float
        $T \in [0, 1)$: particles start at $T x_i + (1 - T)\epsilon$. Steps uniform in t start at round(T S)/S.
    estimator : str
        "dense"; "near" (exact to `tolerance`, at most seven dimensions); "neighbours" (K nearest plus L random).
    tolerance : float
        Posterior share that "near" may neglect at a query.
    n_neighbours, n_remainder : int
        K and L of "neighbours", K + L <= m.
    spacing : str
        "time", or "log_time": S - 1 equal steps in log time down to the bandwidth 1/S, then the step of size one.
    start : (n, d) array, optional
        Particles at the start time, instead of drawn ones.
    noise : array, optional
        Noise instead of drawn: (n, M, d); (M, d) for "shared"; (steps, n, M, d) for the fresh policies.
    trajectory : bool
        Whether to keep every state.

    Returns
    -------
    ClosedFormSamples

    Raises
    ------
    InputError
        n_steps < 1, start_time outside [0, 1) or without a step left, negative smoothing, an odd number of draws with
        an antithetic policy, K + L > m, non-finite data, arrays of the wrong shape.
    UnknownNameError
        An unknown policy, estimator or spacing.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> result = us.sample_closed_form([[-1.0], [0.5], [2.0]], 1, n_steps=10, smoothing=0.4, noise_draws=2,
    ...                                noise_policy="fixed", start=[[0.3]], noise=[[[-1.0], [0.5]]],
    ...                                rng=np.random.default_rng(0))
    >>> result.samples.round(12), result.indices
    (array([[0.5]]), array([[1, 1]]))
    """
    data, policy = as_samples(data), policy_by_name(noise_policy)
    n, smoothing = validate.integer(n, "n"), validate.positive(smoothing, "smoothing", allow_zero=True)
    draws = checked_draws(policy, noise_draws)
    times, etas = time_grid(n_steps, start_time, spacing)
    start_rng, noise_rng, estimator_rng = validate.generator(rng).spawn(3)
    center = barycenter_estimator(
        estimator, data, tolerance=tolerance, n_neighbours=n_neighbours, n_remainder=n_remainder, rng=estimator_rng
    )
    stream = NoiseStream(policy, smoothing, n, draws, data.dimension, noise_rng, noise)
    state = _start(start, data, n, float(times[0]), start_rng)
    states, fractions = [state] if trajectory else None, np.zeros(len(etas))
    plan = zip(times[:-1], etas, stream.each_step(len(etas)), strict=True)
    for step, (time, eta, tuples) in enumerate(plan):
        before = state
        mean, fractions[step] = _smoothed_mean(data, center, before, time, smoothing, tuples)
        # Where eta = 1 the sample is the barycenter itself, without a rounding of z + (x - z).
        state = mean if eta == 1.0 else before + eta * (mean - before)
        if trajectory:
            states.append(state)
    settings = {
        "n": n, "n_steps": int(n_steps), "smoothing": smoothing, "noise_draws": draws,
        "noise_policy": policy.name, "start_time": float(times[0]), "estimator": estimator, "spacing": spacing,
        "n_data": data.size, "dimension": data.dimension,
    }  # fmt: skip
    settings |= {"tolerance": float(tolerance)} if estimator == "near" else {}
    settings |= {"n_neighbours": n_neighbours, "n_remainder": n_remainder} if estimator == "neighbours" else {}
    kind = data.points.dtype
    return ClosedFormSamples(
        samples=state.astype(kind, copy=False),
        indices=_tuple_indices(data, before, float(times[-2]), smoothing, tuples),
        last_state=before.astype(kind, copy=False),
        times=times,
        fractions=fractions,
        trajectory=np.stack(states).astype(kind, copy=False) if trajectory else None,
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

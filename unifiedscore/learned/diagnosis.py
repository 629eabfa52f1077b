"""What a score network is: at every noise level its curl, its memory and the smoothing that it is equivalent to."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.fields.module import takes_tensors
from unifiedscore.inference.mean import mean_interval
from unifiedscore.learned.denoiser import FAILURES
from unifiedscore.learned.describe import QUERIES, describe_denoiser, description_noise, noisy_queries
from unifiedscore.learned.diagnosis_advice import advise
from unifiedscore.learned.rivals import GaussianDenoiser, empirical_denoiser
from unifiedscore.learned.sample import gaussian_sampling_gain, noise_levels, sample_denoiser
from unifiedscore.measures import GaussianMixture, as_samples
from unifiedscore.measures.distances import nearest_neighbours

if TYPE_CHECKING:
    import xarray as xr

LEVEL = 0.99
_SETS = 10  # of queries with fresh noise: intervals are over them
_LEVELS = 6
_RANGE = 0.05, 1.6  # of noise levels by default, in units of the scale of the data
_SAMPLES, _STEPS = 1000, 40
_SAMPLED = 0.02, 8.0  # ends of the sampler, in units of the scale of the data
_COPY = 1 / 3
_FEW = 8
NAMES = {
    "curl_share": "curl share of the Jacobian",
    "memorised_share": "memorised share, from Gaussian to empirical",
    "truth_error": "relative squared distance to the truth",
    "memory_error": "relative squared distance to the empirical denoiser",
    "score_share": "share of the smoothed score",
    "kernel_share": "share of the wider kernel",
    "density_share": "share of the smoothed density",
    "gaussian_share": "share of the Gaussian denoiser",
    "effective_smoothing": "effective smoothing sigma",
    "effective_bandwidth": "effective bandwidth tau",
}
"""Every variable of a diagnosis over the noise level, and what it is."""


def diagnose_score(
    network: Callable,
    data,
    *,
    levels=None,
    truth=None,
    law: str = "training",
    queries: int = 40,
    seed: int = 0,
) -> xr.Dataset:
    r"""Say at every noise level whether a network is conservative, memorises, and which smoothing it is equivalent to.

    Use when you have a score network and its training set, and ask what the network has learned of it.

    Per noise level h, with the network D, the empirical denoiser Dhat, the Gaussian one and, if given, the true one:

    * `curl_share`: :math:`E\lVert J - J^\top\rVert^2 / 4E\lVert J\rVert^2`, 0 for a score;
    * `memorised_share`: :math:`1 - E|D - \hat D|^2/E|D_{lin} - \hat D|^2`, 1 for a network that is the memory;
    * `truth_error`, `memory_error`: :math:`E|D - D_{true}|^2` and :math:`E|D - \hat D|^2`, both in units of
      :math:`E|D_{true} - \hat D|^2`, where the truth is given: 0 and 1 for the truth, 1 and 0 for the memory;
    * `score_share`, `kernel_share`, `density_share`: :math:`1 - E|D - D_f|^2/E|D - \hat D|^2` of the best member of a
      family of smoothed denoisers, in [0, 1], see `describe_denoiser`;
    * `gaussian_share`: the same of the Gaussian denoiser, which has no parameter: at most 1, negative where the network
      is farther from it than from the memory, and without bound (-41, say) where the network is nearly the memory;
    * `effective_smoothing`, `effective_bandwidth`: the best sigma and tau.

    And once: the share of copies among samples of the network, minus that among the different points of the data. Its
    interval allows for samples that cluster on m training points and for points that are copies of each other:
    :math:`p_0 - p_1 \pm z\sqrt{p_0 q_0/(\min(N, m) + 2) + 2 p_1 q_1/(m + 2)}` with one success and one failure more in
    each group. It is missing (NaN) below three different points.

    Parameters
    ----------
    network : LearnedDenoiser, or callable (x, h) -> D
        Without a Jacobian the curl is missing.
    data : Samples or (m, d) array
        The training set, at least 8 points.
    levels : sequence of floats, optional
        Noise levels in the units of the data; by default six from 0.05 to 1.6 scales of the data, within those in which
        the network was trained, or over all of these where it was trained beyond.
    truth : GaussianMixture, Samples or array, optional
        The law, or many points that the network has not seen, such as 20 000.
    law : {"training", "fresh", "box"}
        Where the network is asked, see `noisy_queries`; "fresh" around the points of the truth.
    queries : int
        Points of one set; there are ten sets with fresh noise.
    seed : int

    Returns
    -------
    xarray.Dataset
        Over `level`, each variable with the ends `_low` and `_high` of its 99 % interval; the attribute `advice` says
        in words what it means. Intervals are over fresh noise: the network and the training set are what they are.

    Raises
    ------
    InputError
        Too few points, another dimension, a truth that is the training set, or a network that is the empirical
        denoiser at every query.

    Examples
    --------
    >>> import unifiedscore as us
    >>> data = us.load_measure("two_moons", n=30, rng=np.random.default_rng(0))
    >>> smooth = lambda x, h: us.learned.DensitySmoothedDenoiser(data, h, 0.3)(x)
    >>> found = diagnose_score(smooth, data, levels=[0.2], queries=10)
    >>> round(float(found["effective_bandwidth"][0]), 3), round(float(found["density_share"][0]), 6)
    (0.3, 1.0)
    """
    if takes_tensors(network):
        raise InputError(
            "network takes tensors, but is called with NumPy arrays; wrap it in us.LearnedDenoiser, whose "
            "parametrisation says what the module computes"
        )
    validate.function(network, "network", "(x, h) of points (n, d) and the noise level", arguments=2)
    data = as_samples(data)
    if data.size < _FEW:
        raise InputError(f"data must hold at least {_FEW} points to be told apart from a law; got {data.size}")
    known = getattr(network, "dimension", data.dimension)
    if known != data.dimension:
        raise InputError(f"network has dimension {known}, but the data have dimension {data.dimension}")
    scale = float(np.sqrt(np.trace(data.covariance_matrix) / data.dimension))
    if scale == 0:
        raise InputError("data must hold two different points")
    ends = getattr(network, "levels", (0.0, np.inf))
    levels = _levels(levels, scale, ends)
    _probe(network, data.points[:2].astype(np.float64), float(levels[0]))
    queries = validate.count(queries, "queries", entries=data.dimension)
    validate.choice(law, "law", QUERIES)
    seed = validate.integer(seed, "seed", low=0)
    if truth is not None and not isinstance(truth, GaussianMixture):
        truth = as_samples(truth, "truth")
    if truth is not None and truth.dimension != data.dimension:
        raise InputError(f"truth has dimension {truth.dimension}, but the data have dimension {data.dimension}")
    if law == "fresh" and truth is None:
        raise InputError("law='fresh' asks the network near points that it has not seen: pass them as truth")
    around = truth if law == "fresh" else data
    rows = [
        _at_level(network, data, float(h), truth, around, law, queries, np.random.default_rng([seed, k]))
        for k, h in enumerate(levels)
    ]
    copies = _copies(network, data, scale, ends, np.random.default_rng([seed, len(levels)]))
    return _dataset(rows, copies, levels, data, scale, law, queries, seed, truth)


def _probe(network, x, level: float) -> None:
    """Call the network once: one that does not fit is refused where it is given."""
    try:
        network(x, level)
    except InputError:
        raise
    except FAILURES as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"network must be a function (x, h) of a NumPy array of points (n, {x.shape[1]}) and a noise level; called "
            f"with two points and h = {level:.4g} it fails: {reason}; wrap a module of PyTorch in us.LearnedDenoiser"
        ) from error


def _levels(levels, scale: float, ends) -> np.ndarray:
    if levels is None:
        return np.geomspace(*_trained_range(*_RANGE, scale, ends), _LEVELS)
    levels = np.atleast_1d(validate.real_array(levels, "levels").astype(np.float64))
    if levels.ndim != 1 or levels.size == 0 or (levels <= 0).any() or (np.diff(levels) <= 0).any():
        raise InputError("levels must be positive and increasing noise levels")
    if levels[0] < ends[0] * (1 - 1e-9) or levels[-1] > ends[1] * (1 + 1e-9):
        raise InputError(
            f"levels must lie where the network was trained, from {ends[0]:.4g} to {ends[1]:.4g}: outside it is "
            f"arbitrary; got {levels[0]:.4g} to {levels[-1]:.4g}"
        )
    return levels


def _trained_range(low: float, high: float, scale: float, ends) -> tuple[float, float]:
    """From low to high scales of the data, within the trained levels; all of these where the two do not meet."""
    low, high = max(low * scale, ends[0]), min(high * scale, ends[1])
    return (low, high) if low < high else tuple(ends)


def _at_level(network, data, h, truth, around, law, n, rng) -> dict[str, np.ndarray]:
    """Every quantity at one noise level, once for each set of queries."""
    empirical, gaussian = empirical_denoiser(data, h), GaussianDenoiser(data, h)
    true = None if truth is None else empirical_denoiser(truth, h)
    found: dict[str, list] = {name: [] for name in NAMES}
    for _ in range(_SETS):
        # Fresh for each set: the error of the draws that smooth the score is then part of the intervals.
        noise = description_noise(data.dimension, rng)
        x = _noisy(around, n, rng, h, law)
        values = validate.answer(network(x, h), "network", x.shape).astype(np.float64)
        memory = empirical(x)
        described = describe_denoiser(lambda _, v=values: v, data, level=h, queries=x, noise=noise)
        found["curl_share"].append(_curl_share(network, x, h))
        found["memorised_share"].append(1 - described.deviation / _square(gaussian(x) - memory))
        unit = np.nan if true is None else _distance_to_truth(true(x), memory, data, h)
        found["truth_error"].append(np.nan if true is None else _square(values - true(x)) / unit)
        found["memory_error"].append(described.deviation / unit)
        for family in ("score", "kernel", "density"):
            found[f"{family}_share"].append(getattr(described, family).share)
        found["gaussian_share"].append(described.gaussian)
        found["effective_smoothing"].append(described.score.parameter)
        found["effective_bandwidth"].append(described.density.parameter)
    return {name: np.array(part, dtype=np.float64) for name, part in found.items()}


def _distance_to_truth(true, memory, data, h) -> float:
    """E|D_true - Dhat|^2, the unit of both distances: refused where it is rounding, as for the training set itself."""
    found = _square(true - memory)
    # Rounding of posterior means: of the coordinates, and of exponents of up to 1e4 in units of the spread.
    rounding = 1e-10 * np.sqrt(np.trace(data.covariance_matrix)) + 1e-14 * np.abs(data.points).max()
    if found <= rounding**2:
        raise InputError(
            f"truth must be points that the network has not seen, or the law; it equals the training set at every "
            f"query of the level {h:.4g}"
        )
    return found


def _noisy(around, n, rng, h, law) -> np.ndarray:
    if isinstance(around, GaussianMixture):
        return around.sample(n, rng) + h * rng.standard_normal((n, around.dimension))
    return noisy_queries(around, n, rng, level=h, law=law)


def _curl_share(network, x, h) -> float:
    field = network.at_level(h) if hasattr(network, "at_level") else None
    jacobian = None if field is None else field.jacobian(x)
    if jacobian is None:
        return float("nan")
    gap = jacobian - jacobian.transpose(0, 2, 1)
    return float(np.sum(gap**2) / (4 * np.sum(jacobian**2)))


def _copies(network, data, scale, ends, rng) -> dict[str, float]:
    """Share of copies among samples, and among the data of each other: what the law itself would be charged with.

    Of a point that occurs twice its twin would be the copy: only different points count, NaN where there are too few.
    """
    points = np.unique(data.points[data.weights > 0], axis=0)
    low, high = _trained_range(*_SAMPLED, scale, ends)
    levels = noise_levels(_STEPS, high=high, low=low)
    start = data.mean + np.hypot(high, scale) * rng.standard_normal((_SAMPLES, data.dimension))
    samples = sample_denoiser(network, start, levels=levels)
    spread = float(np.sqrt(np.trace(np.cov(samples.T).reshape(data.dimension, -1)) / data.dimension) / scale)
    return _copy_shares(samples, points) | {
        "sample_spread": spread,
        "sampling_gain": gaussian_sampling_gain(levels, scale=scale),
    }


def _copy_shares(samples: np.ndarray, points: np.ndarray) -> dict[str, float]:
    r"""Copies among N samples and among m different points, and the excess of the first with its interval.

    With one success and one failure more in each group (Agresti, Caffo), which keep the level of small counts, the ends
    are :math:`p_0 - p_1 \pm z\sqrt{p_0 q_0/(\min(N, m) + 2) + 2 p_1 q_1/(m + 2)}`, clipped to [-1, 1]. Samples cluster
    on the points, so that there are no more than m independent ones, and points are copies of each other in pairs.
    """
    names = ("copies", "chance_copies", "excess_copies", "excess_copies_low", "excess_copies_high")
    if len(points) < 3:
        return dict.fromkeys(names, float("nan"))
    near = nearest_neighbours(points, samples, 2)[0]
    own = nearest_neighbours(points, points, 3)[0][:, 1:]  # without the point itself
    counts = [int(np.sum(d[:, 0] < _COPY * d[:, 1])) for d in (near, own)]
    sizes = [len(near), len(own)]
    smooth = [(c + 1) / (n + 2) for c, n in zip(counts, sizes, strict=True)]
    variances = [p * (1 - p) for p in smooth]
    error = np.sqrt(variances[0] / (min(sizes) + 2) + 2 * variances[1] / (sizes[1] + 2))
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    rates = [c / n for c, n in zip(counts, sizes, strict=True)]
    centre = smooth[0] - smooth[1]
    ends = np.clip([centre - reach, centre + reach], -1, 1)
    return dict(zip(names, (*rates, rates[0] - rates[1], *map(float, ends)), strict=True))


def _dataset(rows, copies, levels, data, scale, law, queries, seed, truth):
    import xarray as xr

    variables = {}
    for name, title in NAMES.items():
        columns = [_interval(row[name]) for row in rows]
        if np.isnan([mean for mean, *_ in columns]).all():
            continue
        for part, values in zip(("", "_low", "_high"), zip(*columns, strict=True), strict=True):
            ending = {"": "", "_low": ", lower end", "_high": ", upper end"}[part]
            variables[name + part] = ("level", np.array(values), {"long_name": title + ending, "units": "1"})
    lengths = {"effective_smoothing", "effective_bandwidth"}
    for name, (_, _, attributes) in variables.items():
        if name.removesuffix("_low").removesuffix("_high") in lengths:
            attributes["units"] = "units of the data"
    scalars = {name: ((), value, {"units": "1"}) for name, value in copies.items()}
    coordinates = {"level": ("level", levels, {"long_name": "noise level h", "units": "units of the data"})}
    dataset = xr.Dataset({**variables, **scalars}, coordinates)
    dataset.attrs = {
        "title": "diagnosis of a score network",
        "training_points": data.size,
        "dimension": data.dimension,
        "data_scale": scale,
        "query_law": law,
        "queries": queries,
        "query_sets": _SETS,
        "ci_level": LEVEL,
        "seed": seed,
        "truth": "none" if truth is None else "law" if isinstance(truth, GaussianMixture) else f"{truth.size} points",
    }
    dataset.attrs["advice"] = "\n".join(advise(dataset))
    return dataset


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    if np.isnan(values).any():
        return (float("nan"),) * 3
    if np.ptp(values) <= 1e-12 * np.abs(values).max():  # such as a parameter at the end of its range
        return (float(values[0]),) * 3
    estimate = mean_interval(values, LEVEL)
    return float(values.mean()), float(estimate.low), float(estimate.high)


def _square(gap: np.ndarray) -> float:
    return float(np.einsum("nd,nd->", gap, gap, dtype=np.float64) / len(gap))

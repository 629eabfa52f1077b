"""What a denoiser is nearest to: one-parameter families of smoothed empirical denoisers, fitted to its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtri

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.learned.rivals import (
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    ScoreSmoothedDenoiser,
    WiderKernelDenoiser,
    empirical_denoiser,
)
from unifiedscore.measures import as_samples
from unifiedscore.posterior.nearfield import MOST_DIMENSIONS, NearField

FAMILIES = ("score", "kernel", "density")
QUERIES = ("training", "fresh", "box")

_GRID = 15
_QUANTILES = 256  # of the noise on the line


@final
@dataclass(frozen=True, slots=True)
class Fit:
    """The best member of a family, and the share of the deviation from the empirical denoiser that it explains.

    Use when you read what `fit_family` returned.

    Attributes
    ----------
    parameter : float
        sigma, c or tau.
    share : float
        R = 1 - min E|D - D_member|^2 / E|D - Dhat|^2, at least 0 up to rounding: the empirical denoiser is a member.
    """

    parameter: float
    share: float


@final
@dataclass(frozen=True, slots=True)
class DenoiserDescription:
    """How four descriptions explain the deviation of a denoiser from the empirical one, at one noise level.

    Use when you read what `describe_denoiser` returned.

    Attributes
    ----------
    score, kernel, density : Fit
        The score-smoothed denoiser (its parameter is the effective smoothing), the wider kernel and the
        density-smoothed denoiser.
    gaussian : float
        Share of the Gaussian denoiser of the sample moments; negative where it is worse than the empirical denoiser.
    deviation : float
        E|D - Dhat|^2, the unit of all shares: of no meaning where it is rounding or the error of a fit.
    """

    score: Fit
    kernel: Fit
    density: Fit
    gaussian: float
    deviation: float

    @property
    def lead(self) -> float:
        """R of the score-smoothed denoiser minus the largest of its rivals: each rival alone rules out too little."""
        return self.score.share - max(self.kernel.share, self.density.share, self.gaussian)

    @property
    def best(self) -> str:
        """Name of the description with the largest share."""
        shares = {name: getattr(self, name).share for name in FAMILIES} | {"gaussian": self.gaussian}
        return max(shares, key=shares.get)


def describe_denoiser(denoiser: Callable, data, *, level: float, queries, noise) -> DenoiserDescription:
    r"""Fit smoothed score, wider kernel, smoothed density and Gaussian to a denoiser at one noise level.

    Use when you ask which smoothing of its training set a trained denoiser is equivalent to.

    Each share is :math:`R = 1 - \min E|D - D_\bullet|^2 / E|D - \hat D|^2` over the queries. Shares depend on the law
    of the queries and must not be quoted without it.

    Parameters
    ----------
    denoiser : callable (n, d) -> (n, d)
        D at this level, in the units of the data: a network, or a field.
    data : Samples or (m, d) array
        The training set.
    level : float
        Noise level h > 0.
    queries : (n, d) array
        Noisy points, see `noisy_queries`.
    noise : (M, d) array
        What the score is smoothed with, see `description_noise`.

    Returns
    -------
    DenoiserDescription

    Raises
    ------
    InputError
        The denoiser is the empirical one at every query, so that there is nothing to describe.

    Examples
    --------
    >>> data = np.array([[-1.0], [0.25], [1.0]])
    >>> queries = np.linspace(-2, 2, 41)[:, None]
    >>> noise = description_noise(1, np.random.default_rng(0))
    >>> denoiser = DensitySmoothedDenoiser(data, 0.2, 0.3)
    >>> found = describe_denoiser(denoiser, data, level=0.2, queries=queries, noise=noise)
    >>> found.best, round(found.density.parameter, 3), round(found.density.share, 6)
    ('density', 0.3, 1.0)
    """
    validate.function(denoiser, "denoiser", "of points (n, d)", arguments=1)
    data = as_samples(data)
    queries = validate.points(queries, "queries", dimension=data.dimension)
    values = validate.answer(denoiser(queries), "denoiser", queries.shape)
    fits = {
        family: fit_family(values, data, family=family, level=level, queries=queries, noise=noise)
        for family in FAMILIES
    }
    deviation = _square(values - empirical_denoiser(data, level)(queries))
    gaussian = 1 - _square(values - GaussianDenoiser(data, level)(queries)) / deviation
    return DenoiserDescription(**fits, gaussian=gaussian, deviation=deviation)


def fit_family(values, data, *, family: str, level: float, queries, noise=None) -> Fit:
    r"""Fit the parameter of one family of denoisers to values at the queries.

    Use when you need one description alone, such as the effective smoothing at many checkpoints.

    =========  =============================  ======================================================
    family     member                         parameter
    =========  =============================  ======================================================
    score      `ScoreSmoothedDenoiser`        :math:`\sigma`, from 0 to twice the scale of the data
    kernel     `WiderKernelDenoiser`          :math:`c`, from 1 to four scales over h
    density    `DensitySmoothedDenoiser`      :math:`\tau`, from 0 to four scales
    =========  =============================  ======================================================

    The best of fifteen geometric values, then a bounded search between its neighbours.

    Parameters
    ----------
    values : (n, d) array
        Values of a denoiser at the queries.
    data, level, queries, noise
        As for `describe_denoiser`; only the family "score" needs noise.
    family : {"score", "kernel", "density"}

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        An unknown family, no noise for "score", data of one point, or values that are those of the empirical denoiser.

    Examples
    --------
    >>> data, queries = np.array([[-1.0], [1.0]]), np.linspace(-2, 2, 41)[:, None]
    >>> fit = fit_family(np.tanh(queries / 0.16), data, family="kernel", level=0.2, queries=queries)
    >>> round(fit.parameter, 3), round(fit.share, 6)
    (2.0, 1.0)
    """
    data, level = as_samples(data), validate.positive(level, "level")
    validate.choice(family, "family", FAMILIES)
    queries = validate.points(queries, "queries", dimension=data.dimension).astype(np.float64, copy=False)
    values = validate.points(values, "values", dimension=data.dimension)
    if len(values) != len(queries):
        raise InputError(f"values must hold one row for each of the {len(queries)} queries; got {len(values)}")
    if family == "score":
        if noise is None:
            raise InputError("the family 'score' needs noise to smooth with; see description_noise")
        noise = validate.noise_tuples(noise, queries.shape)
    scale = float(np.sqrt(np.trace(data.covariance_matrix) / data.dimension))
    if scale == 0:
        raise InputError("data must hold at least two different points: a single one has no scale to fit with")
    unit = _square(values - empirical_denoiser(data, level)(queries))
    if unit == 0:
        raise InputError("values are those of the empirical denoiser: there is no deviation to describe")
    near, far = 0.02 * scale, 4 * scale
    if family == "score":
        member, low, high = _score_smoothed(data, level, noise, queries), near, far / 2
    elif family == "kernel":
        member, low, high = lambda p: WiderKernelDenoiser(data, level, 1 + p)(queries), 0.02, max(1.0, far / level)
    else:
        member, low, high = lambda p: DensitySmoothedDenoiser(data, level, p)(queries), near, far
    best, error = _minimum(lambda p: _square(values - member(p)), low, high)
    return Fit(1 + best if family == "kernel" else best, 1 - error / unit)


def description_noise(dimension: int, rng: np.random.Generator, *, draws: int = 128) -> np.ndarray:
    """Return the noise that a description smooths with: midpoint quantiles on the line, antithetic draws elsewhere.

    Use when you call `describe_denoiser`; compare only fits with the same noise.

    Parameters
    ----------
    dimension : int
    rng : numpy.random.Generator
        Not used on the line.
    draws : int
        Even; on the line there are 256 quantiles whatever it is.

    Returns
    -------
    (M, d) array

    Examples
    --------
    >>> description_noise(2, np.random.default_rng(0), draws=4).sum(axis=0)
    array([0., 0.])
    """
    dimension, draws = validate.integer(dimension, "dimension"), validate.count(draws, "draws", entries=1)
    rng = validate.generator(rng)
    if dimension == 1:
        return ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)[:, None]
    if draws % 2:
        raise InputError(f"draws must be even, for antithetic pairs; got {draws}")
    half = rng.standard_normal((draws // 2, dimension))
    return np.concatenate([half, -half])


def noisy_queries(data, n: int, rng: np.random.Generator, *, level: float, law: str = "training") -> np.ndarray:
    """Return queries for a description: noisy points, or points of the box around the data.

    Use when you call `describe_denoiser`, and name the law with every number that comes of it.

    Parameters
    ----------
    data : Samples or (m, d) array
        The training set for "training" and "box"; points that the denoiser has not seen for "fresh".
    n : int
    rng : numpy.random.Generator
    level : float
        Noise level h, also the margin of the box.
    law : {"training", "fresh", "box"}

    Returns
    -------
    (n, d) array

    Examples
    --------
    >>> noisy_queries([[0.0], [2.0]], 5, np.random.default_rng(0), level=0.1, law="box").shape
    (5, 1)
    """
    data, n, rng = as_samples(data), validate.count(n, "n"), validate.generator(rng)
    level = validate.positive(level, "level")
    validate.choice(law, "law", QUERIES)
    if law == "box":
        low, high = data.points.min(axis=0) - level, data.points.max(axis=0) + level
        return rng.uniform(low, high, (n, data.dimension))
    return data.sample(n, rng) + level * rng.standard_normal((n, data.dimension))


def _minimum(error: Callable, low: float, high: float) -> tuple[float, float]:
    """Argument and value of the least error: the best of zero and a grid, then a search between its neighbours."""
    grid = np.append(0.0, np.geomspace(low, high, _GRID))
    errors = [error(p) for p in grid]
    best = int(np.argmin(errors))
    bounds = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _GRID)])
    # The error is a parabola near its minimum: 1e-4 of the bracket costs 1e-8 of what is explained.
    found = minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": 1e-4 * (bounds[1] - bounds[0])})
    if found.fun < errors[best]:
        return float(found.x), float(found.fun)
    return float(grid[best]), errors[best]


def _score_smoothed(data, level: float, noise, queries) -> Callable:
    """Values of the score-smoothed denoiser at the queries as a function of sigma."""
    if data.dimension <= MOST_DIMENSIONS and np.ptp(data.weights) == 0:
        near = NearField(data)
        return lambda p: near.smoothed_means(queries, noise, p, bandwidth=level).mean
    return lambda p: ScoreSmoothedDenoiser(data, level, p, noise=noise)(queries)


def _square(gap: np.ndarray) -> float:
    return float(np.einsum("nd,nd->", gap, gap, dtype=np.float64) / len(gap))

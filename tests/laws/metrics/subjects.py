"""Every public metric once, with the laws that it obeys: what the laws are tested over.

Data lie on a grid of step 2^-20, so that adding an offset below 2^32 rounds no coordinate: a metric of the differences
must then give the same number, up to its own additions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unifiedscore import metrics

RESULTS = {"CosineEstimate", "Replicated", "ReplicatedCosines"}
"""Public names that are results rather than metrics."""


@dataclass(frozen=True)
class OfPoints:
    """A metric of two point sets: `call(x, y, scale)` with lengths among its arguments given in units of `scale`."""

    call: Callable
    degree: int
    oracle: Callable  # (D_xy, D_xx, D_yy) -> value, from distances in extended precision; D in units of the data
    repeats: bool = False  # repeating every point of both sets changes nothing
    symmetric: bool = False
    rotates: bool = True
    per_sample: bool = False
    powers: tuple[int, ...] = (-660, -500, 500, 660)  # of two, at which its arguments and value are floats


@dataclass(frozen=True)
class OfFields:
    """A metric of two fields (n, d) at common queries, or replicates (R, n, d); degrees in each of the two."""

    call: Callable
    degrees: tuple[int, int]
    weighted: bool = True
    symmetric: bool = False
    replicates: bool = False
    per_query: bool = False


def _modes(y):
    return (np.arange(len(y)) * 3) // len(y)


def _mode_oracle(xy, xx, yy):
    modes = _modes(yy)
    shares = [np.bincount(m, minlength=3) / len(m) for m in (modes[np.argmin(xy, axis=1)], modes)]
    return np.minimum(*shares).sum()


def _recall_oracle(xy, xx, yy):
    radius = np.sort(xx, axis=1)[:, 3]
    return (xy <= radius[:, None]).any(0).mean()


def _mmd_oracle(xy, xx, yy):
    def k(d):
        return np.exp(-0.5 * (d / WIDTH) ** 2)

    def off(d):
        return (k(d).sum() - np.trace(k(d))) / (len(d) * (len(d) - 1))

    return off(xx) + off(yy) - 2 * k(xy).mean()


def _transport_oracle(xy, xx, yy):
    """By the shortest augmenting paths of another solver, one cluster after another."""
    from scipy.optimize import linear_sum_assignment

    cost = np.minimum(xy, 1e4).astype(float) ** 2
    rows, columns = linear_sum_assignment(cost)
    return np.sqrt((xy[rows, columns] ** 2).mean())


def _sinkhorn_oracle(xy, xx, yy):
    """Primal values of plans from the plain iteration in extended precision."""

    def cost(d):
        k, u = np.exp(-((d / WIDTH) ** 2)), np.ones(len(d), dtype=np.longdouble)
        for _ in range(4000):
            v = 1 / (k.T @ u) / len(d.T)
            u = 1 / (k @ v) / len(d)
        plan = u[:, None] * k * v
        logs = np.log(np.where(plan > 0, plan * plan.size, 1))
        return (plan * (d**2 + WIDTH**2 * logs)).sum()

    return cost(xy) - (cost(xx) + cost(yy)) / 2


WIDTH, TOLERANCE = 3.0, 2.5

OF_POINTS = {
    "nearest_training_distance": OfPoints(
        lambda x, y, s: metrics.nearest_training_distance(x, y), 1, lambda xy, xx, yy: xy.min(1), per_sample=True
    ),
    "duplicate_rate": OfPoints(
        lambda x, y, s: metrics.duplicate_rate(x, y, tolerance=TOLERANCE * s),
        0,
        lambda xy, xx, yy: (xy.min(1) <= TOLERANCE).mean(),
        repeats=True,
    ),
    "recall": OfPoints(lambda x, y, s: metrics.recall(x, y, k=3), 0, _recall_oracle),
    "mode_coverage": OfPoints(lambda x, y, s: metrics.mode_coverage(x, y, _modes(y)), 0, _mode_oracle),
    "unbiased_mmd2": OfPoints(
        lambda x, y, s: metrics.unbiased_mmd2(x, y, bandwidths=[WIDTH * s]), 0, _mmd_oracle, symmetric=True
    ),
    "wasserstein2": OfPoints(
        lambda x, y, s: metrics.wasserstein2(x, y), 1, _transport_oracle, repeats=True, symmetric=True
    ),
    "sinkhorn_divergence": OfPoints(
        lambda x, y, s: metrics.sinkhorn_divergence(x, y, epsilon=(WIDTH * s) ** 2, tolerance=1e-13),
        2,
        _sinkhorn_oracle,
        repeats=True,
        symmetric=True,
        powers=(-500, 500),
    ),
    "sliced_wasserstein2": OfPoints(
        lambda x, y, s: metrics.sliced_wasserstein2(x, y, n_directions=7, rng=np.random.default_rng(5)),
        1,
        None,
        repeats=True,
        symmetric=True,
        rotates=False,
    ),
}


def _cosines(found):
    return np.array([getattr(found, n).value for n in ("cross_fitted", "split_sample", "same_sample")])


OF_FIELDS = {
    "mean_product": OfFields(metrics.mean_product, (1, 1), symmetric=True),
    "cosine": OfFields(lambda f, g, w: metrics.cosine(f, g), (0, 0), weighted=False, symmetric=True, per_query=True),
    "mean_cosine": OfFields(metrics.mean_cosine, (0, 0), symmetric=True),
    "global_cosine": OfFields(metrics.global_cosine, (0, 0), symmetric=True),
    "best_scale": OfFields(metrics.best_scale, (1, -1)),
    "best_relative_error": OfFields(metrics.best_relative_error, (0, 0), symmetric=True),
    "relative_error": OfFields(
        lambda f, g, w: metrics.relative_error(f, g, 0.5 * metrics.best_scale(f, g, w), w), (0, 0)
    ),
    "cross_fitted_cosine": OfFields(
        lambda f, g, w: metrics.cross_fitted_cosine(f, g, w).value, (0, 0), symmetric=True, replicates=True
    ),
    "replicated_cosines": OfFields(
        lambda f, g, w: _cosines(metrics.replicated_cosines(f, g, w)), (0, 0), replicates=True
    ),
    "replicated": OfFields(
        lambda f, g, w: (lambda r: np.stack([r.mean, r.standard_error]))(
            metrics.replicated(lambda a, b: a - b, zip(f, np.zeros_like(f), strict=True))
        ),
        (1, 0),
        weighted=False,
        replicates=True,
    ),
}


def test_points(n=36, m=36, d=20, seed=0):
    """Two sets on the grid, close enough that every metric is neither 0 nor 1."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), 0.7 * rng.normal(size=(m, d)) + 0.1
    y[: n // 4] = x[: n // 4] + 0.3
    return tuple(np.round(z * 2**20) / 2**20 for z in (x, y))


def test_fields(replicates, n=24, d=5, seed=1):
    rng = np.random.default_rng(seed)
    f, g = rng.normal(size=(2, n, d))
    g += f
    if replicates:
        f, g = (z + 0.3 * rng.normal(size=(6, n, d)) for z in (f, g))
    return f, g, rng.uniform(0.5, 1.5, n)


test_points.__test__ = test_fields.__test__ = False

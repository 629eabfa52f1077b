"""The kernel posterior of a sample: a streamed, tiled reduction around BLAS products.

One tile is about a hundred queries against a thousand samples: its distances, weights and sums stay in the cache, and
nothing of size (n, m) ever exists. Every query tile visits the sample tiles in the same order, so that results do not
depend on the number of threads. Computation is in float64 whatever the dtype of the queries.

Below eight dimensions distances and directions are differences of the coordinates as they were given. From eight on
they come from matrix products of points relative to a median, which no outlier moves; pairs whose distance such a
product does not resolve (clusters far from the centre, coincident points) are recomputed from the coordinates as they
were given. Points without weight are dropped (`active`), pairs whose square leaves float64 are summed by `extreme`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures.samples import Samples
from unifiedscore.posterior import loops
from unifiedscore.posterior.active import Active, active_part
from unifiedscore.posterior.extreme import extreme_sums
from unifiedscore.posterior.moments import PosteriorMoments, PosteriorVectors, _field, _moments, _spread, _vectors
from unifiedscore.posterior.pairs import distances, robust_center
from unifiedscore.posterior.sums import Sums, merged
from unifiedscore.posterior.threads import one_blas_thread, threads

_QUERIES, _SAMPLES = 128, 1024
# In high dimension the time goes into matrix products, which like larger blocks.
_HIGH, _QUERIES_HIGH = 512, 512
# Below this dimension direct differences are faster than a matrix product, and exact.
_DIRECT = 8
# Fewer pairs than this are done before a pool of threads has started.
_SERIAL = 200_000


@dataclass(frozen=True, slots=True)
class _Task:
    """What all query tiles share; samples are cut into contiguous tiles once, and centred for matrix products."""

    kernel: AbstractKernel
    samples: tuple[np.ndarray, ...]
    given: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    norms: tuple[np.ndarray, ...]
    log_mass: tuple[np.ndarray, ...] | None
    center: np.ndarray | None
    wants: frozenset[str]

    @property
    def low(self) -> bool:
        """Whether distances are direct differences."""
        return self.center is None


@_moments.register
def _(measure: Samples, kernel, x, exclude) -> PosteriorMoments:
    # A constant weight makes the score a multiple of the mean shift: one product less.
    wants = {"mean_shift", "sums"} if kernel.constant_weight else {"mean_shift", "score", "sums"}
    part, out = _reduce(measure, kernel, x, exclude, frozenset(wants))
    square, inverse, distance = out.radial.T
    alpha = np.full(len(x), _constant_inverse(part.kernel)) if kernel.constant_weight else inverse / out.total
    mean_distance = distance / out.total
    preconditioner = np.ldexp(alpha, 2 * part.exponent)
    if ((alpha > 0) & (preconditioner < np.finfo(np.float64).tiny)).any():
        raise NumericalError(
            f"the preconditioner, of the size of the squared bandwidth, underflows float64 at bandwidth "
            f"{kernel.bandwidth:.3g}; rescale the points and the bandwidth, or ask for posterior_vectors or a field"
        )
    values = {
        "log_normalizer": _log_normalizer(part, out),
        "mean_shift": np.ldexp(out.mean_shift, part.exponent),
        "score": _score(part, out),
        "preconditioner": preconditioner,
        "mean_distance": np.ldexp(mean_distance, part.exponent),
        "effective_samples": out.total**2 / square,
        "relative_error": _rounding(part, out, mean_distance, x.dtype),
    }
    return PosteriorMoments(**{name: value.astype(x.dtype) for name, value in values.items()})


@_field.register
def _(measure: Samples, kernel, x, quantity, exclude) -> np.ndarray:
    from_shift = quantity == "score" and kernel.constant_weight
    part, out = _reduce(measure, kernel, x, exclude, frozenset({"mean_shift" if from_shift else quantity}))
    value = _score(part, out) if quantity == "score" else np.ldexp(out.mean_shift, part.exponent)
    return value.astype(x.dtype)


@_vectors.register
def _(measure: Samples, kernel, x, exclude) -> PosteriorVectors:
    wants = {"mean_shift"} if kernel.constant_weight else {"mean_shift", "score"}
    part, out = _reduce(measure, kernel, x, exclude, frozenset(wants))
    values = np.ldexp(out.mean_shift, part.exponent), _score(part, out), _log_normalizer(part, out)
    return PosteriorVectors(*(value.astype(x.dtype) for value in values))


@_spread.register
def _(measure: Samples, kernel, x) -> np.ndarray:
    part = active_part(measure, kernel, x, None)
    total = np.empty((len(x), x.shape[1], x.shape[1]))
    for i, query in enumerate(part.queries):
        r = distances(query[None], part.points)[0]
        log_weight = part.kernel.log_profile(r) + (0.0 if part.log_mass is None else part.log_mass)
        share = np.exp(log_weight - log_weight.max())
        inverse = part.kernel.inverse_weight(r)
        # Coincident samples have no direction.
        held = (share > 0) & (inverse > 0)
        gap, share = part.points[held] - query, share / share.sum()
        total[i] = gap.T @ ((share[held] / inverse[held])[:, None] * gap)
    return total


def _constant_inverse(kernel) -> float:
    return float(kernel.inverse_weight(np.zeros(())))


def _score(part: Active, out: Sums) -> np.ndarray:
    score = out.score if out.score is not None else out.mean_shift / _constant_inverse(part.kernel)
    return np.ldexp(score, -part.exponent)


def _log_normalizer(part: Active, out: Sums) -> np.ndarray:
    return out.largest + np.log(out.total) - (np.log(len(part.points)) if part.log_mass is None else 0.0)


def _rounding(part: Active, out: Sums, mean_distance, dtype) -> np.ndarray:
    r"""Bound on the relative rounding error of the moments, (n,); see `PosteriorMoments.relative_error`.

    A log-weight is wrong by eps times its size (and what inner products add). Those that carry $E_\pi r$ exceed the
    largest by more than it does: with shares $s_j = w_j r_j/\sum w r$ their mean size is
    $\sum s_j |\log w_j| \le \log m + \log(r_{\max}/E_\pi r)$, an entropy and a ratio.
    """
    reach = np.sqrt(part.queries.shape[1]) * (np.abs(part.points).max() + np.abs(part.queries).max(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        deep = np.where(mean_distance > 0, np.log(reach) - np.log(mean_distance), 0.0)
    size = np.abs(out.largest) + np.maximum(deep, 0.0) + np.log(len(part.points))
    bound = np.finfo(np.float64).eps * (8.0 + 4.0 * size + out.rounding + part.kernel.rounding)
    return bound + (0.0 if dtype == np.float64 else np.finfo(dtype).eps)


def _reduce(measure, kernel, x, exclude, wants) -> tuple[Active, Sums]:
    """Return the active part of samples and queries, and the sums of what is wanted in its units."""
    part = active_part(measure, kernel, x, _checked_exclusion(exclude, len(x), measure.size))
    if part.far is None and part.extreme is None:
        out = _tiled_sums(part, wants)
    else:
        out = _split_sums(part, wants)
    if not (bounded := out.largest > -np.inf).all():
        query = int(np.argmin(bounded))
        if part.remaining(query) == 0:
            raise InputError(f"exclude leaves query {query} without any sample of positive weight")
        if np.isfinite(kernel.support):
            raise NumericalError(
                f"{int((~bounded).sum())} of {len(x)} queries, the first query {query}, have no sample within the "
                f"support of the kernel {kernel.name}, r < {kernel.support * kernel.bandwidth:.3g}: its posterior is "
                "not defined there; leave these queries out, or choose a larger bandwidth"
            )
        raise NumericalError(
            f"every weight of query {query} overflows or underflows: its squared distances to the samples, or their "
            f"ratio to the bandwidth {kernel.bandwidth:.3g}, exceed float64; rescale the points or the bandwidth"
        )
    return part, out


def _split_sums(part: Active, wants) -> Sums:
    """Pairs without a square, of far samples or extreme queries, are summed on their own."""
    n, m = len(part.queries), len(part.points)
    extreme = np.zeros(n, dtype=bool) if part.extreme is None else part.extreme
    far = np.zeros(m, dtype=bool) if part.far is None else part.far
    out = Sums.empty(n, part.points.shape[1], wants)

    def apart(some: Active, *, alone):
        return extreme_sums(
            some.kernel, some.queries, some.points, some.log_mass, some.exclude, wants, alone=alone
        )  # fmt: skip

    if extreme.any():
        out.put(extreme, apart(part.choose(extreme, np.ones(m, dtype=bool)), alone=True))
    if not extreme.all():
        usual = None if far.all() else _tiled_sums(part.choose(~extreme, ~far), wants)
        if far.any():
            others = apart(part.choose(~extreme, far), alone=usual is None)
            usual = others if usual is None else merged(usual, others)
        out.put(~extreme, usual)
    return out


def _tiled_sums(part: Active, wants) -> Sums:
    n, d = part.queries.shape
    task = _prepare(part, wants)
    out = Sums.empty(n, d, wants)
    size = _QUERIES_HIGH if d >= _HIGH else _QUERIES
    starts = range(0, n, size)

    def one(start):
        rows = slice(start, min(start + size, n))
        with np.errstate(over="ignore", invalid="ignore"):  # a thread does not inherit that of its caller
            exclude = None if part.exclude is None else part.exclude[rows]
            out.put(rows, _query_tile(task, part.queries[rows], exclude))

    workers = min(threads(), len(starts))
    with one_blas_thread():
        if workers == 1 or n * len(part.points) < _SERIAL:
            for start in starts:
                one(start)
        else:
            _compile(task, part.queries)
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(one, starts))
    return out


def _compile(task: _Task, queries) -> None:
    """Run one query against one sample, so that the compiled loops exist before several threads ask for them."""
    first = replace(
        task,
        samples=tuple(tile[:1] for tile in task.samples[:1]),
        given=tuple(tile[:1] for tile in task.given[:1]),
        columns=tuple(np.ascontiguousarray(tile[:, :1]) for tile in task.columns[:1]),
        norms=tuple(norm[:1] for norm in task.norms[:1]),
        log_mass=None if task.log_mass is None else (np.zeros(1),),
    )
    _query_tile(first, queries[:1], None)


def _checked_exclusion(exclude, n, size):
    if exclude is None:
        return None
    index = validate.integer_array(exclude, "exclude", (n,))
    if (index < -1).any() or (index >= size).any():
        raise InputError(f"exclude must hold indices in [0, {size}) or -1; got {index.min()} ... {index.max()}")
    return index


def _prepare(part: Active, wants) -> _Task:
    samples, given, columns, norms, log_mass = [], [], [], [], []
    low = part.points.shape[1] < _DIRECT
    center = None if low else robust_center(part.points)
    for start in range(0, len(part.points), _SAMPLES):
        tile = part.points[start : start + _SAMPLES]
        if low:
            columns.append(np.ascontiguousarray(tile.T))
        else:
            given.append(tile)
            samples.append(tile - center)
            norms.append(np.einsum("md,md->m", samples[-1], samples[-1]))
        if part.log_mass is not None:
            log_mass.append(part.log_mass[start : start + _SAMPLES])
    tiles = (tuple(samples), tuple(given), tuple(columns), tuple(norms), tuple(log_mass) or None)
    return _Task(part.kernel, *tiles, center, wants)


def _query_tile(task: _Task, given, exclude) -> Sums:
    a, d = given.shape
    tile, parameters = task.kernel.compiled_tile()
    low, wants = task.low, task.wants
    width = max(t.shape[1] if low else t.shape[0] for t in (task.columns or task.samples))
    buffers = [np.empty(a * width) for _ in range(3)]
    needs_weight = "score" in wants or "sums" in wants
    largest, total, rescale = np.full(a, -np.inf), np.zeros(a), np.empty(a)
    radial, shift, score = np.zeros((a, 3)), np.zeros((a, d)), np.zeros((a, d))
    row_sum, heavy_sum = np.zeros(a), np.zeros(a)
    # Weight in products that are relative to the center: all of it, less that of near pairs.
    plain, heavy = np.zeros(a), np.zeros(a)
    x = given if low else given - task.center
    x_norm = None if low else np.einsum("nd,nd->n", x, x)
    near, product = np.zeros(a, dtype=np.bool_), None if low else np.empty((a, d))
    empty = np.empty((0, width))
    start = 0
    for index in range(len(task.columns or task.samples)):
        y = task.columns[index] if low else task.samples[index]
        b = y.shape[1] if low else y.shape[0]
        squared, log_weight, weight = (buffer[: a * b].reshape(a, b) for buffer in buffers)
        if low:
            loops.direct_squared(x, y, squared)
        else:
            np.matmul(x, y.T, out=squared)
            loops.gram_squared(squared, x_norm, task.norms[index], given, task.given[index], near)
        tile(squared, parameters, log_weight, weight if needs_weight else empty)
        if task.log_mass is not None:
            loops.add_log_mass(log_weight, task.log_mass[index])
        if exclude is not None:
            loops.leave_out(log_weight, exclude, start)
        loops.exponentials(log_weight, largest, total, rescale, row_sum)
        if "sums" in wants:
            loops.radial_sums(log_weight, squared, weight, radial, rescale, heavy_sum)
        elif needs_weight:
            loops.score_weights(log_weight, weight, heavy_sum)
        products = []
        if "mean_shift" in wants:
            products.append((log_weight, shift, plain, row_sum))
        if "score" in wants:
            products.append((weight, score, heavy, heavy_sum))
        elif "sums" in wants and not low:
            heavy = heavy * rescale + heavy_sum
        for weights, vector, weight_in_products, sums in products:
            if low:
                loops.direct_products(x, y, weights, vector, rescale)
                continue
            directions = None
            if near.any():
                directions = np.zeros((a, d))
                pairs = (squared, x_norm, task.norms[index], near)
                loops.near_directions(given, task.given[index], *pairs, weights, sums, directions)
            np.matmul(weights, y, out=product)
            loops.rescale_add(vector, weight_in_products, rescale, product, sums)
            if directions is not None:
                vector += directions
        start += b
    # A query without weight is reported by the caller, which knows all samples.
    safe = np.where(total > 0, total, 1.0)
    out = Sums.empty(a, d, wants)
    out.largest, out.total = largest, total
    # In low dimension the products are sums of w (y - x) already.
    if "mean_shift" in wants:
        out.mean_shift = shift / safe[:, None] - (0.0 if low else (plain / safe)[:, None] * x)
    if "score" in wants:
        out.score = (score - (0.0 if low else heavy[:, None] * x)) / safe[:, None]
    if "sums" in wants:
        out.radial = radial
        if not low:
            # r^2 from inner products is wrong by some eps (|x|^2 + |y|^2), and log k by b/2 of that.
            out.rounding = 8.0 * x_norm * heavy / safe
    return out

"""The kernel posterior of a sample: a streamed, tiled reduction around BLAS products.

One tile is about a hundred queries against a thousand samples: its distances, weights and sums stay in the cache, and
nothing of size (n, m) ever exists. Every query tile visits the sample tiles in the same order, so that results do not
depend on the number of threads. Computation is in float64 whatever the dtype of the queries.
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
from unifiedscore.posterior.moments import PosteriorMoments, PosteriorVectors, _field, _moments, _spread, _vectors
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
    """What all query tiles share; samples are centred and cut into contiguous tiles once."""

    kernel: AbstractKernel
    samples: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    norms: tuple[np.ndarray, ...]
    log_mass: tuple[np.ndarray, ...] | None
    wants: frozenset[str]


@_moments.register
def _(measure: Samples, kernel, x, exclude) -> PosteriorMoments:
    # A constant weight makes the score a multiple of the mean shift: one product less.
    wants = {"mean_shift", "sums"} if kernel.constant_weight else {"mean_shift", "score", "sums"}
    out = _reduce(measure, kernel, x, exclude, frozenset(wants))
    log_normalizer, total, sums = out["log_normalizer"], out["total"], out["sums"]
    if kernel.constant_weight:
        alpha = float(kernel.inverse_weight(np.zeros(())))
        preconditioner, score = np.full(len(x), alpha), out["mean_shift"] / alpha
    else:
        preconditioner, score = sums[:, 1] / total, out["score"]
    values = {
        "log_normalizer": log_normalizer + np.log(total) - (0.0 if out["weighted"] else np.log(measure.size)),
        "mean_shift": out["mean_shift"],
        "score": score,
        "preconditioner": preconditioner,
        "mean_distance": sums[:, 2] / total,
        "effective_samples": total**2 / sums[:, 0],
        "relative_error": np.finfo(np.float64).eps * np.maximum(1.0, np.abs(log_normalizer)),
    }
    return PosteriorMoments(**{name: value.astype(x.dtype) for name, value in values.items()})


@_field.register
def _(measure: Samples, kernel, x, quantity, exclude) -> np.ndarray:
    if quantity == "score" and kernel.constant_weight:
        shift = _reduce(measure, kernel, x, exclude, frozenset({"mean_shift"}))["mean_shift"]
        return (shift / float(kernel.inverse_weight(np.zeros(())))).astype(x.dtype)
    return _reduce(measure, kernel, x, exclude, frozenset({quantity}))[quantity].astype(x.dtype)


@_vectors.register
def _(measure: Samples, kernel, x, exclude) -> PosteriorVectors:
    # A constant weight makes the score a multiple of the mean shift: one product less.
    wants = {"mean_shift"} if kernel.constant_weight else {"mean_shift", "score"}
    out = _reduce(measure, kernel, x, exclude, frozenset(wants))
    score = out["score"] if "score" in out else out["mean_shift"] / float(kernel.inverse_weight(np.zeros(())))
    log_normalizer = out["log_normalizer"] + np.log(out["total"]) - (0.0 if out["weighted"] else np.log(measure.size))
    return PosteriorVectors(*(value.astype(x.dtype) for value in (out["mean_shift"], score, log_normalizer)))


@_spread.register
def _(measure: Samples, kernel, x) -> np.ndarray:
    tile, parameters = kernel.compiled_tile()
    with np.errstate(divide="ignore"):
        log_mass = np.log(measure.weights)
    total = np.empty((len(x), x.shape[1], x.shape[1]))
    squared, log_weight, weight = (np.empty((1, measure.size)) for _ in range(3))
    for i, query in enumerate(x):
        gap = measure.points - query
        squared[0] = np.einsum("md,md->m", gap, gap)
        tile(squared, parameters, log_weight, weight)
        log_weight += log_mass
        share = np.exp(log_weight[0] - log_weight.max())
        total[i] = gap.T @ ((share * weight[0] / share.sum())[:, None] * gap)
    return total


def _reduce(measure, kernel, x, exclude, wants) -> dict:
    """Return the raw sums: the largest log-weight (as log_normalizer), the total relative to it, and what is wanted."""
    n, d = x.shape
    exclude = _checked_exclusion(exclude, n, measure.size)
    # The mean of the measure: an outlier without weight must not cost the others their digits.
    center = measure.mean
    queries = x.astype(np.float64) - center
    task = _prepare(measure, kernel, center, wants)
    out = {"log_normalizer": np.empty(n), "total": np.empty(n), "weighted": task.log_mass is not None}
    out |= {name: np.empty((n, d)) for name in ("mean_shift", "score") if name in wants}
    out |= {"sums": np.empty((n, 4))} if "sums" in wants else {}
    size = _QUERIES_HIGH if d >= _HIGH else _QUERIES
    starts = range(0, n, size)

    def one(start):
        end = min(start + size, n)
        with np.errstate(over="ignore", invalid="ignore"):  # a thread does not inherit that of its caller
            _query_tile(task, queries[start:end], None if exclude is None else exclude[start:end], out, start)

    workers = min(threads(), len(starts))
    with one_blas_thread():
        if workers == 1 or n * measure.size < _SERIAL:
            for start in starts:
                one(start)
        else:
            _compile(task, queries, out)
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(one, starts))
    return out


def _compile(task: _Task, queries, out) -> None:
    """Run one query against one sample, so that the compiled loops exist before several threads ask for them."""
    first = replace(
        task,
        samples=tuple(tile[:1] for tile in task.samples[:1]),
        columns=tuple(np.ascontiguousarray(tile[:, :1]) for tile in task.columns[:1]),
        norms=tuple(norm[:1] for norm in task.norms[:1]),
        log_mass=None if task.log_mass is None else (np.zeros(1),),
    )
    _query_tile(first, queries[:1], None, out, 0)


def _checked_exclusion(exclude, n, size):
    if exclude is None:
        return None
    index = validate.integer_array(exclude, "exclude", (n,))
    if (index < -1).any() or (index >= size).any():
        raise InputError(f"exclude must hold indices in [0, {size}) or -1; got {index.min()} ... {index.max()}")
    return index


def _prepare(measure, kernel, center, wants) -> _Task:
    samples, columns, norms, log_mass = [], [], [], []
    low = measure.dimension < _DIRECT
    uniform = bool((measure.weights == measure.weights[0]).all())
    with np.errstate(divide="ignore"):
        all_mass = None if uniform else np.log(measure.weights)
    for start in range(0, measure.size, _SAMPLES):
        tile = measure.points[start : start + _SAMPLES] - center
        if low:
            columns.append(np.ascontiguousarray(tile.T))
        else:
            samples.append(np.ascontiguousarray(tile))
            norms.append(np.einsum("md,md->m", tile, tile))
        if all_mass is not None:
            log_mass.append(all_mass[start : start + _SAMPLES])
    return _Task(kernel, tuple(samples), tuple(columns), tuple(norms), tuple(log_mass) or None, wants)


def _counted(task: _Task, excluded: int) -> int:
    """Samples of positive weight that are left."""
    if task.log_mass is None:
        return sum(len(tile) for tile in task.samples) + sum(tile.shape[1] for tile in task.columns) - (excluded >= 0)
    positive = np.concatenate(task.log_mass) > -np.inf
    return int(positive.sum()) - int(excluded >= 0 and positive[excluded])


def _query_tile(task: _Task, x, exclude, out, begin) -> None:
    a, d = x.shape
    tile, parameters = task.kernel.compiled_tile()
    low = bool(task.columns)
    width = max(t.shape[1] if low else t.shape[0] for t in (task.columns or task.samples))
    buffers = [np.empty(a * width) for _ in range(3)]
    needs_weight = "score" in task.wants or "sums" in task.wants
    largest, total, rescale = np.full(a, -np.inf), np.zeros(a), np.empty(a)
    sums, shift, score = np.zeros((a, 4)), np.zeros((a, d)), np.zeros((a, d))
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
            loops.gram_squared(squared, x_norm, task.norms[index], x, y, near)
        tile(squared, parameters, log_weight, weight if needs_weight else empty)
        if task.log_mass is not None:
            loops.add_log_mass(log_weight, task.log_mass[index])
        if exclude is not None:
            loops.leave_out(log_weight, exclude, start)
        loops.exponentials(log_weight, largest, total, rescale)
        if "sums" in task.wants:
            loops.radial_sums(log_weight, squared, weight, sums, rescale)
        elif needs_weight:
            loops.score_weights(log_weight, weight, sums, rescale)
        if "mean_shift" in task.wants:
            if low:
                loops.direct_products(x, y, log_weight, shift, rescale)
            else:
                loops.rescale_add(shift, rescale, np.matmul(log_weight, y, out=product))
        if "score" in task.wants:
            if low:
                loops.direct_products(x, y, weight, score, rescale)
            else:
                directions = None
                if near.any():
                    directions = np.zeros((a, d))
                    loops.near_directions(x, y, squared, x_norm, task.norms[index], near, weight, sums, directions)
                loops.rescale_add(score, rescale, np.matmul(weight, y, out=product))
                if directions is not None:
                    score += directions
        start += b
    if not (bounded := largest > -np.inf).all():
        query = begin + int(np.argmin(bounded))
        if exclude is not None and _counted(task, exclude[query - begin]) == 0:
            raise InputError(f"exclude leaves query {query} without any sample of positive weight")
        raise NumericalError(
            f"every weight of query {query} overflows or underflows: its squared distances to the samples, or their "
            f"ratio to the bandwidth {task.kernel.bandwidth:.3g}, exceed float64; rescale the points or the bandwidth"
        )
    rows = slice(begin, begin + a)
    # In low dimension the products are sums of w (y - x) already.
    if "mean_shift" in task.wants:
        out["mean_shift"][rows] = shift / total[:, None] - (0.0 if low else x)
    if "score" in task.wants:
        out["score"][rows] = (score - (0.0 if low else sums[:, 3:] * x)) / total[:, None]
    if "sums" in task.wants:
        out["sums"][rows] = sums
    out["log_normalizer"][rows], out["total"][rows] = largest, total

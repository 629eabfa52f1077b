"""The driver of the sample engine: a streamed, tiled reduction around BLAS products.

One tile is about a hundred queries against a thousand samples: its distances, weights and sums stay in the cache, and
nothing of size (n, m) ever exists. Every query tile visits the sample tiles in the same order, so that results do not
depend on the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore.kernels.base import Tile
from unifiedscore.posterior import loops
from unifiedscore.posterior.active import Active
from unifiedscore.posterior.high_tiles import HighTiles
from unifiedscore.posterior.low_tiles import LowTiles
from unifiedscore.posterior.sums import Sums
from unifiedscore.posterior.threads import one_blas_thread, threads
from unifiedscore.posterior.tiles import AbstractTiles

_QUERIES, _SAMPLES = 128, 1024
# In high dimension the time goes into matrix products, which like larger blocks.
_HIGH, _QUERIES_HIGH = 512, 512
# Below this dimension direct differences are faster than a matrix product, and exact.
_DIRECT = 8
# Fewer pairs than this are done before a pool of threads has started.
_SERIAL = 200_000


@dataclass(frozen=True, slots=True)
class _Task:
    """What all query tiles share."""

    tiles: AbstractTiles
    kernel_tile: Tile
    parameters: np.ndarray
    log_mass: np.ndarray | None
    wants: frozenset[str]


def tiled_sums(part: Active, wants: frozenset[str]) -> Sums:
    """Return the sums over all pairs of a part whose squares hold: what is wanted of "mean_shift", "score", "sums"."""
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
    log_mass = None if task.log_mass is None else np.zeros(1)
    first = replace(task, tiles=task.tiles.first(), log_mass=log_mass)
    _query_tile(first, queries[:1], None)


def _prepare(part: Active, wants) -> _Task:
    """Cut the samples into tiles, once for all queries."""
    kind = LowTiles if part.points.shape[1] < _DIRECT else HighTiles
    return _Task(kind.cut(part.points, _SAMPLES), *part.kernel.compiled_tile(), part.log_mass, wants)


def _query_tile(task: _Task, queries, exclude) -> Sums:
    """Visit every tile of samples with one tile of queries."""
    (a, d), sizes, wants = queries.shape, task.tiles.sizes, task.wants
    needs_weight = "score" in wants or "sums" in wants
    buffers = [np.empty(a * max(sizes)) for _ in range(3)]
    no_weight = np.empty((0, max(sizes)))
    out = Sums.empty(a, d, wants)
    rescale, row_sum, heavy_sum = np.empty(a), np.zeros(a), np.zeros(a)
    sums = task.tiles.sums_at(queries)
    start = 0
    for index, b in enumerate(sizes):
        squared, log_weight, weight = (buffer[: a * b].reshape(a, b) for buffer in buffers)
        sums.fill_squared(index, squared)
        task.kernel_tile(squared, task.parameters, log_weight, weight if needs_weight else no_weight)
        if task.log_mass is not None:
            loops.add_log_mass(log_weight, task.log_mass[start : start + b])
        if exclude is not None:
            loops.leave_out(log_weight, exclude, start)
        loops.exponentials(log_weight, out.largest, out.total, rescale, row_sum)
        # The log-weights are weights now, and those times b after this.
        if "sums" in wants:
            loops.radial_sums(log_weight, squared, weight, out.radial, rescale, heavy_sum)
        elif needs_weight:
            loops.score_weights(log_weight, weight, heavy_sum)
        if "mean_shift" in wants:
            sums.add("mean_shift", index, log_weight, squared, row_sum, rescale)
        if "score" in wants:
            sums.add("score", index, weight, squared, heavy_sum, rescale)
        elif "sums" in wants:
            sums.add_mass(heavy_sum, rescale)
        start += b
    # A query without weight is reported by the caller, which knows all samples.
    safe = np.where(out.total > 0, out.total, 1.0)
    if "mean_shift" in wants:
        out.mean_shift = sums.mean_shift(safe)
    if "score" in wants:
        out.score = sums.score(safe)
    if "sums" in wants:
        out.rounding = sums.rounding(safe)
    return out

"""The driver of the sample engine: a streamed, tiled reduction around BLAS products.

One tile is about a hundred queries against some hundred samples: its distances, weights and sums stay in the cache, and
nothing of size (n, m) ever exists. Every query tile visits the sample tiles in the same order, so that results do not
depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from unifiedscore.kernels import AbstractKernel
from unifiedscore.kernels.base import Tile
from unifiedscore.posterior import loops
from unifiedscore.posterior.active import Active
from unifiedscore.posterior.cache import tile_shape
from unifiedscore.posterior.high_tiles import HighTiles
from unifiedscore.posterior.low_tiles import LowTiles
from unifiedscore.posterior.sums import Sums
from unifiedscore.posterior.threads import one_blas_thread, threads
from unifiedscore.posterior.tiles import AbstractTiles, AbstractTileSums, ConstantWeight

# Below this dimension direct differences are faster than a matrix product, and exact.
_DIRECT = 8
# Samples that a compiled loop takes at once: a row of them stays in the first-level cache, coordinates in the second.
_ROW = 1024
# Fewer pairs than this are done before a pool of threads has started.
_SERIAL = 200_000
# Queries after which it is asked whether to go on, of so many that it is worth asking: two tiles.
_PROBE, _ASK = 256, 1024


@dataclass(frozen=True, slots=True)
class _Task:
    """What all query tiles share."""

    tiles: AbstractTiles
    kernel: AbstractKernel
    kernel_tile: Tile
    parameters: np.ndarray
    log_mass: np.ndarray | None
    wants: frozenset[str]
    dtype: np.dtype
    rule: ConstantWeight | None
    """For kernels whose whole tile is one compiled loop."""


def tiled_sums(
    part: Active, wants: frozenset[str], dtype=np.float64, *, go_on: Callable[[Active, Sums], bool] | None = None
) -> Sums | None:
    """Return the sums over all pairs of a part whose squares hold: what is wanted of "mean_shift", "score", "sums".

    Tiles are computed in `dtype`, sums over tiles in float64. Where there are many queries, `go_on` is asked about the
    sums of the first of them; if it says no, nothing more is computed, and None is returned.
    """
    n, d = part.queries.shape
    dtype = np.dtype(dtype)
    arrays = 1 if is_one_loop(part.kernel) else 3 if wants & {"score", "sums"} else 2
    queries, samples = tile_shape(n, d, dtype.itemsize, arrays)
    if d < _DIRECT and is_one_loop(part.kernel):
        samples = _ROW  # nothing is as large as a tile
    first = _PROBE if go_on is not None and n >= _ASK else 0
    probe, rest = _pieces(0, first, _PROBE // 2), _pieces(first, n, queries)
    out = Sums.empty(n, d, wants)

    def one(rows):
        with np.errstate(over="ignore", invalid="ignore"):  # a thread does not inherit that of its caller
            exclude = None if part.exclude is None else part.exclude[rows]
            out.put(rows, _query_tile(task, part.queries[rows], exclude))

    workers = min(threads(), max(len(rest), len(probe)))
    serial = workers == 1 or n * len(part.points) < _SERIAL
    with one_blas_thread(), nullcontext() if serial else ThreadPoolExecutor(workers) as pool:
        each = map if pool is None else pool.map
        task = _prepare(part, wants, samples, dtype, each)
        if pool is not None:
            _compile(task, part.queries)
        if probe:
            list(each(one, probe))
            if not go_on(part.head(first), out.head(first)):
                return None
        list(each(one, rest))
    return out


def _pieces(first: int, last: int, size: int) -> list[slice]:
    """Cut queries into nearly equal tiles; a multiple of four where they are many, which few threads share evenly."""
    count = -(-(last - first) // size)
    count = -(-count // 4) * 4 if count > 4 else count
    edges = np.linspace(first, last, count + 1).astype(int).tolist()
    return [slice(*pair) for pair in pairwise(edges)]


def _compile(task: _Task, queries) -> None:
    """Run one query against one sample, so that the compiled loops exist before several threads ask for them."""
    log_mass = None if task.log_mass is None else task.log_mass[:1]
    rule = None if task.rule is None else replace(task.rule, log_mass=(task.rule.log_mass[0][:1],))
    first = replace(task, tiles=task.tiles.first(), log_mass=log_mass, rule=rule)
    with np.errstate(over="ignore", invalid="ignore"):
        _query_tile(first, queries[:1], None)


def is_one_loop(kernel: AbstractKernel) -> bool:
    """Whether the tiles of a kernel are summed by the loops for a constant b, instead of around a loop of its own."""
    return kernel.constant_weight and np.isinf(kernel.support)


def _prepare(part: Active, wants, samples: int, dtype, each=map) -> _Task:
    """Cut the samples into tiles, once for all queries."""
    kind = LowTiles if part.points.shape[1] < _DIRECT else HighTiles
    log_mass = None if part.log_mass is None else part.log_mass.astype(dtype)
    tiles = kind.cut(part.points, samples, dtype, each)
    rule = None
    if is_one_loop(part.kernel):
        masses = np.empty((len(tiles.sizes), 0), dtype) if log_mass is None else np.split(log_mass, tiles.edges)
        rule = ConstantWeight(1.0 / float(part.kernel.inverse_weight(np.zeros(()))), tuple(masses))
    return _Task(tiles, part.kernel, *part.kernel.compiled_tile(), log_mass, wants, dtype, rule)


def _query_tile(task: _Task, queries, exclude) -> Sums:
    """Visit every tile of samples with one tile of queries."""
    out = Sums.empty(*queries.shape, task.wants)
    sums = task.tiles.sums_at(queries)
    if task.rule is not None:
        for index, start in enumerate((0, *task.tiles.edges)):
            left_out = np.empty(0, dtype=np.int64) if exclude is None else exclude - start
            sums.add_constant(index, task.rule, left_out, out)
    else:
        _visit(task, sums, exclude, out)
    # A query without weight is reported by the caller, which knows all samples.
    safe = np.where(out.total > 0, out.total, 1.0)
    if "mean_shift" in task.wants:
        out.mean_shift = sums.mean_shift(safe)
    if "score" in task.wants:
        out.score = sums.score(safe)
    rounding = sums.rounding(safe, task.kernel)
    out.fixed, out.slope = rounding.fixed, np.full(len(queries), rounding.slope)
    return out


def _visit(task: _Task, sums: AbstractTileSums, exclude, out: Sums) -> None:
    """Visit the tiles with the kernel's own loop."""
    a, sizes, wants = len(out.largest), task.tiles.sizes, task.wants
    slope = task.kernel.inverse_slope
    needs_weight = bool(wants & {"score", "sums"})
    buffers = [np.empty(a * max(sizes), task.dtype) for _ in range(3 if needs_weight else 2)]
    no_weight = np.empty((0, max(sizes)), task.dtype)
    rescale, row_sum, heavy_sum = np.empty(a), np.zeros(a), np.zeros(a)
    start = 0
    for index, b in enumerate(sizes):
        squared, log_weight, *rest = (buffer[: a * b].reshape(a, b) for buffer in buffers)
        weight = rest[0] if needs_weight else no_weight
        sums.fill_squared(index, squared)
        task.kernel_tile(squared, task.parameters, log_weight, weight)
        if task.log_mass is not None:
            loops.add_log_mass(log_weight, task.log_mass[start : start + b])
        if exclude is not None:
            loops.leave_out(log_weight, exclude, start)
        loops.exponentials(log_weight, out.largest, out.total, rescale, row_sum)
        # The log-weights are weights now, and those times b after this.
        if "sums" in wants and slope is not None:
            loops.linear_sums(log_weight, squared, weight, slope, out.radial, rescale, heavy_sum)
        elif "sums" in wants:
            loops.radial_sums(log_weight, squared, weight, out.radial, rescale, heavy_sum)
        elif needs_weight:
            loops.score_weights(log_weight, weight, heavy_sum)
        if "sums" in wants and "score" not in wants:
            sums.add_mass(heavy_sum, rescale)
        if "mean_shift" in wants:
            sums.add("mean_shift", index, log_weight, squared, row_sum, rescale)
        if "score" in wants:
            sums.add("score", index, weight, squared, heavy_sum, rescale)
        start += b

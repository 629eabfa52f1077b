"""The backward pass on the processor: the tiles of `unifiedscore.torch.tiles.gradients`, compiled and in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from unifiedscore.kernels import AbstractKernel, Gaussian, Laplace, Matern, RationalQuadratic, StudentT
from unifiedscore.posterior.pairs import robust_center
from unifiedscore.posterior.threads import one_blas_thread, threads
from unifiedscore.torch import host_loops as loops
from unifiedscore.torch.pairs import DIRECT
from unifiedscore.torch.tiles import Law, blocks, constants

_QUERIES, _SAMPLES = 128, 1024
# Fewer pairs than this are done before a pool of threads has started.
_SERIAL = 200_000
_NO_ROWS = np.empty((0, 0))


def slope_rule(kernel: AbstractKernel) -> tuple[int, np.ndarray] | None:
    """What the derivative of b follows from, with its parameters; None for kernels of a user."""
    if type(kernel) is Gaussian:
        return loops.CONSTANT, np.zeros(2)
    if type(kernel) is Laplace or (type(kernel) is Matern and kernel.smoothness == 0.5):
        return loops.LAPLACE, np.zeros(2)
    if type(kernel) is RationalQuadratic:
        return loops.RATIONAL, np.array([kernel.bandwidth**2, 0.0])
    if type(kernel) is StudentT:
        return loops.RATIONAL, np.array([kernel.degrees * kernel.bandwidth**2, 0.0])
    if type(kernel) is Matern:
        return loops.MATERN, np.array([kernel.bandwidth**-2.0, kernel.smoothness])
    return None


@dataclass(slots=True)
class _Task:
    """What all tiles share, as float64 arrays."""

    kernel_tile: object
    parameters: np.ndarray
    rule: tuple[int, np.ndarray]
    x: np.ndarray
    y: np.ndarray
    center: np.ndarray
    log_mass: np.ndarray
    equal_mass: float
    exclude: np.ndarray
    height: np.ndarray
    constant: np.ndarray
    scalars: np.ndarray
    shift: np.ndarray
    score: np.ndarray
    needs: tuple[bool, bool, bool]


def host_gradients(law: Law, x, exclude, known, slopes, needs):
    """Return what `unifiedscore.torch.tiles.gradients` does, for float64 tensors on the CPU."""
    n, d = x.shape
    constant, count = constants(x, known, slopes)
    scalars = np.zeros((n, 3))
    for place, name in enumerate(("preconditioner", "mean_distance")):
        if name in slopes:
            scalars[:, place] = slopes[name].numpy()
    if count is not None:
        scalars[:, 2] = count.numpy()
    points = np.ascontiguousarray(law.points.detach().numpy())
    task = _Task(
        *law.kernel.compiled_tile(),
        slope_rule(law.kernel),
        np.ascontiguousarray(x.detach().numpy()),
        points,
        robust_center(points),
        np.empty(0) if law.log_mass is None else np.ascontiguousarray(law.log_mass.detach().numpy()),
        np.log(len(points)) if law.log_mass is None else 0.0,
        np.empty(0, dtype=np.int64) if exclude is None else exclude.numpy(),
        known["log_normalizer"].numpy(),
        constant.numpy(),
        scalars,
        *(np.ascontiguousarray(slopes[k].numpy()) if k in slopes else _NO_ROWS for k in ("mean_shift", "score")),
        needs,
    )
    starts = [*range(0, n, _QUERIES), n]
    rows = [slice(*pair) for pair in pairwise(starts)]
    workers = 1 if n * len(points) < _SERIAL else min(threads(), len(rows))
    for_x = np.zeros((n, d))
    sums = [
        (np.zeros(points.shape) if needs[1] else _NO_ROWS, np.zeros(len(points)) if needs[2] else np.empty(0))
        for _ in range(workers)
    ]

    def some(worker):
        with np.errstate(over="ignore", invalid="ignore"):
            for part in rows[worker::workers]:
                _query_tile(task, part, for_x, *sums[worker])

    with one_blas_thread():
        if workers == 1:
            some(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(some, range(workers)))
    found = (for_x, *(sum(part[1:], part[0]) for part in zip(*sums, strict=True)))
    return tuple(torch.from_numpy(g) if need else None for g, need in zip(found, needs, strict=True))


def _query_tile(task: _Task, rows: slice, for_x, for_y, for_mass) -> None:
    x, low = task.x[rows], task.x.shape[1] < DIRECT
    a, m = len(x), len(task.y)
    shift, score = task.shift[rows], task.score[rows]
    near = np.zeros(a, dtype=np.bool_)
    centred = x - task.center
    norms = np.einsum("nd,nd->n", centred, centred)
    buffers = np.empty((6, a * min(_SAMPLES, m)))
    out = np.zeros(x.shape)
    wide = task.scalars[rows].any() or len(score) or task.needs[2]
    exclude = task.exclude[rows]
    for start, stop in blocks(m, _SAMPLES):
        b = stop - start
        squared, log_weight, weight, slope, up_shift, up_score = (buffer[: a * b].reshape(a, b) for buffer in buffers)
        up_shift = up_shift if len(shift) else _NO_ROWS
        up_score = up_score if len(score) else _NO_ROWS
        y = task.y[start:stop]
        columns = np.ascontiguousarray(y.T) if low else None
        marked = np.empty((a, b) if not low else (0, 0), dtype=np.bool_)
        if low:
            loops.low_pairs(x, columns, shift, score, squared, up_shift, up_score)
        else:
            centred_y = y - task.center
            np.matmul(centred, centred_y.T, out=squared)
            loops.high_pairs(squared, norms, np.einsum("md,md->m", centred_y, centred_y), x, y, near)
            for g, heights in ((shift, up_shift), (score, up_score)):
                if len(g):
                    np.matmul(g, centred_y.T, out=heights)
                    loops.high_heights(heights, np.einsum("nd,nd->n", g, centred), squared, x, y, g, near)
            loops.absolute(squared, near, marked)
        task.kernel_tile(squared, task.parameters, log_weight, weight)
        log_mass = task.log_mass[start:stop]
        height = task.height[rows] + task.equal_mass
        if wide:
            loops.slopes(*task.rule, squared, weight, slope)
            mass = for_mass[start:stop]
            loops.pulls(
                log_weight, height, squared, weight, slope, up_shift, up_score, task.constant[rows],
                task.scalars[rows], exclude, start, mass, log_mass,
            )  # fmt: skip
        else:
            loops.shift_pulls(
                log_weight, height, squared, weight, up_shift if len(shift) else np.zeros((a, b)),
                task.constant[rows], exclude, start, log_mass,
            )  # fmt: skip
        _add(task, (x, y, columns, centred), squared, marked, near, out, for_y, start)
        if len(for_y):
            if len(shift):
                for_y[start:stop] += log_weight.T @ shift
            if len(score):
                for_y[start:stop] += weight.T @ score
        if len(score):
            total = np.empty(a)
            loops.row_sums(weight, total)
            out -= total[:, None] * score
    for_x[rows] = out - shift if len(shift) else out


def _add(task, points, pull, marked, near, out, for_y, start) -> None:
    """Add the coefficients of differences y - x to the gradients of queries, and take them from those of samples."""
    x, y, columns, centred = points
    stop = start + len(y)
    if columns is not None:
        loops.low_rows(x, columns, pull, out)
        if len(for_y):
            found = np.zeros(columns.shape)
            loops.low_columns(x, columns, pull, found)
            for_y[start:stop] -= found.T
        return
    apart = np.zeros(y.shape) if len(for_y) else _NO_ROWS
    if near.any():
        loops.near_differences(x, y, pull, marked, near, out, apart)
    centred_y, total = y - task.center, np.empty(len(x))
    loops.row_sums(pull, total)
    out += pull @ centred_y
    out -= total[:, None] * centred
    if len(for_y):
        for_y[start:stop] -= apart + pull.sum(0)[:, None] * centred_y - pull.T @ centred

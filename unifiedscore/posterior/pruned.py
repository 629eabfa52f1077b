r"""The kernel posterior of a sample in few dimensions without the pairs that do not count.

Queries are put into the cells of a grid that depends on the sample and the kernel alone. For each cell a tree over the
sample says which points its queries need: the others together have at most the share `tolerance` of
$Z = \sum_j w_j k(r_j)$ and of $\sum_j w_j k f$ for $f = r$, $1/b$, $b r$ and $b r^2$, whatever the size of Z. So each
moment moves by at most `tolerance`, in the sense of `PosteriorMoments.relative_error`. The points that are needed are
a small sample, and are summed as one. What a query gets depends on its cell, never on the other queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior.active import Active
from unifiedscore.posterior.pruning_loops import choose, reaches
from unifiedscore.posterior.query_cells import QueryCells
from unifiedscore.posterior.ragged_loops import columns_of, squared_rows, sum_rows
from unifiedscore.posterior.sample_tree import SampleTree, tree_of
from unifiedscore.posterior.sums import Sums
from unifiedscore.posterior.threads import threads
from unifiedscore.posterior.tiled import is_one_loop

TOLERANCE = 1e-12
"""Share of a posterior that may be neglected, where nobody says otherwise."""
MOST_DIMENSIONS = 7
"""Boxes in more dimensions overlap nearly all kernels."""

# Fewer pairs than this are summed before a choice has been made.
_LEAST_PAIRS = 1 << 23
# Costs in units of a pair of the dense sum in float64 with an exponential of r: of a sample for the tree, of a query
# for its place, of a cell, of each sample in its list, of a pair beside the kernel's loop. Constants, as the choice
# must not depend on the machine. Measured: 4000 to 10,000 per cell, and 4 (a line) to 30 (five dimensions) per sample.
_BUILD, _QUERY, _CELL, _LISTED, _PAIR = 120, 60, 10_000, 12, 0.5
# A pair of the dense sum costs this much where the kernel needs no loop of its own, and where tiles are float32; what
# is pruned is float64 and uses the kernel's loop.
_ONE_LOOP, _SINGLE = 0.6, 0.55
# Loops with a logarithm or a table take four times as long at least (4 to 17), and as long in float32.
_LONG_LOOP = 4.0
# Pruning must promise this much, or the dense sum is taken.
_GAIN = 0.8
# The functions f of which the sums over k f must hold for what is wanted: 1, r, 1/b, b r and b r^2.
_FUNCTIONS = {"mean_shift": (0, 1), "score": (0, 3), "sums": (0, 1, 2, 3), "spread": (0, 4)}
# A first look at so many queries and points, a second one at so many cells.
_LOOK, _LOOK_POINTS, _LOOK_CELLS = 48, 1024, 24
# Bins of equal width up to where weights are negligible, then wider ones.
_FINE, _WIDE = 64, 12
# Cells whose bounds are computed at once: few enough that two threads share a hundred cells.
_CHUNK = 64
# Pairs whose distances, weights and b are held at once: half of a second-level cache of 1 MB.
_PAIRS = 20_000


@final
@dataclass(frozen=True, slots=True)
class Profile:
    """A kernel by its compiled tile: k and b at distances, and the distance at which k has fallen to a given value."""

    tile: object
    parameters: np.ndarray

    @classmethod
    def of(cls, kernel: AbstractKernel) -> Profile:
        return cls(*kernel.compiled_tile())

    def at(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log k and b at distances (a, b)."""
        log_kernel, weight = np.empty(r.shape), np.empty(r.shape)
        self.tile(np.square(r), self.parameters, log_kernel, weight)
        return log_kernel, weight

    def falls_to(self, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return for each target (a,) a distance between low and high where log k is about that; high if nowhere."""
        low, high = low.copy(), high.copy()
        nothing = np.empty((0, len(low)))
        value = np.empty((1, len(low)))
        for _ in range(40):
            middle = 0.5 * (low + high)
            self.tile(np.square(middle)[None], self.parameters, value, nothing)
            below = value[0] <= target
            low, high = np.where(below, low, middle), np.where(below, middle, high)
        return high


@final
@dataclass(frozen=True, slots=True)
class Pruning:
    """A tree and a grid for one part and tolerance: which points each cell of queries needs.

    `sums` is the only thing that a caller wants; the rest lets it decide whether that pays.
    """

    part: Active
    tree: SampleTree
    cells: QueryCells
    profile: Profile
    tolerance: float
    functions: tuple[int, ...]

    @classmethod
    def prepare(cls, part: Active, measure, wants: frozenset[str], tolerance: float) -> Pruning:
        """Build the tree, or find it again, and sort the queries."""
        profile = Profile.of(part.kernel)
        weights = None if part.log_mass is None else np.exp(part.log_mass)
        tree = tree_of(measure, part.points, weights)
        side = _side(_reach(profile, part.kernel, tolerance), tree.leaf_side)
        cells = QueryCells.of(part.queries, tree.points[0], side)
        functions = sorted({f for name in wants for f in _FUNCTIONS[name]})
        return cls(part, tree, cells, profile, tolerance, tuple(functions))

    @property
    def shares(self) -> np.ndarray:
        r"""What may be neglected of Z and of the sums over k f.

        A ratio of such sums moves by both their shares. The sum of squared weights is at least $Z^2/m$ and loses at
        most the square of what Z loses, so its share is at most $m \epsilon^2$; it is divided by Z twice.
        """
        share, m = 0.25 * self.tolerance, len(self.tree.points)
        return np.array([min(share, np.sqrt(share / m))] + [2.0 * share] * (len(self.functions) - 1))

    def lists(self, cells) -> tuple[np.ndarray, np.ndarray]:
        """Return the places in the tree of the points that each of these cells needs, and where its list begins."""
        tree, boxes = self.tree, self.cells.boxes[cells]
        edges, bounds, values, lows = self._bins(boxes)
        counts = np.empty(len(boxes), np.int64)
        chosen = choose(
            boxes, tree.points, tree.weights, tree.starts, tree.ends, tree.boxes, tree.mass, tree.heaviest,
            tree.lighter, edges, values, lows, _FINE, bounds, self.shares, self.part.exclude is not None, counts,
        )  # fmt: skip
        return chosen, np.concatenate([[0], np.cumsum(counts)])

    def _bins(self, boxes):
        """Distances (cells, bins + 1), one within which there are points (cells,), and the kernel and the functions."""
        tree, leaves_one_out = self.tree, self.part.exclude is not None
        least, bound, most = reaches(boxes, tree.points, tree.starts, tree.ends, tree.boxes, leaves_one_out).T
        # A hair to both sides: distances are rounded. And room between the least and the largest, for the bins.
        unit = self.part.kernel.bandwidth
        least, most = least * (1.0 - 1e-12), most * (1.0 + 1e-6) + 1e-6 * unit
        top = self.profile.at(bound[None])[0][0]
        drop = np.log(len(tree.points) / self.tolerance) + 9.0
        fine = self.profile.falls_to(top - drop, least, most)
        fine = np.clip(fine, least * (1.0 + 1e-12) + 1e-12 * unit, most)
        near = least[:, None] + np.linspace(0.0, 1.0, _FINE + 1) * (fine - least)[:, None]
        near[:, -1] = fine
        wide = fine[:, None] * (most / fine)[:, None] ** (np.arange(1, _WIDE + 1) / _WIDE)
        wide[:, -1] = most
        edges = np.concatenate([near, wide], axis=1)
        log_kernel, weight = self.profile.at(edges)
        r, weight = edges / unit, weight * unit**2
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            kernel = np.exp(log_kernel - np.where(top > -np.inf, top, 0.0)[:, None])
            inverse = np.where(weight > 0, 1.0 / weight, 0.0)
        functions = np.ones(r.shape), r, inverse, weight * r, weight * r**2
        values = np.stack((kernel, *(functions[i] for i in self.functions)), axis=1)
        return edges, np.ascontiguousarray(bound), values, _least_at_the_ends(values[:, 1:])

    def pays(self, dense: float) -> bool:
        """Whether the sums are expected to cost clearly less than `dense`, from a look at some cells."""
        n, m, cells = len(self.part.queries), len(self.tree.points), len(self.cells.boxes)
        looks = np.unique(np.linspace(0, cells - 1, _LOOK_CELLS).astype(int))
        lengths, sizes = np.diff(self.lists(looks)[1]), np.diff(self.cells.edges)[looks]
        pairs = (lengths * sizes).sum() / sizes.sum() * n
        return _cost(self.part.kernel, n, m, cells, lengths.mean(), pairs) < _GAIN * dense

    def sums(self, wants: frozenset[str]) -> tuple[Sums, float]:
        """Return the sums over the points that are needed, and the fraction of all pairs that this was."""
        part, cells = self.part, self.cells
        n, d = part.queries.shape
        own = Sums.empty(n, d, wants)
        starts = range(0, len(cells.boxes), _CHUNK)

        def chunk(first):
            last = min(first + _CHUNK, len(cells.boxes))
            return self._chunk(first, last, own)

        if (workers := min(threads(), len(starts))) == 1:
            pairs = sum(map(chunk, starts))
        else:
            with ThreadPoolExecutor(workers) as pool:
                pairs = sum(pool.map(chunk, starts))
        # Distances and directions are differences of coordinates, as in `low_tiles`.
        eps = np.finfo(np.float64).eps
        own.fixed[:], own.slope[:] = 8.0 * eps, 4.0 * eps
        out = Sums.empty(n, d, wants)
        out.put(cells.order, own)
        return out, pairs / (n * len(self.tree.points))

    def _chunk(self, first: int, last: int, out: Sums) -> int:
        """Fill `out`, in the order of the cells, for the cells first to last; return the number of pairs."""
        part, tree, edges = self.part, self.tree, self.cells.edges
        chosen, offsets = self.lists(slice(first, last))
        columns = columns_of(tree.points, chosen, offsets)
        index = self.cells.order[edges[first] : edges[last]]
        queries, sizes = part.queries[index], np.diff(edges[first : last + 1])
        cell = np.repeat(np.arange(last - first), sizes)
        log_mass = np.empty(0) if part.log_mass is None else part.log_mass[tree.order[chosen]]
        exclude = np.empty(0, np.int64)
        if part.exclude is not None:
            exclude = _positions(chosen, offsets, cell, tree.place, part.exclude[index])
        ends = np.cumsum(np.diff(offsets)[cell])
        nothing = np.empty((0, 0))
        begin = 0
        while begin < len(queries):
            done = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, done + _PAIRS, "right")))
            rows, size = slice(begin, end), ends[end - 1] - done
            squared, log_kernel, weight = np.empty((3, 1, size))
            squared_rows(queries[rows], cell[rows], offsets, columns, squared[0])
            wanted = weight if out.score is not None or out.radial is not None else weight[:0]
            self.profile.tile(squared, self.profile.parameters, log_kernel, wanted)
            results = slice(edges[first] + begin, edges[first] + end)
            sum_rows(
                queries[rows], cell[rows], offsets, columns, log_mass, exclude[rows], squared[0], log_kernel[0],
                weight[0], out.largest[results], out.total[results],
                *(nothing if array is None else array[results] for array in (out.mean_shift, out.score, out.radial)),
            )  # fmt: skip
            begin = end
        return int(ends[-1])


def _least_at_the_ends(values: np.ndarray) -> np.ndarray:
    """Functions below the given ones, along the last axis, that have their minimum over an interval at one of its ends.

    A function that first rises and then falls is its own. Of others, the minimum of all that follows.
    """
    falling = np.maximum.accumulate(values[..., 1:] < values[..., :-1], axis=-1)
    again = (falling[..., :-1] & (values[..., 2:] > values[..., 1:-1])).any(-1, keepdims=True)
    return np.where(again, np.minimum.accumulate(values[..., ::-1], axis=-1)[..., ::-1], values)


def pruned_sums(part: Active, measure, wants: frozenset[str], tolerance: float) -> tuple[Sums, float] | None:
    """Return the sums and the fraction of pairs visited, or None where the sum over all pairs is the better way.

    The choice depends on the sample, the kernel and the queries as a whole, never on time, threads or earlier calls.
    """
    pruning = _pruning(part, measure, wants, tolerance)
    return None if pruning is None else pruning.sums(wants)


def near_samples(part: Active, measure, wants: frozenset[str], tolerance: float) -> Iterator[tuple[np.ndarray, object]]:
    """Yield groups of queries with the samples that they need: indices of both, a slice where these are all."""
    usual = part.far is None and part.extreme is None
    pruning = _pruning(part, measure, wants, tolerance) if usual else None
    if pruning is None:
        yield np.arange(len(part.queries)), slice(None)
        return
    cells, order = pruning.cells, pruning.tree.order
    for first in range(0, len(cells.boxes), _CHUNK):
        last = min(first + _CHUNK, len(cells.boxes))
        chosen, offsets = pruning.lists(slice(first, last))
        for cell in range(first, last):
            queries = cells.order[cells.edges[cell] : cells.edges[cell + 1]]
            yield queries, order[chosen[offsets[cell - first] : offsets[cell - first + 1]]]


def _pruning(part: Active, measure, wants, tolerance) -> Pruning | None:
    if tolerance == 0.0 or not _may_pay(part, tolerance):
        return None
    pruning = Pruning.prepare(part.double(), measure, wants, tolerance)
    return pruning if pruning.pays(_dense_cost(part)) else None


def _loop_cost(kernel) -> float:
    return 1.0 if kernel.constant_weight or kernel.inverse_slope is not None else _LONG_LOOP


def _cost(kernel, n, m, cells, listed, pairs) -> float:
    pair = _PAIR + _loop_cost(kernel)
    return m * _BUILD + n * _QUERY + cells * (_CELL + listed * _LISTED) + pairs * pair


def _dense_cost(part: Active) -> float:
    pair = _ONE_LOOP if is_one_loop(part.kernel) else _loop_cost(part.kernel)
    if part.single and pair <= 1.0:
        pair *= _SINGLE
    return pair * len(part.queries) * len(part.points)


def _may_pay(part: Active, tolerance: float) -> bool:
    """A look at a few pairs: will lists of what lies near a cell of queries be short enough?"""
    (n, d), m = part.queries.shape, len(part.points)
    if d > MOST_DIMENSIONS or n * m < _LEAST_PAIRS or _cost(part.kernel, n, m, 1, 0, 0) > _GAIN * _dense_cost(part):
        return False
    from scipy.spatial.distance import cdist

    r = np.sort(cdist(part.queries[:: -(-n // _LOOK)], part.points[:: -(-m // _LOOK_POINTS)]), axis=1)
    profile, least, most = Profile.of(part.kernel), r[:, 0], r[:, -1]
    # The side of a leaf, of some 12 of m points, from the distance to a neighbour in this part of them.
    wanted = 12.0 * r.shape[1] / m
    near = min(r.shape[1], max(1, round(wanted))) - 1
    leaf = 1.5 * float(np.median(r[:, near])) * min(1.0, wanted) ** (1.0 / d)
    side = _side(_reach(profile, part.kernel, tolerance), leaf)
    top = profile.at((least + 0.5 * side)[None])[0][0]
    reach = 0.5 * side + profile.falls_to(top + np.log(tolerance), least, most + side)
    visited = np.count_nonzero(r <= reach[:, None]) / r.size
    cells = min(n, m / 12.0 * (leaf / side) ** d)
    return _cost(part.kernel, n, m, cells, visited * m, visited * n * m) < _GAIN * _dense_cost(part)


def _side(reach: float, leaf_side: float) -> float:
    """Side of the cells: small beside the kernel, unless that would leave less than some tens of samples in a cell."""
    return max(reach / 6.0, 1.5 * leaf_side)


def _reach(profile: Profile, kernel, tolerance: float) -> float:
    """Distance at which the kernel has fallen to the tolerance; a hundred bandwidths where its tail is heavy."""
    target, zero = np.array([np.log(tolerance)]), np.zeros(1)
    return float(profile.falls_to(target, zero, zero + 100.0 * kernel.bandwidth)[0])


def _positions(chosen, offsets, cell, place, exclude) -> np.ndarray:
    """For each query the index of what it leaves out in the list of its cell; -1 for what is not there."""
    at, m = np.where(exclude >= 0, place[exclude], -1), len(place)
    # The lists one behind another are increasing once each is moved by m.
    keys = chosen + np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) * m
    wanted = cell * m + at
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    held = (at >= 0) & (keys[found] == wanted) if len(keys) else np.zeros(len(cell), dtype=bool)
    return np.where(held, found - offsets[cell], -1)

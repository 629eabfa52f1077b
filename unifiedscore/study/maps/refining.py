"""Rectangles that are divided where their corners disagree: a lattice of points, and no more of it than is needed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

Point = tuple[int, int]
"""Column and row on the finest lattice."""


@final
@dataclass(frozen=True, slots=True)
class Rectangle:
    """A square of the lattice: its lower corner and its side."""

    column: int
    row: int
    side: int

    def points(self, step: int) -> list[Point]:
        """The points of this rectangle at multiples of `step` from its corner."""
        offsets = range(0, self.side + 1, step)
        return [(self.column + i, self.row + j) for i, j in itertools.product(offsets, offsets)]

    @property
    def corners(self) -> list[Point]:
        """Its four corners."""
        return self.points(self.side)

    def divided(self) -> list[Rectangle]:
        """Its four quarters."""
        half = self.side // 2
        return [Rectangle(self.column + i, self.row + j, half) for i, j in itertools.product((0, half), repeat=2)]


@final
@dataclass(slots=True)
class Refinement:
    """The division of a lattice of `columns` times `rows` coarse points, each side divided at most `levels` times."""

    columns: int
    rows: int
    levels: int
    leaves: list[Rectangle] = field(default_factory=list)

    def __post_init__(self):
        side = self.side
        corners = itertools.product(range(self.columns - 1), range(self.rows - 1))
        self.leaves = [Rectangle(i * side, j * side, side) for i, j in corners]

    @property
    def side(self) -> int:
        """Of a coarse rectangle."""
        return 2**self.levels

    @property
    def shape(self) -> Point:
        """Of the finest lattice."""
        return (self.columns - 1) * self.side + 1, (self.rows - 1) * self.side + 1

    def refine(self, ask: Callable[[list[Point]], Mapping[Point, object]]) -> dict[Point, object]:
        """Ask for the outcomes of points, round by round, until no rectangle has two of them or can be divided.

        A rectangle is looked at with every point that is known of it, those on its edges included that a finer
        neighbour asked for: a boundary may leave through an edge.
        """
        known: dict[Point, object] = dict(ask(sorted({p for leaf in self.leaves for p in leaf.corners})))
        while True:
            mixed = [leaf for leaf in self.leaves if leaf.side > 1 and self._outcomes(leaf, known) > 1]
            if not mixed:
                return known
            marked = set(mixed)
            self.leaves = [leaf for leaf in self.leaves if leaf not in marked]
            self.leaves += [part for leaf in mixed for part in leaf.divided()]
            wanted = sorted({p for leaf in mixed for p in leaf.points(leaf.side // 2)} - known.keys())
            if wanted:
                known |= ask(wanted)

    def level(self, point: Point) -> int:
        """At which level of refinement a point lies: 0 for the coarse ones."""
        common = math.gcd(self.side, *point)
        return self.levels - int(math.log2(common))

    def shares(self, outcome: Mapping[Point, object]) -> dict[object, float]:
        """The part of the lattice's area that has each outcome, every rectangle counted by its corners."""
        areas: dict[object, float] = {}
        whole = sum(leaf.side**2 for leaf in self.leaves)
        for leaf in self.leaves:
            for corner in leaf.corners:
                found = outcome[corner]
                areas[found] = areas.get(found, 0.0) + leaf.side**2 / (4 * whole)
        return areas

    def filled(self, value: Mapping[Point, float]) -> np.ndarray:
        """Values at every point of the finest lattice, bilinear within each rectangle (column, row)."""
        full = np.full(self.shape, np.nan)
        for leaf in sorted(self.leaves, key=lambda leaf: -leaf.side):
            t = np.linspace(0, 1, leaf.side + 1)
            low, up, right, top = (value[corner] for corner in leaf.corners)
            s, u = t[:, None], t[None]
            patch = (1 - s) * (1 - u) * low + (1 - s) * u * up + s * (1 - u) * right + s * u * top
            full[leaf.column : leaf.column + leaf.side + 1, leaf.row : leaf.row + leaf.side + 1] = patch
        return full

    def _outcomes(self, leaf: Rectangle, known: Mapping[Point, object]) -> int:
        """How many outcomes are known on a rectangle's corners, its middle, and anywhere on its edges."""
        along = range(leaf.side + 1)
        edges = {(leaf.column + k, leaf.row + end) for k in along for end in (0, leaf.side)}
        edges |= {(leaf.column + end, leaf.row + k) for k in along for end in (0, leaf.side)}
        return len({known[point] for point in edges.union(leaf.points(leaf.side // 2)) if point in known})


def lattice_labels(labels: Sequence[float], levels: int) -> list[float]:
    """The labels of an axis with those between them: geometric means where the coarse ones are geometric.

    Integers stay integers; neighbours leave no integer between them, and the nearest label then stands twice.

    Examples
    --------
    >>> lattice_labels([1, 16, 256], 1), lattice_labels([0.0, 1.0, 2.0], 1)
    ([1, 4, 16, 64, 256], [0.0, 0.5, 1.0, 1.5, 2.0])
    """
    whole = all(isinstance(label, int) for label in labels)
    geometric = is_geometric(labels)
    found: list[float] = []
    for low, high in itertools.pairwise(labels):
        for step in range(2**levels):
            t = step / 2**levels
            value = low * (high / low) ** t if geometric else low + (high - low) * t
            found.append(low if step == 0 else round(value) if whole else float(value))
    return [*found, labels[-1]]


def is_geometric(labels: Iterable[float]) -> bool:
    """Whether labels are spaced more evenly in their logarithms than in themselves."""
    values = np.asarray(list(labels), dtype=float)
    if not (values > 0).all() or values.size < 3:
        return bool((values > 0).all() and values[-1] >= 8 * values[0])
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(steps) / steps.mean())


def crossings(margin: np.ndarray, columns: Sequence[int]) -> list[float]:
    """The lowest row at which the margin changes its sign in each of these columns; NaN where it does not.

    A margin of zero is inside the region, whose ends are closed.
    """
    found = []
    for column in columns:
        values = margin[column]
        holds, finite = values >= 0, np.isfinite(values)
        change = np.flatnonzero((holds[:-1] != holds[1:]) & finite[:-1] & finite[1:])
        if change.size:
            row = int(change[0])
            found.append(row + float(values[row] / (values[row] - values[row + 1])))
        else:
            found.append(math.nan)
    return found

"""A map: where a claim holds over two parameters, asked for in a study."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, final

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.study.claim import Claim
from unifiedscore.validate import integer, sequence, shown

MOST_LEVELS = 6


@final
@dataclass(frozen=True, slots=True)
class Map:
    """Where a claim holds: its own test in the cells of two axes, refined where the outcome changes.

    Use when a theorem has a regime and you want to see its boundary.

    Parameters
    ----------
    claim : str
        The name of the claim: its id, with the regime in brackets where it has one.
    x, y : str
        Axes of the grid with numbers as labels, which are the coarse ones, 8 to 16 of them. Refinement adds labels
        between them, so `measure` must take any number in their range.
    region : (float, float), optional
        The region of the test, where it is not that of the claim.
    levels : int
        How often a rectangle may be divided into four.
    anchor : mapping
        Labels of other axes, which update the claim's `where`.

    Examples
    --------
    >>> Map("drift.alignment", x="dimension", y="bandwidth").levels
    3
    """

    claim: str
    x: str
    y: str
    region: tuple[float, float] | None = None
    levels: int = 3
    anchor: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("claim", "x", "y"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"Map: {name} must be a name; got {shown(value)}")
        if self.x == self.y:
            raise InputError(f"map of {self.claim}: x and y must be two axes; both are {self.x}")
        levels = integer(self.levels, f"map of {self.claim}: levels", low=0)
        if levels > MOST_LEVELS:
            raise InputError(f"map of {self.claim}: levels must be at most {MOST_LEVELS}; got {levels}")
        object.__setattr__(self, "levels", levels)
        if not isinstance(self.anchor, Mapping) or not all(isinstance(axis, str) for axis in self.anchor):
            raise InputError(f"map of {self.claim}: anchor must map axis names to labels; got {shown(self.anchor)}")
        object.__setattr__(self, "anchor", dict(self.anchor))
        if self.region is not None:
            ends = sequence(self.region, f"map of {self.claim}: region", "two numbers")
            if len(ends) != 2:
                raise InputError(f"map of {self.claim}: region must be two numbers; got {shown(self.region)}")
            object.__setattr__(self, "region", ends)

    @property
    def name(self) -> str:
        """The claim and the two axes, as they stand in file names and messages."""
        return f"{self.claim} over {self.x} and {self.y}"


def mapped_claim(study, mapped: Map, axes: Mapping[str, tuple] | None = None) -> Claim:
    """The claim of a map, with the map's region and anchor, and nothing expected.

    `axes` are those of the profile that is mapped; without them, those of the study's own grid.

    Raises
    ------
    InputError
        The claim or an axis does not exist, or the claim cannot be judged at single points of these axes.
    """
    axes = study.grid.axes if axes is None else axes
    named = {claim.name: claim for claim in study.claims}
    if mapped.claim not in named:
        raise UnknownNameError("claim to map", mapped.claim, named)
    claim = named[mapped.claim]
    for axis in (mapped.x, mapped.y, *mapped.anchor):
        if axis not in axes:
            raise UnknownNameError("axis of a map", axis, axes)
    for axis in (mapped.x, mapped.y):
        labels = axes[axis]
        if any(isinstance(label, str) or not math.isfinite(label) for label in labels) or len(labels) < 2:
            raise InputError(f"map of {mapped.claim}: the axis {axis} needs two or more finite numbers as labels")
        if list(labels) != sorted(labels):
            raise InputError(f"map of {mapped.claim}: the labels of the axis {axis} must rise")
        if axis in mapped.anchor or axis in claim.minus or axis in ("seed", claim.test.axis):
            raise InputError(f"map of {mapped.claim}: the claim's test, its minus or the anchor already uses {axis}")
    test = claim.test
    if mapped.region is not None:
        if not {"low", "high"} <= {entry.name for entry in fields(test) if entry.init}:
            raise InputError(f"map of {mapped.claim}: {type(test).__name__} has a region of its own; leave out region")
        test = replace(test, low=mapped.region[0], high=mapped.region[1])
    return replace(claim, test=test, where={**claim.where, **mapped.anchor}, control=None, expect="inconclusive")


def check_maps(study, maps: Iterable[Map]) -> tuple[Map, ...]:
    """The maps of a study, each of them possible and none of them twice."""
    maps = sequence(maps, "maps", "Map objects")
    for position, entry in enumerate(maps):
        if not isinstance(entry, Map):
            raise InputError(f"maps must be Map objects; got {shown(entry)}")
        mapped_claim(study, entry)
        if entry.name in [other.name for other in maps[:position]]:
            raise InputError(f"the map of {entry.name} appears twice")
    return maps

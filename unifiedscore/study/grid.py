"""The grid of a study: labelled axes, their product as cells, and one random stream per cell."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import numbers
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError, StudyError, UnknownNameError
from unifiedscore.validate import integer, sequence, shown

Label = int | float | str
OWN = ("status", "skip_reason")  # what the store adds to the variables of a study
TAKEN = (*OWN, "method", "tolerance", "drop", "indexers", "indexer")  # and keywords of xarray


@final
class Cell(Mapping[str, Label]):
    """One grid point: a read-only mapping from axis name to label, hashable and in grid order."""

    __slots__ = ("_labels",)

    def __init__(self, labels: Mapping[str, Label]):
        self._labels = dict(labels)

    def __getitem__(self, axis: str) -> Label:
        try:
            return self._labels[axis]
        except KeyError:
            raise KeyError(f"{axis} is not an axis of this cell; its axes are {', '.join(self._labels)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __contains__(self, axis: object) -> bool:
        return axis in self._labels

    def __hash__(self) -> int:
        return hash(frozenset(self._labels.items()))

    def __reduce__(self):
        return Cell, (self._labels,)

    def __repr__(self) -> str:
        return ", ".join(f"{axis}={label!r}" for axis, label in self._labels.items())


def canonical(labels: Mapping[str, Label], *, without: Iterable[str] = ()) -> str:
    """One JSON text per cell, whatever the order of the axes, the process and the version of Python.

    Equal numbers are equal text (1 and 1.0), so that a label added to an axis, which may turn its integers into
    floats, leaves the streams and records of the other cells alone.
    """
    without = set(without)
    text = {axis: _label_text(label) for axis, label in labels.items() if axis not in without}
    return json.dumps(text, sort_keys=True, separators=(",", ":"))


def _label_text(label: Label) -> str:
    if isinstance(label, str):
        return f"s:{label}"
    if isinstance(label, int) and float(label) != label:  # beyond 2**53 a float would merge neighbours
        return f"i:{label}"
    return f"f:{(float(label) + 0.0).hex()}"  # + 0.0 turns -0.0 into 0.0, which compares equal


def stream(cell: Mapping[str, Label], *, seed: int, paired: Iterable[str] = ()) -> np.random.Generator:
    """The random stream of a cell: `SeedSequence(seed, spawn_key=sha256(cell without its paired axes))`.

    Cells that differ only along a paired axis (methods, estimators, bandwidths) see the same draws. No other cell
    enters, so adding labels, workers or executors changes nothing.
    """
    digest = hashlib.sha256(canonical(cell, without=paired).encode()).digest()
    spawn_key = tuple(int(word) for word in np.frombuffer(digest, dtype="<u4"))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Grid:
    """The product of labelled axes.

    Parameters
    ----------
    skip : callable, optional
        `skip(cell)` returns True, or a reason in words, for a cell that is not measured; False or "" for the others.
        A skipped cell is stored with the status "skipped" and its reason in the variable `skip_reason`.
    paired : tuple of str
        Axes that do not enter a cell's random stream: methods compared on the same draws.
    **axes : list, range, array or tuple
        Labels of each axis, all strings or all numbers, in the order in which they are stored.

    Raises
    ------
    InputError
        An axis is empty, repeats a label, mixes text and numbers, or has a name netCDF cannot hold.

    Examples
    --------
    >>> grid = Grid(estimator=["a", "b"], dimension=[4, 16], seed=range(2), paired=("estimator",))
    >>> grid.size
    8
    >>> next(grid.cells())
    estimator='a', dimension=4, seed=0
    """

    axes: Mapping[str, tuple[Label, ...]]
    skip: Callable[[Cell], bool | str] | None
    paired: tuple[str, ...]

    def __init__(self, *, skip: Callable[[Cell], bool | str] | None = None, paired: Iterable[str] = (), **axes):
        if not axes:
            raise InputError("a grid needs at least one axis, for example Grid(seed=range(16))")
        if skip is not None and not callable(skip):
            raise InputError(
                f"skip must be a function of a cell that returns a reason, True or False; got {shown(skip)}"
            )
        paired = (paired,) if isinstance(paired, str) else paired
        paired = sequence(paired, "paired", "axis names")
        checked = {name: _labels(name, labels) for name, labels in axes.items()}
        for name in paired:
            if not isinstance(name, str) or name not in checked:
                raise UnknownNameError("paired axis", name, checked)
            if name == "seed":
                raise InputError("the axis seed cannot be paired: all replicates would see the same draws")
        object.__setattr__(self, "axes", MappingProxyType(checked))
        object.__setattr__(self, "skip", skip)
        object.__setattr__(self, "paired", paired)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of labels of each axis."""
        return tuple(len(labels) for labels in self.axes.values())

    @property
    def size(self) -> int:
        """Number of cells, skipped ones included."""
        return math.prod(self.shape)

    def cells(self) -> Iterator[Cell]:
        """Every cell, the last axis running fastest (the order in which the data set stores them)."""
        for labels in itertools.product(*self.axes.values()):
            yield Cell(dict(zip(self.axes, labels, strict=True)))

    def skipped(self, cell: Cell) -> bool:
        """Whether `skip` excludes this cell."""
        return self.skip_reason(cell) is not None

    def skip_reason(self, cell: Cell) -> str | None:
        """Why `skip` excludes this cell: "" where it only says that it does; None for a cell that is measured."""
        if self.skip is None:
            return None
        try:
            answer = self.skip(cell)
            return (str(answer) if isinstance(answer, str) else "") if answer else None
        except Exception as error:
            raise StudyError(f"skip({cell!r}) raised {type(error).__name__}: {error}") from error

    def skip_reasons(self) -> dict[str, int]:
        """How many cells are skipped for each reason."""
        reasons = (self.skip_reason(cell) for cell in self.cells()) if self.skip is not None else ()
        return dict(Counter(reason for reason in reasons if reason is not None))

    def replace(self, **axes) -> Grid:
        """The same grid with the labels of some axes replaced, as a profile does."""
        for name in axes:
            if name not in self.axes:
                raise UnknownNameError("axis", name, self.axes)
        return Grid(skip=self.skip, paired=self.paired, **(dict(self.axes) | axes))

    def with_seeds(self, count: int | None) -> Grid:
        """The same grid with the seeds 0 to `count` - 1; None leaves its own."""
        return self if count is None else self.replace(seed=range(count))

    @renamed(rng_seed="seed")
    def stream(self, cell: Cell, *, seed: int) -> np.random.Generator:
        """The random stream of `cell` under the root seed of a run."""
        integer(seed, "seed", low=0)
        return stream(cell, seed=seed, paired=self.paired)

    def __repr__(self) -> str:
        return "Grid(" + ", ".join(f"{name}: {len(labels)}" for name, labels in self.axes.items()) + ")"


def _labels(name: str, labels) -> tuple[Label, ...]:
    if not (name.isascii() and name.isidentifier() and name == name.lower()):
        raise InputError(f"the axis name {name!r} must be a lower-case identifier")
    if name in TAKEN:
        raise InputError(f"the axis name {name!r} is taken (dataset.sel({name}=...) means something else); rename it")
    if isinstance(labels, set | frozenset):
        raise InputError(f"the axis {name} must be ordered: write a list instead of a set")
    if isinstance(labels, np.ndarray):
        if labels.ndim != 1:
            raise InputError(f"the axis {name} must be one-dimensional; got an array of shape {labels.shape}")
        labels = labels.tolist()
    plain = [_label(name, label) for label in sequence(labels, f"the axis {name}", "labels")]
    if not plain:
        raise InputError(f"the axis {name} must have at least one label; got none")
    if len({isinstance(label, str) for label in plain}) > 1:
        raise InputError(f"the labels of the axis {name} must be all text or all numbers; got {shown(plain)}")
    if any(isinstance(label, float) for label in plain):
        plain = [float(label) for label in plain]
    if len(set(plain)) < len(plain):
        twice = sorted({label for label in plain if plain.count(label) > 1})
        raise InputError(f"the axis {name} repeats the labels {twice!r}; every label may stand once")
    return tuple(plain)


def _label(name: str, label) -> Label:
    if isinstance(label, str):
        if not label or "\0" in label:
            raise InputError(f"the axis {name} has an empty label or one with a NUL character: {label!r}")
        if any("\ud800" <= letter <= "\udfff" for letter in label):
            raise InputError(f"the axis {name} has a label that is not text, such as the name of a file: {label!r}")
        return str(label)
    if isinstance(label, numbers.Integral) and not isinstance(label, bool | np.bool_):
        if not -(2**63) <= int(label) < 2**63:
            raise InputError(f"the label {label!r} of the axis {name} does not fit into 64 bits")
        return int(label)
    if isinstance(label, numbers.Real) and not isinstance(label, bool | np.bool_) and not math.isnan(label):
        return float(label) + 0.0  # -0.0 is 0.0: equal labels are one label
    raise InputError(f"a label of the axis {name} must be an int, a float (not NaN) or a string; got {shown(label)}")

"""Reading the cells of a claim out of a dataset: labels, statuses, paired differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unifiedscore.errors import InputError, StudyError

OK, SKIPPED, FAILED, NOT_RUN = 0, 1, 2, 3
_UNPAIRED = 4  # measured, but the cell to subtract was skipped
_TROUBLE = {
    FAILED: ("failed", "failed"),
    NOT_RUN: ("was not run", "were not run"),
    _UNPAIRED: ("has no partner to subtract (it was skipped)", "have no partner to subtract (it was skipped)"),
}

# Labels survive arithmetic such as 0.1 + 0.2, a netCDF file and a float32 tool; distinct labels differ by more.
_LABEL_TOLERANCE = 1e-9


class Unavailable(Exception):
    """The data cannot answer; the message says why, in words that fit after 'inconclusive: '."""

    def __init__(self, message: str, *, failed: bool = False):
        super().__init__(message)
        self.failed = failed  # whether failed cells are why


@dataclass(frozen=True, slots=True)
class Block:
    """One variable on the selected cells. `values` and `status` have one axis per name in `dims`."""

    dims: tuple[str, ...]
    labels: Mapping[str, Sequence]
    values: np.ndarray
    status: np.ndarray

    @property
    def cells(self) -> int:
        """Number of selected cells that the grid does not skip."""
        return int((self.status != SKIPPED).sum())


@dataclass(frozen=True, slots=True)
class Group:
    """One cell of a claim: the values that go into one estimate, and where they stand.

    `where` is for readers: its labels are rounded, so two cells may share it. `index` tells them apart: the cell's
    place in the block, which seeds and skipped cells do not change.
    """

    where: str
    values: np.ndarray
    x: list | None
    index: tuple[int, ...] = ()


def normalise(dataset, axes: Iterable[str]):
    """The dataset with every axis as a dimension, also after `isel` or `sel` with one label."""
    for axis in reversed(list(axes)):
        if axis not in dataset.dims:
            if axis not in dataset.coords:
                raise StudyError(
                    f"the dataset has no axis {axis!r}, which the study's grid has; slice it with sel or isel "
                    "(which keep the label) and do not average over it"
                )
            dataset = dataset.expand_dims(axis)
    for dim in dataset.dims:
        _refuse_repeats(dataset, dim)
    return dataset


def _refuse_repeats(dataset, dim: str):
    """Two cells with one label are one cell twice, and would count as independent replicates or as a longer series."""
    labels = dataset[dim].values.tolist() if dim in dataset.coords else []
    if not all(isinstance(label, str | int | float) and label == label for label in labels):
        raise StudyError(f"the axis {dim} of the dataset must have numbers or texts as labels, none of them missing")
    numbers = not any(isinstance(label, str) for label in labels)
    ordered = sorted(labels) if numbers else sorted(map(str, labels))
    twice = next((one for one, two in itertools.pairwise(ordered) if same_label(one, two)), None)
    if twice is not None:
        raise StudyError(
            f"the axis {dim} of the dataset has the label {show_label(twice)} more than once; every cell may stand in "
            "it once (concatenate runs with different labels, or drop the copies)"
        )


def missing_labels(grid_axes: Mapping[str, Sequence], dataset, where: Mapping, exists) -> str:
    """What `where` selects of the whole grid and the dataset has lost, in words; empty if nothing.

    Seeds do not count: a slice with fewer seeds is a smaller sample of the same claim. `exists(cell)` says whether the
    grid has a cell (skipped cells are none).
    """
    chosen, lost = {}, {}
    for axis, labels in grid_axes.items():
        try:
            chosen[axis] = [labels[i] for i in _positions(axis, labels, where[axis])] if axis in where else list(labels)
        except Unavailable:  # a label of another profile: reading it will say so
            return ""
        known = dataset[axis].values.tolist()
        unfound = set(chosen[axis]).difference(known)  # the rest of the labels is there to the last bit
        gone = [label for label in unfound and chosen[axis] if not any(same_label(label, other) for other in known)]
        if gone and axis != "seed":
            lost[axis] = gone
    for axis, gone in lost.items():
        rest = [chosen[other] for other in grid_axes if other != axis]
        names = [other for other in grid_axes if other != axis]
        gone = [
            label
            for label in gone
            if any(exists({axis: label, **dict(zip(names, cell, strict=True))}) for cell in itertools.product(*rest))
        ]
        if gone:
            shown = ", ".join(map(show_label, gone[:4])) + (f" and {len(gone) - 4} more" if len(gone) > 4 else "")
            return f"the dataset is a part of the grid; of the cells that the claim is about it lacks {axis} = {shown}"
    return ""


def chosen_labels(axes: Mapping[str, Sequence], where: Mapping) -> dict[str, list]:
    """The labels of every axis that `where` selects; axes not named are left whole."""
    return {
        axis: [labels[i] for i in _positions(axis, labels, where[axis])] if axis in where else list(labels)
        for axis, labels in axes.items()
    }


def read(dataset, name: str, where: Mapping) -> Block:
    """The variable `name` at `where` (label, list or slice per axis); axes not named are left whole."""
    if name not in dataset.variables:
        raise Unavailable(f"the variable {name} is not in this dataset")
    array = dataset[name]
    dims = tuple(array.dims)
    labels = {
        dim: dataset[dim].values.tolist() if dim in dataset.coords else list(range(dataset.sizes[dim])) for dim in dims
    }
    positions = {dim: range(len(labels[dim])) for dim in dims}
    for axis, wanted in where.items():
        if axis in positions:
            positions[axis] = _positions(axis, labels[axis], wanted)
        elif axis not in dataset.dims:
            raise Unavailable(f"this dataset has no axis {axis}")
    take = np.ix_(*(list(positions[dim]) for dim in dims)) if dims else ()
    if array.dtype.kind not in "fiub":
        raise StudyError(f"the variable {name} of the dataset must hold real numbers; its dtype is {array.dtype}")
    values = np.asarray(array.values, dtype=float)[take]
    status = np.zeros(values.shape, dtype=int)
    if "status" in dataset.variables:
        flags = dataset["status"]
        inner = tuple(dim for dim in dims if dim in flags.dims)
        codes = _codes(flags, inner, name)
        codes = codes[np.ix_(*(list(positions[dim]) for dim in inner))] if inner else codes
        status = status + codes.reshape([len(positions[dim]) if dim in inner else 1 for dim in dims]).astype(int)
    chosen = {dim: [labels[dim][i] for i in positions[dim]] for dim in dims}
    return Block(dims, chosen, values, status)


def _codes(flags, dims: tuple[str, ...], name: str) -> np.ndarray:
    """The status of every cell, refused where it is none of the known: an unknown one must not count as measured."""
    if extra := [dim for dim in flags.dims if dim not in dims]:
        raise StudyError(f"the status in the dataset has the axis {extra[0]}, which the variable {name} lacks")
    codes = np.asarray(flags.transpose(*dims).values)
    unknown = ~np.isin(codes, (OK, SKIPPED, FAILED, NOT_RUN)) if codes.dtype.kind in "fiu" else np.array([True])
    if unknown.any():
        got = codes[unknown].flat[0] if codes.dtype.kind in "fiu" else f"of dtype {codes.dtype}"
        raise StudyError(
            f"the status in the dataset must be {OK} (ok), {SKIPPED} (skipped), {FAILED} (failed) or {NOT_RUN} (not "
            f"run) for every cell; it is {got}"
        )
    return codes


def difference(block: Block, partner: Block, *, sign: int = -1) -> Block:
    """`block + sign * partner`, the partner broadcast along the axes where it has one label."""
    for one, two in zip(block.values.shape, partner.values.shape, strict=True):
        if two not in (1, one):
            raise Unavailable("the cells to subtract do not pair with the cells of the claim")
    lost = np.where(partner.status == SKIPPED, _UNPAIRED, partner.status)
    status = np.where(block.status == OK, lost, block.status)
    return Block(block.dims, block.labels, block.values + sign * partner.values, status)


def groups(blocks: Sequence[Block | None], *, along: str | None, seeds: bool) -> Iterator[tuple[Group | None, ...]]:
    """Split into one group per cell: values (x, seed), (x,), (seed,) or (1,), skipped cells left out.

    All blocks share their dims; the statuses of the first decide. Skipped cells are no part of the grid: a label along
    x, a seed or a whole group disappears if all of it is skipped.
    """
    first = blocks[0]
    inner = [axis for axis in (along, "seed" if seeds else None) if axis is not None]
    missing = [axis for axis in inner if axis not in first.dims]
    if missing:
        raise Unavailable(f"the variable has no axis {missing[0]}, which its test or evidence needs")
    outer = [dim for dim in first.dims if dim not in inner]
    order = [first.dims.index(dim) for dim in outer + inner]
    moved = [None if b is None else b.values.transpose(order) for b in blocks]
    status = first.status.transpose(order)
    for index in np.ndindex(status.shape[: len(outer)]):
        codes = status[index]
        present = codes != SKIPPED
        if not present.any():
            continue
        named = [(d, first.labels[d]) for d in outer]
        where = ", ".join(f"{d}={show_label(k[i])}" for (d, k), i in zip(named, index, strict=True) if len(k) > 1)
        keep = [
            np.flatnonzero(present.any(axis=tuple(a for a in range(len(inner)) if a != k))) for k in range(len(inner))
        ]
        cut = np.ix_(*keep) if inner else ()
        if not present[cut].all():
            raise Unavailable("the grid skips some seeds at some labels only, so there is no series per seed")
        _refuse_trouble(codes[cut], first, inner, keep, where)
        x = [first.labels[along][i] for i in keep[0]] if along is not None else None
        shape = codes[cut].shape or (1,)
        yield tuple(
            None if m is None else Group(where, np.asarray(m[index][cut]).reshape(shape), x, index) for m in moved
        )


def _refuse_trouble(codes, block: Block, inner, keep, where: str):
    for code, words in _TROUBLE.items():
        bad = np.argwhere(codes == code)
        if len(bad):
            at = [
                f"{axis}={show_label(block.labels[axis][k[i]])}" for axis, k, i in zip(inner, keep, bad[0], strict=True)
            ]
            text = ", ".join([where, *at] if where else at) or "the only cell"
            if codes.size == 1:
                message = f"the cell at {text} {words[0]}" if text != "the only cell" else f"{text} {words[0]}"
            else:
                message = f"{len(bad)} of {codes.size} cells {words[len(bad) > 1]}, the first at {text}"
            raise Unavailable(message, failed=code == FAILED)


def _positions(axis: str, labels: Sequence, wanted) -> list[int]:
    if isinstance(wanted, slice):
        found = _sliced(axis, labels, wanted)
        if not found:
            raise Unavailable(f"no label of the axis {axis} in this dataset lies in {_ends(wanted)}")
        return found
    several = isinstance(wanted, list | tuple | range | set | frozenset) or getattr(wanted, "ndim", 0)
    found = []
    for label in wanted if several else [wanted]:
        match = [i for i, known in enumerate(labels) if same_label(known, label)]
        if not match:
            raise Unavailable(f"the label {show_label(label)} of the axis {axis} is not in this dataset")
        found.append(match[0])
    if not found:
        raise InputError(f"where selects no label of the axis {axis}: the list is empty")
    return found


def _sliced(axis: str, labels: Sequence, wanted: slice) -> list[int]:
    """Both ends included, as label slices are; numbers by value, text by position."""
    if wanted.step is not None:
        raise InputError(f"a slice of labels takes no step; got the step {wanted.step} for the axis {axis}")
    low, high = wanted.start, wanted.stop
    if any(isinstance(label, str) for label in labels):
        ends = [0 if low is None else _positions(axis, labels, low)[0]]
        ends.append(len(labels) - 1 if high is None else _positions(axis, labels, high)[0])
        return list(range(ends[0], ends[1] + 1))
    return [i for i, label in enumerate(labels) if _between(label, low, high)]


def _ends(wanted: slice) -> str:
    low, high = ("" if end is None else show_label(end) for end in (wanted.start, wanted.stop))
    return f"{low} ... {high}".strip()


def _between(label, low, high) -> bool:
    above = low is None or label >= low or same_label(label, low)
    return above and (high is None or label <= high or same_label(label, high))


def same_label(known, wanted) -> bool:
    """Whether two labels are the same: equal text, or numbers equal up to the rounding of arithmetic and files."""
    if isinstance(known, str) or isinstance(wanted, str):
        return str(known) == str(wanted) and isinstance(known, str) == isinstance(wanted, str)
    try:
        return known == wanted or math.isclose(float(known), float(wanted), rel_tol=_LABEL_TOLERANCE, abs_tol=0.0)
    except (TypeError, ValueError):
        return False


def show_label(label) -> str:
    """A label as it stands in a message."""
    return f"{label:.6g}" if isinstance(label, float) else str(label)

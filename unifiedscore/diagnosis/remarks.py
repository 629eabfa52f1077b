"""What is odd about the samples themselves: noted beside the numbers, or refused where none means anything."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.measures import Samples
from unifiedscore.measures.files import FILLS

FEW_SHARED = 0.01
_LISTED = 5


def refuse_degenerate(target: Samples, model: Samples) -> None:
    """Refuse a law that is a single point: no distance, bandwidth or cosine of it has a meaning."""
    for law, name in ((target, "target"), (model, "model")):
        if (law.points == law.points[0]).all():
            raise InputError(
                f"{name} holds {law.size} copies of one point: a law without spread has no shape to diagnose; "
                "give samples that differ"
            )


def remarks(target: Samples, model: Samples, members) -> list[str]:
    """Notes on shared and repeated rows, columns that are constant or count, and numbers that stand for missing ones.

    `members(points, x)` gives for each row of x the index of an equal row of the points, -1 for none.
    """
    notes = []
    if shared := int((members(target.points, model.points) >= 0).sum()):
        notes.append(_shared(shared, target, model))
    for law, name in ((target, "target"), (model, "model")):
        if copies := law.size - len({row.tobytes() for row in law.points + 0.0}):
            notes.append(
                f"{name}: {copies} of its {law.size} samples repeat others; where they are not independent draws, "
                "intervals are too short: drop the copies, or give them as weights"
            )
        steps = np.diff(law.points, axis=0)
        if (counting := np.flatnonzero((steps == 1).all(axis=0))).size:
            notes.append(f"{name}: {_columns(counting)} counts the rows; leave it out if it is an index")
        for fill, owner in FILLS.items():
            if found := int((law.points == fill).sum()):
                notes.append(f"{name}: {found} coordinates equal {fill:.6g}, a mark of missing values ({owner})")
    return notes + _constant(target, model)


def dominant_column(target: Samples, model: Samples) -> str:
    """A sentence where one column holds nearly all of the variance within the laws, else an empty one."""
    variances = sum(law.weights @ (law.points - law.mean) ** 2 for law in (target, model))
    share, dimension = variances / variances.sum(), len(variances)
    # Equal columns hold 1/d each.
    if dimension < 2 or share.max() <= min(0.9, 0.5 + 1 / dimension):
        return ""
    return (
        f"Column {int(share.argmax())} holds {share.max():.0%} of the variance: distances, and so the kernel, see "
        "hardly any other. Unless all columns have one unit, whiten the data first (unifiedscore.whiten) or rescale "
        "the columns."
    )


def same_samples(target: Samples, model: Samples) -> bool:
    """Whether the two laws are the same weighted samples, in any order."""
    if target.points.shape != model.points.shape:
        return False
    rows = [np.column_stack([law.points, law.weights]) for law in (target, model)]
    first, second = (row[np.lexsort(row.T)] for row in rows)
    return bool((first == second).all())


def _shared(shared: int, target: Samples, model: Samples) -> str:
    smaller = min(target.size, model.size)
    if same_samples(target, model):
        return (
            f"target and model are the same {smaller} samples: their drift is exactly zero, and what is not comes from "
            "the queries that are left out of one of them; give samples drawn separately"
        )
    rows = "1 sample" if shared == 1 else f"{shared} samples"
    if shared <= FEW_SHARED * smaller:
        return (
            f"target and model share {rows} of {smaller}: their noise depends on each other to that extent, which no "
            "number here shows; remove what is shared from one of them"
        )
    return (
        f"target and model share {rows} of {smaller}: their noise is not independent, so neither the cross-fitted "
        "cosine nor any interval can be relied on; give samples drawn separately"
    )


def _constant(target: Samples, model: Samples) -> list[str]:
    flat = [(law.points == law.points[0]).all(axis=0) for law in (target, model)]
    equal = target.points[0] == model.points[0]
    notes = []
    for which, text in (
        (
            flat[0] & flat[1] & equal,
            "is one and the same number in all samples: it changes nothing and can be left out",
        ),
        (
            flat[0] & flat[1] & ~equal,
            "is one number in the target and another in the model: an offset between the laws",
        ),
        (flat[0] & ~flat[1], "is constant in the target alone"),
        (~flat[0] & flat[1], "is constant in the model alone"),
    ):
        if which.any():
            notes.append(f"{_columns(np.flatnonzero(which))} {text}")
    return notes


def _columns(index: np.ndarray) -> str:
    """Columns by number; only the first few of many. The verb that follows is in the singular, one column at a time."""
    shown = ", ".join(str(i) for i in index[:_LISTED])
    more = f" and {len(index) - _LISTED} more" if len(index) > _LISTED else ""
    return f"column {shown}{more}" if len(index) == 1 else f"each of the columns {shown}{more}"

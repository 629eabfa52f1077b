"""The numbers behind a figure, read back from the drawing, so that no figure is without them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("axes", "kind", "series", "x", "y", "u", "v", "value")


def numbers(figure: Figure) -> dict[str, np.ndarray]:
    """What a figure shows, by `<panel>/<kind> <series>`.

    Lines and scattered points give (n, 2) arrays of x and y; arrows (n, 4) of x, y, u, v; coloured cells and images
    (n, 3) of x, y and value; filled bands (n, 2) of their outline.
    """
    return {f"{panel}/{kind} {series}".strip(): data for panel, kind, series, _, data in _series(figure)}


def numbers_csv(figure: Figure) -> str:
    """The same numbers as CSV text, one row a point, exact to the last digit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for panel, kind, series, columns, data in _series(figure):
        for row in data.tolist():
            values = dict(zip(columns, row, strict=True))
            cells = [repr(values[name]) if name in values else "" for name in COLUMNS[3:]]
            writer.writerow([panel, kind, series, *cells])
    return text.getvalue()


def _series(figure: Figure) -> Iterator[tuple[str, str, str, tuple[str, ...], np.ndarray]]:
    for number, axes in enumerate(figure.axes):
        panel = axes.get_title() or axes.get_title(loc="left") or axes.get_label() or f"panel {number}"
        panel = " ".join(f"{number} {panel}".split())
        seen: dict[tuple[str, str], int] = {}
        for kind, label, columns, data in _drawn(axes):
            label = "" if label.startswith("_") else " ".join(label.split())
            count = seen[kind, label] = seen.get((kind, label), 0) + 1
            series = label if count == 1 and label else f"{label} #{count}".strip()
            yield panel, kind, series, columns, np.asarray(data, dtype=float)


def _drawn(axes: Axes) -> Iterator[tuple[str, str, tuple[str, ...], np.ndarray]]:
    from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
    from matplotlib.quiver import Quiver

    for line in axes.lines:
        x, y = (np.ma.filled(np.ma.asarray(v, dtype=float), np.nan) for v in line.get_data(orig=False))
        yield "line", str(line.get_label()), ("x", "y"), np.column_stack([x, y])
    for collection in axes.collections:
        label = str(collection.get_label())
        if isinstance(collection, Quiver):
            xy, u, v = np.asarray(collection.XY), np.ravel(collection.U), np.ravel(collection.V)
            yield "arrows", label, ("x", "y", "u", "v"), np.column_stack([xy, u, v])
        elif isinstance(collection, QuadMesh):
            corners = collection.get_coordinates()
            centres = (corners[1:, 1:] + corners[:-1, :-1]).reshape(-1, 2) / 2
            values = np.ravel(np.ma.filled(collection.get_array().astype(float), np.nan))
            if values.size == len(centres):
                yield "cells", label, ("x", "y", "value"), np.column_stack([centres, values])
        elif isinstance(collection, PathCollection):
            offsets = np.ma.filled(np.ma.asarray(collection.get_offsets(), dtype=float), np.nan)
            yield "points", label, ("x", "y"), offsets.reshape(-1, 2)
        elif isinstance(collection, PolyCollection):
            outlines = [path.vertices for path in collection.get_paths()]
            if outlines:
                yield "band", label, ("x", "y"), np.concatenate(outlines)
    for image in axes.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
        if values.ndim == 2:
            left, right, bottom, top = image.get_extent()
            first, last = (top, bottom) if image.origin == "upper" else (bottom, top)
            rows, columns = values.shape
            x = left + (np.arange(columns) + 0.5) * (right - left) / columns
            y = first + (np.arange(rows) + 0.5) * (last - first) / rows
            points = [np.ravel(part) for part in np.meshgrid(x, y)]
            yield "image", str(image.get_label()), ("x", "y", "value"), np.column_stack([*points, values.ravel()])
    for patch in axes.patches:
        if type(patch).__name__ == "Rectangle" and patch.get_width() and patch.get_height():
            corner, opposite = patch.get_xy(), (patch.get_x() + patch.get_width(), patch.get_y() + patch.get_height())
            yield "bar", str(patch.get_label()), ("x", "y"), np.array([corner, opposite])

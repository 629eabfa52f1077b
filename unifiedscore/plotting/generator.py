"""Points of a generator beside its training data: histograms, a scatter, or images with their nearest neighbours."""

from __future__ import annotations

from math import isqrt

import numpy as np

from unifiedscore.measures.distances import nearest_neighbours
from unifiedscore.plotting.style import BLUE, GREY, caption, new_figure, style, tidy

_SHOWN, _IMAGES, _SMALLEST_SIDE = 1000, 12, 8


def image_side(points: np.ndarray) -> int | None:
    """Side of square grey images, where the points may be some: 64, 81, ... coordinates, none of them negative."""
    side = isqrt(points.shape[1])
    square = side**2 == points.shape[1] and side >= _SMALLEST_SIDE
    return side if square and points.min() >= 0 and points.max() > 0 else None


def generator_figure(
    data: np.ndarray,
    drawn: np.ndarray,
    course: np.ndarray,
    *,
    steps: np.ndarray | None = None,
    label: str = "mean squared drift",
    note: str = "The mean squared drift of a batch ends at the noise of the batches, not at zero.",
):
    """Return a figure of the points of a generator, (n, d), over the data, (m, d), and of the course of its training.

    On the line histograms; in the plane a scatter; above it the first two principal components of the data, and where
    these may be square images twelve of the generator's over the training images nearest to them.
    """
    side = image_side(data)
    with style():
        canvas = new_figure(9.2, 4.4 + (2.0 if side else 0.0))
        grid = canvas.add_gridspec(3 if side else 1, 2, height_ratios=(4.4, 1, 1) if side else (1,))
        _points(canvas.add_subplot(grid[0, 0]), data, drawn)
        _course(canvas.add_subplot(grid[0, 1]), course, steps, label)
        if side:
            nearest = data[nearest_neighbours(data, drawn[:_IMAGES], 1)[1][:, 0]]
            top = max(float(data.max()), 1e-300)
            rows = ("generator", drawn[:_IMAGES]), ("nearest\ntraining", nearest)
            for row, (label, images) in enumerate(rows, start=1):
                _images(canvas.add_subplot(grid[row, :]), images, side, top, label)
        about = f"{len(data)} training points in dimension {data.shape[1]}."
        if data.shape[1] > 2:
            about += " First two principal components of the data."
        caption(canvas, f"{about} {note}")
    return canvas


def _points(ax, data, drawn):
    if data.shape[1] == 1:
        edges = np.histogram_bin_edges(data[:, 0], bins=min(60, max(10, len(data) // 20)))
        for values, color, label in ((data, GREY, "data"), (drawn, BLUE, "generator")):
            ax.hist(values[:, 0], bins=edges, density=True, histtype="step", color=color, linewidth=1.6, label=label)
        ax.set_xlabel("$x_1$")
        ax.set_ylabel("density")
        ax.legend()
        tidy(ax)
        return
    names = "$x_{}$"
    if data.shape[1] > 2:
        mean, names = data.mean(0), "component {}"
        axes = np.linalg.svd(data - mean, full_matrices=False)[2][:2].T
        data, drawn = (data - mean) @ axes, (drawn - mean) @ axes
    for values, color, label in ((data, GREY, "data"), (drawn, BLUE, "generator")):
        some = values[:_SHOWN]
        ax.scatter(some[:, 0], some[:, 1], s=7, color=color, alpha=0.45, linewidths=0, label=label)
    ax.set_xlabel(names.format(1))
    ax.set_ylabel(names.format(2))
    ax.set_aspect("equal", adjustable="datalim")
    ax.legend(markerscale=2)
    tidy(ax)


def _course(ax, values, steps, label):
    steps = np.arange(1, len(values) + 1) if steps is None else steps
    ax.plot(steps, values, color=BLUE, linewidth=1.0, marker="." if len(values) < 100 else "")
    ax.set_xscale("log")
    ax.set_yscale("log", nonpositive="mask")
    ax.set_xlabel("step")
    ax.set_ylabel(label)
    tidy(ax)


def _images(ax, images, side, top, label):
    strip = np.full((side, len(images) * (side + 1) - 1), np.nan)
    for position, image in enumerate(images):
        strip[:, position * (side + 1) : position * (side + 1) + side] = image.reshape(side, side)
    ax.imshow(strip, cmap="gray_r", vmin=0, vmax=top, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8.5)

"""Maps drawn: where a claim holds over two parameters, with every point that was judged."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.plotting.style import GREY, INK, ORANGE, SKY, YELLOW, balanced, caption, new_figure, style, tidy
from unifiedscore.study.maps.refining import Rectangle, Refinement, is_geometric

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOLDS, FAILS = SKY, ORANGE


def plot_map(dataset: xr.Dataset, *, ax: Axes | None = None, lines: int = 4) -> Axes:
    """Draw where a claim holds: filled by the side of the boundary, with the boundary and a dot for every judged point.

    Use when you have a map from `unifiedscore map` and want to see it.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `make_map` returned it.
    ax : matplotlib.axes.Axes, optional
    lines : int
        About how many lines of equal estimate are drawn.

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    x, y = dataset["x_label"].values, dataset["y_label"].values
    margin, estimate = (_filled(dataset, name) for name in ("margin", "estimate"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No contour levels were found")
        if np.isfinite(margin).any():
            top = max(float(np.nanmax(np.abs(margin))), 1e-300)
            ax.contourf(x, y, margin.T, levels=[-2 * top, 0.0, 2 * top], colors=[FAILS, HOLDS], alpha=0.75)
            levels = _levels(estimate, lines)
            drawn = ax.contour(x, y, estimate.T, levels=levels, colors=INK, linewidths=0.5, linestyles="--")
            ax.clabel(drawn, fontsize=7, inline=True, fmt="%.3g")
            ax.contour(x, y, margin.T, levels=[0.0], colors=INK, linewidths=1.8)
    words = dataset["outcome"].attrs["flag_meanings"].split()
    for name, colour, size in (("supported", INK, 3), ("refuted", INK, 3), ("inconclusive", YELLOW, 16)):
        here = dataset["outcome"].values == words.index(name)
        _dots(ax, dataset, here, color=colour, s=size, label=name)
    _dots(ax, dataset, dataset["outcome"].values == words.index("not_applicable"), color=GREY, s=12, marker="x",
          label="not applicable")  # fmt: skip
    for axis, labels, scale in ((dataset.attrs["x"], x, ax.set_xscale), (dataset.attrs["y"], y, ax.set_yscale)):
        coarse = labels[:: 2 ** int(dataset.attrs["levels"])]
        if is_geometric(coarse):
            powers = np.log2(np.asarray(coarse, dtype=float))
            binary = np.allclose(powers, powers.round())
            scale("log", base=2) if binary else scale("log")
        name = axis.replace("_", " ")
        ax.set_xlabel(name) if scale == ax.set_xscale else ax.set_ylabel(name)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    tidy(ax)
    ax.grid(False)
    return ax


def map_figure(dataset: xr.Dataset, *, width: float = 7.2) -> Figure:
    """A whole figure of one map, with what is claimed, the areas, and how the levels are to be read."""
    from matplotlib.patches import Patch

    attributes = dataset.attrs
    shares = json.loads(attributes["shares"])
    with style():
        canvas = new_figure(width, 4.9)
        ax = plot_map(dataset, ax=canvas.subplots())
        name = attributes["claim"] + (f" ({attributes['regime']})" if attributes["regime"] else "")
        low, high = ("" if end is None else f"{end:g}" for end in json.loads(attributes["region"]))
        region = (
            f"at least {low}" if low and not high else f"at most {high}" if high and not low else f"{low} to {high}"
        )
        title = balanced(f"{dataset['estimate'].attrs['long_name']}: {region}", int(width * 10))
        ax.set_title(title, fontsize=10)
        handles = [
            Patch(color=colour, alpha=0.75, label=f"{word}: {100 * shares.get(key, 0.0):.0f} % of the area")
            for key, word, colour in (("supported", "holds", HOLDS), ("refuted", "refuted", FAILS))
        ]
        handles += [
            h for h, t in zip(*ax.get_legend_handles_labels(), strict=True) if t not in ("supported", "refuted")
        ]
        columns = max(1, int(width / 2.3))
        canvas.legend(handles=handles, loc="outside upper right", ncols=columns, fontsize=8, frameon=False)
        judged, of = dataset.sizes["point"], math.prod(json.loads(attributes["lattice"]))
        caption(
            canvas,
            f"{name}: {judged} of {of} points judged (dots), each by itself (pointwise levels); thick line: boundary; "
            "dashed: the estimate. Refined where the outcome changes; an island smaller than a coarse rectangle can be "
            "missed.",
        )
        return canvas


def _filled(dataset: xr.Dataset, name: str) -> np.ndarray:
    columns, rows = json.loads(dataset.attrs["lattice"])
    side = 2 ** int(dataset.attrs["levels"])
    refinement = Refinement((columns - 1) // side + 1, (rows - 1) // side + 1, int(dataset.attrs["levels"]))
    parts = (dataset[part].values.tolist() for part in ("leaf_column", "leaf_row", "side"))
    refinement.leaves = [Rectangle(*part) for part in zip(*parts, strict=True)]
    points = zip(dataset["column"].values.tolist(), dataset["row"].values.tolist(), strict=True)
    return refinement.filled(dict(zip(points, dataset[name].values.tolist(), strict=True)))


def _levels(estimate: np.ndarray, lines: int) -> int | np.ndarray:
    """Where lines of equal estimate are drawn: at powers of ten where it spans several of them."""
    low, high = float(np.nanmin(estimate)), float(np.nanmax(estimate))
    if low <= 0 or high < 100 * low:
        return lines
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    return 10.0 ** powers[:: -(-len(powers) // (2 * lines))]


def _dots(ax: Axes, dataset: xr.Dataset, here: np.ndarray, **look) -> None:
    if here.any():
        at = [dataset[dataset.attrs[axis]].values[here] for axis in ("x", "y")]
        ax.scatter(*at, linewidths=0 if look.get("marker") != "x" else 1, clip_on=False, zorder=4, **look)

"""Searches drawn: every value against its bound in the order of evaluation, or against a parameter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.plotting.style import BLUE, GREY, INK, RED, SKY, tidy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

STAGES = {"known": GREY, "sobol": SKY, "polish": BLUE, "restart": INK}


def plot_search(dataset: xr.Dataset, *, along: str | None = None, log: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the margins of a search: negative where the claim holds, in the unit of the claim; above 0 it is refuted.

    Use when you want to see how close a search came, and which stage did.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `falsify` returned it.
    along : str, optional
        A parameter or measured variable for the horizontal axis; by default the order of evaluation, with the running
        record as a line.
    log : bool
        A logarithmic horizontal axis.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    claim = dataset.isel(evaluation=np.flatnonzero(dataset["variant"].values == 0))
    margin, feasible = claim["margin"].values, claim["feasible"].values == 2
    names = dataset["stage"].attrs["flag_meanings"].split()
    x = claim["evaluation"].values + 1.0 if along is None else claim[along].values.astype(float)
    groups = {"known": ("starts", "sibling")} | {name: (name,) for name in names if name not in ("starts", "sibling")}
    for label, stages in groups.items():
        here = feasible & np.isin(claim["stage"].values, [names.index(name) for name in stages if name in names])
        if here.any():
            marker, size = ("*", 26) if label == "known" else ("o", 9)
            look = {"color": STAGES.get(label, INK), "alpha": 0.75, "linewidths": 0, "label": label, "zorder": 3}
            ax.scatter(x[here], margin[here], marker=marker, s=size, **look)
    if along is None and feasible.any():
        record = np.maximum.accumulate(np.where(feasible, margin, -np.inf))
        known = np.isfinite(record)
        ax.step(x[known], record[known], where="post", color=INK, linewidth=1, label="worst so far", zorder=2)
    found = json.loads(dataset.attrs["counterexample"])
    ax.axhline(
        0.0, color=RED, linestyle=(0, (4, 2.5)), linewidth=1, label="refuted above" if found is None else "bound"
    )
    shown = margin[feasible & np.isfinite(margin)]
    if shown.size:
        low, high = min(float(np.quantile(shown, 0.1)), -0.1), max(float(shown.max()), 0.0)
        ax.set_ylim(low - 0.08 * (high - low), high + 0.12 * (high - low) + 0.02)
    if log:
        ax.set_xscale("log")
    ax.set_xlabel("evaluation" if along is None else along.replace("_", " "))
    ax.set_ylabel("distance beyond the bound")
    tidy(ax)
    return ax

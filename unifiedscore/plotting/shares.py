"""Shares of rare events: counts with their exact intervals, on a logarithmic axis that can show none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from unifiedscore.inference import SUPPORT_LEVEL, Proportion
from unifiedscore.plotting.series import has, pick

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


@final
@dataclass(frozen=True, slots=True)
class Share:
    """A share of all trials with the ends of its exact interval."""

    value: float
    low: float
    high: float


def share(dataset: xr.Dataset, variable: str, where: Mapping[str, Any], trials: int | None = None) -> Share | None:
    """The share over all seeds of `variable` at `where`; None where it was not measured.

    Each seed has seen `trials` of them, or what the variable of that name says.
    """
    if not has(dataset, variable, where):
        return None
    if trials is None:
        trials = int(np.nanmax(pick(dataset, where)["trials"].values))
    values = np.ravel(pick(dataset, where)[variable].values)
    test = Proportion(0.0, 0.5, trials)  # only its interval is used
    found = test.estimate(values[np.isfinite(values)], level=SUPPORT_LEVEL)
    return Share(found.value, found.low, found.high)


def draw_share(ax: Axes, found: Share, y: float, *, color: str, marker: str, label: str = "", hollow: bool = False):
    """Draw a share at height `y`: a point with its interval, or an arrow from its upper end where no event was seen."""
    face = "none" if hollow else color
    left = ax.get_xlim()[0]
    ax.plot([max(found.low, left), max(found.high, left)], [y, y], color=color, linewidth=1.3, zorder=2)
    if found.value > left:
        ax.plot(found.value, y, marker, color=color, markerfacecolor=face, markersize=5, zorder=3, label=label)
    else:
        ax.plot(found.high, y, "<", color=color, markerfacecolor=face, markersize=5, zorder=3)
    return ax

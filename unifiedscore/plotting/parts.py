"""The parts of a scaling plot: seeds, median and interval; the predicted law; what stands beneath; what refutes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from unifiedscore.plotting.prediction import Prediction
from unifiedscore.plotting.series import Curve, curve
from unifiedscore.plotting.style import GREY, INK, REFUTING, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHED = (0, (4, 2.5))
"""How predictions are drawn."""
REFUTES = "refutes the claim"
"""What the legend calls a shaded region."""


def draw_curve(
    ax: Axes, drawn: Curve, *, label: str, color: str, marker: str = "o", dashes="-", dots: bool = True, zorder=3.0
):
    """Seeds as faint dots, the interval as a band, the median as a line; returns the line."""
    if drawn.kind == "t" and dots:
        x = np.broadcast_to(drawn.x[:, None], drawn.values.shape)
        good = np.isfinite(drawn.values)
        ax.scatter(
            x[good],
            drawn.values[good],
            s=9,
            color=color,
            alpha=0.22,
            linewidths=0,
            zorder=zorder - 1,
            label=f"{label}: seeds",
        )
    if drawn.kind != "none":
        good = np.isfinite(drawn.low)
        ax.fill_between(
            drawn.x[good],
            drawn.low[good],
            drawn.high[good],
            color=color,
            alpha=0.18,
            linewidth=0,
            zorder=zorder - 0.5,
            label=f"{label}: {drawn.caption}",
        )
    (line,) = ax.plot(
        drawn.x, drawn.median, color=color, marker=marker, linestyle=dashes, label=label, zorder=zorder, markersize=4.2
    )
    return line


def draw_prediction(ax: Axes, drawn: Curve, prediction: Prediction, *, color: str = INK, reach: float = 1.6):
    """The predicted law as a dashed line over the x where it is claimed; returns the line."""
    x = drawn.x[prediction.claimed(drawn.x) & np.isfinite(drawn.median)]
    if x.size == 0:
        return None
    x = np.geomspace(x[0] / reach, x[-1] * reach, 2)
    from matplotlib.patheffects import withStroke

    (line,) = ax.plot(
        x,
        prediction.at(x, drawn),
        color=color,
        linestyle=DASHED,
        linewidth=1.3,
        zorder=4.0,
        label=prediction.text,
        # A pale rim keeps the dashes visible on top of a dark curve.
        path_effects=[withStroke(linewidth=2.2, foreground="white", alpha=0.6)],
    )
    return line


def draw_beneath(
    ax: Axes,
    drawn: Curve,
    what: Literal["slopes", "ratio"],
    prediction: Prediction | None,
    *,
    color: str,
    marker: str = "o",
    dashes="-",
    label: str = "",
):
    """Local slopes, or measured values over predicted ones; returns the line."""
    if what == "ratio":
        keep = prediction.claimed(drawn.x)
        x, y = drawn.x[keep], drawn.median[keep] / prediction.at(drawn.x[keep], drawn)
        ax.set_ylabel("measured /\npredicted")
    else:
        x, y = local_slopes(drawn, "power" if prediction is None else prediction.law)
        ax.set_ylabel("local slope")
    look = {"color": color, "marker": marker, "linestyle": dashes, "linewidth": 1.4, "markersize": 3.4}
    (line,) = ax.plot(x, y, label=label, **look)
    if what == "ratio":
        ax.axhline(1.0, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
    tidy(ax)
    return line


def local_slopes(drawn: Curve, law: Literal["power", "log"] = "power") -> tuple[np.ndarray, np.ndarray]:
    """Slopes of neighbouring medians against log x (their logarithms, of a power), at the geometric middle."""
    good = drawn.median > 0 if law == "power" else np.isfinite(drawn.median)
    u, v = np.log(drawn.x[good]), drawn.median[good]
    v = np.log(v) if law == "power" else v
    return np.exp((u[1:] + u[:-1]) / 2), np.diff(v) / np.diff(u)


def shade_outside(ax: Axes, low: float, high: float, *, start: float | None = None, toward: str = "infinity") -> list:
    """Shade what would refute: values beyond the ends of a region, from x = `start` on. The axes' limits stay free."""
    from matplotlib.patches import Rectangle

    log = ax.get_yscale() == "log"
    least, most = (1e-300, 1e300) if log else (-1e9, 1e9)
    whole = start is None or start <= 0
    corner, width = (0.0, 1.0) if whole else (1e-30, start) if toward == "zero" else (start, 1e30)
    shades = []
    for first, last in ((least, low), (high, most)):
        if math.isfinite(first) and math.isfinite(last) and first < last:
            shade = Rectangle(
                (corner, first),
                width,
                last - first,
                transform=ax.get_yaxis_transform() if whole else ax.transData,
                facecolor=REFUTING,
                alpha=0.09,
                linewidth=0,
                zorder=0.2,
                label=REFUTES,
            )
            ax.add_artist(shade)  # unlike add_patch, it does not stretch the axis
            shades.append(shade)
    return shades


def draw_floor(ax: Axes, dataset, floor: str | float, along: str, where, drawn: Curve):
    """The noise floor as a grey band, a variable or one value, which does not stretch the axis down."""
    if isinstance(floor, str):
        noise = curve(dataset, floor, along, where=where)
        x, top = noise.x, noise.median
    else:
        x, top = drawn.x, np.full(drawn.x.shape, float(floor))
    limits = ax.dataLim.frozen()
    ax.fill_between(x, 1e-300, top, color=GREY, alpha=0.22, linewidth=0, zorder=0.5, label="noise floor")
    ax.dataLim.set(limits)
    ax.update_datalim(np.column_stack([x, top / 2]))
    ax.autoscale_view()

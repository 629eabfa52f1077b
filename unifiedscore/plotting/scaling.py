"""One variable along one axis on logarithmic scales: seeds, median, interval, predicted rate, local slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference import SUPPORT_LEVEL, Rate
from unifiedscore.plotting.series import Curve, curve
from unifiedscore.plotting.style import GREY, INK, REFUTING, axis_label, new_figure, number, style, tidy, words

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

DASHED = (0, (4, 2.5))
"""How predictions are drawn."""


@final
@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted law y = C x^exponent, and the region of exponents that a claim allows.

    Parameters
    ----------
    exponent : float
    low, high : float
        Region of the exponent; slopes outside it refute the claim and are shaded.
    constant : float, optional
        C. Without it the line is anchored at the curve's last point.
    start : float
        The law is claimed from this x on: line, fit and ratio begin there.
    label : str
        How the legend calls it.

    Examples
    --------
    >>> Prediction(-1.0, low=-1.05, high=-0.95).exponent
    -1.0
    """

    exponent: float
    low: float = -math.inf
    high: float = math.inf
    constant: float | None = None
    start: float = 0.0
    label: str = "predicted"

    def __post_init__(self):
        if not self.low <= self.exponent <= self.high:
            raise InputError(
                f"Prediction: the exponent {self.exponent!r} must lie in its region [{self.low!r}, {self.high!r}]"
            )

    def at(self, x: np.ndarray, drawn: Curve) -> np.ndarray:
        """The predicted values at x, through the curve's last point unless the constant is predicted too."""
        if self.constant is not None:
            return self.constant * x**self.exponent
        return drawn.median[drawn.last] * (x / drawn.x[drawn.last]) ** self.exponent


def plot_scaling(
    dataset: xr.Dataset,
    variable: str,
    along: str,
    *,
    where: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
    lower: Axes | None = None,
    beneath: Literal["slopes", "ratio"] = "slopes",
    prediction: Prediction | None = None,
    floor: str | float | None = None,
    region: tuple[float, float] | None = None,
    label: str | None = None,
    color: str = INK,
    marker: str = "o",
    dashes="-",
    level: float = SUPPORT_LEVEL,
) -> Axes:
    """Draw `variable` against `along` on logarithmic scales, and beneath it what a straight line hides.

    Every seed is a faint dot, the median a line, the interval a band, the predicted law a dashed line, the noise
    floor a grey band, and what would refute a claim is shaded: values outside `region` above, slopes outside the
    prediction's region beneath.

    Parameters
    ----------
    dataset : xarray.Dataset
        With dims `along` and, for sampled evidence, `seed`; other axes are fixed by `where`.
    variable, along : str
    where : mapping, optional
        Labels of the other axes.
    ax, lower : Axes, optional
        Where to draw. Without `ax` a new figure with both panels is made; with it, the panel beneath is drawn only if
        `lower` is given. Calling again on the same axes adds a curve.
    beneath : {"slopes", "ratio"}
        Local slopes d log y / d log x, or measured over predicted.
    prediction : Prediction, optional
    floor : str or float, optional
        Noise floor: a variable, or one value.
    region : (low, high), optional
        Values that the claim allows.
    label, color, marker, dashes
        Of the curve. The legend adds the measured slope and its interval.
    level : float
        Of the t interval over seeds; numerical errors have none.

    Returns
    -------
    Axes
        The upper panel; `figure` of it has the rest. Nothing is shown or saved.

    Raises
    ------
    InputError
        The variable is unknown, an axis is left over, there is nothing positive to draw, or `beneath="ratio"` has no
        prediction.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> d = np.array([4, 16, 64, 256])
    >>> data = xr.Dataset({"error": ("dimension", 3.0 / d)}, {"dimension": d})
    >>> ax = plot_scaling(data, "error", "dimension", prediction=Prediction(-1.0, low=-1.1, high=-0.9))
    >>> ax.get_xscale()
    'log'
    """
    if beneath not in ("slopes", "ratio"):
        raise InputError(f"beneath must be 'slopes' or 'ratio'; got {beneath!r}")
    if beneath == "ratio" and prediction is None:
        raise InputError("beneath='ratio' divides by a prediction; give prediction=Prediction(exponent, constant=...)")
    drawn = curve(dataset, variable, along, where=where, level=level, transform="none")
    if not (drawn.median > 0).any():
        raise InputError(f"{variable} has no positive value at {dict(where or {})}, so it has no logarithm to draw")
    with style():
        if ax is None:
            figure = new_figure(5.6, 5.2)
            ax, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.15))
        label = words(variable) if label is None else label
        ax.set_xscale("log")
        ax.set_yscale("log", nonpositive="mask")
        draw_curve(
            ax, drawn, label=label + measured_slope(drawn, along, prediction), color=color, marker=marker, dashes=dashes
        )
        if prediction is not None:
            draw_prediction(ax, drawn, prediction)
        if floor is not None:
            _draw_floor(ax, dataset, floor, along, where, drawn)
        if region is not None:
            shade_outside(ax, *region)
        ax.set_ylabel(axis_label(dataset[variable], variable))
        tidy(ax)
        bottom = ax
        if lower is not None:
            lower.set_xscale("log")
            draw_beneath(lower, drawn, beneath, prediction, color=color, marker=marker, dashes=dashes, label=label)
            ax.tick_params(labelbottom=False)
            bottom = lower
        bottom.set_xlabel(axis_label(dataset[along], along))
        ax.legend(loc="best")
    return ax


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
    x = drawn.x[drawn.x >= prediction.start]
    if x.size == 0:
        return None
    x = np.array([x[0] / reach, x[-1] * reach])
    text = f"{prediction.label}: slope {number(prediction.exponent)}"
    if math.isfinite(prediction.low) or math.isfinite(prediction.high):
        text += f" {_interval(prediction.low, prediction.high)}"
    from matplotlib.patheffects import withStroke

    (line,) = ax.plot(
        x,
        prediction.at(x, drawn),
        color=color,
        linestyle=DASHED,
        linewidth=1.3,
        zorder=4.0,
        label=text,
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
    """Local slopes against the predicted exponent, or measured values over predicted ones."""
    if what == "ratio":
        keep = drawn.x >= prediction.start
        ratio = drawn.median[keep] / prediction.at(drawn.x[keep], drawn)
        ax.plot(
            drawn.x[keep],
            ratio,
            color=color,
            marker=marker,
            linestyle=dashes,
            linewidth=1.4,
            markersize=3.4,
            label=label,
        )
        ax.axhline(1.0, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
        ax.set_ylabel("measured /\npredicted")
    else:
        x, slopes = local_slopes(drawn)
        ax.plot(x, slopes, color=color, marker=marker, linestyle=dashes, linewidth=1.4, markersize=3.4, label=label)
        if prediction is not None:
            ax.axhline(prediction.exponent, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
            shade_outside(ax, prediction.low, prediction.high, start=prediction.start)
        ax.set_ylabel("local slope")
    tidy(ax)


def local_slopes(drawn: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Slopes between neighbouring medians on logarithmic scales, at the geometric middle of each gap."""
    good = drawn.median > 0
    u, v = np.log(drawn.x[good]), np.log(drawn.median[good])
    return np.exp((u[1:] + u[:-1]) / 2), np.diff(v) / np.diff(u)


def measured_slope(drawn: Curve, along: str, prediction: Prediction | None) -> str:
    """`: slope -1.00 [-1.01, -0.99]` by the rule that also judges claims; empty where nothing is predicted."""
    if prediction is None:
        return ""
    keep = drawn.x >= prediction.start
    if keep.sum() < 4:
        return ""
    low, high = prediction.low, prediction.high
    if math.isinf(low) and math.isinf(high):
        low = prediction.exponent - 1
    test = Rate(low, high, along=along)
    if drawn.kind == "t":
        complete = np.isfinite(drawn.values[keep]).all(axis=0)
        estimate = test.estimate(drawn.values[keep][:, complete], x=drawn.x[keep], level=drawn.level)
    else:
        error = np.nan_to_num(drawn.error[keep], nan=0.0)
        estimate = test.estimate(drawn.median[keep], x=drawn.x[keep], error=error, level=drawn.level)
    if estimate.kind == "none":
        return ""
    return f": slope {number(estimate.value)} {_interval(estimate.low, estimate.high)}"


def shade_outside(ax: Axes, low: float, high: float, *, start: float = 0.0):
    """Shade what would refute: values beyond the ends of a region, from x = `start` on. The axes' limits stay free."""
    from matplotlib.patches import Rectangle

    log = ax.get_yscale() == "log"
    least, most = (1e-300, 1e300) if log else (-1e9, 1e9)
    whole = start <= 0
    for first, last in ((least, low), (high, most)):
        if math.isfinite(first) and math.isfinite(last) and first < last:
            shade = Rectangle(
                (0 if whole else start, first),
                1 if whole else 1e30,
                last - first,
                transform=ax.get_yaxis_transform() if whole else ax.transData,
                facecolor=REFUTING,
                alpha=0.09,
                linewidth=0,
                zorder=0.2,
                label="refutes the claim",
            )
            ax.add_artist(shade)  # unlike add_patch, it does not stretch the axis


def _draw_floor(ax: Axes, dataset, floor: str | float, along: str, where, drawn: Curve):
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


def _interval(low: float, high: float) -> str:
    ends = [number(end) if math.isfinite(end) else ("−∞" if end < 0 else "∞") for end in (low, high)]
    return f"[{ends[0]}, {ends[1]}]"

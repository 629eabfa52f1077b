"""One variable along one axis on logarithmic scales: seeds, median, interval, predicted rate, local slopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from unifiedscore.errors import InputError
from unifiedscore.inference import SUPPORT_LEVEL, Rate
from unifiedscore.plotting.parts import (
    DASHED,
    draw_beneath,
    draw_curve,
    draw_floor,
    draw_prediction,
    local_slopes,
    shade_outside,
)
from unifiedscore.plotting.prediction import Prediction, measured_slope, read_prediction, slope_text
from unifiedscore.plotting.series import curve
from unifiedscore.plotting.style import axis_label, darker, new_figure, style, tidy, words
from unifiedscore.plotting.together import Entry, finish, next_look, together
from unifiedscore.study.claim import Claim
from unifiedscore.validate import shown

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = [
    "DASHED",
    "Prediction",
    "draw_beneath",
    "draw_curve",
    "draw_prediction",
    "local_slopes",
    "measured_slope",
    "plot_scaling",
    "shade_outside",
]


def plot_scaling(
    dataset: xr.Dataset,
    variable: str,
    along: str,
    *,
    where: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
    lower: Axes | None = None,
    beneath: Literal["slopes", "ratio"] = "slopes",
    prediction: Prediction | Rate | Claim | None = None,
    floor: str | float | None = None,
    region: tuple[float, float] | None = None,
    label: str | None = None,
    color: str | None = None,
    marker: str | None = None,
    dashes="-",
    transform: Literal["none", "log", "atanh"] = "none",
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
        Labels of the other axes. With a claim, its own `where` holds for the axes that are not named here.
    ax, lower : Axes, optional
        Where to draw. Without `ax` a new figure with both panels is made. Calling again with the axes returned adds a
        curve to both panels. On axes of your own the panel beneath is drawn if `lower` is given, once.
    beneath : {"slopes", "ratio"}
        Local slopes d log y / d log x, or measured over predicted.
    prediction : Prediction, Rate or Claim, optional
        What is predicted. A `Rate` is that of the claim: the legend then has the slope, the interval and the reason of
        its verdict, if the verdict is about this curve alone. A `Claim` also fixes levels, labels and evidence.
    floor : str or float, optional
        Noise floor: a variable, or one value.
    region : (low, high), optional
        Values that the claim allows.
    label, color, marker, dashes
        Of the curve; by default each curve of a panel gets its own colour and marker. The legend adds the measured
        slope and its interval.
    transform : {"none", "log", "atanh"}
        In which the interval over seeds is taken, as of the claim's `Inside`.
    level : float
        Of the t interval over seeds; numerical errors have none.

    Returns
    -------
    Axes
        The upper panel; `figure` of it has the rest. Nothing is shown or saved.

    Raises
    ------
    InputError
        The variable is unknown, an axis is left over, there is nothing positive to draw, `beneath="ratio"` has no
        prediction, or the claim is not about this curve.

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
        raise InputError(f"beneath must be 'slopes' or 'ratio'; got {shown(beneath)}")
    if beneath == "ratio" and prediction is None:
        raise InputError("beneath='ratio' divides by a prediction; give prediction=Prediction(exponent, constant=...)")
    law, claim = read_prediction(prediction, variable, along)
    if claim is not None:
        where = {**claim.where, **(where or {})}
    drawn = curve(dataset, variable, along, where=where, level=level, transform=transform)
    power = law is None or law.law == "power"
    if power and not (drawn.median > 0).any():
        raise InputError(f"{variable} has no positive value at {dict(where or {})}, so it has no logarithm to draw")
    with style():
        own = ax is None
        if ax is None:
            figure = new_figure(8.6, 5.0)
            ax, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.15))
        panel = together(ax, lower, own=own)
        look = dict(zip(("color", "marker"), next_look(panel), strict=True))
        look |= {name: given for name, given in (("color", color), ("marker", marker)) if given is not None}
        name = words(variable) if label is None else label
        labels = ", ".join(f"{words(axis)} {chosen}" for axis, chosen in (where or {}).items()) if label is None else ""
        slope = "" if law is None else slope_text(measured_slope(drawn, along, law, claim, dataset))
        before = set(ax.get_children())
        ax.set_xscale("log")
        if power:
            ax.set_yscale("log", nonpositive="mask")
        line = draw_curve(ax, drawn, label=name, **look, dashes=dashes)
        dashed = None if law is None else draw_prediction(ax, drawn, law, color=darker(look["color"]))
        artists = frozenset(set(ax.get_children()) - before)
        if floor is not None:
            draw_floor(ax, dataset, floor, along, where, drawn)
        ax.set_ylabel(axis_label(dataset[variable], variable))
        tidy(ax)
        slopes = None
        if panel.lower is not None:
            panel.lower.set_xscale("log")
            slopes = draw_beneath(panel.lower, drawn, beneath, law, label=name, **look, dashes=dashes)
            ax.tick_params(labelbottom=False)
        panel.entries.append(
            Entry(name, labels, slope, drawn, line, artists, look["color"], law, dashed, slopes, region)
        )
        (ax if panel.lower is None else panel.lower).set_xlabel(axis_label(dataset[along], along))
        finish(ax, panel)
    return ax

"""Low temperature: the constant in front of the score, and a residual that does not vanish."""

import numpy as np

from unifiedscore.plotting.scaling import draw_curve
from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import GREY, axis_label, caption, new_figure, series_legend, shades, style, tidy

study = "low_temperature"
claims = ("drift.low_temperature_constant", "drift.low_temperature_residual")


def figure(dataset):
    dimensions = [int(d) for d in np.ravel(dataset["dimension"].values)]
    colours = dict(zip(dimensions, shades(len(dimensions)), strict=True))
    with style():
        canvas = new_figure(9.6, 5.8)
        axes = canvas.subplots(2, 2, sharex=True, height_ratios=(3, 1.5))
        panels = (
            ("constant", lambda d: d + 1.0, "a  Drift over score tends to (d + 1) τ²", "$d+1$"),
            ("residual_ratio", lambda d: 1 / (d + 1.0), "b  The residual stays: 1/(d + 1) of the drift", "$1/(d+1)$"),
        )
        for column, (variable, limit, title, text) in enumerate(panels):
            _draw(dataset, variable, limit, axes[:, column], colours, text)
            axes[0, column].set_title(title)
        axes[0, 0].set_yscale("log", base=2)
        axes[0, 0].set_yticks([d + 1 for d in dimensions], [str(d + 1) for d in dimensions])
        axes[0, 0].minorticks_off()
        series_legend(canvas, axes[0, 0], "$d=", loc="outside right center", title="dimension")
        caption(
            canvas,
            "Laplace kernel, standard normal law, exact population values. Dashed: predicted limits for bandwidth → 0. "
            "Beneath: distance to the limit, which falls like bandwidth² (dotted guide).",
        )
    return canvas


def _draw(dataset, variable, limit, axes, colours, text):
    upper, lower = axes
    for ax in axes:
        ax.set_xscale("log")
    lower.set_yscale("log", nonpositive="mask")
    for d, color in colours.items():
        at = {"dimension": d, "kernel": "laplace", "law": "normal", "seed": 0}
        if not has(dataset, variable, at):
            continue
        drawn = curve(dataset, variable, "bandwidth", where=at)
        draw_curve(upper, drawn, label=f"$d={d}$", color=color)
        upper.axhline(
            limit(d), color=color, linestyle=(0, (4, 2.5)), linewidth=1.1, zorder=1.5, label=f"$d={d}$: {text}"
        )
        gap = abs(drawn.median / limit(d) - 1)
        lower.plot(drawn.x, gap, color=color, marker="o", markersize=3.4, linewidth=1.4, label=f"$d={d}$")
    x = drawn.x[[0, -1]]
    lower.plot(x, gap[0] * 3 * (x / x[0]) ** 2, color=GREY, linestyle=(0, (1, 1.5)), linewidth=1.4, label="slope 2")
    lower.set_xticks(drawn.x, [f"{value:g}" for value in drawn.x])
    lower.minorticks_off()
    upper.set_ylabel(axis_label(dataset[variable], variable))
    lower.set_ylabel("relative distance\nto the limit")
    lower.set_xlabel(axis_label(dataset["bandwidth"], "bandwidth"))
    for ax in axes:
        tidy(ax)

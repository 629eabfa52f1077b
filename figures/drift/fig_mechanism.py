"""Mechanism: preconditioner ratio, residual gap, scales, and the matched Gaussian as dimension grows."""

import numpy as np

from unifiedscore.plotting.scaling import DASHED, Prediction, draw_beneath, draw_curve, draw_prediction, shade_outside
from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import (
    DASHES,
    GREY,
    INK,
    axis_label,
    caption,
    new_figure,
    number,
    series_legend,
    shades,
    style,
    tidy,
)

study = "laplace_mechanism"
claims = (
    "drift.preconditioner_ratio",
    "drift.residual_gap_decay",
    "drift.ctheory_vs_posterior",
    "drift.oracle_scale",
    "drift.matched_gaussian",
)

FAMILY = "ring_mog"
START = 4096


def figure(dataset):
    exponents = sorted((float(a) for a in np.ravel(dataset["bandwidth_exponent"])), reverse=True)
    colours = dict(zip(exponents, shades(len(exponents)), strict=True))
    with style():
        canvas = new_figure(10.2, 8.4)
        axes = canvas.subplots(4, 2, sharex=True, height_ratios=(3, 1.1, 3, 1.1))
        for ax in axes.ravel():
            ax.set_xscale("log")
        _ratio(dataset, axes[0, 0], axes[1, 0], colours)
        _gap(dataset, axes[0, 1], axes[1, 1], colours)
        _scales(dataset, axes[2, 0], axes[3, 0], colours)
        _matched(dataset, axes[2, 1], axes[3, 1], colours)
        for ax in axes[-1]:
            ax.set_xlabel(axis_label(dataset["dimension"], "dimension"))
        for ax in axes.ravel():
            tidy(ax)
        title = "bandwidth $=\\bar\\tau\\,d^{\\,a}$"
        series_legend(canvas, axes[0, 0], "$a", loc="outside upper left", title=title, ncols=3)
        caption(
            canvas,
            "Two rings of six Gaussians with equal means, Laplace kernel, exact population values (numerical "
            "errors are thinner than the lines). Dashed: predicted slope, anchored at the last point; shaded: "
            "slopes that refute it.",
        )
    return canvas


def _each(dataset, variable, colours):
    for a, color in colours.items():
        at = {"dataset": FAMILY, "bandwidth_exponent": a, "seed": 0, "estimator": "population"}
        if has(dataset, variable, at):
            label = f"$a={number(a)}$".replace("\N{MINUS SIGN}", "-")
            yield curve(dataset, variable, "dimension", where=at), {"color": color, "label": label}


def _rate(dataset, variable, ax, lower, colours, law):
    ax.set_yscale("log", nonpositive="mask")
    for drawn, look in _each(dataset, variable, colours):
        draw_curve(ax, drawn, **look)
        draw_prediction(ax, drawn, law, reach=2)
        draw_beneath(lower, drawn, "slopes", None, **look)
    lower.axhline(law.exponent, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
    lower.set_ylim(law.exponent - 1.2, law.exponent + 1.2)
    shade_outside(lower, law.low, law.high, start=law.start)


def _ratio(dataset, ax, lower, colours):
    law = Prediction(-1.0, low=-1.05, high=-0.95, start=START)
    _rate(dataset, "preconditioner_gap", ax, lower, colours, law)
    ax.set_title("a  Preconditioners, target over model")
    ax.set_ylabel(r"$|\,E_q[\alpha_p/\alpha_q]-1\,|$")


def _gap(dataset, ax, lower, colours):
    _rate(dataset, "gap_energy", ax, lower, colours, Prediction(-2.0, low=-2.05, high=-1.95, start=1024))
    ax.set_title("b  Gap between the covariance residuals")
    ax.set_ylabel(r"$E_q\,|\delta_p-\delta_q|^2$")


def _scales(dataset, ax, lower, colours):
    for drawn, look in _each(dataset, "scale_ratio_theory", colours):
        draw_curve(ax, drawn, **look)
    for drawn, look in _each(dataset, "posterior_ratio", colours):
        draw_curve(lower, drawn, **look)
    ax.axhline(1.0, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
    lower.axhline(1.0, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
    ax.set_ylim(0, 1.1)
    lower.set_ylim(None, 1.08)
    ax.set_title("c  Best scale, and posterior scale, over the theory's")
    ax.set_ylabel(r"least-squares scale $C^*/C_{th}$")
    lower.set_ylabel("$C_{post}/C_{th}$")


def _matched(dataset, ax, lower, colours):
    law = Prediction(-1.0, high=-0.9, start=1024)
    names = {"matched_posterior": "matched posterior", "matched_theory": "matched theory"}
    ax.set_yscale("log", nonpositive="mask")
    for position, variable in enumerate(names):
        for drawn, look in _each(dataset, variable, colours):
            look["label"] += f": {names[variable]}"
            dashes = DASHES[0] if position == 0 else DASHES[2]
            draw_curve(ax, drawn, **look, dashes=dashes, marker="s" if position == 0 else "")
            if position == 0:
                draw_prediction(ax, drawn, law, reach=2)
                draw_beneath(lower, drawn, "slopes", None, **look, marker="s")
    lower.axhline(law.exponent, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
    lower.set_ylim(-2.2, 0.2)
    shade_outside(lower, law.low, law.high, start=law.start)
    ax.set_title("d  Error of what might replace the Laplace drift")
    ax.set_ylabel("relative squared error")
    for drawn, look in _each(dataset, "own_score", colours):
        look["label"] += ": own score"
        draw_curve(ax, drawn, **look, dashes=DASHES[3], marker="", zorder=2.0)
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], color=GREY, linestyle=DASHES[3], label="its own score difference"),
        Line2D([], [], color=GREY, marker="s", label=r"Gaussian, bandwidth$^2=C_{post}$"),
        Line2D([], [], color=GREY, linestyle=DASHES[2], label=r"Gaussian, bandwidth$^2=C_{th}$"),
    ]
    # Room beneath the curves for the legend.
    ax.set_ylim(bottom=1e-12)
    ax.legend(handles=shown, loc="lower left")

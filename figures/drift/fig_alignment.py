"""Alignment of the Laplace drift with its score as dimension grows: absolute and relative error, cosine."""

import numpy as np

from unifiedscore.plotting.scaling import DASHED, Prediction, draw_beneath, draw_curve, draw_prediction, shade_outside
from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import INK, axis_label, caption, new_figure, number, series_legend, shades, style, tidy

study = "laplace_alignment"
claims = (
    "drift.highdim_absolute",
    "drift.highdim_relative",
    "drift.highdim_relative_equal_means",
    "drift.raw_mog_limit",
)

FAMILIES = {"ring_mog": "Equal means", "ring_mog_shifted": "Means differ", "raw_mog": "Centres grow like √d"}
RAW_LIMIT = 0.1080604  # of the relative error for the raw mixture
SCALE = {-0.5: 4.0, 0.0: 1.0, 0.5: 0.3}  # bandwidth = SCALE[a] * dimension^a
LABELS = ("absolute squared error", "relative squared error", "cosine of drift\nand score difference")
FLAT = 2 / 27  # limit of relative error / bandwidth^2 for two rings with equal means
START = 4096  # the laws are claimed from here on
ABSOLUTE = Prediction(-1.0, low=-1.05, high=-0.95, start=START)


def figure(dataset):
    families = {name: title for name, title in FAMILIES.items() if has(dataset, "relative", _at(name))}
    with style():
        canvas = new_figure(4.0 * len(families) + 0.8, 11.2)
        axes = canvas.subplots(
            5, len(families), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1.1, 3, 1.1, 2.6)
        )
        for column, (name, title) in enumerate(families.items()):
            _draw_family(dataset, name, axes[:, column])
            axes[0, column].set_title(title, fontsize=11.5)
        for ax in axes[:, 1:].ravel():
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)
        for ax in axes[-1]:
            ax.set_xlabel(axis_label(dataset["dimension"], "dimension"))
        title = "bandwidth $=\\bar\\tau\\,d^{\\,a}$"
        series_legend(canvas, axes[0, 0], "$a", loc="outside upper left", title=title, ncols=3)
        caption(
            canvas,
            "Exact population values; bands: numerical error (thinner than the lines). Dashed: predicted laws, "
            "where they are claimed; shaded: slopes that refute them. An absolute error that falls like 1/d can"
            " hide a relative error that grows like d.",
        )
    return canvas


def _at(name, exponent=0.5):
    return {"dataset": name, "estimator": "population", "bandwidth_exponent": exponent}


def _draw_family(dataset, name, axes):
    absolute, slopes, relative, ratio, cosine = axes
    exponents = sorted((float(a) for a in np.ravel(dataset["bandwidth_exponent"])), reverse=True)
    colours = dict(zip(exponents, shades(len(exponents)), strict=True))
    for ax in axes:
        ax.set_xscale("log")
    for ax in (absolute, relative):
        ax.set_yscale("log", nonpositive="mask")
    for a in exponents:
        at = _at(name, a)
        if not has(dataset, "relative", at):
            continue
        look = {"color": colours[a], "marker": "o"}
        label = f"$a={number(a)}$, $\\bar\\tau={SCALE.get(a, 1.0):g}$".replace("\N{MINUS SIGN}", "-")
        drawn = {kind: curve(dataset, kind, "dimension", where=at) for kind in ("absolute", "relative", "cosine")}
        draw_curve(absolute, drawn["absolute"], label=label, **look)
        draw_curve(relative, drawn["relative"], label=label, **look)
        draw_curve(cosine, drawn["cosine"], label=label, **look)
        if name != "raw_mog" and (a == 0.5 or (a > -0.5 and name == "ring_mog")):
            draw_prediction(absolute, drawn["absolute"], ABSOLUTE)
        draw_beneath(slopes, drawn["absolute"], "slopes", None, label=label, **look)
        law = _relative_law(name, a)
        if law is not None:
            draw_prediction(relative, drawn["relative"], law)
            draw_beneath(ratio, drawn["relative"], "ratio", law, label=label, **look)
            _name_law(relative, drawn["relative"], law, colours[a])
    if name != "raw_mog":
        slopes.axhline(-1.0, color=INK, linestyle=DASHED, linewidth=1.0, zorder=1.5)
        shade_outside(slopes, ABSOLUTE.low, ABSOLUTE.high, start=START)
    slopes.set_ylim(-2.3, 1.3)
    ratio.set_ylim(0.0, 1.6)
    cosine.set_ylim(-0.05, 1.05)
    for ax, label in zip((absolute, relative, cosine), LABELS, strict=True):
        ax.set_ylabel(label)
        tidy(ax)


def _relative_law(name, a):
    """What theory says of the relative error: (2/27) bandwidth^2 for equal means, 1/d for different ones."""
    if name == "ring_mog" and a >= 0:
        return Prediction(2 * a, constant=FLAT * SCALE.get(a, 1.0) ** 2, label="predicted with its constant 2/27")
    if name == "ring_mog_shifted" and a == 0.5:
        return Prediction(-1.0, start=START)
    if name == "raw_mog" and a == 0.5:
        return Prediction(0.0, constant=RAW_LIMIT, label="predicted limit")
    return None


def _name_law(ax, drawn, law, color):
    x = drawn.x[-1]
    if law.constant == RAW_LIMIT:
        text = f"{RAW_LIMIT:.4f}"
    elif law.constant is None:
        text = r"$\propto d^{-1}$"
    else:
        text = r"$\frac{2}{27}\,\bar\tau^2d$" if law.exponent else r"$\frac{2}{27}\,\bar\tau^2$"
    place = {"xytext": (0, -17), "va": "top"} if law.exponent > 0 else {"xytext": (-2, 14), "va": "bottom"}
    y = law.at(np.array([x]), drawn)[0]
    ax.annotate(text, (x, y), textcoords="offset points", ha="right", color=color, fontsize=11, **place)

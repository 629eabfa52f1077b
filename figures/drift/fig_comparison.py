"""The drifts in one table: which are gradients, where they vanish, what they cost, how near the Gaussian one."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, GREY, ORANGE, caption, colour, new_figure, number, style, tidy

study = "drift_zoo"
claims = ("drift.variants_conservative", "drift.variants_equilibrium")

TITLES = {
    "drift": "Drift",
    "score": "Score difference",
    "sharp": "Sharp drift",
    "batch": "Algorithm 2",
    "sinkhorn": "Sinkhorn",
    "kl_target_model": "KL(p|q) weights",
    "chi2_model_target": "χ²(q|p) weights",
    "witness": "MMD witness",
    "kl_flow": "Smoothed KL flow",
}
# Fields for which no theorem says that q = p where they vanish everywhere.
OPEN = ("batch:laplace", "sinkhorn:gaussian", "sinkhorn:laplace")
COLUMNS = {
    "curl_share": ("a  Curl", "largest curl over\nlargest Jacobian", 1e-9),
    "at_target": ("b  At q = p", "largest length, relative\n(open: target moved by .1)", 1e-10),
    "iterations": ("c  Cost", "sweeps over the\nkernel matrix", 1.0),
    "energy": ("d  Size", "mean squared length\nunder the model", 1e-3),
    "alignment": ("e  Direction", "global cosine to\nthe Gaussian drift", None),
}


def figure(dataset):
    names = [str(name) for name in np.ravel(dataset["field"].values)]
    with style():
        canvas = new_figure(11.6, 0.36 * len(names) + 2.2)
        axes = canvas.subplots(1, len(COLUMNS), sharey=True, width_ratios=(1.2, 1.2, 1, 1, 1))
        for ax, (variable, (title, label, least)) in zip(axes, COLUMNS.items(), strict=True):
            _column(ax, dataset, names, variable, least)
            ax.set_title(title)
            ax.set_xlabel(label)
        axes[0].set_yticks(range(len(names)), [_label(name) for name in names])
        axes[0].set_ylim(len(names) - 0.4, -0.6)
        axes[0].set_ylabel("field, kernel")
        for row, name in enumerate(names):
            at, text = axes[-1].get_yaxis_transform(), "not known" if name in OPEN else "q = p"
            axes[-1].text(1.12, row, text, transform=at, va="center", fontsize=8.5)
        axes[-1].text(1.12, 1.02, "zero only at", transform=axes[-1].transAxes, fontsize=8.5, fontweight="bold")
        caption(
            canvas,
            "Ring of six modes, radius 3, and a model of radius 2.5, turned; bandwidth 1, population fields. a: blue "
            "fields are gradients, up to the error of the difference quotients. b: relative to the length on the "
            "problem itself; values below the axis are drawn at its end. c: a sweep meets each pair of points once.",
        )
    return canvas


def _label(name):
    kind, _, kernel = name.partition(":")
    return f"{TITLES.get(kind, kind)}, {kernel}"


def _values(dataset, names, variable):
    at = [pick(dataset[[variable]], {"field": name})[variable] for name in names]
    return np.array([float(np.ravel(value.values)[0]) for value in at])


def _column(ax, dataset, names, variable, least):
    rows, values = np.arange(len(names)), _values(dataset, names, variable)
    shown = values if least is None else np.maximum(np.abs(values), least)
    left = 0.8 if least is None else least
    colours = [colour(name.split(":")[1]) for name in names]
    if variable == "curl_share":
        colours = [BLUE if value < 1e-5 else ORANGE for value in values]
    if variable == "at_target":
        moved = _values(dataset, names, "near_target")
        ax.plot(moved, rows, "o", markerfacecolor="none", markeredgecolor=GREY, markersize=5, label="moved by .1")
    ax.hlines(rows, left, shown, color=colours, linewidth=1.6)
    ax.scatter(shown, rows, c=colours, s=26, zorder=3, label=variable)
    if least is not None:
        ax.set_xscale("log")
        top = 1.0 if variable == "at_target" else shown.max()
        ax.set_xlim(0.6 * least, 20 * top)
    else:
        ax.set_xlim(0.8, 1.045)
    if variable in ("iterations", "energy", "alignment"):
        for row, value, at in zip(rows, values, shown, strict=True):
            text = number(round(value, 3) if variable == "alignment" else value, 2 if variable == "energy" else 3)
            ax.annotate(text, (at, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=7.5)
    tidy(ax, grid="x")

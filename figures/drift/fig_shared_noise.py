"""Shared noise: fields estimated from the same samples look aligned where the population fields are not."""

import numpy as np

from unifiedscore.plotting.scaling import draw_curve
from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import INK, axis_label, caption, colour, new_figure, style, tidy

study = "laplace_alignment"
claims = ("drift.shared_noise", "drift.cross_fitting")

AT = {"dataset": "ring_mog", "bandwidth_exponent": 0.5, "kernel": "laplace"}
NAMES = {
    "same_sample": "same samples for both fields",
    "population": "the truth: population fields",
    "cross_fitted": "cross-fitted",
    "split_sample": "other samples for each field",
}
WORTH_SAYING = 0.1  # an excess of the cosine that the eye can see
BEYOND = 16  # how far the exact curve is followed beyond the last sampled dimension


def figure(dataset):
    curves = _curves(dataset, "cosine")
    sampled = [drawn for name, drawn in curves.items() if name != "population"]
    last = max((drawn.x[-1] for drawn in sampled), default=np.inf)
    right = max(min(last * BEYOND, drawn.x[-1]) for drawn in curves.values())
    left = min(drawn.x[0] for drawn in curves.values())
    # What lies beyond is not drawn: a line cut off by the frame would promise more.
    dataset = dataset.sel(dimension=slice(None, right))
    curves = _curves(dataset, "cosine")
    with style():
        canvas = new_figure(8.6, 6.4)
        ax, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
        lines = _draw(ax, curves)
        ax.set_ylim(-0.24, 1.1)
        ax.set_ylabel("cosine between drift and score difference")
        excess = _measure_excess(ax, curves, last)
        title = "Alignment of drift and score difference, by estimator"
        if excess > WORTH_SAYING:
            title = "Estimated from the same samples, a drift looks like a score. It is not."
        ax.set_title(title, fontsize=12)
        ax.legend(lines, [line.get_label() for line in lines], loc="lower left", labelcolor="linecolor", fontsize=10)
        _energies(lower, dataset, right)
        lower.set_xscale("log", base=4)
        lower.set_xlim(left / 1.3, right * 1.25)
        lower.set_xticks(4.0 ** np.arange(np.ceil(np.log(left) / np.log(4)), np.log(right) / np.log(4) + 1e-9))
        lower.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace(",", "\N{THIN SPACE}"))
        lower.minorticks_off()
        lower.set_xlabel(axis_label(dataset["dimension"], "dimension"))
        for panel in (ax, lower):
            tidy(panel, grid="y")
        caption(canvas, _note(curves))
    return canvas


def _curves(dataset, variable):
    found = [name for name in NAMES if has(dataset, variable, AT | {"estimator": name})]
    return {name: curve(dataset, variable, "dimension", where=AT | {"estimator": name}) for name in found}


def _draw(ax, curves):
    front = {"same_sample": 5.0, "population": 4.5}  # what is compared lies on top
    lines = {}
    for name, drawn in curves.items():
        lines[name] = draw_curve(ax, drawn, label=NAMES[name], color=colour(name), zorder=front.get(name, 3.0))
    if "cross_fitted" in lines:  # seen as a rim where it agrees with the truth
        lines["cross_fitted"].set(linewidth=5.5, markersize=9)
    return list(lines.values())


def _measure_excess(ax, curves, last):
    """An arrow from the truth to what shared samples show, at the last sampled dimension; returns its length."""
    if not {"population", "same_sample"} <= set(curves):
        return 0.0
    exact, shared = curves["population"], curves["same_sample"]
    truth = exact.median[int(np.argmin(abs(exact.x - last)))]
    seen = shared.median[shared.last]
    if seen - truth > WORTH_SAYING:
        arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 1.2}
        ax.annotate("", (last, seen - 0.012), (last, truth + 0.012), arrowprops=arrow, zorder=6)
        text = f"excess {seen - truth:.2f}:\nboth fields share\ntheir noise"
        middle = (last, (seen + truth) / 2)
        ax.annotate(text, middle, (9, 0), textcoords="offset points", va="center", fontsize=9.5, zorder=6)
    return seen - truth


def _energies(ax, dataset, right):
    """Why: the energy of the true drift against that of its estimate, which is mostly noise."""
    names = {"population": "true", "same_sample": "estimated"}
    ax.set_yscale("log", nonpositive="mask")
    lowest = []
    for name, drawn in _curves(dataset, "energy").items():
        if name in names:
            lowest.append(np.nanmin(drawn.median[drawn.x <= right]))
            draw_curve(ax, drawn, label=f"energy, {names[name]}", color=colour(name))
            place = {"xytext": (6, 2), "va": "bottom"} if name == "population" else {"xytext": (8, 0), "va": "center"}
            at = drawn.last if name != "population" else min(drawn.last, len(drawn.x) - 1, 4)
            point = drawn.x[at], drawn.median[at]
            ax.annotate(names[name], point, textcoords="offset points", color=colour(name), fontweight="bold", **place)
    if lowest:
        ax.set_ylim(bottom=min(lowest) / 10)
    ax.set_ylabel("energy of\nthe drift")


def _note(curves):
    text = "Laplace kernel, bandwidth ∝ √dimension, two rings of six Gaussians with equal means."
    kind = next((drawn.caption for drawn in curves.values() if drawn.kind == "t"), "")
    if kind:
        text += f" Lines: medians; dots: seeds; bands: {kind} (of the mean). Population: quadrature, no sampling noise."
    crossed = curves.get("cross_fitted")
    if crossed is not None and crossed.undefined.any():
        where = int(crossed.x[crossed.undefined > 0][0])
        text += f" From dimension {where} on, noise leaves the cross-fitted cosine without a value in some seeds; the "
        text += "others would mislead, so its line ends and only dots remain."
    return text

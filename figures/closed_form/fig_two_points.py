"""Two points: where smoothing makes every sample collapse, and how slowly steps converge near it."""

import numpy as np

from unifiedscore.plotting.scaling import Prediction, plot_scaling
from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, GREY, INK, RED, axis_label, caption, new_figure, shades, style, tidy

study = "closed_form_two_points"
claims = ("closed_form.two_point_bifurcation", "closed_form.step_rate", "closed_form.start_time_final")
SLOPES = {0.6: -0.497372, 1.2: -0.335096}


def figure(dataset):
    with style():
        canvas = new_figure(10.4, 4.6)
        panels = canvas.subplot_mosaic([["a", "b", "d"], ["a", "c", "d"]], height_ratios=(3, 1.2))
        panels["c"].sharex(panels["b"])
        _bifurcation(dataset, panels["a"])
        for smoothing, color in ((0.6, BLUE), (1.2, RED)):
            slope = SLOPES[smoothing]
            plot_scaling(
                dataset,
                "gap",
                "n_steps",
                where={"smoothing": smoothing, "start_time": 0.0},
                ax=panels["b"],
                lower=panels["c"],
                prediction=Prediction(slope, label="$S^{-(1-\\rho)}$"),
                label=f"σ = {smoothing:g}",
                color=color,
            )
        chosen = [
            (handle, text)
            for handle, text in zip(*panels["b"].get_legend_handles_labels(), strict=True)
            if "numerical" not in text
        ]
        panels["b"].legend(*zip(*chosen, strict=True), loc="lower left", fontsize=7.5)
        low, high = panels["b"].get_ylim()
        panels["b"].set_ylim(low / 12, high)
        panels["b"].set_title("b  The error falls like $S^{-(1-\\rho)}$")
        _late(dataset, panels["d"])
        caption(
            canvas,
            "Two points at ±1, population noise, paths from 2.5. a: end of the path after S steps, and the fixed point "
            "of the limit map; it vanishes above σ = √(2/π) (dotted). c: distance of the final laws when starting at T "
            "from the unsmoothed mixture.",
        )
    return canvas


def _bifurcation(dataset, ax):
    steps = [int(s) for s in np.ravel(dataset["n_steps"].values)]
    for count, color in zip(steps, shades(len(steps)), strict=True):
        at = pick(dataset, {"start_time": 0.0, "n_steps": count})
        end = np.ravel(at["end"].values)
        good = np.isfinite(end)
        ax.plot(at["smoothing"].values[good], end[good], "o-", color=color, markersize=4, label=f"S = {count}")
    at = pick(dataset, {"start_time": 0.0, "n_steps": steps[0]})
    target = np.ravel(at["target"].values)
    good = np.isfinite(target)
    ax.plot(at["smoothing"].values[good], target[good], "*", color=INK, markersize=10, label="fixed point", zorder=4)
    ax.axvline(np.sqrt(2 / np.pi), color=GREY, linestyle=(0, (1, 1.5)), linewidth=1.4)
    ax.set_title("a  Collapse above σ = √(2/π)")
    ax.set_xlabel("smoothing σ, half-distances")
    ax.set_ylabel(axis_label(dataset["end"], "end"))
    ax.legend(loc="lower left")
    tidy(ax)


def _late(dataset, ax):
    for smoothing, color in ((0.1, BLUE), (0.4, RED)):
        at = pick(dataset, {"smoothing": smoothing})
        at = at.isel({axis: 0 for axis in at.sizes if axis not in ("start_time", "n_steps")})
        rows = at["at_end"].transpose("start_time", "n_steps").values
        at_end, at_start = (
            np.array([row[np.isfinite(row)][0] if np.isfinite(row).any() else np.nan for row in values])
            for values in (rows, at["at_start"].transpose("start_time", "n_steps").values)
        )
        x = at["start_time"].values
        ax.plot(x, at_end, "o-", color=color, label=f"σ = {smoothing:g}: at t = 1")
        ax.plot(x, at_start, "s--", color=color, markersize=4, label=f"σ = {smoothing:g}: at T")
    ax.set_title("c  What a late start changes")
    ax.set_xlabel("start time T")
    ax.set_ylabel("W2, half-distances")
    ax.legend(loc="upper left")
    tidy(ax)

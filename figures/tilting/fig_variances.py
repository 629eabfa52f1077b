"""Variance of the regression targets against time, and what it integrates to against the cut-off."""

import numpy as np

from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import BLUE, GREEN, RED, axis_label, caption, new_figure, style, tidy, words

study = "tilting_floors"
claims = ("tilting.tsm_kl_infinite", "tilting.csm_kl_infinite", "tilting.schedule_free_floor")

TARGETS = {
    "csm": ("conditional", RED),
    "tsm": ("target score", BLUE),
    "nsm": ("novel, adjoint", GREEN),
}


def figure(dataset):
    schedules = [str(name) for name in np.ravel(dataset["schedule"].values)]
    with style():
        canvas = new_figure(3.3 * len(schedules), 6.0)
        axes = canvas.subplots(2, len(schedules), squeeze=False, sharey="row")
        for column, name in enumerate(schedules):
            upper, lower = axes[:, column]
            for key, (label, color) in TARGETS.items():
                _variance(upper, dataset, f"{key}_variance", name, label, color)
                _floor(lower, dataset, f"{key}_floor", name, label, color)
            upper.set_yscale("log")
            lower.set_xscale("log")
            lower.set_yscale("log")
            lower.invert_xaxis()
            upper.set_title(words(name))
            upper.set_xlabel("time")
            lower.set_xlabel(axis_label(dataset["cutoff"], "cutoff"))
            for ax in (upper, lower):
                tidy(ax)
        axes[0, 0].set_ylabel("variance of the target")
        axes[1, 0].set_ylabel("KL-weighted floor on\n[cut-off, 1 - cut-off]")
        axes[0, 0].legend(loc="upper center")
        caption(
            canvas,
            "Gaussian family, closed forms. Above: the conditional target diverges at 1, the target score at 0, "
            "their combination nowhere. Beneath: logarithm, power law, constant (dashed, one value for all schedules).",
        )
    return canvas


def _variance(ax, dataset, variable, schedule, label, color):
    if has(dataset, variable, {"schedule": schedule}):
        # The status of a cell has no time axis.
        drawn = curve(
            dataset.drop_vars("status", errors="ignore"),
            variable,
            "time",
            where={"schedule": schedule, "cutoff": _largest(dataset)},
        )
        ax.plot(drawn.x, drawn.median, color=color, label=label)


def _floor(ax, dataset, variable, schedule, label, color):
    where = {"schedule": schedule}
    if not has(dataset, variable, where):
        return
    drawn = curve(dataset, variable, "cutoff", where=where)
    if drawn.x.size == 1:
        ax.axhline(drawn.median[0], color=color, linestyle=(0, (4, 2.5)), label=label)
    else:
        ax.plot(drawn.x, drawn.median, color=color, marker="o", label=label)


def _largest(dataset):
    return float(np.max(dataset["cutoff"].values))

"""Gradient variance of fine-tuning targets against the cut-off: what the network outputs decides."""

from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import BLUE, GREEN, ORANGE, RED, axis_label, caption, new_figure, style, tidy, words

study = "learned_gradients"
claims = ("learned.gradient_variance",)

TARGETS = {"csm": "conditional", "tsm": "target score", "nsm": "novel, adjoint"}
COLOURS = {"score": RED, "noise": ORANGE, "denoiser": BLUE, "velocity": GREEN}


def figure(dataset):
    schedules = [str(name) for name in dataset["schedule"].values]
    with style():
        canvas = new_figure(3.2 * len(TARGETS), 2.6 * len(schedules))
        axes = canvas.subplots(len(schedules), len(TARGETS), squeeze=False, sharex=True)
        for row, schedule in zip(axes, schedules, strict=True):
            for ax, (target, label) in zip(row, TARGETS.items(), strict=True):
                for parametrisation, color in COLOURS.items():
                    _line(ax, dataset, target, {"schedule": schedule, "parametrisation": parametrisation}, color)
                ax.set_xscale("log")
                ax.set_yscale("log")
                ax.set_title(f"{label}, {words(schedule)}", fontsize=9)
                tidy(ax)
            row[0].set_ylabel("gradient variance")
        for ax in axes[-1]:
            ax.set_xlabel(axis_label(dataset["cutoff"], "cutoff"))
        axes[0, 0].invert_xaxis()
        handles, labels = axes[0, 0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper center", ncols=len(COLOURS), title="the network gives")
        caption(
            canvas,
            "Gaussian base, p* = N(0, 2/3), time uniform on [cut-off, 1 - cut-off], weight η. With a score network the "
            "conditional target has a finite variance under two of the three schedules, with any other network under "
            "none.",
        )
    return canvas


def _line(ax, dataset, variable, where, color):
    if has(dataset, variable, where):
        drawn = curve(dataset, variable, "cutoff", where=where)
        ax.plot(drawn.x, drawn.median, "o-", color=color, markersize=3.5, label=words(where["parametrisation"]))

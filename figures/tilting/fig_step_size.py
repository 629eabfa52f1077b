"""Bias of the rate forms against the number of steps."""

from unifiedscore.plotting.scaling import Prediction, plot_scaling
from unifiedscore.plotting.style import BLUE, RED, caption, new_figure, style

study = "tilting_step_size"
claims = ("tilting.escorted_jarzynski", "tilting.tilted_jarzynski", "tilting.nets_residual_zero")
STEPS = [100, 200, 400, 800]


def figure(dataset):
    rate = Prediction(-1.0, low=-1.05, high=-0.95)
    with style():
        canvas = new_figure(9.2, 5.2)
        axes = canvas.subplots(2, 2, sharex=True, height_ratios=(3, 1.3))
        for column, (name, title) in enumerate((("annealing", "a  Annealing"), ("tilting", "b  Tilting a process"))):
            for share, label, color in ((0.0, "no escort", BLUE), (1.0, "exact escort", RED)):
                plot_scaling(
                    dataset,
                    name,
                    "steps",
                    where={"share": share, "schedule": "rectified_flow", "steps": STEPS},
                    ax=axes[0, column],
                    lower=axes[1, column],
                    prediction=rate,
                    label=label,
                    color=color,
                )
            axes[0, column].set_title(title)
            handles, labels = axes[0, column].get_legend_handles_labels()
            short = {text.split(":")[0]: handle for handle, text in zip(handles, labels, strict=True)}
            axes[0, column].legend(short.values(), short.keys(), loc="lower left")
        caption(
            canvas,
            "Exact values by recursion over linear chains, no sampling. Even the exact escort, whose work is "
            "deterministic, leaves the error of a left Riemann sum.",
        )
    return canvas

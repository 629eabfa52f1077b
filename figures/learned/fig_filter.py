"""Gradient flow in a kernel regime: the smoothing it is equivalent to, against time."""

from unifiedscore.plotting.scaling import Prediction, plot_scaling
from unifiedscore.plotting.style import BLUE, GREEN, RED, caption, new_figure, style

study = "learned_filter"
claims = ("learned.kernel_filter",)

SLOPES = {"line": ("spectrum $k^{-2}$", -1 / 2, BLUE), "plane": ("spectrum $k^{-3}$", -1 / 3, RED)}


def figure(dataset):
    with style():
        canvas = new_figure(6.4, 5.4)
        upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        for name, (label, slope, color) in SLOPES.items():
            plot_scaling(
                dataset,
                "smoothing",
                "time",
                where={"spectrum": name},
                ax=upper,
                lower=lower,
                prediction=Prediction(slope),
                label=label,
                color=color,
            )
        plot_scaling(
            dataset, "smoothing", "time", where={"spectrum": "rbf"}, ax=upper, lower=lower, label="RBF", color=GREEN
        )
        caption(
            canvas,
            "A square wave on a circle, learned by gradient flow from zero; σ of the Gaussian smoothing nearest to "
            "what is learned. For the smooth RBF kernel it falls like a logarithm.",
        )
    return canvas

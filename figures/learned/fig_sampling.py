"""Bias of DDIM and Heun on a Gaussian with its exact denoiser, against the number of steps."""

from unifiedscore.plotting.scaling import Prediction, plot_scaling
from unifiedscore.plotting.style import BLUE, RED, caption, new_figure, style

study = "learned_sampling"
claims = ("learned.sampling_bias",)


def figure(dataset):
    with style():
        canvas = new_figure(6.4, 5.4)
        upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
        for scheme, label, slope, color in (("ddim", "DDIM", -1, RED), ("heun", "Heun", -2, BLUE)):
            plot_scaling(
                dataset,
                "bias",
                "n_steps",
                where={"scheme": scheme},
                ax=upper,
                lower=lower,
                prediction=Prediction(slope),
                label=label,
                color=color,
            )
        caption(
            canvas,
            "Relative error of the deviation of N(0, 1), levels 8 to .02 in geometric steps and a last one to 0, whose "
            "own share, .0002, is left out: no number of steps mends it.",
        )
    return canvas

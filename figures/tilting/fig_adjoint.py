"""The lean adjoint against its bounds as dimension grows."""

import numpy as np

from unifiedscore.plotting.series import curve
from unifiedscore.plotting.style import BLUE, GREY, RED, axis_label, caption, new_figure, style, tidy

study = "tilting_adjoint"
claims = ("tilting.adjoint_logconcave", "tilting.adjoint_dimension")


def figure(dataset):
    with style():
        canvas = new_figure(9.2, 3.8)
        left, right = canvas.subplots(1, 2)
        for name, label, color in (
            ("ratio_top", "gradient in the widest direction", BLUE),
            ("ratio", "random gradient", RED),
        ):
            drawn = curve(dataset, name, "dimension")
            left.plot(drawn.x, drawn.median, color=color, marker="o", label=label)
            left.scatter(
                np.repeat(drawn.x, drawn.values.shape[1]),
                drawn.values.ravel(),
                s=9,
                color=color,
                alpha=0.25,
                linewidths=0,
            )
        left.axhline(1.0, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1, label="bound")
        left.set_title("a  Log-concave: sharp in every dimension")
        left.set_ylabel("largest |a| / bound")
        left.legend(loc="lower left")
        for name, label, color in (
            ("log_growth", "general bound", RED),
            ("log_growth_coordinate", "coordinate by coordinate", BLUE),
        ):
            drawn = curve(dataset, name, "dimension")
            keep = drawn.x <= 64
            right.plot(drawn.x[keep], (drawn.median * drawn.x)[keep] / np.log(10), color=color, marker="o", label=label)
        right.set_yscale("log")
        right.set_title("b  Products of mixtures: exponential")
        right.set_ylabel("$\\log_{10}$ of the bound over the\nGaussian factor")
        right.legend(loc="upper left")
        for ax in (left, right):
            ax.set_xscale("log", base=2)
            ax.set_xlabel(axis_label(dataset["dimension"], "dimension"))
            tidy(ax)
        caption(
            canvas,
            "Rectified flow. a: random spectra in [0.2, 2]; worst ratio over time, every seed a dot. b: time 0.2, "
            "component variance 0.36, half distance 1.5 in every coordinate; the true adjoint follows the lower line.",
        )
    return canvas

"""Bias of a mean shift against the batch size, with and without its first-order correction."""

import numpy as np

from unifiedscore.plotting.scaling import draw_curve
from unifiedscore.plotting.series import curve
from unifiedscore.plotting.style import BLUE, GREEN, GREY, RED, caption, new_figure, style, tidy

study = "drift_bias"
claims = ("drift.finite_sample_bias", "drift.bias_correction")
LIMIT = -0.848321021146643


def figure(dataset):
    with style():
        canvas = new_figure(10.0, 3.8)
        left, right = canvas.subplots(1, 2)
        for name, color, label in (("bias", BLUE, "mean shift"), ("bias_corrected", GREEN, "corrected mean shift")):
            drawn = curve(dataset, name, "n")
            draw_curve(left, drawn, label=label, color=color)
            right.plot(drawn.x, np.abs(drawn.median) / drawn.x, color=color, marker="o", label=label)
        left.axhline(LIMIT, color=RED, linestyle=(0, (4, 2.5)), linewidth=1.1, label=r"$-E[k^2(y-m)]/Z^2$")
        left.axhline(0, color=GREY, linewidth=0.6)
        right.plot(drawn.x, abs(LIMIT) / drawn.x, color=GREY, linestyle=(0, (4, 2.5)), label="slope −1")
        right.plot(drawn.x, 6.0 / drawn.x**2, color=GREY, linestyle=(0, (1, 1.5)), label="slope −2 (guide)")
        left.set_ylabel("$n$ × bias")
        right.set_ylabel("size of the bias")
        right.set_yscale("log")
        left.set_title("a  The limit is known")
        right.set_title("b  The correction gains an order")
        for ax in (left, right):
            ax.set_xscale("log", base=2)
            ax.set_xlabel("samples $n$")
            handles, labels = ax.get_legend_handles_labels()
            kept = [(h, t) for h, t in zip(handles, labels, strict=True) if ":" not in t]
            ax.legend(*zip(*kept, strict=True))
            tidy(ax)
        caption(
            canvas,
            "N(0, 1) at x = 1.5, Laplace kernel of bandwidth 0.3. Dots: seeds; lines: medians; band: 99 % t interval. "
            "The leading noise, of mean zero, is subtracted.",
        )
    return canvas

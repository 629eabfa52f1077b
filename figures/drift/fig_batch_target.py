"""Algorithm 2, the drift of eq. 11 and the population target, along a line."""

import numpy as np

from unifiedscore.plotting.scaling import draw_curve
from unifiedscore.plotting.series import curve, pick
from unifiedscore.plotting.style import BLUE, GREY, INK, RED, SKY, axis_label, caption, new_figure, style, tidy

study = "drift_batch_target"
claims = ("drift.alg2_target",)


def figure(dataset):
    with style():
        canvas = new_figure(10.4, 3.9)
        left, right = canvas.subplots(1, 2, width_ratios=(1.25, 1))
        _lines(left, dataset)
        _errors(right, dataset)
        caption(
            canvas,
            "One dimension, Gaussian kernel of bandwidth 0.6, model N(0, 1), target N(0.7, 0.64). Thin lines: single "
            "batches. Right: root mean square distance over four points; dots: seeds; band: 99 % t interval.",
        )
    return canvas


def _lines(ax, dataset):
    x = dataset["position"].values.astype(float)
    batches = pick(dataset, {"estimator": "batch"})
    n = int(np.max(batches["n"].values))
    single = pick(batches, {"n": n})["line_field"].transpose("seed", "position").values
    for row, values in enumerate(single[:8]):
        ax.plot(x, values, color=SKY, linewidth=0.7, alpha=0.7, label=f"one batch, n = {n}" if row == 0 else "_batch")
    at = pick(dataset, {"estimator": "population", "n": int(np.min(dataset["n"].values)), "seed": 0})
    ax.plot(x, at["line_field"].values, color=INK, label="target of Algorithm 2")
    ax.plot(x, at["line_direction"].values, color=RED, linestyle=(0, (5, 1.5)), label="its direction $m_P-m_Q$")
    ax.plot(x, at["line_plain"].values, color=BLUE, linestyle=(0, (1.2, 1.2)), label="drift of eq. 11")
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.set_xlabel("$x$")
    ax.set_ylabel("field")
    ax.set_title("a  What is trained is not eq. 11")
    ax.legend()
    tidy(ax)


def _errors(ax, dataset):
    for name, color, label in (("error", INK, "to the target"), ("error_plain", BLUE, "to eq. 11")):
        drawn = curve(dataset, name, "n", where={"estimator": "batch"})
        draw_curve(ax, drawn, label=label, color=color)
    reference = curve(dataset, "error", "n", where={"estimator": "batch"})
    law = reference.median[0] * (reference.x / reference.x[0]) ** -0.5
    ax.plot(reference.x, law, color=GREY, linestyle=(0, (4, 2.5)), label="slope −1/2")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("batch size $n$")
    ax.set_ylabel(axis_label(dataset["error"], "error", width=34))
    ax.set_title("b  Batches converge to the target alone")
    handles, labels = ax.get_legend_handles_labels()
    kept = [(h, t) for h, t in zip(handles, labels, strict=True) if ":" not in t]
    ax.legend(*zip(*kept, strict=True), loc="lower left")
    tidy(ax)

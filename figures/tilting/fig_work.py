"""Work forward and backward at five steps with a wrong escort, and the identity that ties them together."""

import numpy as np

from unifiedscore.plotting.series import curve
from unifiedscore.plotting.style import BLUE, GREY, INK, RED, caption, new_figure, style, tidy

study = "tilting_work"
claims = ("tilting.crooks_exact", "tilting.girsanov_exact")

VALUES = {
    "ratio": ("$E_F e^{-W}$", 0.5),
    "ratio_clipped": ("clipped in simulation and ratio", 0.5),
    "ratio_mismatched": ("clipped in the simulation alone", 0.5),
    "bar": ("acceptance ratio", np.log(2)),
}


def figure(dataset):
    at = {"law": "kernels", "steps": 5}
    with style():
        canvas = new_figure(9.2, 3.9)
        left, right = canvas.subplots(1, 2, width_ratios=(3, 2))
        for name, label, color, marker in (
            ("forward_density", "forward", BLUE, "o"),
            ("backward_density", "backward", RED, "s"),
            ("reweighted_density", "forward, reweighted", INK, "x"),
        ):
            # The status of a cell has no axis of work.
            drawn = curve(dataset.drop_vars("status", errors="ignore"), name, "work", where=at)
            dashes = "--" if marker == "x" else "-"
            left.plot(drawn.x, drawn.median, color=color, marker=marker, linestyle=dashes, label=label)
        left.axvline(np.log(2), color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1, label="free energy")
        left.set_yscale("log")
        left.set_xlabel("work")
        left.set_ylabel("density")
        left.set_title("a  Crooks: forward e^(dF - W) = backward")
        left.legend(loc="best")
        for row, (name, (label, truth)) in enumerate(VALUES.items()):
            seeds = np.ravel(dataset[name].sel(**at).values)
            seeds = seeds[np.isfinite(seeds)] / truth
            right.scatter(seeds, np.full(seeds.shape, -row), s=12, color=BLUE, alpha=0.35, linewidths=0, label=label)
            right.plot([np.median(seeds)], [-row], color=INK, marker="|", markersize=12, label=f"{label}: median")
        right.axvline(1.0, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1)
        right.set_yticks([-row for row in range(len(VALUES))], [label for label, _ in VALUES.values()])
        right.set_xlabel("estimate over its exact value")
        right.set_title("b  Exact, or not")
        for ax in (left, right):
            tidy(ax)
        caption(
            canvas,
            "N(0, 1) to N(2, 1/4) in five steps, escort 0.9 + 0.4 sin x. Medians over seeds (a), every seed a dot "
            "(b). The identity needs one thing: the kernel that was simulated is the kernel in the ratio.",
        )
    return canvas

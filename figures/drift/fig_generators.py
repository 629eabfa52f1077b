"""One-step generators trained with each drift field: their points beside the data, and how near they come."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, caption, new_figure, style, tidy

study = "generators"
claims = ("generators.fields_train", "generators.matched_bandwidth")
profile = "standard"
LOOK = {
    "laplace": ("Laplace", ORANGE),
    "gaussian_equal": ("Gaussian, h = τ", SKY),
    "gaussian_matched": ("Gaussian, matched h", BLUE),
    "sharp": ("Sharp drift", GREEN),
    "batch": ("Algorithm 2", PINK),
    "sinkhorn": ("Sinkhorn, matched h", RED),
}
COMMON = 0.2


def figure(dataset):
    at = pick(dataset, {"temperature": COMMON}).isel(steps=0)
    names = [str(name) for name in np.ravel(dataset["dataset"].values) if str(name) != "digits"]
    with style():
        canvas = new_figure(11.6, 5.6 * len(names) + 0.5)
        axes = canvas.subplots(2 * len(names), 4, squeeze=False)
        for row, name in enumerate(names):
            part = pick(at, {"dataset": name})
            panels = axes[2 * row : 2 * row + 2].ravel()
            _plane(part, panels[:7], name)
            _curves(part, panels[7])
        seeds = dataset.sizes["seed"]
        caption(
            canvas,
            f"Points of the first seed; number below: median over {seeds} seeds of sliced W2 to held-out points, over "
            "its floor, the same distance between two true samples. Laplace bandwidth τ = 0.2 ρ, ρ the typical "
            "distance; matched h² is the mean preconditioner of the Laplace kernel at the start. All fields share "
            "data, start and noise. Curves, in the colours of the titles: medians, and quartiles over seeds.",
        )
    return canvas


def _plane(part, axes, name):
    first = part["points"].isel(seed=0)
    data = pick(first, {"drift": "laplace", "law": "data"}).transpose("point", "coordinate").values
    reach = 1.25 * np.abs(data).max()
    for ax, drift in zip(axes, [None, *LOOK], strict=True):
        ax.scatter(*data.T, s=7, color=GREY, alpha=0.9 if drift is None else 0.35, linewidths=0)
        if drift is None:
            ax.set_title(f"Data: {name}")
        else:
            title, color = LOOK[drift]
            x = pick(first, {"drift": drift, "law": "generator"}).transpose("point", "coordinate").values
            ax.scatter(*x.T, s=7, color=color, alpha=0.8, linewidths=0)
            ratio = np.exp(np.median(pick(part["log_ratio"], {"drift": drift}).values))
            ax.set_title(title, color=color)
            ax.set_xlabel(f"{ratio:.1f} × floor")
        ax.set_aspect("equal")
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-reach, reach)
        ax.set_xticks([])
        ax.set_yticks([])
        tidy(ax, grid="")


def _curves(part, ax):
    steps = np.ravel(part["step"].values)
    for drift, (title, color) in LOOK.items():
        values = pick(part["curve"], {"drift": drift}).transpose("step", "seed").values
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=1)
        ax.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)
        ax.plot(steps, middle, color=color, linewidth=1.5, marker="o", markersize=2.5, label=title)
    ax.axhline(1.0, color=GREY, linewidth=1.0, linestyle=(0, (4, 2.5)), label="floor")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    ax.minorticks_off()
    ax.set_xlabel("training step")
    ax.set_ylabel("sliced $W_2$ over its floor")
    ax.set_box_aspect(1)
    tidy(ax)

"""Moment-matched particles beside their baselines: samples in the plane, digits with neighbours, distances."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, INK, PINK, RED, caption, new_figure, style, tidy, words

study = "moment_matched_quality"
claims = ("moment_matched.baselines_bracket", "moment_matched.digits_latent")
LOOK = {"moment_matched": (BLUE, "o"), "kernel_density": (GREEN, "s"), "gaussian_fit": (INK, "D"),
        "untilted": (RED, "^"), "closed_form": (PINK, "v")}  # fmt: skip


def figure(dataset):
    names = [str(name) for name in np.ravel(dataset["dataset"].values)]
    planes = [name for name in names if name != "digits"]
    digits = "digits" in names
    with style():
        canvas = new_figure(13.0, 2.6 * len(planes) + (2.6 if digits else 0.6))
        axes = canvas.subplots(len(planes) + digits, 6, squeeze=False)
        for row, name in enumerate(planes):
            _samples(dataset, name, axes[row, :5], titles=row == 0)
            _distances(dataset, name, axes[row, 5])
        if digits:
            _digits(dataset, axes[-1, :5])
            _distances(dataset, "digits", axes[-1, 5])
        axes[0, 5].legend(fontsize=7)
        axes[-1, 5].set_xlabel("smoothing")
        caption(
            canvas,
            "Particles at the middle smoothing of the grid (first seed), and sliced W2 to held-out points against "
            "smoothing: dots are seeds, lines medians. Digits: particles above, their nearest training images below.",
        )
    return canvas


def _middle(dataset):
    values = np.ravel(dataset["smoothing"].values)
    return values[len(values) // 2]


def _samples(dataset, name, axes, *, titles):
    for ax, (method, (color, _)) in zip(axes, LOOK.items(), strict=True):
        at = dataset["samples"].sel({"dataset": name, "smoothing": _middle(dataset), "method": method}).isel(seed=0)
        points = at.transpose("particle", "coordinate").values
        ax.plot(points[:, 0], points[:, 1], ".", color=color, markersize=2.5)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_title(words(method).capitalize() if titles else "")
        tidy(ax)
    axes[0].set_ylabel(words(name))


def _digits(dataset, axes):
    at = dataset["images"].sel(dataset="digits", smoothing=_middle(dataset)).isel(seed=0)
    for k, ax in enumerate(axes):
        pictures = at.isel(image=k).transpose("shown", "pixel").values.reshape(-1, 8)
        ax.pcolormesh(np.arange(9), np.arange(len(pictures) + 1), pictures[::-1], cmap="gray_r", rasterized=True)
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
    axes[0].set_ylabel("neighbour    sample")


def _distances(dataset, name, ax):
    at = dataset["distance"].sel(dataset=name)
    for method, (color, marker) in LOOK.items():
        values = at.sel({"method": method}).transpose("smoothing", "seed").values
        x = np.ravel(dataset["smoothing"].values)
        ax.plot(np.repeat(x, values.shape[1]), values.ravel(), ".", color=color, markersize=2, alpha=0.4)
        ax.plot(x, np.nanmedian(values, axis=1), color=color, marker=marker, markersize=4, label=words(method))
    ax.set_ylabel("sliced $W_2$")
    tidy(ax)

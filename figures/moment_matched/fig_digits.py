"""Digits: generated images beside their nearest training images, and how far they are from them."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, INK, PINK, RED, caption, new_figure, style, tidy, words

study = "moment_matched_quality"
profile = "standard"
claims = ("moment_matched.moments_exact",)
COLOURS = {"moment_matched": BLUE, "kernel_density": GREEN, "gaussian_fit": INK, "untilted": RED, "closed_form": PINK}
SHOWN = 12


def figure(dataset):
    digits = dataset.sel(dataset="digits")
    levels = [float(s) for s in np.ravel(digits["smoothing"].values)]
    with style():
        canvas = new_figure(11.6, 1.25 * len(levels) + 1.4)
        left, right = canvas.subfigures(1, 2, width_ratios=(2.6, 1))
        axes = left.subplots(len(levels), 1, squeeze=False)[:, 0]
        for ax, s in zip(axes, levels, strict=True):
            _pictures(digits.sel(smoothing=s), ax)
            ax.set_ylabel(f"$s={s:g}$", rotation=0, ha="right", va="center")
        axes[0].set_title("each pair of rows: generated above, its nearest training image below")
        _curves(digits, levels, right.subplots(2, 1, sharex=True))
        caption(
            canvas,
            "Eights in twelve whitened principal components, noise level .3, first seed; nearest in those components "
            "(shown with all pixels). Small smoothing returns training images with noise, large smoothing a Gaussian. "
            "Right: medians of the seeds; dots are seeds.",
        )
    return canvas


def _pictures(at, ax):
    """Two rows of images, generated above nearest, on one lattice with a gap of two pixels."""
    images = at["images"].isel(seed=0).transpose("shown", "image", "pixel").values[:, :SHOWN].reshape(2, -1, 8, 8)
    wall = np.full((2 * 8 + 2, images.shape[1] * 10 - 2), np.nan)
    for row in range(2):
        for k, picture in enumerate(images[row]):
            wall[row * 10 : row * 10 + 8, k * 10 : k * 10 + 8] = picture
    edges = [np.arange(size + 1) for size in wall.shape]
    ax.pcolormesh(edges[1], edges[0], wall, cmap="gray_r", vmin=0, vmax=1, rasterized=True)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _curves(digits, levels, axes):
    place = np.arange(len(levels))
    for ax, name, label in zip(axes, ("discrepancy", "novelty"),
                               ("squared MMD to held-out", "distance to training"), strict=True):  # fmt: skip
        for method, color in COLOURS.items():
            values = digits[name].sel({"sampler": method}).transpose("smoothing", "seed").values
            ax.plot(np.repeat(place, values.shape[1]), values.ravel(), ".", color=color, markersize=2, alpha=0.4)
            ax.plot(place, np.nanmedian(values, axis=1), color=color, marker="o", markersize=4, label=words(method))
        ax.set_ylabel(label)
        tidy(ax)
    # Unbiased estimates: about zero they may be negative.
    axes[0].set_yscale("symlog", linthresh=0.02)
    axes[0].set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    axes[0].minorticks_off()
    axes[0].legend(fontsize=7)
    axes[1].set_xticks(place, [f"{s:g}" for s in levels])
    axes[1].set_xlabel("smoothing $s$")

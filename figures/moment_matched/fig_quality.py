"""Moment-matched particles beside their baselines: samples in the plane, sliced W2 and MMD against smoothing."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, INK, PINK, RED, caption, new_figure, style, tidy, words

study = "moment_matched_quality"
claims = ("moment_matched.baselines_bracket",)
LOOK = {"moment_matched": (BLUE, "o"), "kernel_density": (GREEN, "s"), "gaussian_fit": (INK, "D"),
        "untilted": (RED, "^"), "closed_form": (PINK, "v")}  # fmt: skip


def figure(dataset):
    planes = [name for name in map(str, np.ravel(dataset["dataset"].values)) if name != "digits"]
    levels = [float(s) for s in np.ravel(dataset["smoothing"].values)]
    shown = 0.8 if 0.8 in levels else levels[len(levels) // 2]
    with style():
        canvas = new_figure(14.2, 2.35 * len(planes) + 1.1)
        axes = canvas.subplots(len(planes), 7, squeeze=False, width_ratios=(1,) * 5 + (1.35,) * 2)
        for row, name in enumerate(planes):
            at = dataset.sel(dataset=name)
            _samples(at.sel(smoothing=shown).isel(seed=0), axes[row, :5], titles=row == 0)
            axes[row, 0].set_ylabel(words(name))
            for ax, variable in zip(axes[row, 5:], ("distance", "discrepancy"), strict=True):
                _curves(at, variable, levels, ax)
            # Estimates are unbiased: about zero they may be negative, and the ends differ there.
            axes[row, 6].set_yscale("symlog", linthresh=0.02)
            axes[row, 6].set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
            axes[row, 6].minorticks_off()
        axes[0, 5].set_title("sliced $W_2$")
        axes[0, 6].set_title("squared MMD")
        for ax in axes[-1]:
            ax.set_xlabel("smoothing" if ax in axes[-1, 5:] else "")
        handles, labels = axes[0, 5].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper right", ncols=5, fontsize=8)
        caption(
            canvas,
            f"Left: 160 particles of the first seed at smoothing {shown:g}. Right: distances to held-out points; dots "
            "are seeds (each a new training set), large marks their means, bars two standard errors over the seeds. "
            "Without smoothing the particles are the kernel density, at large smoothing the Gaussian fit; laws without "
            "matched moments collapse.",
        )
    return canvas


def _samples(at, axes, *, titles):
    reach = 1.05 * float(np.nanmax(np.abs(at["samples"].sel({"sampler": list(LOOK)}).values)))
    for ax, (method, (color, _)) in zip(axes, LOOK.items(), strict=True):
        points = at["samples"].sel({"sampler": method}).transpose("particle", "coordinate").values
        ax.plot(points[:, 0], points[:, 1], ".", color=color, markersize=2.5)
        ax.set_aspect("equal")
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-reach, reach)
        ax.set_title(words(method).capitalize() if titles else "")
        tidy(ax)


def _curves(at, variable, levels, ax):
    place = np.arange(len(levels), dtype=float)
    for k, (method, (color, marker)) in enumerate(LOOK.items()):
        values = at[variable].sel({"sampler": method}).transpose("smoothing", "seed").values
        x = place + 0.06 * (k - 2)
        ax.plot(np.repeat(x, values.shape[1]), values.ravel(), ".", color=color, markersize=1.5, alpha=0.35)
        error = 2 * np.nanstd(values, axis=1, ddof=1) / np.sqrt(np.isfinite(values).sum(axis=1))
        # Between two smoothings alone a line would say what nobody measured.
        ax.errorbar(x, np.nanmean(values, axis=1), yerr=error, color=color, marker=marker, markersize=3.5,
                    linestyle="-" if len(x) > 2 else "none", linewidth=1.1, elinewidth=1.1,
                    label=words(method))  # fmt: skip
    ax.set_xlim(-0.5, len(levels) - 0.5)
    ax.set_xticks(place, [f"{s:g}" for s in levels])
    tidy(ax)

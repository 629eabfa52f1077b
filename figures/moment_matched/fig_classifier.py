"""The minimum-energy classifier of digits between kernel density and quadratic discriminant."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, INK, RED, caption, new_figure, style, tidy

study = "moment_matched_classifier"
claims = ("moment_matched.ecm_interpolates",)


def figure(dataset):
    levels = [float(s) for s in np.ravel(dataset["smoothing"].values)]
    place = np.arange(len(levels), dtype=float)
    with style():
        canvas = new_figure(9.8, 4.1)
        left, right = canvas.subplots(1, 2)
        for shift, (name, label, color, marker) in enumerate((
            ("accuracy", "minimum energy", BLUE, "o"), ("accuracy_untilted", "without tilt", RED, "^"),
            ("accuracy_kernel", "scikit-learn KernelDensity", GREEN, "s"),
            ("accuracy_quadratic", "scikit-learn quadratic discriminant", INK, "D"))):  # fmt: skip
            _curve(dataset, name, place + 0.06 * (shift - 1.5), left, color, marker, label)
        left.set_ylabel("accuracy on the other half")
        _curve(dataset, "kernel_mean_gap", place - 0.04, right, GREEN, "s", "to KernelDensity")
        _curve(dataset, "quadratic_mean_gap", place + 0.04, right, INK, "D", "to quadratic discriminant")
        right.set_yscale("log")
        right.set_ylabel("mean total variation of posteriors")
        for ax, title in ((left, "a  Accuracy"), (right, "b  Distance of posteriors")):
            ax.set_xticks(place, ["∞" if np.isinf(s) else f"{s:g}" for s in levels])
            ax.set_xlim(-0.5, len(levels) - 0.5)
            ax.set_xlabel("smoothing $s$")
            ax.set_title(title)
            ax.legend(fontsize=8)
            tidy(ax)
        caption(
            canvas,
            "Ten digits in six whitened principal components, noise level .4; every seed (dot) is a split into halves, "
            "bars are two standard errors. Both ends are exact; between them tilt and normaliser are importance sums.",
        )
    return canvas


def _curve(dataset, name, x, ax, color, marker, label):
    values = dataset[name].transpose("smoothing", "seed").values
    ax.plot(np.repeat(x, values.shape[1]), values.ravel(), ".", color=color, markersize=2, alpha=0.4)
    counts = np.isfinite(values).sum(axis=1)
    error = 2 * np.nanstd(values, axis=1, ddof=1) / np.sqrt(counts)
    # Between the two ends alone a line would say what nobody measured.
    ax.errorbar(x, np.nanmean(values, axis=1), yerr=error, color=color, marker=marker, markersize=4,
                linestyle="-" if len(x) > 2 else "none", linewidth=1.1, elinewidth=1.1, label=label)  # fmt: skip

"""A diagnosis of a score network over the noise level: which description explains it, and how much it remembers."""

from __future__ import annotations

from unifiedscore.plotting.style import BLUE, GREEN, INK, ORANGE, PINK, RED, caption, new_figure, style, tidy

_SHARES = {
    "score_share": ("smoothed score", RED, "o"),
    "density_share": ("smoothed density", BLUE, "s"),
    "kernel_share": ("wider kernel", GREEN, "D"),
    "gaussian_share": ("Gaussian", ORANGE, "^"),
}
_REST = {"memorised_share": ("memorised share", INK, "o"), "curl_share": ("curl share", PINK, "s")}


def score_diagnosis_figure(dataset):
    """Return a figure of a data set of `diagnose_score`: shares of the descriptions, and memory and curl."""
    with style():
        canvas = new_figure(9.2, 4.2)
        left, right = canvas.subplots(1, 2)
        _lines(left, dataset, _SHARES)
        left.set_ylabel("explained share of the deviation from memory")
        _lines(right, dataset, _REST)
        right.set_ylabel("share")
        caption(
            canvas,
            f"{dataset.attrs['training_points']} training points in dimension {dataset.attrs['dimension']}; bands: "
            f"{dataset.attrs['ci_level']:.0%} intervals over {dataset.attrs['query_sets']} sets of "
            f"{dataset.attrs['queries']} queries of the law '{dataset.attrs['query_law']}'. Shares below -0.5 are cut.",
        )
    return canvas


def _lines(ax, dataset, entries):
    level = dataset["level"].values
    for name, (label, color, marker) in entries.items():
        if name not in dataset:
            continue
        ax.plot(level, dataset[name], color=color, marker=marker, label=label)
        ax.fill_between(level, dataset[f"{name}_low"], dataset[f"{name}_high"], color=color, alpha=0.18, linewidth=0)
    ax.set_xscale("log")
    ax.set_ylim(-0.5, 1.05)
    ax.set_xlabel("noise level h")
    ax.legend()
    tidy(ax)

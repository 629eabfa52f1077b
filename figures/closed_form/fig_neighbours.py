"""Neighbours and random points in place of all points: error of the barycenter over the K x L grid."""

import numpy as np

from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.style import INK, PAPER, caption, new_figure, style, tidy

study = "closed_form_neighbour_samples"
claims = ("closed_form.nn_sample_quality", "closed_form.nn_more_neighbours")


def figure(dataset):
    with style():
        canvas = new_figure(10.2, 4.0)
        left, right = canvas.subplots(1, 2, width_ratios=(1.15, 1))
        _grid(left, dataset)
        pairs = dataset["ratio"].stack(pair=("nearest", "remainder"))
        names = [f"K = {k}, L = {count}" for k, count in pairs["pair"].values]
        flat = pairs.drop_vars(["pair", "nearest", "remainder"]).assign_coords(pair=names).to_dataset()
        plot_ranking(flat, "ratio", "pair", ax=right)
        limit = right.axvline(1.05, color=INK, linestyle=(0, (1, 1.5)), linewidth=1.2, label="limit 1.05")
        right.set_ylabel("")
        right.set_title("b  What it does to samples")
        right.legend(handles=[limit], loc="best")
        caption(
            canvas,
            "500 points of the checkerboard, σ = 0.26 half-cells. a: root mean square error of the barycenter at "
            "t = 0.7 over the spread of the exact one, mean over seeds; more random points do not always help. b: the "
            "approximate sampler against an exact run, over another exact run against the same; 1 means no loss. Dots "
            "are seeds, bars 99 % t intervals.",
        )
    return canvas


def _grid(ax, dataset):
    mean = dataset["error"].mean("seed").transpose("remainder", "nearest")
    shown = mean.values
    ax.imshow(np.log10(shown), cmap="viridis", origin="lower", aspect="auto")
    middle = np.log10(shown).min() * 0.5 + np.log10(shown).max() * 0.5
    for row in range(shown.shape[0]):
        for column in range(shown.shape[1]):
            color = PAPER if np.log10(shown[row, column]) < middle else INK
            ax.text(column, row, f"{shown[row, column]:.2g}", ha="center", va="center", color=color, fontsize=9)
    ax.set_xticks(range(mean.sizes["nearest"]), [str(k) for k in mean["nearest"].values])
    ax.set_yticks(range(mean.sizes["remainder"]), [str(k) for k in mean["remainder"].values])
    ax.set_xlabel("nearest points K")
    ax.set_ylabel("random points L")
    ax.set_title("a  Relative error of the barycenter")
    tidy(ax, grid="")

"""Pairs of Gaussians under attack: how close each search came to the bound, and the worst pairs as spectra."""

import json

import numpy as np

from unifiedscore.plotting.searching import plot_search
from unifiedscore.plotting.style import BLUE, RED, caption, new_figure, style, tidy

study = "universal_gaussians.search"
claims = (
    "universal.matched_gaussian",
    "universal.matched_two",
    "universal.practical_cosine",
    "universal.cosine_formula",
    "universal.absolute_error",
)
SHOWN = {
    "universal.matched_gaussian": "one bandwidth: 10/d",
    "universal.matched_two": "two bandwidths: 1/d_eff",
    "universal.practical_cosine": "cosine with the score >= 0",
}


def worst(dataset):
    """The counterexample where there is one, else the worst instance."""
    found = json.loads(dataset.attrs["counterexample"])
    return found["instance"] if found else json.loads(dataset.attrs["worst"])


def spectra(ax, dataset):
    """The eigenvalues of both laws over the share of the dimension."""
    instance = worst(dataset)
    (first, second), (share, _) = instance["model"]
    d = instance["dimension"]
    ratio = 1 + instance["excess"] * d ** -instance["tightness"]
    other = first * instance["change"]
    last = (ratio * (share * first + (1 - share) * second) - share * other) / (1 - share)
    x = np.array([0.0, share, share, 1.0])
    ax.plot(x, [first, first, second, second], color=BLUE, label="model")
    ax.plot(x, [other, other, last, last], color=RED, linestyle=(0, (4, 2)), label="target")
    ax.set_yscale("log")
    ax.set_xlabel("share of the dimension")
    ax.set_ylabel("eigenvalue")
    ax.set_title(f"d = {d}, tau/rho = {instance['fraction']:.3g}", fontsize=9)
    tidy(ax)


def figure(dataset):
    with style():
        canvas = new_figure(10.6, 8.6)
        rows = canvas.subplots(3, len(SHOWN))
        for column, (claim, title) in enumerate(SHOWN.items()):
            search = dataset[claim].to_dataset()
            plot_search(search, ax=rows[0, column]).set_title(title, fontsize=9.5)
            plot_search(search, along="dimension", log=True, ax=rows[1, column])
            spectra(rows[2, column], search)
        rows[0, 0].legend(fontsize=7.5, frameon=True, framealpha=0.9, edgecolor="none")
        rows[2, 0].legend(fontsize=7.5, frameon=True, framealpha=0.9, edgecolor="none")
        caption(
            canvas,
            "Instances within the hypotheses; ratios as logarithms, the cosine as it is. Stars: instances known to be "
            "hard. Bottom: the counterexample made simple, or the worst instance of a claim that survived.",
        )
    return canvas

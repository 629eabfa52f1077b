"""The closed-form velocity under attack: how close each search came to its bound."""

from unifiedscore.plotting.searching import plot_search
from unifiedscore.plotting.style import caption, new_figure, style

study = "universal_paths.search"
claims = ("universal.lipschitz", "universal.descent", "universal.energy_monotone")
TITLES = ("a  Expansion over its bound", "b  Guaranteed over actual descent", "c  Increase of the energy, equal norms")


def figure(dataset):
    with style():
        canvas = new_figure(10.6, 3.9)
        for ax, claim, title in zip(canvas.subplots(1, 3), claims, TITLES, strict=True):
            plot_search(dataset[claim].to_dataset(), ax=ax).set_title(title, fontsize=9.5)
            ax.legend(fontsize=7.5, frameon=True, framealpha=0.9, edgecolor="none")
        caption(
            canvas,
            "Instances within the hypotheses. a, b: logarithm of the ratio, which reaches 0 where the bound is "
            "attained. c: energies, in units of the squared norm of the points.",
        )
    return canvas

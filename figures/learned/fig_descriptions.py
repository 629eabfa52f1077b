"""What the fits that describe a network can tell apart: four known denoisers, three rivals of the smoothed score."""

from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.style import GREY, caption, new_figure, style

study = "learned_descriptions"
claims = ("learned.descriptions",)

PANELS = {
    "over_kernel": "a  Lead over a wider kernel",
    "over_density": "b  Lead over a smoothed density",
    "lead": "c  Lead over the best rival",
}


def figure(dataset):
    with style():
        canvas = new_figure(11.4, 3.4)
        axes = canvas.subplots(1, len(PANELS), sharey=True)
        for ax, (variable, title) in zip(axes, PANELS.items(), strict=True):
            plot_ranking(dataset, variable, "denoiser", ax=ax)
            ax.axvline(0.0, color=GREY, linewidth=0.8)
            ax.set_title(title)
        caption(
            canvas,
            "Eight draws of N(0, I) in the plane, noise .3, queries at noisy training points. Every seed is a dot. A "
            "Gaussian denoiser beats the wider kernel as a smoothed score does: only the lead over all rivals tells "
            "the smoothed score apart.",
        )
    return canvas

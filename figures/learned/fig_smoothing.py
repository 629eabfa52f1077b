"""What a network is nearest to while it learns eight points, beside exact denoisers that no training made."""

from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.style import GREY, caption, new_figure, style

study = "learned_smoothing"
profile = "standard"
claims = ("learned.effective_smoothing", "learned.error_split")

PANELS = {
    "early_over_density": "a  Early: lead over a smoothed density",
    "middle_lead": "b  Half-trained: lead over the best rival",
    "late_over_density": "c  Late: lead over a smoothed density",
    "late_split": "d  Late: log distance to truth over memory",
}


def figure(dataset):
    with style():
        canvas = new_figure(11.4, 6.4)
        axes = canvas.subplots(2, 2, sharey=True).ravel()
        for ax, (variable, title) in zip(axes, PANELS.items(), strict=True):
            plot_ranking(dataset, variable, "denoiser", ax=ax)
            ax.axvline(0.0, color=GREY, linewidth=0.8)
            ax.set_xlabel("log ratio of distances" if variable == "late_split" else "difference of shares")
            ax.set_title(title)
        caption(
            canvas,
            "Eight draws of N(0, I) in the plane; a plain network after 300, 2000 and 5000 steps, at noise .1, .3, .1; "
            "queries at noisy training points. Every seed is a dot. Score, kernel, density and Gaussian are exact "
            "denoisers. A lead is the share of the smoothed score minus that of its rival.",
        )
    return canvas

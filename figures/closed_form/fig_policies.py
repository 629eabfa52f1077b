"""The noise policy is part of the model: the law of samples of two points."""

from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.style import caption, new_figure, style

study = "closed_form_policies"
claims = (
    "closed_form.noise_policy",
    "closed_form.fresh_limit",
    "closed_form.fresh_not_population",
    "closed_form.m_dependence",
)


def figure(dataset):
    with style():
        canvas = new_figure(9.6, 3.4)
        axes = canvas.subplots(1, 2)
        for ax, variable, title in zip(
            axes, ("midpoint", "variance"), ("a  Mass at the midpoint", "b  Variance of the samples"), strict=True
        ):
            plot_ranking(dataset, variable, "policy", where={"smoothing": 0.5, "n_steps": 200, "draws": 2}, ax=ax)
            ax.set_title(title)
        caption(
            canvas,
            "Two points at ±1, σ = 0.5, M = 2, S = 200. Every seed is a dot; the bar is the 99 % t interval of the "
            "mean. Under population noise the paths near the midpoint have not left it yet after 200 steps.",
        )
    return canvas

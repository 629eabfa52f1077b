"""W2 of closed-form samples against the smoothing, with the baselines, for every data set that was run."""

import numpy as np

from unifiedscore.plotting.ranking import plot_ranking
from unifiedscore.plotting.style import BLUE, GREY, caption, new_figure, style, words

study = "closed_form_w2"
claims = ("closed_form.w2_interior_minimum", "closed_form.baselines")


def figure(dataset):
    dataset = dataset.sel(n_points=200)
    present = dataset["w2"].notnull()
    names = [str(n) for n in dataset["dataset"].values if bool(present.sel(dataset=n).any())]
    samplers = [str(name) for name in np.ravel(dataset["sampler"].values)]
    colors = {name: BLUE if name.startswith("sigma") else GREY for name in samplers}
    with style():
        canvas = new_figure(4.2 * len(names) + 1, 1.6 + 0.26 * len(samplers))
        axes = canvas.subplots(1, len(names), squeeze=False)[0]
        for ax, name in zip(axes, names, strict=True):
            plot_ranking(dataset, "w2", "sampler", where={"dataset": name}, colors=colors, ax=ax)
            ax.set_title(words(name).capitalize())
        words_of_truth = "; 'truth' is a fresh sample" if "truth" in samplers else ""
        caption(
            canvas,
            "200 training points, 1000 samples, M = 4 fixed noise, S = 50; smoothing relative to a length of the data. "
            f"A dot is a training set, the bar the 99 % t interval of the mean{words_of_truth}.",
        )
    return canvas

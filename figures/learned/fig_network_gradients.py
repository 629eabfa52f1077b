"""Gradient variance of four fine-tuning losses for networks against the cut-off, by what the network outputs."""

from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import BLUE, GREEN, ORANGE, RED, axis_label, caption, new_figure, style, tidy, words

study = "learned_network_gradients"
profile = "standard"
claims = ("learned.network_gradient_variance",)

TARGETS = {
    "tsm_variance": ("target score", RED, "s-"),
    "csm_variance": ("conditional", ORANGE, "^-"),
    "nsm_variance": ("novel", BLUE, "o-"),
    "am_variance": ("lean adjoint", GREEN, "v-"),
}


def figure(dataset):
    dataset = dataset.drop_vars("status", errors="ignore")  # of a cell, which has no axis of cut-offs
    names = [str(name) for name in dataset["parametrisation"].values]
    with style():
        canvas = new_figure(3.3 * len(names), 3.9)
        axes = canvas.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for ax, name in zip(axes, names, strict=True):
            for variable, (label, color, marks) in TARGETS.items():
                where = {"parametrisation": name}
                if has(dataset, variable, where):
                    drawn = curve(dataset, variable, "cutoff", where=where, transform="log")
                    ax.fill_between(drawn.x, drawn.low, drawn.high, color=color, alpha=0.2, linewidth=0)
                    ax.plot(drawn.x, drawn.median, marks, color=color, markersize=4, label=label)
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.invert_xaxis()
            ax.set_title(f"the network gives the {words(name)}", fontsize=9)
            ax.set_xlabel(axis_label(dataset["cutoff"], "cutoff"))
            tidy(ax)
        axes[0].set_ylabel("gradient variance, all parameters")
        handles, labels = axes[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper center", ncols=len(TARGETS))
        caption(
            canvas,
            "Mixture base, rectified flow, trained perceptrons, time uniform on [cut-off, 1 - cut-off], weight η; 16 "
            "trainings, their median and the interval of the median. Two of four losses diverge where the network "
            "gives denoiser or velocity, one where it gives the score.",
        )
    return canvas

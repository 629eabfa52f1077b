"""Decay rate of every frequency, kernel by kernel, for dimensions 1 to 64."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import caption, new_figure, shades, style, tidy, words

study = "drift_modes"
claims = ("drift.mode_rates", "drift.modes_decay", "drift.annealing")


def figure(dataset):
    kernels = [str(name) for name in np.ravel(dataset["kernel"].values)]
    dimensions = [int(d) for d in np.ravel(dataset["dimension"].values)]
    colours = dict(zip(dimensions, shades(len(dimensions)), strict=True))
    with style():
        canvas = new_figure(3.5 * len(kernels), 3.7)
        axes = canvas.subplots(1, len(kernels), sharey=True, squeeze=False)[0]
        for ax, kernel in zip(axes, kernels, strict=True):
            for d, color in colours.items():
                at = pick(dataset, {"kernel": kernel, "dimension": d})
                extra = {axis: 0 for axis in at["curve"].dims if axis != "wave_number"}
                ax.plot(at["wave_number"].values, at["curve"].isel(extra).values, color=color, label=f"$d={d}$")
                measured = at["ratio"] * at["rate"]
                if np.isfinite(measured.values).any():
                    ax.plot(
                        at["frequency"].values,
                        np.ravel(measured.values),
                        "o",
                        color=color,
                        markersize=4,
                        label="_lattice",
                    )
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_ylim(1e-4, 2)
            ax.set_xlabel("bandwidth × frequency")
            ax.set_title(f"{words(kernel).capitalize()} kernel")
            tidy(ax)
        axes[0].set_ylabel("decay rate of the mode")
        axes[-1].legend(title="dimension", alignment="left")
        caption(
            canvas,
            "Lines: closed forms around a homogeneous background. Dots: measured on lattices with the field code "
            "(d = 1, 2). The slow tail of Laplace and Matern at high frequency fades as the dimension grows.",
        )
    return canvas

"""Particles in motion: temperature of fresh gradient noise, memory of the start, distance to the training points."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREY, ORANGE, caption, new_figure, style, tidy

study = "moment_matched_particles"
claims = ("moment_matched.gradient_noise_temperature", "moment_matched.run_length")
SCHEMES = {"euler-maruyama": ("Euler-Maruyama", ORANGE), "leimkuhler-matthews": ("Leimkuhler-Matthews", BLUE)}
MARKERS = ("o", "s", "D")


def figure(dataset):
    with style():
        canvas = new_figure(11.6, 4.3)
        heat, memory, novelty = canvas.subplots(1, 3, width_ratios=(1.3, 1, 1))
        _temperature(dataset.sel(case="temperature"), heat)
        runs = dataset.sel(case="overlap")
        times = runs["time"].values.astype(float)
        for ax, name, label in ((memory, "trace", "overlap with the start"),
                                (novelty, "novelty", "distance to the nearest training point")):  # fmt: skip
            values = runs[name].transpose("time", "seed").values
            ax.plot(times, values, color=BLUE, linewidth=0.6, alpha=0.25)
            ax.plot(times, np.nanmedian(values, axis=1), color=BLUE, marker="o", label="median of the seeds")
            ax.set_xlabel("time")
            ax.set_ylabel(label)
            tidy(ax)
        memory.axhline(0, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1)
        memory.plot(times, np.exp(-times), color=GREY, linewidth=1.1, label="$e^{-t}$ (no potential, many particles)")
        memory.legend(fontsize=8)
        for ax, title in zip((heat, memory, novelty), ("a  Temperature", "b  Memory", "c  Novelty"), strict=True):
            ax.set_title(title)
        caption(
            canvas,
            "a: linear drift with M fresh draws of the gradient a step; points are medians of the seeds, lines exact: "
            "noise heats, the more the larger the step. b, c: fourteen systems of 60 particles from noisy "
            "training points of the circle a seed; a run of time .04 returns what it was given.",
        )
    return canvas


def _temperature(dataset, ax):
    steps = dataset["step"].values.astype(float)
    for scheme, (name, color) in SCHEMES.items():
        for draws, marker in zip(np.ravel(dataset["draws"].values), MARKERS, strict=False):
            at = dataset.sel(scheme=scheme, draws=draws)
            ax.plot(steps, at["predicted"].isel(seed=0).values, color=color, linewidth=1.1)
            ax.plot(steps, np.nanmedian(at["table"].transpose("step", "seed").values, axis=1), color=color,
                    marker=marker, linestyle="none", label=f"{name}, $M={draws}$")  # fmt: skip
    ax.axhline(1, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(steps, [f"{value:g}" for value in steps])
    ax.set_yticks([1, 1.5, 2, 3], ["1", "1.5", "2", "3"])
    ax.minorticks_off()
    ax.set_xlabel("step $h$")
    ax.set_ylabel(r"temperature $a\,\mathrm{Var}(y)$")
    ax.legend(fontsize=7, loc="upper left")
    tidy(ax)

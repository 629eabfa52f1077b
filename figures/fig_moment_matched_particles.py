"""Particles in motion: temperature of fresh noise, memory of the start, coverage of a mode."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, GREY, ORANGE, RED, caption, new_figure, style, tidy

study = "moment_matched_particles"
claims = ("moment_matched.gradient_noise_temperature", "moment_matched.run_length", "moment_matched.mode_coverage")
PANELS = (
    ("a  Temperature over its prediction", "ratio", 1.0, (
        ("temperature", "temperature_euler", "Euler-\nMaruyama", ORANGE),
        ("temperature", "temperature_matthews", "Leimkuhler-\nMatthews", BLUE),
        ("temperature", "temperature_one", "unheated\nprediction", RED))),
    ("b  Overlap with the start", "overlap", 0.0, (
        ("overlap", "overlap", "time 6", BLUE), ("overlap_short", "overlap", "100 steps\nof 5e-4", RED))),
    ("c  Mass of a mode minus its limit", "difference", 0.0, (
        ("modes", "mode_gap_40", "40 particles", BLUE), ("modes", "mode_gap_4", "4 particles", GREEN))),
)  # fmt: skip


def figure(dataset):
    with style():
        canvas = new_figure(10.4, 4.0)
        axes = canvas.subplots(1, len(PANELS))
        for ax, (title, label, expected, rows) in zip(axes, PANELS, strict=True):
            for place, (case, variable, name, color) in enumerate(rows):
                values = np.ravel(dataset[variable].sel(case=case).values)
                shift = np.linspace(-0.16, 0.16, len(values))
                ax.plot(place + shift, values, ".", color=color, markersize=4, label=name.replace("\n", " "))
                ax.plot([place - 0.25, place + 0.25], [np.nanmedian(values)] * 2, color=color, linewidth=2)
            ax.axhline(expected, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1)
            ax.set_xticks(range(len(rows)), [name for _, _, name, _ in rows])
            ax.set_title(title)
            ax.set_ylabel(label)
            ax.set_xlabel("system")
            tidy(ax)
        caption(
            canvas,
            "Dots: seeds, each with new systems; bars: medians; dashed: prediction. Fresh gradient noise changes the "
            "law, not only the error; short runs remember their training points; few particles misweigh a mode by "
            "O(1/P).",
        )
    return canvas

"""One particle of P against the tilted Gibbs law: density, 1/P correction, and the explicit coefficient."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, caption, new_figure, shades, style, tidy

study = "moment_matched_limit"
claims = ("moment_matched.large_p_limit", "moment_matched.large_p_rate", "moment_matched.large_p_coefficient")
STATISTICS = {
    "fourth": (r"$E\,y^4$", BLUE, "o"),
    "cosine": (r"$E\cos 2y$", ORANGE, "s"),
    "third": (r"$E\,y^3$", GREEN, "D"),
}


def figure(dataset):
    data = dataset.isel({axis: 0 for axis in dataset.dims if axis == "seed"})
    particles = [int(p) for p in np.ravel(data["n_particles"].values)]
    with style():
        canvas = new_figure(11.4, 4.3)
        first, second, third = canvas.subplots(1, 3)
        y = data["position"].values.astype(float)
        limit = data["density"].sel(curve="limit").isel(n_particles=0).values
        coefficient = data["density"].sel(curve="coefficient").isel(n_particles=0).values
        first.plot(y, limit, color=INK, linewidth=2, label="tilted law")
        for p, color in zip(particles, shades(len(particles)), strict=True):
            value = data["density"].sel(curve="particle", n_particles=p).values
            first.plot(y, value, color=color, linewidth=1.1, label=f"$P={p}$")
            second.plot(
                y, p * (value - limit), color=color, marker=".", linestyle="none", markersize=4, label=f"$P={p}$"
            )
        second.plot(y, coefficient, color=INK, linewidth=1.4, label="explicit coefficient")
        for name, (label, color, marker) in STATISTICS.items():
            third.plot(1 / np.array(particles), data[f"{name}_ratio"].values, color=color, marker=marker, label=label)
        third.axhline(1, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1)
        for ax, title, x, label in (
            (first, "a  One particle", "$y$", "density"),
            (second, "b  P times the distance", "$y$", r"$P\,(f_P-p^*)$"),
            (third, "c  Over the coefficient", "$1/P$", r"$P\,(E_P-E_{p^*})/c_1$"),
        ):
            ax.set_title(title)
            ax.set_xlabel(x)
            ax.set_ylabel(label)
            ax.legend(fontsize=8)
            tidy(ax)
        caption(
            canvas,
            "Potential .2y³ + .25y⁴ − .8 cos 2y, exact values by Fourier quotients (no sampling), densities through "
            "a Gaussian window of width 0.1. Mean and variance are the same for every P.",
        )
    return canvas

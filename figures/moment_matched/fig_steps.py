"""Order in the step on the manifold: six schemes, one of second order."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, caption, new_figure, style, tidy

study = "moment_matched_steps"
claims = ("moment_matched.weak_order_em", "moment_matched.weak_order_lm")
LOOK = {
    "euler-maruyama": ("Euler-Maruyama, retraction", ORANGE, "o"),
    "euler-maruyama geodesic": ("Euler-Maruyama, geodesic", RED, "o"),
    "leimkuhler-matthews": ("Leimkuhler-Matthews as published", BLUE, "s"),
    "leimkuhler-matthews transported": ("with transported noise alone", SKY, "^"),
    "leimkuhler-matthews geodesic": ("with geodesic step alone", PINK, "v"),
    "geodesic-leimkuhler-matthews": ("with both", GREEN, "D"),
}


def figure(dataset):
    data = dataset.isel({axis: 0 for axis in dataset.dims if axis == "seed"}).sortby("step")
    steps = data["step"].values.astype(float)
    with style():
        canvas = new_figure(9.8, 5.4)
        upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1.4))
        for scheme, (label, color, marker) in LOOK.items():
            size = data["size"].sel(scheme=scheme).values
            upper.plot(steps, size, color=color, marker=marker, label=label)
            slopes = np.diff(np.log(size)) / np.diff(np.log(steps))
            lower.plot(np.sqrt(steps[1:] * steps[:-1]), slopes, color=color, marker=marker, linestyle="none")
        for power, style_of in ((1, (0, (4, 2.5))), (2, (0, (1, 1.5)))):
            anchor = "leimkuhler-matthews" if power == 1 else "geodesic-leimkuhler-matthews"
            guide = 1.6 * data["size"].sel(scheme=anchor).values[-1] * (steps / steps[-1]) ** power
            upper.plot(steps, guide, color=GREY, linestyle=style_of, linewidth=1.1, label=f"slope {power}")
            lower.axhline(power, color=GREY, linestyle=style_of, linewidth=1.1)
        upper.set_xscale("log")
        upper.set_yscale("log")
        upper.set_ylabel(r"$|E_h\,y^3-E\,y^3|$")
        lower.set_ylabel("local slope")
        lower.set_xlabel("step $h$")
        lower.set_xticks(steps, [f"{value:g}" for value in steps])
        lower.minorticks_off()
        canvas.legend(*upper.get_legend_handles_labels(), fontsize=8, loc="outside right upper")
        for ax in (upper, lower):
            tidy(ax)
        caption(
            canvas,
            "Three particles on the line; invariant laws of the discrete chains from transfer operators, no sampling. "
            "In flat space the published scheme is of second order; on the manifold it needs both changes.",
        )
    return canvas

"""Mode coverage against the number of particles: masses on the line and in the plane, distance to the limit."""

import numpy as np

from unifiedscore.plotting.style import BLUE, GREY, INK, ORANGE, RED, caption, new_figure, style, tidy

study = "moment_matched_modes"
claims = ("moment_matched.mode_coverage",)
COLOURS = (BLUE, ORANGE, RED)


def figure(dataset):
    with style():
        canvas = new_figure(11.4, 4.3)
        line, plane, gap = canvas.subplots(1, 3)
        _masses(dataset, "line", line)
        _masses(dataset, "plane", plane)
        p, size = _known(dataset.sel(case="exact").isel(seed=0), "size", low=12)
        gap.plot(p, size, color=RED, marker="o", label="rarest mode, exact")
        gap.plot(p, size[-1] * p[-1] / p, color=GREY, linestyle=(0, (4, 2.5)), label="slope −1")
        gap.set_xscale("log")
        gap.set_yscale("log")
        gap.set_xticks(p, [f"{value:g}" for value in p])
        gap.set_yticks([5e-4, 1e-3, 2e-3, 4e-3], ["0.0005", "0.001", "0.002", "0.004"])
        gap.minorticks_off()
        gap.set_ylabel("distance of its mass to the limit")
        for ax, title in ((line, "a  Line"), (plane, "b  Plane"), (gap, "c  Line, distance")):
            ax.set_title(title)
            ax.set_xlabel("particles $P$")
            # Between the lines of the first two modes.
            ax.legend(fontsize=8, **({} if ax is gap else {"loc": "upper right", "bbox_to_anchor": (1.0, 0.82)}))
            tidy(ax)
        caption(
            canvas,
            "No smoothing: the limit is the mixture, its masses are dashed. Dots: sampled seeds; bars: their mean; "
            "circles: exact law of P particles. With P = d + 1 the particles are a rigid simplex and misweigh the "
            "modes; the error falls like 1/P.",
        )
    return canvas


def _known(dataset, name, *, low=0):
    values = dataset[name].values.astype(float)
    p = dataset["n_particles"].values.astype(float)
    kept = np.isfinite(values) & (p >= low)
    return p[kept], values[kept]


def _masses(dataset, case, ax):
    at = dataset.sel(case=case)
    sampled = at["masses"].transpose("n_particles", "mode", "seed").values
    p = at["n_particles"].values.astype(float)
    for k, (mode, color) in enumerate(zip(np.ravel(at["mode"].values), COLOURS, strict=True)):
        limit = float(np.nanmedian(at["limit"].sel(mode=mode).values))
        ax.axhline(limit, color=color, linestyle=(0, (4, 2.5)), linewidth=1.1)
        for index, values in enumerate(sampled[:, k]):
            if np.isfinite(values).any():
                ax.plot(p[index] * np.geomspace(0.94, 1.06, len(values)), values, ".", color=color, markersize=2,
                        alpha=0.5)  # fmt: skip
                ax.plot(p[index] * np.array([0.9, 1.1]), [np.nanmean(values)] * 2, color=color, linewidth=2)
        ax.plot([], [], color=color, linewidth=2, label=f"{mode}, {limit:.2f}")
        if case == "line":
            exactly = dataset.sel(case="exact", mode=mode).isel(seed=0)
            ax.plot(*_known(exactly, "masses"), "o", color=INK, markersize=6, markerfacecolor="none",
                    label="exact" if k == 2 else None)  # fmt: skip
    ax.set_xscale("log")
    shown = p[np.isfinite(sampled).any(axis=(1, 2))]
    ax.set_xticks(shown, [f"{value:g}" for value in shown])
    ax.set_xlim(0.75 * shown[0], 1.3 * (p[-1] if case == "line" else shown[-1]))
    ax.minorticks_off()
    ax.set_ylabel("mass of a mode")

"""Two points: streamlines of the exact and of the smoothed score, coloured by the weight of the right point."""

from matplotlib.colors import LinearSegmentedColormap

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import GREY, INK, PAPER, caption, new_figure, style, tidy

study = "closed_form_pictures"
claims = ("closed_form.softened_boundary",)
SHOWN = (0.0, 0.5)
# Pale ends, so that lines stay readable on them.
PALE = LinearSegmentedColormap.from_list("weight", ["#f0a27a", "#ffffff", "#7ab4dc"])


def figure(dataset):
    with style():
        canvas = new_figure(9.8, 3.9)
        axes = canvas.subplots(1, len(SHOWN), sharey=True)
        for ax, smoothing in zip(axes, SHOWN, strict=True):
            mesh = _draw(ax, pick(dataset, {"smoothing": smoothing}))
            ax.set_title("a  Exact score, σ = 0" if smoothing == 0 else f"b  Smoothed score, σ = {smoothing:g}")
        axes[0].set_ylabel("$x_2$")
        bar = canvas.colorbar(mesh, ax=axes, shrink=0.86, pad=0.015, aspect=24, label="weight of the right point")
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, length=2, color=GREY)
        caption(
            canvas,
            "Two points at ±1 (dots: t times them, t = 0.8). Lines: direction of the score; colour: posterior weight, "
            "averaged over the noise; dashed: weights 0.1, 0.5 and 0.9. Smoothing turns the sharp border between the "
            "points into a ramp of width σ.",
        )
    return canvas


def _draw(ax, at):
    at = at.isel({axis: 0 for axis in at.sizes if axis not in ("row", "column")})
    x, y = at["column"].values.astype(float), at["row"].values.astype(float)
    weight, u, v = (at[name].transpose("row", "column").values for name in ("weight", "score_x", "score_y"))
    mesh = ax.pcolormesh(x, y, weight, cmap=PALE, vmin=0, vmax=1, shading="nearest", rasterized=True, zorder=0)
    ax.streamplot(x, y, u, v, color=INK, density=0.9, linewidth=0.8, arrowsize=0.8, zorder=2)
    ax.contour(x, y, weight, levels=[0.1, 0.5, 0.9], colors=[GREY], linewidths=1.0, linestyles="--", zorder=1)
    ax.plot(
        [-0.8, 0.8], [0, 0], "o", color=INK, markeredgecolor=PAPER, markersize=9, zorder=4, label="t times the points"
    )
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    ax.set_aspect("equal")
    ax.set_xlabel("$x_1$")
    tidy(ax, grid="")
    return mesh

"""Samples of the checkerboard at several smoothings, over the training points they are averages of."""

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, GREY, caption, new_figure, style, tidy

study = "closed_form_pictures"
claims = ("closed_form.memorisation", "closed_form.m_tuple_support", "closed_form.w2_interior_minimum")
SHOWN = (0.0, 0.25, 0.5, 1.5)
BOARD = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]


def figure(dataset):
    with style():
        canvas = new_figure(11.2, 3.6)
        axes = canvas.subplots(1, len(SHOWN), sharex=True, sharey=True)
        for ax, smoothing in zip(axes, SHOWN, strict=True):
            at = pick(dataset, {"smoothing": smoothing})
            at = at.isel({axis: 0 for axis in at.sizes if axis not in ("point", "sample", "coordinate")})
            for i, j in BOARD:
                ax.fill_between([2 * i - 4, 2 * i - 2], 2 * j - 4, 2 * j - 2, color="#eef1f4", linewidth=0, zorder=0)
            training, samples = at["training"].values, at["samples"].values
            ax.scatter(*training.T, s=12, color=GREY, alpha=0.35, linewidths=0, label="training", zorder=1)
            ax.scatter(*samples.T, s=7, color=BLUE, alpha=0.75, linewidths=0, label="samples", zorder=2)
            copies = float(at["copies"])
            ax.set_title(f"σ = {smoothing:g}")
            ax.set_xlabel(f"$x_1$\n{100 * copies:.0f} % copies")
            ax.set_aspect("equal")
            ax.set_xlim(-4.3, 4.3)
            ax.set_ylim(-4.3, 4.3)
            tidy(ax, grid="")
        axes[0].set_ylabel("$x_2$")
        handles, texts = axes[0].get_legend_handles_labels()
        canvas.legend(handles, texts, loc="outside upper right", ncols=2, markerscale=1.8)
        caption(
            canvas,
            "200 training points on the checkerboard, 400 samples, M = 4 fixed noise, S = 100; the unit is half the "
            "side of a cell. Copies: within 1e-6 of a training point. Without smoothing nearly all are; wide smoothing "
            "fills what lies between the cells.",
        )
    return canvas

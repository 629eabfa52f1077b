"""Drift and score difference in the plane, side by side, and the angle between them."""

import numpy as np

from unifiedscore.plotting.field2d import angle_between, plot_angle, plot_field
from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import GREY, caption, new_figure, style, words

study = "fields_2d"
claims = ("drift.gaussian_parallel", "drift.gaussian_identity", "drift.radial_decomposition")


def figure(dataset):
    kernels = [str(name) for name in np.ravel(dataset["kernel"].values)]
    if "gaussian" in kernels:
        kernels.sort(key=lambda name: name != "gaussian")
    with style():
        canvas = new_figure(10.4, 3.05 * len(kernels) + 0.5)
        axes = canvas.subplots(len(kernels), 3, squeeze=False)
        for row, kernel in enumerate(kernels):
            _draw_kernel(canvas, axes[row], dataset, kernel, top=row == 0)
        caption(
            canvas,
            "Lines: direction; colour: magnitude, each panel on its own scale. For the Gaussian kernel the two "
            "fields are parallel everywhere (the drift is bandwidth² times the score difference); for other "
            "radial kernels they are not.",
        )
    return canvas


def _draw_kernel(canvas, axes, dataset, kernel, *, top):
    at = pick(dataset, {"kernel": kernel})
    at = at.isel({axis: 0 for axis in at.sizes if axis not in ("row", "column")})
    x, y = at["column"].values.astype(float), at["row"].values.astype(float)
    names = ("drift_x", "drift_y", "score_x", "score_y")
    parts = [at[name].transpose("row", "column").values for name in names]
    drift, score = parts[:2], parts[2:]
    for ax, field, title in ((axes[0], drift, "Drift"), (axes[1], score, "Score difference")):
        plot_field(x, y, *field, ax=ax)
        _bar(canvas, ax)
        ax.set_title(title if top else "")
    drift, score = (_without_zeros(field) for field in (drift, score))
    worst = float(np.nanmax(angle_between(drift, score)))
    plot_angle(x, y, drift, score, ax=axes[2], most=max(10.0, min(180.0, 10 * np.ceil(worst / 10))))
    _bar(canvas, axes[2], "degrees")
    axes[2].set_title("Angle between them" if top else "")
    axes[2].text(
        0.03,
        0.97,
        f"largest: {_degrees(worst)}",
        transform=axes[2].transAxes,
        va="top",
        fontsize=8.5,
        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 2},
    )
    axes[0].set_ylabel(f"{words(kernel).capitalize()} kernel\n$x_2$", fontsize=11, fontweight="bold")
    for ax in axes:
        ax.set_xlabel("$x_1$")


def _without_zeros(field):
    """Where a field vanishes its direction is rounding noise; such points are left blank."""
    size = np.hypot(*field)
    return [np.where(size > 1e-9 * np.nanmax(size), part, np.nan) for part in field]


def _degrees(angle):
    if angle == 0:
        return "0°"
    return f"{angle:.0e}°".replace("e-0", "e\N{MINUS SIGN}") if angle < 0.01 else f"{angle:.3g}°"


def _bar(canvas, ax, label=""):
    bar = canvas.colorbar(ax.collections[0], ax=ax, shrink=0.86, pad=0.02, aspect=28)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2, color=GREY)
    if label:
        bar.set_label(label, fontsize=8.5)

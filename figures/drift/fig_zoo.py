"""The drifts side by side on one problem in the plane: streamlines, with the curl as colour."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import INK, caption, new_figure, style, tidy

study = "drift_zoo"
claims = ("drift.variants_conservative",)

TITLES = {
    "drift": "Drift",
    "score": "Score difference",
    "sharp": "Sharp drift",
    "batch": "Algorithm 2",
    "sinkhorn": "Sinkhorn",
    "kl_target_model": "KL(p|q) weights",
    "chi2_model_target": "χ²(q|p) weights",
    "witness": "MMD witness",
    "kl_flow": "Smoothed KL flow",
}


def figure(dataset):
    names = [str(name) for name in np.ravel(dataset["field"].values)]
    columns = 4
    rows = -(-len(names) // columns)
    with style():
        canvas = new_figure(11.0, 2.75 * rows + 0.6)
        axes = canvas.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for ax, name in zip(axes.flat, names, strict=False):
            mesh = _draw(ax, dataset, name)
        for ax in axes.flat[len(names) :]:
            ax.remove()
        for ax in axes[:, 0]:
            ax.set_ylabel("$x_2$")
        for ax in axes.flat[len(names) - columns : len(names)]:
            ax.set_xlabel("$x_1$")
            ax.tick_params(labelbottom=True)
        bar = canvas.colorbar(mesh, ax=list(axes.flat[: len(names)]), shrink=0.5, pad=0.015, aspect=30)
        bar.set_label("curl over its largest Jacobian", fontsize=9)
        bar.outline.set_visible(False)
        caption(
            canvas,
            "Target: ring of six modes, radius 3; model: radius 2.5, turned. Bandwidth 1, population fields. "
            "Lines: direction; colour: curl of each field relative to its own largest Jacobian. "
            "White panels are gradients.",
        )
    return canvas


def _draw(ax, dataset, name):
    at = pick(dataset, {"field": name})
    at = at.isel({axis: 0 for axis in at.sizes if axis not in ("row", "column")})
    x, y = at["column"].values.astype(float), at["row"].values.astype(float)
    u, v, turn = (at[key].transpose("row", "column").values for key in ("field_x", "field_y", "curl"))
    # The largest curl share says how large the Jacobian is: the colour is relative to it, field by field.
    share, top = float(at["curl_share"]), float(np.nanmax(np.abs(turn)))
    relative = turn / top * share if top > 0 else turn
    mesh = ax.pcolormesh(x, y, relative, cmap="RdBu_r", vmin=-0.5, vmax=0.5, shading="nearest", rasterized=True)
    ax.streamplot(x, y, u, v, color=INK, density=0.7, linewidth=0.6, arrowsize=0.6)
    kind, _, kernel = name.partition(":")
    ax.set_title(f"{TITLES.get(kind, kind)}, {kernel}", fontsize=9.5)
    ax.text(
        0.03,
        0.04,
        f"curl {share:.1g}" if share > 1e-5 else "no curl",
        transform=ax.transAxes,
        fontsize=8,
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.5},
    )
    ax.set_aspect("equal")
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())
    tidy(ax, grid="")
    return mesh

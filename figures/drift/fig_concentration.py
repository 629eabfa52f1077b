"""Do data concentrate as the theorems assume? Inner products, norms and common radius, on synthetic and real data."""

import numpy as np

from unifiedscore.plotting.scaling import DASHED, draw_curve
from unifiedscore.plotting.series import curve, has
from unifiedscore.plotting.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    RED,
    SKY,
    YELLOW,
    axis_label,
    caption,
    new_figure,
    style,
    tidy,
    words,
)

study = "concentration"
claims = ("drift.assumption_diagnostics", "drift.concentration_lemmas")

PANELS = {
    "kappa": ("a  Inner products", r"$\kappa=d\,E\langle x,y\rangle^2/R^4$"),
    "norm_spread": ("b  Norms", r"$\varsigma^2=d\,\mathrm{Var}|x|^2/R^4$"),
    "radius_ratio": ("c  Common radius", r"$R_p^2/R_q^2$"),
}
LOOK = {  # colour, marker: filled circles for synthetic families, squares for real data
    "ring_mog": (BLUE, "o"),
    "ring_mog_shifted": (SKY, "o"),
    "ring_mog_norms": (RED, "o"),
    "raw_mog": (PINK, "o"),
    "image_patches": (GREEN, "s"),
    "patches_without_brightness": (YELLOW, "s"),
    "patches_whitened": (INK, "s"),
    "digits": (ORANGE, "s"),
}


def figure(dataset):
    names = [str(name) for name in np.ravel(dataset["dataset"].values)]
    spare = iter([GREY] * len(names))
    look = {name: LOOK.get(name) or (next(spare), "D") for name in names}
    panels = {variable: title for variable, title in PANELS.items() if variable in dataset}
    with style():
        canvas = new_figure(3.5 * len(panels) + 0.2, 4.1)
        axes = canvas.subplots(1, len(panels), squeeze=False)[0]
        for ax, (variable, (title, label)) in zip(axes, panels.items(), strict=True):
            ax.set_xscale("log")
            if variable != "radius_ratio":
                ax.set_yscale("log", nonpositive="mask")
            for name in names:
                if has(dataset, variable, {"dataset": name}):
                    color, marker = look[name]
                    drawn = curve(dataset, variable, "dimension", where={"dataset": name})
                    draw_curve(ax, drawn, label=words(name), color=color, marker=marker)
            _guide(ax, variable)
            ax.set_title(title)
            ax.set_ylabel(label)
            ax.set_xlabel(axis_label(dataset["dimension"], "dimension"))
            tidy(ax)
            if variable == "radius_ratio":
                ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
        handles = {}
        for ax in axes:
            for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
                if ":" not in text:
                    handles.setdefault(text, handle)
        canvas.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=min(len(handles), 6))
        caption(
            canvas,
            "The theorems assume a and b bounded and c equal to 1 as dimension grows. Circles: synthetic families; "
            "squares: real data. Dotted: growth like the dimension; data that grow so lie outside the theorems.",
        )
    return canvas


def _guide(ax, variable):
    """Where the assumption holds exactly, or the slope with which it fails."""
    if variable == "radius_ratio":
        ax.axhline(1.0, color=GREY, linestyle=DASHED, linewidth=1.1, zorder=1.5)
        return
    bottom, top = ax.get_ylim()
    x = np.array(ax.get_xlim())
    ax.plot(x, x * bottom * 2 / x[0], color=GREY, linestyle=(0, (1, 1.5)), linewidth=1.4, zorder=1.5)
    ax.set_xlim(*x)
    ax.set_ylim(bottom, top)

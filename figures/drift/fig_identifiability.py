"""Which masses a drift can see: singular values against separation, and mass that escapes unseen."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import GREY, INK, PINK, RED, caption, colour, marker, new_figure, style, tidy, words

study = "drift_identifiability"
claims = ("drift.identifiable_gaussian_matern", "drift.compact_support_blind", "drift.mass_escape")
# Values below are zeros up to rounding and are drawn on this line.
FLOOR = 1e-17
PLAIN = {"wendland": RED, "laplace_cut": PINK, "constant": INK}


def figure(dataset):
    kernels = [str(name) for name in np.ravel(dataset["kernel"].values)]
    x = dataset["separation"].values.astype(float)
    with style():
        canvas = new_figure(10.6, 3.9)
        left, middle, right = canvas.subplots(1, 3)
        for kernel in kernels:
            at = pick(dataset, {"kernel": kernel})
            look = {"color": PLAIN.get(kernel) or colour(kernel), "marker": marker(kernel), "label": words(kernel)}
            left.plot(x, np.maximum(at["smallest_ratio"].values, FLOOR), **look)
            middle.plot(x, np.maximum(at["blind_drift"].values, FLOOR), **look)
        left.axhline(0.05, color=RED, linestyle=(0, (4, 2.5)), linewidth=1, label="claim: above")
        at = pick(dataset, {"kernel": kernels[0]})
        right.plot(x, at["escape_far"].values, color=INK, marker="o", label="at the escaped mass, over its distance")
        right.plot(x, np.maximum(at["escape_near"].values, FLOOR), color=RED, marker="s", label="largest on $[-3,3]^2$")
        titles = (
            "a  Smallest over largest singular value",
            "b  Drift between different masses",
            "c  Half of the model escapes",
        )
        labels = (r"$\sigma_3/\sigma_1$", "largest drift", "drift")
        for ax, title, label in zip((left, middle, right), titles, labels, strict=True):
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.set_title(title, fontsize=9.5)
            ax.set_ylabel(label)
            ax.set_xlabel("separation over bandwidth")
            tidy(ax)
        right.set_xlabel("distance of the escaped mass")
        middle.legend(fontsize=7.5)
        right.legend(fontsize=7.5, loc="lower left")
        for ax in (left, middle, right):
            ax.tick_params(color=GREY)
        caption(
            canvas,
            "Four atoms 0, 0.3, s, s + 0.3 on the line, Jacobian of masses to fields; a Wendland kernel of support 1 "
            "and a Laplace kernel cut off at 4 do not see masses of separated clusters, a constant kernel sees means "
            "alone. c: Laplace, in the plane.",
        )
    return canvas

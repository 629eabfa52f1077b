"""How often each test decides rightly, against the size of the effect."""

import numpy as np

from unifiedscore.plotting.shares import share
from unifiedscore.plotting.style import BLUE, GREEN, GREY, RED, caption, new_figure, style, tidy

study = "calibration_power"
profile = "standard"
claims = ("calibration.power",)

TRIALS = 128
TESTS = {"inside": ("Inside", BLUE, "o"), "rate": ("Rate", RED, "s"), "limit": ("Limit", GREEN, "D")}
PANELS = {"middle": "a  Supported, the truth in the middle", "outside": "b  Refuted, the truth outside"}
UNITS = {"middle": "half-width of the region", "outside": "distance of the truth from the region"}


def figure(dataset):
    with style():
        canvas = new_figure(9.2, 4.2)
        axes = canvas.subplots(1, 2, sharey=True)
        for ax, (truth, title) in zip(axes, PANELS.items(), strict=True):
            for test, (label, color, marker) in TESTS.items():
                _curve(ax, dataset, test, truth, label, color, marker)
            ax.axhline(0.9, color=GREY, linestyle=(0, (4, 2.5)), linewidth=1.1, label="promised at effect 1")
            ax.axvline(1.0, color=GREY, linewidth=0.8)
            ax.set_title(title)
            ax.set_xlabel(f"{UNITS[truth].capitalize()},\nas a multiple of the documented one")
            ax.set_ylim(-0.03, 1.03)
            tidy(ax)
        axes[0].set_ylabel("Power")
        axes[0].legend(loc="lower right")
        caption(
            canvas,
            "Shares of synthetic trials of 16 normal seeds, exact 99 % intervals. Documented, in standard deviations "
            "of one seed: Inside 1.3 and 2, Rate 0.25 and 0.35, Limit 0.7 (and, not promised, 1).",
        )
    return canvas


def _curve(ax, dataset, test, truth, label, color, marker):
    points = []
    for effect in np.ravel(dataset["effect"].values):
        found = share(dataset, "power", {"test": test, "truth": truth, "effect": float(effect)}, TRIALS)
        if found is not None:
            points.append((float(effect), found))
    if not points:
        return
    x = [effect for effect, _ in points]
    values, low, high = (np.array([getattr(one, part) for _, one in points]) for part in ("value", "low", "high"))
    ax.errorbar(
        x, values, yerr=[values - low, high - values], color=color, marker=marker, markersize=4.5, linewidth=1.5,
        capsize=2.5, label=label,
    )  # fmt: skip

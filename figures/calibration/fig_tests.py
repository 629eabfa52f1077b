"""How often the verdicts of each test are wrong, against what their levels promise."""

from unifiedscore.plotting.shares import draw_share, share
from unifiedscore.plotting.style import BLUE, GREY, RED, caption, new_figure, style, tidy

study = "calibration"
profile = "standard"
claims = ("calibration.false_refutation", "calibration.false_support", "calibration.miss")

KINDS = {"inside": "Inside", "inside_log": "Inside, geometric mean", "rate": "Rate, geometric mean", "limit": "Limit",
         "rate_numbers": "Rate, no seeds", "limit_numbers": "Limit, no seeds"}  # fmt: skip
NOISES = {"normal": "normal", "heteroscedastic": "unequal variances", "t5": "Student t, 5", "lognormal": "lognormal",
          "paired": "paired differences", "shared": "seeds move as one"}  # fmt: skip
SHAPES = {"half_order": "order ½", "declared_order": "order 1", "double_order": "order 2", "logarithmic": "1/log x"}
POINTS = {"long": "9 points, factor 4", "short": "6 points, factor 2"}
QUANTITIES = (
    ("false_refutation", "refuted though true", RED, "o", 1e-4),
    ("false_support", "supported though false", BLUE, "s", 1e-2),
    ("miss", "99 % interval misses", GREY, "D", 1e-2),
)


def figure(dataset):
    with style():
        canvas = new_figure(11.5, 8.2)
        axes = canvas.subplots(1, 2)
        noisy = [
            (f"{KINDS[test]}: {words}", {"test": test, "noise": noise, "correction": "none", "points": "long"})
            for test in ("inside", "inside_log", "rate", "limit")
            for noise, words in NOISES.items()
        ]
        bent = [
            (
                f"{KINDS[test]}: {words}, {POINTS[points]}",
                {"test": test, "correction": shape, "points": points, "noise": noise},
            )
            for test, noise in (("rate", "normal"), ("limit", "normal"), ("rate_numbers", "nothing"),
                                ("limit_numbers", "nothing"))
            for points in POINTS
            for shape, words in SHAPES.items()
        ]  # fmt: skip
        _panel(axes[0], dataset, noisy, QUANTITIES, (1e-6, 1.0), "a  Noise")
        _panel(axes[1], dataset, bent, QUANTITIES[:2], (5e-5, 1.0), "b  Finite-size corrections")
        handles = {text: handle for ax in axes for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)}
        if handles:
            canvas.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)
        caption(
            canvas,
            "Shares of synthetic trials of 16 seeds, truth on an end of the region, with exact 99 % intervals; an "
            "arrow is an upper end without an event. Dashed: nominal. Grey and hollow in a: four draws counted as "
            "sixteen seeds. Corrections of 1 to 30 standard deviations at the first x; Limit declares order 1.",
        )
    return canvas


def _panel(ax, dataset, rows, quantities, limits, title):
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    shown = []
    for label, where in rows:
        found = [share(dataset, name, where) for name, *_ in quantities]
        if found[0] is None:
            continue
        naive = share(dataset, "false_refutation_copied", where) if len(quantities) == 3 else None
        if naive is not None:
            draw_share(ax, naive, len(shown), color=GREY, marker="o", hollow=True, label="the same, copied draws")
        for offset, one, (_, words, color, marker, _) in zip((-0.25, 0.0, 0.25), found, quantities, strict=False):
            if one is not None:
                draw_share(ax, one, len(shown) + offset, color=color, marker=marker, label=words)
        shown.append(label)
    for _, words, color, _, nominal in quantities[:2]:
        ax.axvline(nominal, color=color, linestyle=(0, (4, 2.5)), linewidth=1.1, zorder=1, label=f"nominal, {words}")
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_title(title)
    ax.set_xlabel("Share of trials")
    ax.set_ylabel("Test and " + ("noise" if len(quantities) == 3 else "correction"))
    tidy(ax, grid="x")

"""Digits: Laplace and Gaussian generators at equal and at matched bandwidth, and what they draw."""

import numpy as np

from unifiedscore.plotting.series import pick
from unifiedscore.plotting.style import BLUE, GREY, INK, ORANGE, SKY, caption, new_figure, style, tidy

study = "generators"
claims = ("generators.matched_bandwidth", "generators.equal_bandwidth_gap", "generators.equal_bandwidth_sign")
profile = "standard"
PAIR = {
    "laplace": ("Laplace, τ", ORANGE, "o"),
    "gaussian_equal": ("Gaussian, h = τ", SKY, "s"),
    "gaussian_matched": ("Gaussian, matched h", BLUE, "s"),
}
ROWS = {**{name: look[0] for name, look in PAIR.items()}, "batch": "Algorithm 2", "sinkhorn": "Sinkhorn, matched h"}
COMMON, JITTER = 0.2, {"laplace": 0.96, "gaussian_equal": 1.0, "gaussian_matched": 1.04}


def figure(dataset):
    at = pick(dataset, {"dataset": "digits"}).isel(steps=0)
    rows = [name for name in ROWS if name in np.ravel(dataset["drift"].values).astype(str)]
    with style():
        pairs = -(-len(rows) // 2)
        canvas = new_figure(11.2, 4.4 + 1.2 * pairs)
        upper, lower = canvas.subfigures(2, 1, height_ratios=(4.0, 1.2 * pairs))
        left, right = upper.subplots(1, 2, sharey=True)
        _scan(at, left)
        _collapse(at, right)
        blocks = lower.subplots(pairs, 2, squeeze=False).T.ravel()
        _pictures(pick(at, {"temperature": COMMON}), blocks[: len(rows)], rows)
        for ax in blocks[len(rows) :]:
            ax.remove()
        caption(
            canvas,
            f"Left: every seed ({dataset.sizes['seed']}) as a dot, medians as lines; ρ is the typical distance between "
            "digits. Right: the same values against the bandwidth of the Gaussian that drifts alike, for the Laplace "
            "kernel the matched one. Below: generators at τ = 0.2 ρ (first seed), each image over the training image "
            "nearest to it.",
        )
    return canvas


def _ratio(at, name):
    """Temperatures and sliced W2 over its floor, (temperature, seed)."""
    part = pick(at, {"drift": name})
    return np.ravel(part["temperature"].values), np.exp(part["log_ratio"].transpose("temperature", "seed").values)


def _scan(at, ax):
    for name, (title, color, marker) in PAIR.items():
        x, y = _ratio(at, name)
        x = x * JITTER[name]
        ax.plot(np.repeat(x, y.shape[1]), y.ravel(), ".", color=color, markersize=3, alpha=0.35)
        ax.plot(x, np.median(y, axis=1), color=color, marker=marker, label=title)
    _axis(ax, _ratio(at, "laplace")[0], "kernel bandwidth τ over ρ")
    ax.set_title("a  Equal and matched bandwidth")
    ax.set_ylabel("sliced $W_2$ over its floor")
    ax.legend(loc="upper right")


def _collapse(at, ax):
    matched = pick(at, {"drift": "gaussian_matched"})
    matched = np.median((matched["bandwidth"] / matched["distance"]).transpose("temperature", "seed").values, axis=1)
    for name, (title, color, marker) in PAIR.items():
        x, y = _ratio(at, name)
        x = x if name == "gaussian_equal" else matched
        ax.plot(np.repeat(x, y.shape[1]), y.ravel(), ".", color=color, markersize=3, alpha=0.35)
        ax.plot(x, np.median(y, axis=1), color=color, marker=marker, label=title, alpha=0.9)
    _axis(ax, _ratio(at, "laplace")[0], "bandwidth h of the Gaussian that drifts alike, over ρ")
    ax.set_title("b  One curve against the matched bandwidth?")


def _axis(ax, ticks, label):
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.axhline(1.0, color=GREY, linewidth=1.0, linestyle=(0, (4, 2.5)))
    ax.set_xticks(ticks, [f"{value:g}" for value in ticks])
    ax.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    ax.minorticks_off()
    ax.set_xlabel(label)
    tidy(ax)


def _pictures(at, axes, rows):
    for ax, name in zip(axes, rows, strict=True):
        pictures = pick(at["pictures"], {"drift": name}).isel(seed=0).transpose("shown", "image", "pixel").values
        two, count = pictures.shape[:2]
        strip = np.full((8 * two + 1, 9 * count - 1), np.nan)
        for row, column in np.ndindex(two, count):
            strip[9 * row : 9 * row + 8, 9 * column : 9 * column + 8] = pictures[row, column].reshape(8, 8)
        ax.pcolormesh(
            np.arange(strip.shape[1] + 1), np.arange(strip.shape[0] + 1), strip[::-1], cmap="gray_r", vmin=0, vmax=1,
            rasterized=True,
        )  # fmt: skip
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set_visible(False)
        for height, text in ((13, ROWS[name]), (4, "nearest training")):
            ax.text(-1.5, height, text, ha="right", va="center", fontsize=8.5, color=INK if height > 8 else GREY)

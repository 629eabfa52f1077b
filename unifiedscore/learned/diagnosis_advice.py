"""A few sentences on a score network, chosen by fixed thresholds from the numbers."""

from __future__ import annotations

import numpy as np

CURL = 0.01
MEMORY, REMEMBERS = 0.5, 0.95
_WORDS = {
    "score": "its smoothed empirical score",
    "kernel": "the empirical denoiser at more noise",
    "density": "the denoiser of a kernel density estimate",
    "gaussian": "the Gaussian of two moments",
}


def advise(dataset) -> list[str]:
    """Return what is nearest, memory, copies, curl and spread, each in one sentence where there is something to say."""
    found = [_descriptions(dataset), _memory(dataset), _truth(dataset), _copies(dataset), _curl(dataset)]
    found.append(_spread(dataset))
    return [sentence for sentence in found if sentence]


def _range(levels) -> str:
    return f"h = {levels[0]:.3g}" if len(levels) == 1 else f"h = {levels[0]:.3g} to {levels[-1]:.3g}"


def _descriptions(dataset) -> str:
    """Runs of neighbouring levels with the same nearest description."""
    levels, memory = dataset["level"].values, dataset["memorised_share"].values
    shares = {name: dataset[f"{name}_share"].values for name in _WORDS}
    best = [
        "memory" if memory[k] > REMEMBERS else max(shares, key=lambda name, k=k: shares[name][k])
        for k in range(len(levels))
    ]
    parts, start = [], 0
    for k in range(1, len(levels) + 1):
        if k < len(levels) and best[k] == best[start]:
            continue
        parts.append(f"at {_range(levels[start:k])} {_nearest(dataset, best[start], start, k)}")
        start = k
    return "The network is nearest to: " + "; ".join(parts) + "."


def _nearest(dataset, name: str, start: int, end: int) -> str:
    if name == "memory":
        return "its memory, the empirical denoiser itself"
    share = dataset[f"{name}_share"].values[start:end]
    text = f"{_WORDS[name]} (share {share.min():.2f}" + (f" to {share.max():.2f})" if end > start + 1 else ")")
    parameter = {"score": "effective_smoothing", "density": "effective_bandwidth"}.get(name)
    if parameter:
        values = dataset[parameter].values[start:end]
        ends = f"{values.min():.3g}" + (f" to {values.max():.3g}" if end > start + 1 else "")
        text += f", with {parameter.replace('_', ' ')} {ends}"
    return text


def _memory(dataset) -> str:
    levels, low = dataset["level"].values, dataset["memorised_share_low"].values
    if not (low > MEMORY).any():
        return ""
    spread = float(dataset.attrs["data_scale"])
    within, beyond = (low > MEMORY) & (levels <= spread), (low > MEMORY) & (levels > spread)
    wide = f"beyond the spread of the data, {spread:.3g}, every network that fits is near the empirical denoiser"
    if not within.any():
        return f"It is near the empirical denoiser only {_runs(levels, beyond)}: {wide}, so that this is not memory."
    text = f"It has memorised more than half of the way to its training set {_runs(levels, low > MEMORY)}"
    if beyond.any():
        text += f" ({wide})"
    return f"{text}: stop earlier, take more data or a smaller network if that is not wanted."


def _runs(levels, chosen) -> str:
    """The chosen levels in words, neighbours as one range."""
    index = np.flatnonzero(chosen)
    runs = [levels[run] for run in np.split(index, np.flatnonzero(np.diff(index) > 1) + 1)]
    return " and ".join(
        f"at h = {run[0]:.3g}" if len(run) == 1 else f"from h = {run[0]:.3g} to {run[-1]:.3g}" for run in runs
    )


def _truth(dataset) -> str:
    if "truth_error" not in dataset:
        return ""
    levels = dataset["level"].values
    nearer = dataset["truth_error_high"].values < dataset["memory_error_low"].values
    if nearer.all():
        return "It generalises: it is nearer to the truth than to its training set at every noise level."
    if not nearer.any():
        return "It does not generalise: at no noise level is it surely nearer to the truth than to its training set."
    return f"It generalises at h = {', '.join(f'{h:.3g}' for h in levels[nearer])}, and not surely elsewhere."


def _copies(dataset) -> str:
    rate, chance = float(dataset["copies"]), float(dataset["chance_copies"])
    low, high = float(dataset["excess_copies_low"]), float(dataset["excess_copies_high"])
    if np.isnan(rate):
        return "Copies cannot be counted: the training set has fewer than three different points."
    if low > 0:
        return (
            f"{rate:.0%} of its samples are copies by the usual threshold, {rate - chance:+.0%} against the training "
            "points among each other: it copies."
        )
    if high < 0:
        return ""
    return (
        f"{rate:.0%} of its samples are copies by the usual threshold, and so are {chance:.0%} of the training points "
        "of each other: no sign of copying."
    )


def _curl(dataset) -> str:
    if "curl_share" not in dataset:
        return ""
    low, levels = dataset["curl_share_low"].values, dataset["level"].values
    if not (low > CURL).any():
        return ""
    worst = int(np.argmax(dataset["curl_share"].values))
    return (
        f"It is not a score at h = {levels[worst]:.3g}: {dataset['curl_share'].values[worst]:.1%} of its Jacobian is "
        "rotation. Train the gradient of a scalar network (--energy) where a potential is needed."
    )


def _spread(dataset) -> str:
    spread, gain = float(dataset["sample_spread"]), float(dataset["sampling_gain"])
    if abs(spread - gain) < 0.1:
        return ""
    return (
        f"Its samples have {spread:.2f} times the standard deviation of the data ({gain:.3f} would be due to the steps "
        "of the sampler): a ranking by two moments says more about that than about the score."
    )

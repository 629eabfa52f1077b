"""What a drift was made of along the steps of training."""

from __future__ import annotations

import numpy as np

from unifiedscore.plotting.style import GREY, INK, colour, new_figure, style, tidy

_ALIGNMENT = {"cross_fitted_cosine": "cross-fitted", "same_sample_cosine": "same samples: shared noise"}
_PANELS = (
    ("mean squared drift", {"drift_energy": "all of it", "noise_energy": "sampling noise"}),
    ("cosine with the score", _ALIGNMENT),
    ("share", {"curl_share": "curl of the Jacobian", "residual_share": "residual gap of the drift"}),
)
_COLOURS = {
    "drift_energy": "drift",
    "cross_fitted_cosine": "cross_fitted",
    "same_sample_cosine": "same_sample",
    "curl_share": "curl",
    "residual_share": "residual",
}


def plot_monitor(dataset):
    """Draw what a `DriftMonitor` recorded: energy and its noise, alignment with its interval, curl and residual.

    Use when you look at a training run afterwards, or while it goes on.

    Parameters
    ----------
    dataset : xarray.Dataset
        `monitor.dataset()`, along `step`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> plot_monitor(monitor.dataset()).savefig("monitor.png")  # doctest: +SKIP
    """
    step = dataset["step"].values
    with style():
        figure = new_figure(7.0, 6.6)
        axes = figure.subplots(len(_PANELS), 1, sharex=True)
        for ax, (label, names) in zip(axes, _PANELS, strict=True):
            for name, text in names.items():
                hue = colour(_COLOURS[name]) if name in _COLOURS else GREY
                ax.plot(step, dataset[name].values, marker="o", markersize=3, label=text, color=hue)
            ax.set_ylabel(label)
            tidy(ax, grid="y")
        low, high = (dataset[f"cross_fitted_cosine_{end}"].values for end in ("low", "high"))
        axes[1].fill_between(step, low, high, alpha=0.2, color=colour("cross_fitted"), linewidth=0)
        axes[1].axhline(0.0, color=INK, linewidth=0.6)
        if (dataset["drift_energy"].values > 0).any():
            axes[0].set_yscale("log", nonpositive="mask")
        axes[2].set_ylim(bottom=0.0)
        for ax in axes:
            ax.legend(fontsize=8.5, loc="best")
        axes[2].set_xlabel("step of training")
        level = dataset.attrs.get("level", np.nan)
        axes[0].set_title(f"The drift along training ({dataset.attrs.get('kernel', '')} kernel)")
        axes[1].set_title(f"band: {level:.0%} interval; no value where noise hides the direction", fontsize=8.5)
    return figure

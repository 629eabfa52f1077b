"""`unifiedscore train`: train a one-step generator on a file of points, and show what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore.fields import feature_scale
from unifiedscore.kernels import kernel_by_name
from unifiedscore.measures.files import load_points
from unifiedscore.samplers import DriftingFlow
from unifiedscore.train.torch_module import require_torch
from unifiedscore.train.training import train_generator

_SAMPLES = 1000


def train_command(
    data: str, *, kernel: str, bandwidth: float, rule: str, steps: int, batch: int, seed: int, out: Path
) -> Path:
    """Train, then write `generator.pt`, `samples.npy`, `energy.npy` and `samples.png` into `out`; returns the folder.

    Parameters
    ----------
    data : str
        File of (n, d) points.
    kernel, rule : str
    bandwidth : float
        In units of the mean distance between points.
    steps, batch, seed : int
    out : path

    Raises
    ------
    MissingDependencyError, FileError, InputError
    """
    require_torch()
    points = load_points(data).points
    rng = np.random.default_rng(seed)
    some = points[rng.permutation(len(points))[:500]]
    length = bandwidth * feature_scale(some, some) * np.sqrt(points.shape[1])
    flow = DriftingFlow(
        kernel_by_name(kernel, length, dimension=points.shape[1]), points, rule=rule, batch=min(batch, len(points))
    )
    out.mkdir(parents=True, exist_ok=True)
    trained = train_generator(flow, steps=steps, rng=rng, batch=batch, checkpoint=out / "generator.pt")
    drawn = trained.sample(_SAMPLES, rng)
    np.save(out / "samples.npy", drawn)
    np.save(out / "energy.npy", trained.energy)
    _figure(points, drawn).savefig(out / "samples.png", dpi=120)
    return out


def _figure(points, drawn):
    """First two coordinates (one: histograms) of data and samples, on the same axes."""
    from unifiedscore.plotting.style import BLUE, GREY, new_figure, style, tidy

    with style():
        canvas = new_figure(4.6, 4.2)
        ax = canvas.add_subplot()
        for values, color, label in ((points[: len(drawn)], GREY, "data"), (drawn, BLUE, "generator")):
            if points.shape[1] == 1:
                ax.hist(values[:, 0], bins=40, density=True, histtype="step", color=color, label=label)
            else:
                ax.plot(values[:, 0], values[:, 1], ".", markersize=3, alpha=0.6, color=color, label=label)
        ax.set_xlabel("$x_1$")
        ax.set_ylabel("density" if points.shape[1] == 1 else "$x_2$")
        ax.legend()
        tidy(ax)
    return canvas

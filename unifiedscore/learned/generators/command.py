"""`unifiedscore train drift`: train a one-step generator on a file of points, and show what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore.kernels import Laplace, kernel_by_name
from unifiedscore.learned.generators.bandwidth import matched_kernel
from unifiedscore.learned.generators.generator import new_generator
from unifiedscore.learned.generators.training import train_generator
from unifiedscore.learned.results import nearness, training_points, write_results
from unifiedscore.metrics import feature_scale
from unifiedscore.plotting.generator import generator_figure
from unifiedscore.samplers import DriftingFlow
from unifiedscore.validate import integer, positive

_SOME = 500


def train_drift_command(
    data: str,
    *,
    kernel: str,
    bandwidth: float,
    rule: str,
    n_steps: int,
    batch: int,
    seed: int,
    out: Path,
    matched: bool = False,
    samples: int = 1000,
) -> str:
    """Train, and write checkpoint, samples, energies and figure into `out`; returns what happened.

    Parameters
    ----------
    data : str
        File of (n, d) points, or a named data set.
    kernel, rule : str
    bandwidth : float
        In units of the mean distance between points.
    n_steps, batch, samples, seed : int
    out : path
    matched : bool
        Take the bandwidth at which the kernel drifts like a Laplace kernel of `bandwidth`.

    Raises
    ------
    MissingDependencyError, FileError, InputError
    """
    bandwidth, seed, samples, n_steps = (
        positive(bandwidth, "--bandwidth"),
        integer(seed, "--seed", low=0),
        integer(samples, "--samples"),
        integer(n_steps, "--steps"),
    )
    rng = np.random.default_rng(seed)
    points = training_points(data, rng=rng, out=out)
    # The step of the optimiser is in units of the data: these are given size one, and a common centre.
    shift, scale = points.mean(0), float(np.sqrt(np.mean((points - points.mean(0)) ** 2)))
    unit = (points - shift) / scale
    some = unit[rng.permutation(len(unit))[:_SOME]]
    length = bandwidth * feature_scale(some, some) * np.sqrt(unit.shape[1])
    size = {"latent": 4, "width": 64} if unit.shape[1] <= 3 else {"latent": 16, "width": 128}
    start = new_generator(unit, rng=rng, **size)
    profile = kernel_by_name(kernel, length, dimension=unit.shape[1])
    if matched:
        profile = matched_kernel(Laplace(length), profile, target=some, model=start.sample(_SOME, rng))
    flow = DriftingFlow(profile, unit, rule=rule, batch=batch, tolerance=1e-3)
    options = {"n_steps": n_steps, "rng": rng, "start": start, "batch": batch, "learning_rate": 5e-3}
    trained = train_generator(flow, **options, checkpoint=out / "checkpoint.safetensors")
    drawn, energy = shift + scale * trained.sample(samples, rng), scale**2 * trained.energy
    write_results(out, generator_figure(points, drawn, energy), samples=drawn, energy=energy)
    return (
        f"{len(energy)} steps at bandwidth {profile.bandwidth * scale:.4g}; {nearness(points, drawn, rng)}\n"
        f"{out}: checkpoint.safetensors, samples.npy, energy.npy, samples.png"
    )

"""`unifiedscore train`: train a one-step generator on a file of points, and show what it draws."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from unifiedscore.atomic import write_atomic
from unifiedscore.diagnosis.sources import read_points
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.kernels import Laplace, kernel_by_name
from unifiedscore.learned.generators.bandwidth import matched_kernel
from unifiedscore.learned.generators.generator import new_generator
from unifiedscore.learned.generators.training import train_generator
from unifiedscore.metrics import feature_scale, nearest_training_distance
from unifiedscore.output import note
from unifiedscore.plotting.generator import generator_figure
from unifiedscore.samplers import DriftingFlow
from unifiedscore.validate import integer, positive

_SOME = 500
_LARGEST_SET = 2000


def train_command(
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
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")
    rng = np.random.default_rng(seed)
    points, notes = read_points(data, rng=rng, size=_LARGEST_SET)
    require_torch("training")
    for text in notes:
        note(text)
    points = points.astype(np.float64)
    # The step of the optimiser is in units of the data: these are given size one, and a common centre.
    shift, scale = points.mean(0), float(np.sqrt(np.mean((points - points.mean(0)) ** 2)))
    if scale == 0:
        raise InputError(f"{data} must hold two distinct points; all {len(points)} are the same")
    unit = (points - shift) / scale
    some = unit[rng.permutation(len(unit))[:_SOME]]
    length = bandwidth * feature_scale(some, some) * np.sqrt(unit.shape[1])
    size = {"latent": 4, "width": 64} if unit.shape[1] <= 3 else {"latent": 16, "width": 128}
    start = new_generator(unit, rng=rng, **size)
    profile = kernel_by_name(kernel, length, dimension=unit.shape[1])
    if matched:
        profile = matched_kernel(Laplace(length), profile, target=some, model=start.sample(_SOME, rng))
    flow = DriftingFlow(profile, unit, rule=rule, batch=batch, tolerance=1e-3)
    out.mkdir(parents=True, exist_ok=True)
    options = {"n_steps": n_steps, "rng": rng, "start": start, "batch": batch, "learning_rate": 5e-3}
    trained = train_generator(flow, **options, checkpoint=out / "checkpoint.safetensors")
    drawn, energy = shift + scale * trained.sample(samples, rng), scale**2 * trained.energy
    figure = io.BytesIO()
    generator_figure(points, drawn, energy).savefig(figure, format="png", dpi=150)
    write_atomic(out / "samples.png", figure.getvalue())
    for name, array in (("samples", drawn), ("energy", energy)):
        content = io.BytesIO()
        np.save(content, array)
        write_atomic(out / f"{name}.npy", content.getvalue())
    return _summary(rng.permutation(points), drawn, profile.bandwidth * scale, len(energy), out)


def _summary(points, drawn, bandwidth, n_steps, out) -> str:
    """One line a reader can judge: how near the samples are to the data, beside how near the data are to each other."""
    half = len(points) // 2
    gap = np.median(nearest_training_distance(drawn, points))
    own = np.median(nearest_training_distance(points[:half], points[half:])) if half else np.nan
    return (
        f"{n_steps} steps at bandwidth {bandwidth:.4g}; median distance of a sample to its nearest training point "
        f"{gap:.3g} (between two halves of the data: {own:.3g})\n"
        f"{out}: checkpoint.safetensors, samples.npy, energy.npy, samples.png"
    )

"""`unifiedscore train score`: train a denoiser on a file of points, and show what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore import validate
from unifiedscore.learned.results import nearness, training_points, write_results
from unifiedscore.learned.sample import SCHEMES, gaussian_sampling_gain, noise_levels, sample_denoiser
from unifiedscore.learned.train import train_denoiser
from unifiedscore.plotting.generator import generator_figure


def train_score_command(
    data: str,
    *,
    out: Path,
    n_steps: int,
    seed: int,
    samples: int = 1000,
    scheme: str = "heun",
    sampling_steps: int = 40,
    every: int = 200,
    **options,
) -> str:
    """Train, and write checkpoint, samples, excess losses and figure into `out`; returns what happened.

    Parameters
    ----------
    data : str
        File of (n, d) points, or a named data set.
    out : path
    n_steps, seed, samples, every : int
    scheme, sampling_steps
        Of `sample_denoiser`.
    **options
        As for `train_denoisers`.

    Raises
    ------
    MissingDependencyError, FileError, InputError
    """
    seed, samples = validate.integer(seed, "--seed", low=0), validate.integer(samples, "--samples")
    n_steps, sampling = (
        validate.integer(n_steps, "--steps"),
        validate.integer(sampling_steps, "--sampling-steps", low=2),
    )
    validate.choice(scheme, "--scheme", SCHEMES)
    rng = np.random.default_rng(seed)
    points = training_points(data, rng=rng, out=out)
    path = out / "checkpoint.safetensors"
    trained = train_denoiser(points, rng=rng, n_steps=n_steps, every=every, checkpoint=path, **options)
    denoiser = trained.denoiser()
    low, high = denoiser.levels
    levels = noise_levels(sampling, high=high, low=low)
    spread = np.hypot(high, denoiser.scale)
    start = denoiser.mean + spread * rng.standard_normal((samples, denoiser.dimension))
    drawn = sample_denoiser(denoiser, start, levels=levels, scheme=scheme, rng=rng)
    canvas = generator_figure(
        points,
        drawn,
        trained.excess[:, 0],
        steps=trained.steps,
        label="excess loss",
        note="The excess loss is the loss minus that of the empirical denoiser, which has memorised the data.",
    )
    write_results(out, canvas, samples=drawn, excess=np.column_stack([trained.steps, trained.excess[:, 0]]))
    bias = gaussian_sampling_gain(levels, scale=denoiser.scale, scheme=scheme) - 1
    return (
        f"{trained.steps[-1]:.0f} steps; excess loss {trained.excess[0, 0]:.3g} at step {trained.steps[0]:.0f}, "
        f"{trained.excess[-1, 0]:.3g} in the end (0 is memory)\n"
        f"{nearness(points, drawn, rng)}\n"
        f"{sampling} {scheme} steps alone change the standard deviation of a Gaussian by {bias:+.2%}\n"
        f"{out}: checkpoint.safetensors, samples.npy, excess.npy, samples.png\n"
        f"next: unifiedscore diagnose-score {path} {data}"
    )

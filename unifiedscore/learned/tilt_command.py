"""`unifiedscore train tilt`: train the control that tilts smoothed points by a reward, against the optimal one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.learned.results import training_points, write_results
from unifiedscore.learned.tilt import train_control
from unifiedscore.learned.tilt_targets import path_times
from unifiedscore.measures import GaussianMixture
from unifiedscore.output import note
from unifiedscore.plotting.generator import generator_figure
from unifiedscore.processes import QuadraticReward, TiltedProcess, simulate
from unifiedscore.samplers import effective_sample_size, log_mean_exp

_COMPONENTS = 500  # points that the base is made of
_SAMPLING_STEPS = 200


def train_tilt_command(
    data: str,
    *,
    out: Path,
    linear: list[float] | None,
    quadratic: float = 0.0,
    bandwidth: float = 0.2,
    schedule: str = "rectified_flow",
    loss: str,
    n_steps: int,
    seed: int,
    samples: int = 1000,
    **options,
) -> str:
    """Train, and write checkpoint, samples, log-weights, divergences and figure into `out`; returns what happened.

    Parameters
    ----------
    data : str
        File of (n, d) points, or a named data set: smoothed, they are the base, whose exact score is known. Of more
        than 500 points the base is made of 500 random ones, with a note.
    out : path
    linear : list of float or None
        l of the reward l.x - q |x|^2 / 2, one number for each coordinate, in the units of the data; None is 0.
    quadratic : float
        q.
    bandwidth : float
        Of the smoothing, in units of the scale of the data.
    schedule, loss : str
    n_steps, seed, samples : int
    **options
        As for `train_control`.

    Raises
    ------
    MissingDependencyError, FileError, InputError
    """
    seed, samples = validate.integer(seed, "--seed", low=0), validate.integer(samples, "--samples", low=2)
    n_steps = validate.integer(n_steps, "--steps")
    bandwidth, q = validate.positive(bandwidth, "--bandwidth"), validate.number(quadratic, "--quadratic")
    rng = np.random.default_rng(seed)
    points = training_points(data, rng=rng, out=out)
    d = points.shape[1]
    slope = np.zeros(d) if linear is None else validate.real_array(linear, "--linear").astype(np.float64)
    if slope.shape != (d,):
        raise InputError(f"--linear must be {d} numbers, one for each coordinate of {data}; got {len(slope)}")
    if not slope.any() and q == 0:
        raise InputError("the reward is 0 and tilts nothing; give --linear or --quadratic")
    shift, scale = points.mean(0), float(np.sqrt(np.mean((points - points.mean(0)) ** 2)))
    if len(points) > _COMPONENTS:
        note(f"{data}: the base is made of {_COMPONENTS} of its {len(points)} points, drawn with --seed {seed}")
        points = points[np.sort(rng.permutation(len(points))[:_COMPONENTS])]
    some = (points - shift) / scale
    # The same reward, but for a constant, of z with x = shift + scale z: noise of variance 1 asks for data of its size.
    reward = QuadraticReward(scale * (slope - q * shift), scale**2 * q)
    constant = float(slope @ shift - 0.5 * q * shift @ shift)
    process = TiltedProcess(GaussianMixture(some, bandwidth**2), reward, schedule)
    path = out / "checkpoint.safetensors"
    trained = train_control(process, rng=rng, n_steps=n_steps, loss=loss, checkpoint=path, **options)
    control = trained.control()
    times = path_times(control.cutoff, _SAMPLING_STEPS)
    paths = simulate(process, samples, rng, times=times, control=control)
    drawn, weights = shift + scale * paths.points, paths.log_weight + constant
    canvas = generator_figure(
        shift + scale * process.target.sample(samples, rng),
        drawn,
        trained.divergence / trained.untrained,
        steps=trained.steps,
        label="path divergence over that of no control",
        note="Grey: exact draws of the tilted law. A divergence of 0 is the optimal control.",
    )
    course = np.column_stack([trained.steps, trained.divergence])
    write_results(out, canvas, samples=drawn, log_weight=weights, divergence=course)
    exact = process.log_normalizer + constant
    spread = np.exp(weights - weights.max())
    error = spread.std(ddof=1) / spread.mean() / np.sqrt(samples)
    return (
        f"{trained.steps[-1]:.0f} steps; the paths diverge from optimal ones by {trained.divergence[-1]:.3g} nats, "
        f"without a control by {trained.untrained:.3g}, at times from {control.cutoff:g} to {1 - control.cutoff:g}\n"
        f"log Z {log_mean_exp(weights):.4g} (standard error {error:.2g}; exact {exact:.4g}) "
        f"from {samples} weighted paths, which are worth {effective_sample_size(weights):.0f}\n"
        f"{out}: checkpoint.safetensors, samples.npy, log_weight.npy, divergence.npy, samples.png"
    )

"""`train`: networks on a user's own points, one subcommand for each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from unifiedscore.cli.options import Seed
from unifiedscore.output import say_lines

Data = Annotated[str, typer.Argument(help="File of training points (.npy .npz .nc .csv), or a named data set.")]
Steps = Annotated[int, typer.Option(help="Training steps; a checkpoint in --out is resumed.")]
Drawn = Annotated[int, typer.Option(help="Points to draw in the end.")]
Folder = Annotated[Path, typer.Option(help="Folder for checkpoint, samples and figure.")]


class DriftByDefault(TyperGroup):
    """`train DATA` is `train drift DATA`, as it was before there were other kinds."""

    def parse_args(self, ctx, args):
        if args and args[0] not in (*self.commands, "--help"):
            args = ["drift", *args]
        return super().parse_args(ctx, args)


train_app = typer.Typer(
    cls=DriftByDefault, help="Train a network on your own points (needs the extra `torch`).", no_args_is_help=False
)


@train_app.command("score")
def train_score_command(
    data: Data,
    steps: Steps = 4000,
    batch: Annotated[int, typer.Option(help="Noisy points of a step.")] = 128,
    width: Annotated[int, typer.Option(help="Units of a hidden layer.")] = 128,
    hidden: Annotated[int, typer.Option(help="Hidden layers.")] = 3,
    parametrisation: Annotated[str, typer.Option(help="preconditioned or plain.")] = "preconditioned",
    energy: Annotated[bool, typer.Option("--energy", help="The gradient of a scalar network: no curl.")] = False,
    loss: Annotated[str, typer.Option(help="log_uniform, edm, flow_matching, noise_prediction or kl.")] = "log_uniform",
    target: Annotated[str, typer.Option(help="sample, or closed_form: the empirical denoiser.")] = "sample",
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 2e-3,
    decay: Annotated[str, typer.Option(help="Of the learning rate: none, or cosine over --steps.")] = "none",
    average: Annotated[float, typer.Option(help="Decay of the average of the weights, below 1; 0 for none.")] = 0.999,
    samples: Drawn = 1000,
    scheme: Annotated[str, typer.Option(help="heun or ddim; with noise: stochastic_heun or ancestral.")] = "heun",
    sampling_steps: Annotated[int, typer.Option(help="Steps of a sample.")] = 40,
    out: Folder = Path("trained"),
    seed: Seed = 0,
):
    """Train a denoiser, which is a score and a velocity at every noise level, and draw from it.

    Writes checkpoint.safetensors, samples.npy, excess.npy and samples.png. Ctrl-C leaves a checkpoint: the same
    command goes on where this one stopped, and ends with the numbers of an uninterrupted run.
    """
    from unifiedscore.learned.command import train_score_command as train_score

    network = {"width": width, "hidden": hidden, "parametrisation": parametrisation, "energy": energy}
    course = {"batch": batch, "loss": loss, "target": target, "learning_rate": learning_rate, "decay": decay}
    ending = {"samples": samples, "scheme": scheme, "sampling_steps": sampling_steps, "out": out, "seed": seed}
    say_lines(train_score(data, n_steps=steps, average=average, **network, **course, **ending))


@train_app.command("drift")
def train_drift_command(
    data: Data,
    kernel: Annotated[str, typer.Option(help="laplace, gaussian, matern:1.5, ...")] = "laplace",
    bandwidth: Annotated[float, typer.Option(help="In units of the mean distance between points.")] = 0.2,
    matched: Annotated[
        bool,
        typer.Option("--matched", help="Take the bandwidth at which KERNEL drifts like a Laplace one of --bandwidth."),
    ] = False,
    rule: Annotated[str, typer.Option(help="drift, sharp, batch (Algorithm 2) or sinkhorn.")] = "drift",
    steps: Steps = 1000,
    batch: Annotated[int, typer.Option(help="Generated points, and positives, a step.")] = 128,
    samples: Drawn = 1000,
    out: Folder = Path("trained"),
    seed: Seed = 0,
):
    """Train a one-step generator with the stop-gradient drift loss.

    Writes checkpoint.safetensors, samples.npy, energy.npy and samples.png. Ctrl-C leaves a checkpoint: the same
    command goes on where this one stopped, and ends with the numbers of an uninterrupted run. With more --steps it
    trains on.
    """
    from unifiedscore.learned.generators.command import train_drift_command as train_generator

    options = {"kernel": kernel, "bandwidth": bandwidth, "matched": matched, "rule": rule, "n_steps": steps}
    say_lines(train_generator(data, **options, batch=batch, samples=samples, seed=seed, out=out))


@train_app.command("tilt")
def train_tilt_command(
    data: Data,
    linear: Annotated[
        str | None, typer.Option(help="l of the reward l.x - q |x|^2/2, one number a coordinate: 1,0 (default 0).")
    ] = None,
    quadratic: Annotated[float, typer.Option(help="q of the reward.")] = 0.0,
    bandwidth: Annotated[float, typer.Option(help="Smoothing of the points, in units of their scale.")] = 0.2,
    schedule: Annotated[str, typer.Option(help="rectified_flow, vp_cosine or foellmer.")] = "rectified_flow",
    loss: Annotated[
        str,
        typer.Option(
            help="lean_adjoint, full_adjoint, martingale_adjoint; conditional, target, novel, exact (of exact draws)."
        ),
    ] = "lean_adjoint",
    parametrisation: Annotated[str, typer.Option(help="denoiser, score, noise or velocity.")] = "denoiser",
    cutoff: Annotated[float, typer.Option(help="Times are those of [cutoff, 1 - cutoff].")] = 0.02,
    steps: Steps = 400,
    batch: Annotated[int, typer.Option(help="States of a step, or paths of one.")] = 128,
    path_steps: Annotated[int, typer.Option(help="Steps of a training path.")] = 32,
    width: Annotated[int, typer.Option(help="Units of a hidden layer.")] = 64,
    hidden: Annotated[int, typer.Option(help="Hidden layers.")] = 2,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 2e-3,
    decay: Annotated[str, typer.Option(help="Of the learning rate: none, or cosine over --steps.")] = "none",
    average: Annotated[float, typer.Option(help="Decay of the average of the weights, below 1; 0 for none.")] = 0.99,
    samples: Drawn = 1000,
    out: Folder = Path("trained"),
    seed: Seed = 0,
):
    """Train a control that tilts smoothed points by a reward, and compare it with the optimal one.

    Writes checkpoint.safetensors, samples.npy, log_weight.npy, divergence.npy and samples.png. Ctrl-C leaves a
    checkpoint: the same command goes on where this one stopped.
    """
    from unifiedscore.cli.diagnose import numbers
    from unifiedscore.learned.tilt_command import train_tilt_command as train_tilt

    law = {"linear": numbers(linear, "--linear"), "quadratic": quadratic, "bandwidth": bandwidth, "schedule": schedule}
    network = {"width": width, "hidden": hidden, "parametrisation": parametrisation, "cutoff": cutoff}
    course = {"batch": batch, "path_steps": path_steps, "learning_rate": learning_rate, "decay": decay}
    ending = {"samples": samples, "out": out, "seed": seed, "average": average}
    say_lines(train_tilt(data, loss=loss, n_steps=steps, **law, **network, **course, **ending))

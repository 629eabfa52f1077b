"""`train`: a one-step generator on a user's own points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.options import Seed
from unifiedscore.output import say


def train_command(
    data: Annotated[str, typer.Argument(help="File of training points (.npy .npz .csv .pt ...), or a named data set.")],
    kernel: Annotated[str, typer.Option(help="laplace, gaussian, matern:1.5, ...")] = "laplace",
    bandwidth: Annotated[float, typer.Option(help="In units of the mean distance between points.")] = 0.2,
    matched: Annotated[
        bool,
        typer.Option("--matched", help="Take the bandwidth at which KERNEL drifts like a Laplace one of --bandwidth."),
    ] = False,
    rule: Annotated[str, typer.Option(help="drift, sharp, batch (Algorithm 2) or sinkhorn.")] = "drift",
    steps: Annotated[int, typer.Option(help="Training steps; a checkpoint in --out is resumed.")] = 1000,
    batch: Annotated[int, typer.Option(help="Generated points, and positives, a step.")] = 128,
    samples: Annotated[int, typer.Option(help="Points to draw in the end.")] = 1000,
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, samples and figure.")] = Path("trained"),
    seed: Seed = 0,
):
    """Train a one-step generator with the stop-gradient drift loss (needs the extra `torch`).

    Writes checkpoint.pt, samples.npy, energy.npy and samples.png. Ctrl-C leaves a checkpoint: the same command goes on
    where this one stopped, and ends with the numbers of an uninterrupted run. With more --steps it trains on.
    """
    from unifiedscore.train.command import train_command as train_generator

    options = {"kernel": kernel, "bandwidth": bandwidth, "matched": matched, "rule": rule, "n_steps": steps}
    say(train_generator(data, **options, batch=batch, samples=samples, seed=seed, out=out))

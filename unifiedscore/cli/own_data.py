"""`diagnose` and `train`: commands on a user's own points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.options import Seed
from unifiedscore.errors import InputError
from unifiedscore.output import say


def diagnose(
    target: Annotated[str, typer.Argument(help="File of target samples (.npy .npz .nc .csv), or a named data set.")],
    model: Annotated[str, typer.Argument(help="File of model samples, or a named data set.")],
    kernel: Annotated[str, typer.Option(help="laplace, gaussian, matern:1.5, ...")] = "laplace",
    bandwidth: Annotated[str | None, typer.Option(help="One or several, comma-separated: 0.05,0.2,0.5")] = None,
    relative: Annotated[bool, typer.Option("--relative", help="Bandwidths in units of the mean distance.")] = False,
    queries: Annotated[Path | None, typer.Option(help="Points at which --field was computed.")] = None,
    field: Annotated[Path | None, typer.Option(help="Your own field at the queries, to decompose.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the numbers.")] = None,
    seed: Seed = 0,
):
    """How far a drift is from a score on your own samples, and why."""
    if (queries is None) != (field is None):
        raise InputError("--queries and --field belong together: the points, and the field that you computed at them")
    bandwidths = _numbers(bandwidth)
    from unifiedscore.diagnosis import diagnose_command

    code = diagnose_command(
        target=target,
        model=model,
        kernel=kernel,
        bandwidths=bandwidths,
        relative=relative,
        queries=queries,
        field=field,
        out=out,
        seed=seed,
    )
    raise typer.Exit(code or 0)


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--bandwidth must be numbers separated by commas, as in 0.05,0.2,0.5; got {text!r}") from None


def train(
    data: Annotated[str, typer.Argument(help="File of training points (.npy .npz .nc .csv), or a named data set.")],
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
    """Train a one-step generator with the stop-gradient drift loss (needs the extra `train`).

    Writes checkpoint.pt, samples.npy, energy.npy and samples.png. Ctrl-C leaves a checkpoint: the same command goes on
    where this one stopped, and ends with the numbers of an uninterrupted run. With more --steps it trains on.
    """
    from unifiedscore.train.command import train_command

    options = {"kernel": kernel, "bandwidth": bandwidth, "matched": matched, "rule": rule, "n_steps": steps}
    say(train_command(data, **options, batch=batch, samples=samples, seed=seed, out=out))

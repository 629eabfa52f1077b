"""`diagnose`: a user's own samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.options import Seed
from unifiedscore.errors import InputError


def diagnose_command(
    target: Annotated[
        str,
        typer.Argument(help="File of target samples, folder of images, or a named data set."),
    ],
    model: Annotated[str, typer.Argument(help="File of model samples, folder of images, or a named data set.")],
    kernel: Annotated[str, typer.Option(help="laplace, gaussian, matern:1.5, ...")] = "laplace",
    bandwidth: Annotated[str | None, typer.Option(help="One or several, comma-separated: 0.05,0.2,0.5")] = None,
    relative: Annotated[bool, typer.Option("--relative", help="Bandwidths in units of the mean distance.")] = False,
    combine: Annotated[bool, typer.Option("--combine", help="One kernel: the sum of these bandwidths.")] = False,
    queries: Annotated[Path | None, typer.Option(help="Points at which --field was computed.")] = None,
    field: Annotated[Path | None, typer.Option(help="Your own field at the queries, to decompose.")] = None,
    max_samples: Annotated[int, typer.Option(metavar="N", help="Rows used of each file, drawn at random.")] = 10_000,
    out: Annotated[Path | None, typer.Option(help="Folder for the numbers.")] = None,
    seed: Seed = 0,
):
    """How far a drift is from a score on your own samples, and why."""
    if (queries is None) != (field is None):
        raise InputError("--queries and --field belong together: the points, and the field that you computed at them")
    bandwidths = numbers(bandwidth, "--bandwidth")
    from unifiedscore.diagnosis import diagnose_command as diagnose_samples

    code = diagnose_samples(
        target=target,
        model=model,
        kernel=kernel,
        bandwidths=bandwidths,
        relative=relative,
        combine=combine,
        queries=queries,
        field=field,
        max_samples=max_samples,
        out=out,
        seed=seed,
    )
    raise typer.Exit(code or 0)


def numbers(text: str | None, option: str) -> list[float] | None:
    """The numbers of an option that takes several, separated by commas."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{option} must be numbers separated by commas, as in 0.05,0.2,0.5; got {text!r}") from None

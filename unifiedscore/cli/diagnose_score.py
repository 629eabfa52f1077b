"""`diagnose-score`: a network of your own, on the points that it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.diagnose import numbers
from unifiedscore.cli.options import Seed


def diagnose_score_command(
    network: Annotated[str, typer.Argument(help="Checkpoint of `unifiedscore train score`.")],
    data: Annotated[str, typer.Argument(help="File of its training points (.npy .npz .nc .csv), or a named data set.")],
    levels: Annotated[str | None, typer.Option(help="Noise levels, comma-separated: 0.05,0.2,0.5")] = None,
    truth: Annotated[str | None, typer.Option(help="Many points that it has not seen, or a named data set.")] = None,
    law: Annotated[str, typer.Option(help="Where it is asked: training, fresh (near the truth) or box.")] = "training",
    member: Annotated[int, typer.Option(help="Which network of a stack.")] = 0,
    weights: Annotated[str, typer.Option(help="average, or last.")] = "average",
    out: Annotated[Path | None, typer.Option(help="Folder for the numbers and the picture.")] = None,
    seed: Seed = 0,
):
    """Whether a score network is conservative, memorises, and which smoothing it is equivalent to."""
    values = numbers(levels, "--levels")
    from unifiedscore.learned.diagnosis_command import diagnose_score_command as diagnose

    diagnose(network, data, levels=values, truth=truth, law=law, member=member, weights=weights, out=out, seed=seed)

"""The options that several commands share, and their checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.errors import InputError, UnknownNameError

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Study files, or folders that hold studies/, derivations/, figures/."),
]
Out = Annotated[Path, typer.Option("--out", help="Results folder.")]
Profile = Annotated[str, typer.Option("--profile", help="quick, standard or full.")]
ClaimId = Annotated[str | None, typer.Option("--claim", help="Only this claim, in all its regimes.")]
StudyName = Annotated[str | None, typer.Option("--study", help="Only this study.")]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        help="local, serial, mpi (under mpiexec) or dask://HOST:PORT. Workers on other machines need the study files "
        "under the same path.",
    ),
]
Workers = Annotated[int | None, typer.Option("--workers", help="Local processes; default: the available cores.")]
Threads = Annotated[int, typer.Option("--threads", help="BLAS and numba threads of each worker.")]
Seed = Annotated[int, typer.Option("--seed", help="Root seed of all random streams.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Measure again the cells recorded as failed.")]
CellTimeout = Annotated[
    float | None,
    typer.Option("--cell-timeout", metavar="SECONDS", help="End a cell that takes longer; it counts as failed."),
]
DerivationTimeout = Annotated[
    float,
    typer.Option("--derivation-timeout", metavar="SECONDS", help="A derivation that takes longer is inconclusive."),
]
UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds, in looks at twice as many each, until every Monte Carlo claim is decided. The error rates are "
        "spent over the looks.",
    ),
]
MostSeeds = Annotated[int, typer.Option("--most-seeds", help="At which --until-decided stops to add seeds.")]
TimeBudget = Annotated[
    str | None,
    typer.Option("--budget", metavar="TIME", help="Such as 90s, 10m or 2h, after which no look is begun."),
]
Check = Annotated[bool, typer.Option("--check", help="Measure recorded cells again and compare; write nothing.")]
Share = Annotated[float, typer.Option("--share", help="Of the recorded cells that --check measures again.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every verdict, one a line.")]
Results = Annotated[Path, typer.Argument(metavar="[RESULTS]", help="Results folder.")]

OUT = Path("results")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def read_duration(text: str | None, name: str) -> float | None:
    """Seconds, from such as 90, 90s, 10m or 2h.

    Examples
    --------
    >>> read_duration("10m", "--budget"), read_duration("1.5h", "--budget"), read_duration(None, "--budget")
    (600.0, 5400.0, None)
    """
    from unifiedscore.validate import positive

    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        return positive(float(number), name) * UNITS[unit]
    except ValueError:
        raise InputError(f"{name} must be a time such as 90s, 10m or 2h; got {text!r}") from None


def check_common(profile: str, seed: int, out: Path, **seconds: float | None) -> None:
    """Bad options are refused before anything is imported, measured or written."""
    from unifiedscore.profiles import PROFILES
    from unifiedscore.validate import integer, positive

    if profile not in PROFILES:
        raise UnknownNameError("profile", profile, PROFILES)
    integer(seed, "--seed", low=0)
    for name, value in seconds.items():
        if value is not None:
            positive(value, f"--{name.replace('_', '-')}")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")

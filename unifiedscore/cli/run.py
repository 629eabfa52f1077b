"""`run`: measuring, without judging."""

from __future__ import annotations

import sys
from typing import Any

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.options import (
    OUT,
    CellTimeout,
    Check,
    ExecutorName,
    Out,
    Paths,
    Profile,
    RetryFailed,
    Seed,
    Share,
    StudyName,
    Threads,
    Workers,
    check_common,
)
from unifiedscore.errors import InputError
from unifiedscore.output import say


def run_command(
    paths: Paths = None,
    profile: Profile = "quick",
    study: StudyName = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
    cell_timeout: CellTimeout = None,
    check: Check = False,
    share: Share = 0.02,
):
    """Measure studies and store one data set each, without judging them.

    With --check, nothing is written: a random share of the recorded cells is measured again and compared bit for bit.
    Exit code 1: some cell came out otherwise than recorded, or a record is damaged.
    """
    import numpy as np

    from unifiedscore.ledger.words import count
    from unifiedscore.study.dataset import STATUS
    from unifiedscore.study.discover import discover
    from unifiedscore.study.runner import run_studies
    from unifiedscore.study.spot_check import spot_check

    check_common(profile, seed, out, cell_timeout=cell_timeout)
    if check and retry_failed:
        raise InputError("--check writes nothing and --retry-failed does; give one of them")
    found = discover(paths or (), kinds=("studies",))
    chosen = found.studies if study is None else (found.study(study),)
    failed = 0
    with open_executor(executor, workers, threads) as pool:
        studies = [item.study for item in chosen]
        options: dict[str, Any] = {"profile": profile, "out": out, "executor": pool, "seed": seed}
        if check:
            found = spot_check(studies, **options, threads=threads, share=share, rng=np.random.default_rng())
        else:
            options |= {"threads": threads, "retry_failed": retry_failed, "cell_timeout": cell_timeout}
            datasets = run_studies(studies, **options)
    if check:
        raise typer.Exit(_print_checks(found))
    for item, dataset in zip(studies, datasets, strict=True):
        counts = np.bincount(dataset["status"].values.ravel(), minlength=len(STATUS))
        text = ", ".join(f"{number} {name}" for name, number in zip(STATUS, counts.tolist(), strict=True) if number)
        say(f"{item.name}: {text}  {out / item.name}.nc")
        failed += int(counts[STATUS.index("failed")])
    if failed:
        advice = "unifiedscore judge shows why, --retry-failed measures again"
        say(f"{count(failed, 'cell')} failed; {advice}", file=sys.stderr)
    raise typer.Exit(3 if failed else 0)


def _print_checks(checks) -> int:
    """Print what spot checks of the records found; the exit code."""
    for found in checks:
        parts = [
            f"{found.repeated} of {found.recorded} recorded cells measured again" if found.recorded else "no record"
        ]
        parts += ["all as recorded"] * (found.repeated > 0 and not found.differences)
        parts += [f"{len(found.differences)} not as recorded"] * bool(found.differences)
        parts += [f"{found.damaged} damaged"] * bool(found.damaged)
        say(f"{found.study}: {', '.join(parts)}")
        for difference in found.differences:
            for name, how in difference.variables.items():
                say(f"DIFFERS  {found.study}, {difference.cell}: {name} {how}")
        for name in found.altered:
            say(f"DIFFERS  {found.study}.nc: {name} is not what the records say; unifiedscore run assembles it again")
    if any(found.differences for found in checks):
        say(
            "In the last digits: another processor, BLAS or package version than then. Beyond: a record that was "
            "changed, or a measure that is not a function of its cell and random stream alone.",
            file=sys.stderr,
        )
    return 0 if all(found.clean for found in checks) else 1

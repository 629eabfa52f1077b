"""`verify` and `judge`: from studies to verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.options import (
    OUT,
    CellTimeout,
    ClaimId,
    DerivationTimeout,
    ExecutorName,
    Out,
    Paths,
    Profile,
    RetryFailed,
    Seed,
    Threads,
    Workers,
    check_common,
)
from unifiedscore.cli.showing import print_problems
from unifiedscore.output import say


def verify(
    paths: Paths = None,
    profile: Profile = "quick",
    claim: ClaimId = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
    cell_timeout: CellTimeout = None,
    derivation_timeout: DerivationTimeout = 120.0,
):
    """Derivations, studies, verdicts, figures and report, in one go.

    Exit code 0: every verdict as expected and every control refuted; 1: some verdict differs, or nothing was judged;
    2: bad usage or input; 3: a cell, a derivation or a figure failed. With PATH or --claim, the verdicts of others
    that the results folder holds (of the same profile and seed) are kept.
    """
    from unifiedscore.ledger.report import write_report
    from unifiedscore.ledger.summary import copy_summaries
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.study.discover import discover
    from unifiedscore.verify.routine import copy_not_established, draw, select
    from unifiedscore.verify.routine import verify as verify_found

    check_common(profile, seed, out, cell_timeout=cell_timeout, derivation_timeout=derivation_timeout)
    found = select(discover(paths or ()), claim)
    with open_executor(executor, workers, threads) as pool:
        options: dict[str, Any] = {"profile": profile, "out": out, "executor": pool, "seed": seed}
        options |= {"cell_timeout": cell_timeout, "derivation_timeout": derivation_timeout}
        ledger = verify_found(found, **options, threads=threads, claim=claim, retry_failed=retry_failed)
        partial = bool(paths) or claim is not None
        path = _keep_ledger(ledger, found, out, claim=claim, partial=partial)
        _, problems = draw(found.figures, out=out, executor=pool, keep=partial)
    copy_not_established(found, out, keep=partial)
    copy_summaries(found, out)
    report_path = write_report(out)
    print_ledger(ledger)
    print_problems(problems)
    say(f"{path}, {report_path}")
    raise typer.Exit(3 if problems else ledger.exit_code)


def judge_command(
    paths: Paths = None,
    claim: ClaimId = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    derivation_timeout: DerivationTimeout = 120.0,
):
    """Judge stored data sets again, without measuring anything, and write the ledger.

    Exit codes and what is kept: as for verify. Data of another version of the study file or the engine are judged with
    a note, and exit code 1.
    """
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.study.discover import discover
    from unifiedscore.verify.routine import judge_results, select

    check_common("quick", 0, out, derivation_timeout=derivation_timeout)
    found = select(discover(paths or (), kinds=("studies", "derivations")), claim)
    with open_executor(executor, workers, 1) as pool:
        options: dict[str, Any] = {"claim": claim, "derivation_timeout": derivation_timeout}
        ledger = judge_results(found, out=out, executor=pool, **options)
    path = _keep_ledger(ledger, found, out, claim=claim, partial=bool(paths) or claim is not None)
    print_ledger(ledger)
    say(path)
    raise typer.Exit(ledger.exit_code)


def _keep_ledger(ledger, found, out: Path, *, claim: str | None, partial: bool) -> Path:
    from unifiedscore.atomic import locked
    from unifiedscore.ledger.merge import merged
    from unifiedscore.ledger.part import Part
    from unifiedscore.ledger.words import count

    with locked(out):  # two calls that each judge a part must not lose one another's verdicts
        whole = merged(ledger, Part.of(found, claim), out) if partial else ledger
        path = whole.write(out)
    if kept := len(whole.verdicts) - len(ledger.verdicts):
        say(f"{path} keeps {count(kept, 'verdict')} that this call did not judge again")
    return path

"""`judge`: stored data sets, judged again."""

from __future__ import annotations

import shlex
from typing import Any

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.keeping import keep_ledger
from unifiedscore.cli.options import (
    OUT,
    ClaimId,
    DerivationTimeout,
    ExecutorName,
    Out,
    Paths,
    UntilDecided,
    Verbose,
    Workers,
    check_common,
)
from unifiedscore.output import say


def judge_command(
    paths: Paths = None,
    claim: ClaimId = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    derivation_timeout: DerivationTimeout = 120.0,
    until_decided: UntilDecided = False,
    verbose: Verbose = False,
):
    """Judge stored data sets again, without measuring anything, and write the ledger.

    Exit codes and what is kept: as for verify. Data of another version of the study file or the engine are judged with
    a note, and exit code 1. If --until-decided collected any of the data, all are judged look by look, with that
    option or without.
    """
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.study.discover import discover
    from unifiedscore.verify.routine import judge_results, select

    check_common("quick", 0, out, derivation_timeout=derivation_timeout)
    found = select(discover(paths or (), kinds=("studies", "derivations")), claim)
    with open_executor(executor, workers, 1) as pool:
        options: dict[str, Any] = {"claim": claim, "derivation_timeout": derivation_timeout}
        options["until_decided"] = until_decided or None
        ledger = judge_results(found, out=out, executor=pool, **options)
    path = keep_ledger(ledger, found, out, claim=claim, partial=bool(paths) or claim is not None)
    print_ledger(ledger, verbose=verbose)
    say(f"Ledger: {path}  (unifiedscore report {shlex.quote(str(out))} shows it as a page)")
    raise typer.Exit(ledger.exit_code)

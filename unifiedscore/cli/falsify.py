"""`falsify`: universal claims under attack, and nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.keeping import keep_ledger
from unifiedscore.cli.options import (
    OUT,
    CellTimeout,
    ClaimId,
    ExecutorName,
    Out,
    Paths,
    Profile,
    RetryFailed,
    Seed,
    Threads,
    Verbose,
    Workers,
    check_common,
)
from unifiedscore.output import say

Budget = Annotated[
    int | None,
    typer.Option("--budget", help="Evaluations of each claim; default: 300, 10 000 or 200 000 by profile."),
]
Shrink = Annotated[bool, typer.Option("--shrink/--no-shrink", help="Make counterexamples as simple as possible.")]


def falsify_command(
    paths: Paths = None,
    profile: Profile = "quick",
    claim: ClaimId = None,
    budget: Budget = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
    cell_timeout: CellTimeout = None,
    shrink: Shrink = True,
    verbose: Verbose = True,
):
    """Search for instances that break the universal claims, and print every counterexample as code that runs.

    A claim that is not refuted has survived so many evaluations; that is no proof. Exit codes as for verify, and the
    ledger keeps the verdicts on all other claims.
    """
    from unifiedscore.errors import InputError
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.study.discover import discover
    from unifiedscore.study.settings import RunSettings
    from unifiedscore.validate import integer
    from unifiedscore.verify.routine import attack_found, select

    check_common(profile, seed, out, cell_timeout=cell_timeout)
    if budget is not None:
        integer(budget, "--budget")
    found = select(discover(paths or (), kinds=("studies",)), claim)
    if not any(item.study.universals for item in found.studies):
        raise InputError("none of these studies makes a universal claim; unifiedscore new universal NAME writes one")
    with open_executor(executor, workers, threads) as pool:
        settings = RunSettings(
            profile=profile,
            out=out,
            executor=pool,
            seed=seed,
            threads=threads,
            retry_failed=retry_failed,
            cell_timeout=cell_timeout,
        )
        ledger = attack_found(found, settings, claim=claim, budget=budget, shrink=shrink)
    path = keep_ledger(ledger, found, out, claim=claim, partial=True, searches=True)
    print_ledger(ledger, verbose=verbose)
    for verdict in ledger.verdicts:
        if counterexample := verdict.search["counterexample"]:
            say(f"\n# {verdict.name}: {verdict.reason}")
            for line in counterexample["code"].splitlines():
                say(line)
    say(f"Ledger: {path}")
    raise typer.Exit(ledger.exit_code)

"""`verify`: from studies to verdicts, figures and report."""

from __future__ import annotations

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.figures import print_problems
from unifiedscore.cli.keeping import keep_ledger
from unifiedscore.cli.options import (
    OUT,
    CellTimeout,
    ClaimId,
    DerivationTimeout,
    ExecutorName,
    MostSeeds,
    Out,
    Paths,
    Profile,
    RetryFailed,
    Seed,
    Threads,
    TimeBudget,
    UntilDecided,
    Verbose,
    Workers,
    check_common,
    read_duration,
)
from unifiedscore.output import say


def verify_command(
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
    until_decided: UntilDecided = False,
    most_seeds: MostSeeds = 1024,
    budget: TimeBudget = None,
    verbose: Verbose = False,
):
    """Derivations, studies, verdicts, figures and report, in one go.

    Exit code 0: every verdict as expected and every control refuted; 1: some verdict differs, or nothing was judged;
    2: bad usage or input; 3: a cell, a derivation or a figure failed. With PATH or --claim, the verdicts of others
    that the results folder holds (of the same profile and seed) are kept.
    """
    from unifiedscore.errors import InputError
    from unifiedscore.ledger.report import write_report
    from unifiedscore.ledger.standard import relation
    from unifiedscore.ledger.summary import copy_summaries
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.study.discover import discover
    from unifiedscore.study.progress import one_display
    from unifiedscore.study.settings import RunSettings
    from unifiedscore.validate import integer
    from unifiedscore.verify.routine import copy_not_established, draw, select
    from unifiedscore.verify.routine import verify as verify_found

    check_common(profile, seed, out, cell_timeout=cell_timeout, derivation_timeout=derivation_timeout)
    integer(most_seeds, "--most-seeds")
    seconds = read_duration(budget, "--budget")
    if seconds is not None and not until_decided:
        raise InputError("--budget bounds the time that --until-decided takes; give both")
    with one_display("reading the studies"):
        found = select(discover(paths or ()), claim)
        with open_executor(executor, workers, threads) as pool:
            settings = RunSettings(
                profile=profile,
                out=out,
                executor=pool,
                seed=seed,
                threads=threads,
                retry_failed=retry_failed,
                cell_timeout=cell_timeout,
                until_decided=until_decided,
            )
            options = {"derivation_timeout": derivation_timeout, "most_seeds": most_seeds, "budget": seconds}
            ledger = verify_found(found, settings, claim=claim, **options)
            partial = bool(paths) or claim is not None
            path = keep_ledger(ledger, found, out, claim=claim, partial=partial)
            _, problems = draw(found.figures, out=out, executor=pool, keep=partial)
        copy_not_established(found, out, keep=partial)
        copy_summaries(found, out)
        report_path = write_report(out)
    print_ledger(ledger, verbose=verbose)
    if sentence := relation(ledger, found):
        say(sentence)
    if profile != "quick" and not until_decided and ledger.monte_carlo_verdicts:
        say(
            f"A run of the profile {profile} is a new study: do not choose between its Monte Carlo verdicts and others."
        )
    print_problems(problems)
    say(f"Report: {report_path}  Ledger: {path}")
    raise typer.Exit(3 if problems else ledger.exit_code)

"""`map`: where claims hold over two parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.keeping import keep_maps
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
    Workers,
    check_common,
)
from unifiedscore.output import say

Axis = Annotated[str | None, typer.Option(help="An axis of the study's grid with numbers as labels.")]
Levels = Annotated[int | None, typer.Option("--levels", help="How often a rectangle may be divided; default: 3.")]


def map_command(
    paths: Paths = None,
    claim: ClaimId = None,
    x: Axis = None,
    y: Axis = None,
    levels: Levels = None,
    profile: Profile = "standard",
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
    cell_timeout: CellTimeout = None,
):
    """Judge a claim at every point of two axes, refine where the outcome changes, and draw the map.

    The coarse labels are those of the profile's grid, by default the standard one. Without --x and --y, the maps are
    made that the studies declare. A map expects nothing: exit code 0 if it was made, 2 for bad usage, 3 if some cell
    failed.
    """
    from unifiedscore.study.discover import discover
    from unifiedscore.study.maps.making import shares_of
    from unifiedscore.study.settings import RunSettings
    from unifiedscore.verify.routine import draw_maps, maps_in, select

    check_common(profile, seed, out, cell_timeout=cell_timeout)
    found = select(discover(paths or (), kinds=("studies",)), claim)
    wanted = maps_in(found, claim=claim, x=x, y=y, levels=levels)
    failed = 0
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
        for mapped, dataset, figure in draw_maps(wanted, settings):
            shares = ", ".join(f"{100 * share:.1f} % {name}" for name, share in shares_of(dataset).items())
            points = dataset.sizes["point"]
            say(f"{mapped.name}: {shares.replace('_', ' ')}; {points} points; {out / 'figures' / figure}")
            failed += int(dataset.attrs["failed"])
    keep_maps(out)
    if failed:
        say(f"{failed} cells failed; --retry-failed measures them again")
    raise typer.Exit(3 if failed else 0)

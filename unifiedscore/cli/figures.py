"""`figures`: pictures from stored data sets."""

from __future__ import annotations

import sys

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.options import OUT, ExecutorName, Out, Paths, Workers
from unifiedscore.output import say


def figures_command(paths: Paths = None, out: Out = OUT, executor: ExecutorName = "local", workers: Workers = None):
    """Draw the figures from stored data sets: PNG, PDF and the plotted numbers.

    A figure is a file fig_NAME.py that holds study = "mine", the name of the study whose data set it shows, and a
    function figure(dataset) that returns a matplotlib Figure. With study = ("mine", "other") the function gets a dict
    of data sets by name. It measures nothing: it draws what a run has stored.

    The file may also hold title = "..." (else the first line of its docstring is the title in the report),
    claims = ("mine.rate",), which links it to these claims, and profile = "standard", the smallest profile whose data
    have something to draw. `unifiedscore new figure NAME` writes such a file and its test.
    """
    from unifiedscore.study.discover import discover
    from unifiedscore.verify.routine import draw

    found = discover(paths or (), kinds=("figures",))
    with open_executor(executor, workers, 1) as pool:
        entries, problems = draw(found.figures, out=out, executor=pool, keep=bool(paths))
    for entry in entries:
        say(out / "figures" / entry["png"])
    print_problems(problems)
    raise typer.Exit(3 if problems else 0)


def print_problems(problems: list[dict[str, str]]) -> None:
    """Say on standard error which figures could not be drawn, and why."""
    for problem in problems:
        say(f"FAILED  figure {problem['figure']}: {problem['message']}", file=sys.stderr)

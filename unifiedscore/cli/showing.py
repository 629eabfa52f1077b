"""`figures`, `report`, `list`, `diff` and `export`: what a results folder or a source tree holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.executors import open_executor
from unifiedscore.cli.options import OUT, ExecutorName, Out, Paths, Results, Workers
from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.output import encoded, say, say_lines


def figures(paths: Paths = None, out: Out = OUT, executor: ExecutorName = "local", workers: Workers = None):
    """Draw the figures from stored data sets: PNG, PDF and the plotted numbers."""
    from unifiedscore.study.discover import discover
    from unifiedscore.verify.routine import draw

    found = discover(paths or (), kinds=("figures",))
    with open_executor(executor, workers, 1) as pool:
        entries, problems = draw(found.figures, out=out, executor=pool, keep=bool(paths))
    for entry in entries:
        say(out / "figures" / entry["png"])
    print_problems(problems)
    raise typer.Exit(3 if problems else 0)


def report(
    results: Results = OUT,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write, ending in .html; default: report.html in the results folder."),
    ] = None,
):
    """Write the report of a results folder: one self-contained HTML file.

    The folder may be somebody else's, and read-only with --out: no link in it is followed and nothing in it executed.
    """
    from unifiedscore.ledger.report import write_report

    say(write_report(results, out=out))


def list_command(paths: Paths = None):
    """What is there: studies with their claims, derivations, figures."""
    from unifiedscore.study.discover import discover

    found = discover(paths or ())
    for item in found.studies:
        study = item.study
        say(f"{study.name}: {study.title}  ({study.grid.size} cells, {_short(item.path)})")
        for claim in study.claims:
            kind = f"[{claim.evidence}, {claim.profile}, expect {claim.expect}]"
            say(f"  {claim.name}: {claim.statement}  {kind}")
    for item in found.derivations:
        say(f"derivation of {item.derivation.claim}  ({_short(item.path)})")
    for item in found.figures:
        say(f"figure {item.name}: {item.title}  (shows {', '.join(item.studies)}; {_short(item.path)})")


def diff(
    old: Annotated[Path, typer.Argument(help="A ledger.json, or a results folder.")],
    new: Annotated[Path, typer.Argument(help="Another one.")],
):
    """Compare two ledgers. Exit code 1 where a verdict appeared, vanished or came out differently.

    Numbers are not compared: their last digits differ between machines, and one that matters changes an outcome.
    """
    from unifiedscore.ledger import Ledger, changes
    from unifiedscore.ledger.terminal import print_changes, print_runs

    before, after = Ledger.read(old), Ledger.read(new)
    found = changes(before, after)
    print_runs(before, after)
    print_changes(found)
    raise typer.Exit(1 if found else 0)


def export(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER_OR_RESULTS", help="A ledger.json, or a results folder.")],
    form: Annotated[str, typer.Option("--format", help="markdown, latex or summary.")] = "markdown",
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: standard output.")] = None,
    study: Annotated[list[str] | None, typer.Option(help="For summary: a study, once for each.")] = None,
    title: Annotated[str, typer.Option(help="For summary: its heading in the report.")] = "",
):
    """Write the verdicts as a table, one row each, for a page or a paper.

    The format summary keeps the verdicts of a long run of some studies: as reference/NAME.summary.json it is shown,
    with commit and date, in every report.
    """
    from unifiedscore.atomic import write_atomic
    from unifiedscore.ledger import Ledger
    from unifiedscore.ledger.export import export_ledger
    from unifiedscore.ledger.summary import ENDING, summarise

    if form not in ("markdown", "latex", "summary"):
        raise UnknownNameError("format", form, ["markdown", "latex", "summary"])
    if form == "summary":
        if not study or not title:
            raise InputError("--format summary needs --title and --study, once for each study")
        if out is not None and not out.name.endswith(ENDING):
            raise InputError(f"--out must end in {ENDING}, by which reports find it; got {out}")
        text = summarise(ledger, study, title=title).text()
    elif study or title:
        raise InputError("--study and --title belong to --format summary")
    else:
        text = export_ledger(Ledger.read(ledger), form)
    if out is None:
        say_lines(text)
        return
    write_atomic(out, encoded(text))
    say(out)


def print_problems(problems: list[dict[str, str]]) -> None:
    for problem in problems:
        say(f"FAILED  figure {problem['figure']}: {problem['message']}", file=sys.stderr)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

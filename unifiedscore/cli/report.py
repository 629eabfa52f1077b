"""`report`: the page of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.cli.options import OUT, Results
from unifiedscore.output import say


def report_command(
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

"""`export`: the verdicts as a table for a page or a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.output import encoded, say, say_lines


def export_command(
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

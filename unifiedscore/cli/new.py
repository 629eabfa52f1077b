"""`new`: whatever a user adds begins with a file that runs, and its test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.output import say


def new_command(
    kind: Annotated[str, typer.Argument(help="kernel, field, study, universal, figure or derivation.")],
    name: Annotated[str, typer.Argument(help="Lower-case identifier, such as soft_laplace.")],
    out: Annotated[Path, typer.Option("--out", help="Folder, created if it is not there.")] = Path("."),
):
    """Write a runnable kernel, field, study, universal claim, figure or derivation and its test, to be changed.

    A study comes with a figure of its data set; written to a folder called studies, the figure goes to figures beside
    it, where both are found without being named.
    """
    from unifiedscore.templates import next_command, write_template

    written = write_template(kind, name, out)
    for path in written:
        say(path)
    say(f"Next: {next_command(kind, written)}")

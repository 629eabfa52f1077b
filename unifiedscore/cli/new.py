"""`new`: a user's own kernel, field or study begins with one that runs and is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unifiedscore.output import say


def new_command(
    kind: Annotated[str, typer.Argument(help="kernel, field or study.")],
    name: Annotated[str, typer.Argument(help="Lower-case identifier, such as soft_laplace.")],
    out: Annotated[Path, typer.Option("--out", help="Folder, created if it is not there.")] = Path("."),
):
    """Write a runnable kernel, field or study and its test, to be changed into your own."""
    from unifiedscore.templates import write_template

    written = write_template(kind, name, out)
    for path in written:
        say(path)
    say(f"Next: {f'unifiedscore verify {written[0]}' if kind == 'study' else f'pytest {written[1]}'}")

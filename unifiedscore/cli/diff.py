"""`diff`: two ledgers compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diff_command(
    old: Annotated[Path, typer.Argument(help="A ledger.json, or a results folder.")],
    new: Annotated[Path, typer.Argument(help="Another one.")],
):
    """Compare two ledgers. Exit code 1 where a verdict appeared, vanished or came out differently.

    Numbers are not compared: their last digits differ between machines, and one that matters changes an outcome. A
    boundary of a map that moved is printed; it changes no exit code.
    """
    from unifiedscore.ledger import Ledger, changes
    from unifiedscore.ledger.diff import moved_maps
    from unifiedscore.ledger.terminal import print_changes, print_runs
    from unifiedscore.output import say

    before, after = Ledger.read(old), Ledger.read(new)
    found = changes(before, after)
    print_runs(before, after)
    print_changes(found)
    for line in moved_maps(before, after):
        say(line)
    raise typer.Exit(1 if found else 0)

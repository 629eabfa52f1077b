"""Rows in aligned columns, one line each, cut to the width of a terminal and never wrapped."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO

from unifiedscore.errors import visible

GAP = "  "
READABLE = 40
"""Characters that a name keeps before other columns give way to it."""


def width_of(file: TextIO) -> int | None:
    """Columns of a terminal; None for a pipe or a file, whose lines are never cut, for `grep`."""
    return shutil.get_terminal_size().columns if getattr(file, "isatty", lambda: False)() else None


def shortened(text: str, width: int, mark: str = "…") -> str:
    """Text cut in the middle, where names of one family differ least from one another.

    Examples
    --------
    >>> shortened("drift.two_point_bifurcation (large)", 20)
    'drift.two_…n (large)'
    """
    if len(text) <= width:
        return text
    kept = max(width - len(mark), 0)
    return (text[: kept - kept // 2] + mark + text[len(text) - kept // 2 :])[: max(width, 0)]


def aligned(
    rows: Sequence[Sequence[str]], *, name: int, width: int | None, right: Sequence[int] = (), mark: str = "…"
) -> list[str]:
    """One line a row, with its columns below one another.

    Parameters
    ----------
    rows : sequence of sequences of str
        All of the same length.
    name : int
        The column that is cut where a row does not fit. Once it is down to `READABLE` characters, the last columns
        are left out, for all rows.
    width : int, optional
        At most so many characters a line; None: as many as it takes.
    right : sequence of int
        Columns aligned at their right end.
    mark : str
        What stands for the part that was cut out.

    Examples
    --------
    >>> aligned([["drift.bias", "12"], ["drift", "7"]], name=0, width=None, right=[1])
    ['drift.bias  12', 'drift        7']
    """
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        needed = min(widths[name], READABLE) if rows else 0

        def others() -> int:
            return sum(size + len(GAP) for position, size in enumerate(widths) if position != name and size)

        while len(widths) > name + 1 and needed + others() > width:
            widths.pop()
        if rows:
            widths[name] = min(widths[name], max(width - others(), 1))
    lines = []
    for row in rows:
        cells = [
            shortened(cell, size, mark).rjust(size) if position in right else shortened(cell, size, mark).ljust(size)
            for position, (cell, size) in enumerate(zip(row, widths, strict=False))
            if size
        ]
        lines.append(GAP.join(cells).rstrip()[:width])
    return lines

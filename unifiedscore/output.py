"""Where text leaves the package: to a terminal, a pipe or a file, whatever stands in it.

A file name may hold bytes that are no text (Python keeps them as lone surrogates), a title may hold a dash that an
ASCII terminal lacks, and a ledger from a stranger may hold commands to the terminal. One rule answers all of them:
what an output cannot hold is written as its backslash escape.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unifiedscore.errors import visible

COLOURS = {"green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "strong": 1, "alarm": "1;31"}
"""Codes of the colours of a line; `alarm` is bold red."""


def survive_any_text() -> None:
    """Let standard output and standard error escape what their encoding lacks, for the rest of the process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: object = "", *, file=None, colour: str = "") -> None:
    """Print text of any origin: one call, one line, no command to the terminal but the colour asked for."""
    file = sys.stdout if file is None else file
    text, encoding = visible(str(text)), getattr(file, "encoding", None)
    text = text.encode(encoding, "backslashreplace").decode(encoding) if encoding else text
    print(f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if colour and shows_colour(file) else text, file=file)


def shows_colour(file) -> bool:
    """Whether it is a terminal that colours text, and whose user has not set NO_COLOR."""
    terminal = getattr(file, "isatty", lambda: False)()
    return bool(terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def say_lines(text: str, *, file=None) -> None:
    """Print a text of several lines, each as `say` does."""
    for line in text.splitlines():
        say(line, file=file)


def note(message: str) -> None:
    """One line on standard error."""
    say(f"note: {message}", file=sys.stderr)


def short_path(path: Path) -> Path:
    """The path from the folder that the command runs in, where it lies below that folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def encoded(text: str) -> bytes:
    r"""UTF-8 for a file; a lone surrogate becomes its escape, which JSON reads back as the same character.

    Examples
    --------
    >>> encoded("study_\udcff.py")
    b'study_\\udcff.py'
    """
    return text.encode("utf-8", "backslashreplace")


def storable(text: str) -> str:
    r"""Text for a netCDF attribute or label: as `encoded`, and a NUL, which would end it there, becomes its escape.

    Examples
    --------
    >>> storable("study_\udcff.py")
    'study_\\udcff.py'
    """
    return encoded(text).decode().replace("\0", r"\x00")

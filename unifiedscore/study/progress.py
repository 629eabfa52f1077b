"""Progress with the time left on long work; silence when nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

SHOW_AFTER = 1.0  # seconds; shorter work would only flicker
ENOUGH = 0.05  # of the work: less says nothing about the time left
LONGEST = 30  # letters of a name, so that a line of 80 holds the rest

_open: list[_Display] = []  # at most one: that of the command that runs


@contextmanager
def one_display(text: str) -> Iterator[None]:
    """One display from the first second to the last, in which the parts of a command appear one after another.

    Use when a command has several parts: `with one_display("reading the studies"): ...`.
    """
    if _open or not sys.stderr.isatty():
        yield
        return
    display = _Display()
    _open.append(display)
    try:
        display.show(text, None, None, "")
        yield
    finally:
        _open.remove(display)
        display.close()


@final
class Progress:
    """A line on standard error while parts of some work finish, only on a terminal and only for longer work.

    Inside `one_display` it is the line of that display; otherwise it appears after a second.

    Parameters
    ----------
    doing : str
        Such as "measuring".
    parts : str
        What is counted, such as "cells".
    total : int
    done : int
        Parts that were finished before: they count, but say nothing about the time left.
    """

    def __init__(self, doing: str, parts: str, *, total: int, done: int = 0):
        self._doing, self._parts, self._total, self._done, self._failed = doing, parts, total, done, 0
        self._resumed, self._start, self._own = done, time.monotonic(), None
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        if _open and self._total:
            self._show(_open[0], "")
        return self

    def __exit__(self, *_) -> None:
        if self._own is not None:
            self._own.close()

    def advance(self, name: str, *, failed: bool = False) -> None:
        """Count one more finished part, of the study or file `name`."""
        self._done += 1
        self._failed += failed
        if not self._visible:
            return
        if not _open and self._own is None and time.monotonic() - self._start > SHOW_AFTER:
            self._own = _Display()
        if display := _open[0] if _open else self._own:
            self._show(display, name)

    def _show(self, display: _Display, name: str) -> None:
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."
        text = f"{self._doing} {short}".rstrip()
        if self._failed:
            text += f" ({self._failed} failed)"
        display.show(text, self._done, self._total, f"{self._done}/{self._total} {self._parts}{self._left()}")

    def _left(self) -> str:
        """The time left at the rate so far: parts differ, and the rate of the last few would jump."""
        finished, todo = self._done - self._resumed, self._total - self._resumed
        if not finished or finished < ENOUGH * todo or finished == todo:
            return ""
        seconds = (time.monotonic() - self._start) * (todo - finished) / finished
        return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"


@final
class _Display:
    """A line with a spinner, a bar and the time since it was opened; it vanishes when it is closed."""

    def __init__(self):
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), BarColumn(12)
        counts = TextColumn("{task.fields[counts]}")
        self._bars = RichProgress(*columns, counts, console=Console(stderr=True), transient=True)
        self._line = self._bars.add_task("", total=None, counts="")
        self._bars.start()

    def show(self, text: str, done: int | None, total: int | None, counts: str) -> None:
        """Change what the line says; without a total the bar only moves."""
        self._bars.update(self._line, description=text, completed=done or 0, total=total, counts=counts)

    def close(self) -> None:
        """Take the line away."""
        self._bars.stop()

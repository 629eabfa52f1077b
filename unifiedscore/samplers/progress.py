"""A bar on standard error for long runs; silence when nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

_SHOW_AFTER = 2.0  # seconds; shorter runs would only flicker


def steps_with_progress(count: int, description: str | Callable[[], str]) -> Iterator[int]:
    """Yield 0 ... count - 1, with a bar and the time left once two seconds have passed on a terminal.

    A description that changes is a function, asked after every step.
    """
    text = description if callable(description) else lambda: description
    if not sys.stderr.isatty():
        yield from range(count)
        return
    start, bar, task = time.monotonic(), None, None
    try:
        for step in range(count):
            yield step
            if bar is None and time.monotonic() - start > _SHOW_AFTER:
                from rich.console import Console
                from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

                columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps, left")
                bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
                task = bar.add_task(text(), total=count)
                bar.start()
            if bar is not None:
                bar.update(task, completed=step + 1, description=text())
    finally:
        if bar is not None:
            bar.stop()

"""Progress with the time left on long work; silence when nobody watches."""

from __future__ import annotations

import sys
import time
from typing import final

from unifiedscore.study.records import Record

SHOW_AFTER = 1.0  # seconds; shorter work would only flicker


@final
class Progress:
    """A bar on standard error while studies run, only on a terminal and only for work longer than a second."""

    def __init__(self, *, total: int, done: int = 0):
        self._total, self._done, self._failed = total, done, 0
        self._resumed, self._start, self._bar, self._task = done, time.monotonic(), None, None
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, study: str, record: Record) -> None:
        """Count one more finished cell of `study`."""
        self._done += 1
        self._failed += record.status == "failed"
        if not self._visible:
            return
        if self._bar is None and time.monotonic() - self._start > SHOW_AFTER:
            self._open(study)
        if self._bar is not None:
            text = f"{study} ({self._failed} failed)" if self._failed else study
            self._bar.update(self._task, completed=self._done - self._resumed, description=text)

    def _open(self, study: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells, time left")
        self._bar = RichProgress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(study, total=self._total - self._resumed)
        self._bar.start()

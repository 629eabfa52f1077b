"""What an executor has in hand, and cells that are best measured alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from unifiedscore.output import note
from unifiedscore.study.grid import Cell
from unifiedscore.study.job import Job
from unifiedscore.study.marks import remove_mark
from unifiedscore.study.records import Record

DEATHS = 2  # runs that a cell may end before it is not tried any more

Finished = tuple[Job, Cell, Record]
Queue = deque[tuple[Job, Cell]]


@final
@dataclass(frozen=True, slots=True)
class Suspect:
    """A cell that has taken its process with it, or whole runs: it is measured when nothing else is."""

    job: Job
    cell: Cell
    deaths: int = 0  # of runs


def part(jobs: Iterable[Job], missing: Queue) -> tuple[list[Finished], deque[Suspect], Queue]:
    """Cells that are given up, cells that an earlier run did not survive, and the others."""
    deaths: dict[tuple[str, str], int] = {}
    for job in jobs:
        for mark in job.marks():
            for key in mark.keys if mark.here and not mark.alive else ():
                deaths[job.study.name, key] = max(deaths.get((job.study.name, key), 0), mark.deaths + 1)
    known, suspects, others = [], deque(), deque()
    for job, cell in missing:
        ended = deaths.get((job.study.name, job.key(cell)), 0)
        if ended >= DEATHS:
            known.append((job, cell, Record("failed", {}, f"{ended} runs ended while they measured it")))
        elif ended:
            note(f"{job.study.name}: an earlier run ended while it measured {dict(cell)}; now apart from all others")
            suspects.append(Suspect(job, cell, ended))
        else:
            others.append((job, cell))
    return known, suspects, others


@final
@dataclass(slots=True)
class Flight:
    """A task that an executor has, how many of its records have been handed on, and the note of it."""

    job: Job
    cells: tuple[Cell, ...]
    given: int = 0
    mark: Path | None = None

    def hand_on(self, records: list[Record]) -> Iterator[Finished]:
        """The records that have arrived since the last time."""
        new = records[self.given : len(self.cells)]
        self.job.pace.add(new)
        for record in new:
            cell = self.cells[self.given]
            self.given += 1
            yield self.job, cell, record

    def land(self) -> None:
        """Take the note away."""
        if self.mark is not None:
            remove_mark(self.mark)
            self.mark = None

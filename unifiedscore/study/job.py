"""A study that is being measured: all that determines its numbers, what is known of them, and how long a cell takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from unifiedscore.study.dataset import assemble
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.identity import Identity
from unifiedscore.study.marks import Mark, leave_mark, read_marks
from unifiedscore.study.records import Record, RecordStore, record_key
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.study.task import Task

if TYPE_CHECKING:
    import xarray as xr

TASK_SECONDS = 0.25  # long against the hand-over of a task (about 1 ms), short against a person's patience
MOST_CELLS = 256


@final
@dataclass(slots=True)
class Pace:
    """Mean seconds per cell so far, from which the size of the next task follows."""

    seconds: float = 0.0
    cells: int = 0

    def add(self, records: Iterable[Record]) -> None:
        """Count finished cells."""
        for record in records:
            self.seconds += record.seconds
            self.cells += 1

    @property
    def mean(self) -> float:
        """Seconds per cell; 0 while nothing is known."""
        return self.seconds / self.cells if self.cells else 0.0

    def task_size(self, remaining: int, parallelism: int) -> int:
        """Cells of the next task; one while nothing is known, few where little is left to share."""
        if self.cells == 0:
            return 1
        by_time = int(TASK_SECONDS / max(self.mean, 1e-6))
        fair = math.ceil(remaining / (2 * parallelism))
        return max(1, min(by_time, fair, MOST_CELLS))


@final
@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One study with all that determines its numbers, and what is known of them so far."""

    study: Study
    grid: Grid
    path: Path
    identity: Identity
    settings: RunSettings
    store: RecordStore
    todo: list[Cell]
    records: dict[Cell, Record] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    hashes: Mapping[str, str] = field(init=False)
    marking: bool = True  # whether cells that may end this process leave a note; a spot check writes nothing

    def __post_init__(self):
        object.__setattr__(self, "hashes", self.identity.hashes)

    def key(self, cell: Cell) -> str:
        """Name of the cell's record."""
        return record_key(**self.hashes, study=self.study.name, cell=cell, seed=self.settings.seed)

    def task(self, cells: tuple[Cell, ...]) -> Task:
        """What a worker needs to measure some of the cells."""
        return Task(
            path=str(self.path),
            identity=self.identity,
            study=self.study.name,
            cells=cells,
            seed=self.settings.seed,
            threads=self.settings.threads,
            cell_timeout=self.settings.cell_timeout,
        )

    def mark(self, cells: tuple[Cell, ...], *, deaths: int = 0, here: bool = True) -> Path | None:
        """Leave a note that the cells are being measured; see `leave_mark`."""
        if not self.marking:
            return None
        return leave_mark(self.store.folder, {self.key(cell): cell for cell in cells}, deaths=deaths, here=here)

    def marks(self) -> list[Mark]:
        """The notes of this run and of others."""
        return read_marks(self.store.folder) if self.marking else []

    def missing(self) -> list[Cell]:
        """Cells without a record, in the order of their keys.

        Keys are hashes, so cheap and expensive cells come mixed: workers are evenly loaded and the time left is honest.
        """
        return sorted((cell for cell in self.todo if cell not in self.records), key=self.key)

    @property
    def done(self) -> bool:
        """Whether every cell has a record."""
        return len(self.records) == len(self.todo)

    def dataset(self) -> xr.Dataset:
        """What the records give, with where they came from."""
        return assemble(
            self.study,
            self.grid,
            self.records,
            profile=self.settings.profile,
            seed=self.settings.seed,
            path=self.path,
            identity=self.identity,
        )

"""What a worker is asked to measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.study.grid import Cell
from unifiedscore.study.identity import Identity


@final
@dataclass(frozen=True, slots=True)
class Task:
    """A few cells of one study. It is small and picklable: the worker imports the study from its file."""

    path: str  # absolute, and the same on every machine that takes part
    identity: Identity  # so that an edit during a run, or a worker with other versions or data, is noticed
    study: str
    cells: tuple[Cell, ...]
    seed: int
    threads: int
    cell_timeout: float | None = None  # seconds

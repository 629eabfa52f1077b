"""What a worker does: import the study file, measure cells, return plain numbers. It writes nothing."""

from __future__ import annotations

import numbers
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import StudyError
from unifiedscore.study.claim import Variable
from unifiedscore.study.discover import STOPPED, describe, study_in
from unifiedscore.study.grid import Cell
from unifiedscore.study.guard import Guard
from unifiedscore.study.identity import Identity
from unifiedscore.study.records import Record
from unifiedscore.study.state import isolated
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads


@final
@dataclass(frozen=True, slots=True)
class Task:
    """A few cells of one study. It is small and picklable: the worker imports the study from its file."""

    path: str  # absolute, and the same on every machine that takes part
    identity: Identity  # so that an edit during a run, or a worker with other versions or data, is noticed
    study: str
    cells: tuple[Cell, ...]
    rng_seed: int
    threads: int


def run_task(task: Task) -> list[Record]:
    """Measure the cells of a task, in order.

    Raises
    ------
    StudyError
        The study file is not to be found here, or what this process would run is not what the task was made for.
    """
    path = Path(task.path)
    if not path.is_file():
        raise StudyError(
            f"the worker on {platform.node()} does not see the study file {path}; "
            "put it where every machine finds it under the same path, such as a shared home folder"
        )
    study = study_in(path, task.study)
    guard = Guard(study, task.identity)
    guard.check()
    with limited_threads(task.threads):
        records = [record for _, record in measure_cells(study, task.cells, rng_seed=task.rng_seed, path=path)]
    guard.check()
    return records


def measure_cells(
    study: Study, cells: Iterable[Cell], *, rng_seed: int, path: Path | None = None
) -> Iterator[tuple[Cell, Record]]:
    """Measure cells one after the other; one that raises is recorded as failed and the others go on."""
    required, optional = study.stored_variables(), study.optional_variables()
    for cell in cells:
        start = time.perf_counter()
        try:
            with isolated(study, cell, rng_seed=rng_seed):
                measured = study.measure(cell, study.grid.stream(cell, rng_seed=rng_seed))
                values = checked_values(measured, required, optional)
            record = Record("ok", values, "", time.perf_counter() - start)
        except STOPPED as error:
            record = Record("failed", {}, describe(error, path), time.perf_counter() - start)
        yield cell, record


def checked_values(
    values, required: Mapping[str, Variable], optional: Mapping[str, Variable]
) -> dict[str, float | list]:
    """What `measure` returned or a record holds, as floats and nested lists of floats; a clear error otherwise."""
    if not isinstance(values, Mapping):
        raise StudyError(f"measure must return a mapping from variable names to numbers; got {type(values).__name__}")
    missing, unknown = set(required) - set(values), set(values) - set(required) - set(optional)
    if missing:
        raise StudyError(f"measure did not return {', '.join(sorted(missing))}")
    if unknown:
        known = ", ".join(required)
        raise StudyError(f"measure returned {', '.join(sorted(map(repr, unknown)))}, not declared among {known}")
    known = required | optional
    return {name: _number(name, value, known[name]) for name, value in values.items()}


def _number(name: str, value, variable: Variable) -> float | list:
    shape = tuple(len(variable.coords[dim]) for dim in variable.dims)
    array = np.asarray(value) if not isinstance(value, numbers.Real) else np.asarray(float(value))
    if array.dtype.kind not in "fiub":
        raise StudyError(f"{name} must be a real number; got {value!r}")
    if array.shape != shape:
        wanted = f"an array of shape {shape} over {variable.dims}" if shape else "a single number"
        raise StudyError(f"{name} must be {wanted}; got shape {array.shape}")
    return array.astype(np.float64).tolist()

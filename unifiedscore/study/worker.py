"""What a worker does: import the study file, measure cells, return plain numbers. It writes nothing."""

from __future__ import annotations

import numbers
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import StudyError
from unifiedscore.study.claim import Variable
from unifiedscore.study.discover import STOPPED, describe, load_module, studies_in
from unifiedscore.study.grid import Cell
from unifiedscore.study.records import Record, engine_hash
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads


@final
@dataclass(frozen=True, slots=True)
class Task:
    """A few cells of one study. It is small and picklable: the worker imports the study from its file."""

    path: str  # absolute, and the same on every machine that takes part
    source: str  # hash of the file, so that an edit during a run is noticed
    engine: str  # hash of the engine, so that a worker with another version of it is noticed
    study: str
    cells: tuple[Cell, ...]
    rng_seed: int
    threads: int


def run_task(task: Task) -> list[Record]:
    """Measure the cells of a task, in order.

    Raises
    ------
    StudyError
        The study file is not to be found here, has changed, or this process has another version of the engine.
    """
    path = Path(task.path)
    if not path.is_file():
        raise StudyError(
            f"the worker on {platform.node()} does not see the study file {path}; "
            "put it where every machine finds it under the same path, such as a shared home folder"
        )
    refuse_other_engine(task.engine)
    load_module(path, expected_hash=task.source)
    study = next((found.study for found in studies_in(path) if found.study.name == task.study), None)
    if study is None:
        raise StudyError(f"{path} defines no study called {task.study!r}")
    with limited_threads(task.threads):
        return [record for _, record in measure_cells(study, task.cells, rng_seed=task.rng_seed, path=path)]


def refuse_other_engine(engine: str) -> None:
    """Refuse to measure under the name of an engine that is not the one this process has imported."""
    if engine != _engine():
        raise StudyError(
            "this process has imported another version of unifiedscore than the one that the run is for: it was edited "
            "or upgraded meanwhile, or this machine has another one installed; start again with one version everywhere"
        )


@cache
def _engine() -> str:
    """Hash of the engine when this process first measured, near enough to when it was imported."""
    return engine_hash()


def measure_cells(
    study: Study, cells: Iterable[Cell], *, rng_seed: int, path: Path | None = None
) -> Iterator[tuple[Cell, Record]]:
    """Measure cells one after the other; one that raises is recorded as failed and the others go on."""
    required, optional = study.stored_variables(), study.optional_variables()
    for cell in cells:
        start = time.perf_counter()
        try:
            values = checked_values(study.measure(cell, study.grid.stream(cell, rng_seed=rng_seed)), required, optional)
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

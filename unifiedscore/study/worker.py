"""What a worker does: import the study file, measure cells, return plain numbers. It writes nothing."""

from __future__ import annotations

import numbers
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import perf_counter  # a cell may replace the one in the module
from typing import TYPE_CHECKING

import numpy as np
import numpy.ma as ma  # now: a cell that leaves no file to open would keep it from being imported

from unifiedscore.errors import LONGEST, StudyError
from unifiedscore.study.attack.evaluate import evaluate, is_evaluation
from unifiedscore.study.child import emit, in_worker
from unifiedscore.study.claim import Variable
from unifiedscore.study.discover import study_in
from unifiedscore.study.failure import describe, safe_text
from unifiedscore.study.grid import Cell
from unifiedscore.study.guard import guard_of
from unifiedscore.study.labelled import aligned
from unifiedscore.study.records import Record
from unifiedscore.study.state import isolated
from unifiedscore.study.study import Study
from unifiedscore.study.task import Task
from unifiedscore.study.threads import limited_threads

if TYPE_CHECKING:
    from unifiedscore.study.pool import LocalPool


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
    guard = guard_of(study, task.identity)
    guard.check()
    records = []
    with limited_threads(task.threads):
        emit("loaded")
        for _, record in measure_cells(study, task.cells, seed=task.seed, path=path, apart=in_worker()):
            guard.check()
            emit("record", record)
            records.append(record)
    return records


def supervised(task: Task) -> list[Record]:
    """Measure the cells of a task in a process of this worker's own, which a cell may end without ending the worker.

    What a foreign executor (dask, MPI, a pool of threads) runs. A cell that ends two processes is recorded as failed.
    """
    records: list[Record] = []
    again = False  # whether the next cell has ended a process already
    while len(records) < len(task.cells):
        rest = task.cells[len(records) :]
        part = replace(task, cells=rest[:1] if again else rest)
        outcome = _own_pool(task.threads).measure(part, fresh=again).result()
        records += outcome.records
        if again and outcome.lost:
            records.append(lost_record(outcome.lost))
        again = bool(outcome.lost) and not again
    return records


def emit_task(task: Task) -> None:
    """Measure the cells of a task in a worker process, whose driver hears of each."""
    run_task(task)


def lost_record(how: str) -> Record:
    """The record of a cell that ended its process twice."""
    return Record("failed", {}, f"its worker process died twice: {how}")


@cache
def _own_pool(threads: int) -> LocalPool:
    from unifiedscore.study.pool import LocalPool

    return LocalPool(threads=threads)


def measure_cells(
    study: Study, cells: Iterable[Cell], *, seed: int, path: Path | None = None, apart: bool = False
) -> Iterator[tuple[Cell, Record]]:
    """Measure cells one after the other; one that raises is recorded as failed and the others go on.

    In a process of its own (`apart`) that holds for whatever is raised: Ctrl-C does not reach that process.
    """
    required, optional = study.stored_variables(), study.optional_variables()
    for cell in cells:
        start = perf_counter()
        try:
            with isolated(study, cell, seed=seed):
                if is_evaluation(cell):
                    values = evaluate(study.universals, cell)
                else:
                    measured = study.measure(cell, study.grid.stream(cell, seed=seed))
                    values = checked_values(measured, required, optional)
            record = Record("ok", values, "", perf_counter() - start)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and not apart:
                raise
            record = Record("failed", {}, describe(error, path), perf_counter() - start)
        yield cell, record


def checked_values(
    values, required: Mapping[str, Variable], optional: Mapping[str, Variable]
) -> dict[str, float | list]:
    """What `measure` returned or a record holds, as floats and nested lists of floats; a clear error otherwise."""
    if not isinstance(values, Mapping):
        raise StudyError(f"measure must return a mapping from variable names to numbers; got {type(values).__name__}")
    missing, unknown = set(required) - set(values), set(values) - set(required) - set(optional)
    if missing:
        others = ", ".join(sorted(map(str, unknown or values))) or "nothing"
        raise StudyError(f"measure did not return {', '.join(sorted(missing))}; it returned {others}")
    if unknown:
        known = ", ".join(required)
        raise StudyError(f"measure returned {', '.join(sorted(map(repr, unknown)))}, not declared among {known}")
    known = required | optional
    return {name: _number(name, value, known[name]) for name, value in values.items()}


def _number(name: str, value, variable: Variable) -> float | list:
    shape = tuple(len(variable.coords[dim]) for dim in variable.dims)
    if isinstance(value, str | bytes):
        raise StudyError(f"{name} must be a real number; got {safe_text(lambda: repr(value[:LONGEST]), LONGEST)}")
    value = aligned(name, value, variable)
    array = np.asarray(value) if not isinstance(value, numbers.Real) else np.asarray(float(value))
    if ma.isMaskedArray(value) and ma.getmaskarray(value).any():
        raise StudyError(f"{name} is masked: there is no number to store; return NaN where a value is missing")
    if array.dtype.kind not in "fiub":
        raise StudyError(f"{name} must be a real number; got {safe_text(lambda: repr(value), LONGEST)}")
    if array.shape != shape:
        wanted = f"an array of shape {shape} over {variable.dims}" if shape else "a single number"
        raise StudyError(f"{name} must be {wanted}; got shape {array.shape}")
    return array.astype(np.float64).tolist()

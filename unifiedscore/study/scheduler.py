"""Cells of several studies on one executor: tasks of a useful size, workers always busy, dead workers survived."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from unifiedscore.errors import StudyError, UnifiedScoreError
from unifiedscore.output import note
from unifiedscore.study.discover import describe
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.guard import Guard
from unifiedscore.study.identity import Identity
from unifiedscore.study.pool import InProcess, LocalPool, cancel
from unifiedscore.study.records import Record, RecordStore, record_key
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads
from unifiedscore.study.worker import Task, measure_cells, run_task

TASK_SECONDS = 0.25  # long against the hand-over of a task (about 1 ms), short against a person's patience
MOST_CELLS = 256
TRIAL_SECONDS = 0.5  # starting two worker processes and importing the engine in them takes about twice this
WORTH_A_POOL = 1.5
UNKNOWN_PARALLELISM = 64
REFRESH_SECONDS = 5.0  # a cluster grows while it works


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

    def task_size(self, remaining: int, parallelism: int) -> int:
        """Cells of the next task; one while nothing is known, few where little is left to share."""
        if self.cells == 0:
            return 1
        by_time = int(TASK_SECONDS / max(self.seconds / self.cells, 1e-6))
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
    rng_seed: int
    threads: int
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
        return record_key(**self.hashes, study=self.study.name, cell=cell, rng_seed=self.rng_seed)

    def task(self, cells: tuple[Cell, ...]) -> Task:
        """What a worker needs to measure some of the cells."""
        return Task(
            path=str(self.path),
            identity=self.identity,
            study=self.study.name,
            cells=cells,
            rng_seed=self.rng_seed,
            threads=self.threads,
        )

    def mark(self, cell: Cell) -> None:
        """Leave a note that this process measures the cell itself; see `RecordStore.mark`."""
        if self.marking:
            self.store.mark(self.key(cell))

    def unmark(self, cell: Cell) -> None:
        """Take the note away."""
        if self.marking:
            self.store.unmark(self.key(cell))

    def missing(self) -> list[Cell]:
        """Cells without a record, in the order of their keys.

        Keys are hashes, so cheap and expensive cells come mixed: workers are evenly loaded and the time left is honest.
        """
        return sorted((cell for cell in self.todo if cell not in self.records), key=self.key)

    @property
    def done(self) -> bool:
        """Whether every cell has a record."""
        return len(self.records) == len(self.todo)


Finished = tuple[Job, Cell, Record]


def measure(jobs: Iterable[Job], executor: Executor | None, *, threads: int) -> Iterator[Finished]:
    """Measure what is missing, on `executor` or, if the work is worth it, on local processes."""
    missing = deque((job, cell) for job in jobs for cell in job.missing())
    if not missing:
        return
    own = executor is None
    executor = LocalPool(threads=threads) if own else executor
    with limited_threads(threads):
        try:
            suspects: deque[tuple[Job, Cell]] = deque()
            if isinstance(executor, LocalPool):
                suspects, missing = _part(missing)
                if not executor.warm and not suspects:
                    yield from _trial(missing)
            yield from _Scheduler(missing, executor, suspects).results()
        except BaseException:
            if isinstance(executor, LocalPool):
                executor.kill()
            raise
        finally:
            if own:
                executor.shutdown()


def _part(missing: Iterable[tuple[Job, Cell]]) -> tuple[deque[tuple[Job, Cell]], deque[tuple[Job, Cell]]]:
    """The cells that an earlier run did not survive, which are measured apart, and the others."""
    suspects, others = deque(), deque()
    for job, cell in missing:
        marked = job.store.marked(job.key(cell))
        (suspects if marked else others).append((job, cell))
        if marked:
            note(f"{job.study.name}: an earlier run ended while it measured {dict(cell)}; now in a process of its own")
    return suspects, others


def _trial(missing: deque[tuple[Job, Cell]]) -> Iterator[Finished]:
    """Measure here until it is clear that the rest is worth starting processes for.

    A cell that ends this process (a crash in compiled code, os._exit) leaves its mark: the next run finds it, tries
    that cell in a process of its own and records it as failed.
    """
    start, total, done = time.perf_counter(), len(missing), 0
    guards: dict[Job, Guard] = {}
    while missing:
        job, cell = missing.popleft()
        guard = guards.setdefault(job, Guard(job.study, job.identity))
        guard.check()
        job.mark(cell)
        try:
            ((_, record),) = measure_cells(job.study, [cell], rng_seed=job.rng_seed, path=job.path)
            guard.check()
        finally:
            job.unmark(cell)
        job.pace.add([record])
        yield job, cell, record
        done += 1
        elapsed = time.perf_counter() - start
        if elapsed > TRIAL_SECONDS and elapsed / done * (total - done) > WORTH_A_POOL:
            return


@final
@dataclass(slots=True)
class _Scheduler:
    """Keeps an executor fed with tasks of about `TASK_SECONDS`.

    When a local process dies, every task in flight is lost and any of its cells may be to blame. These suspects are
    then run alone, one after the other: the one that kills its process again is recorded as failed. A dask scheduler
    hands the tasks of a dead worker to another one by itself and gives a task up after several deaths; its cells are
    then sent out one by one.
    """

    missing: deque[tuple[Job, Cell]]
    executor: Executor
    suspects: deque[tuple[Job, Cell]] = field(default_factory=deque)
    single: deque[tuple[Job, Cell]] = field(default_factory=deque)
    flying: dict[Future, tuple[Job, tuple[Cell, ...]]] = field(default_factory=dict)

    def results(self) -> Iterator[Finished]:
        parallelism, asked = _parallelism(self.executor), time.monotonic()
        try:
            while self.missing or self.single or self.suspects or self.flying:
                if self.suspects:
                    yield self._run_alone(*self.suspects.popleft())
                    continue
                if time.monotonic() - asked > REFRESH_SECONDS:
                    parallelism, asked = _parallelism(self.executor), time.monotonic()
                while (self.missing or self.single) and len(self.flying) < 2 * parallelism and not self.suspects:
                    self._submit(parallelism)
                for future in self._finished():
                    yield from self._collect(future)
        finally:
            cancel(self.flying, self.executor)

    def _finished(self) -> list[Future]:
        """Futures that are done, results before losses: what a dying executor still delivered is kept."""
        if not self.flying:
            return []
        done = wait(self.flying, timeout=REFRESH_SECONDS, return_when=FIRST_COMPLETED).done
        return sorted(done, key=lambda future: future.cancelled() or future.exception() is not None)

    def _submit(self, parallelism: int) -> None:
        queue = self.single or self.missing
        job, cells = queue[0][0], []
        size = 1 if self.single else job.pace.task_size(len(self.missing), parallelism)
        while queue and queue[0][0] is job and len(cells) < size:
            cells.append(queue.popleft()[1])
        try:
            self.flying[self.executor.submit(run_task, job.task(tuple(cells)))] = job, tuple(cells)
        except BrokenProcessPool:
            self.missing.extendleft((job, cell) for cell in reversed(cells))
            self._bury()

    def _collect(self, future: Future) -> Iterator[Finished]:
        if future not in self.flying:  # lost with its process
            return
        try:
            records = future.result()
        except (BrokenExecutor, CancelledError):
            self._bury()
            return
        except UnifiedScoreError:
            raise
        except Exception as error:
            if isinstance(self.executor, LocalPool | InProcess):
                raise
            yield from self._given_up(future, error)
            return
        job, cells = self.flying.pop(future)
        job.pace.add(records)
        for cell, record in zip(cells, records, strict=True):
            yield job, cell, record

    def _bury(self) -> None:
        if not isinstance(self.executor, LocalPool):
            raise StudyError(
                "the executor lost its processes or its scheduler. Finished cells are recorded: "
                "start a new one, and the same command takes up where this one stopped"
            ) from None
        self.executor.kill()
        self.suspects.extend((job, cell) for job, cells in self.flying.values() for cell in cells)
        self.flying.clear()

    def _given_up(self, future: Future, error: Exception) -> Iterator[Finished]:
        """What becomes of a task that a cluster could not run: a cell that takes its worker with it is recorded."""
        if type(error).__name__ != "KilledWorker":  # by name: dask is optional
            raise StudyError(
                f"the executor could not run a task ({describe(error)}); "
                "every worker needs the same unifiedscore and the packages that the study imports"
            ) from error
        job, cells = self.flying.pop(future)
        if len(cells) > 1:
            self.single.extend((job, cell) for cell in cells)
        else:
            message = "every worker that measured it died (out of memory, a crash in compiled code, or os._exit)"
            yield job, cells[0], Record("failed", {}, message)

    def _run_alone(self, job: Job, cell: Cell) -> Finished:
        try:
            record = self.executor.submit(run_task, job.task((cell,))).result()[0]
            job.unmark(cell)
            return job, cell, record
        except BrokenProcessPool:
            self.executor.kill()
            message = "its worker process died twice (out of memory, a crash in compiled code, or os._exit)"
            return job, cell, Record("failed", {}, message)


def _parallelism(executor: Executor) -> int:
    """How many tasks an executor runs at once, as far as it can be asked."""
    for name in ("workers", "_max_workers"):
        if isinstance(workers := getattr(executor, name, None), int):
            return workers
    client = getattr(executor, "_client", None)  # dask.distributed
    if client is not None and callable(getattr(client, "ncores", None)):
        # Never fewer: a queue is what makes an adaptive cluster grow, and workers may be on their way.
        return max(UNKNOWN_PARALLELISM, sum(client.ncores().values()))
    return UNKNOWN_PARALLELISM

"""Cells of several studies on one executor: tasks of a useful size, workers always busy, dead workers survived."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from unifiedscore.errors import StudyError, UnifiedScoreError
from unifiedscore.output import note
from unifiedscore.study.failure import describe
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.identity import Identity
from unifiedscore.study.marks import Mark, forget_dead, leave_mark, read_marks, remove_mark
from unifiedscore.study.pool import InProcess, LocalPool, MeasuringFuture, Outcome, cancel
from unifiedscore.study.records import Record, RecordStore, record_key
from unifiedscore.study.study import Study
from unifiedscore.study.task import Task
from unifiedscore.study.threads import limited_threads
from unifiedscore.study.worker import lost_record, run_task, supervised

TASK_SECONDS = 0.25  # long against the hand-over of a task (about 1 ms), short against a person's patience
MOST_CELLS = 256
SILENCE = 2.0  # seconds without a finished cell after which cells count as long, whatever was thought
UNKNOWN_PARALLELISM = 64
WORTH_A_PROCESS = 1.0  # seconds of work for each; starting one and importing the engine takes about as long
REFRESH_SECONDS = 5.0  # a cluster grows while it works
LOOK_SECONDS = 1.0  # between two looks at what has arrived of tasks that are not finished
NO_WORKERS_SECONDS = 30.0  # after which a cluster without workers is worth a word
DEATHS = 2  # runs that a cell may end before it is not tried any more


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
    seed: int
    threads: int
    store: RecordStore
    todo: list[Cell]
    records: dict[Cell, Record] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    hashes: Mapping[str, str] = field(init=False)
    marking: bool = True  # whether cells that may end this process leave a note; a spot check writes nothing
    cell_timeout: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "hashes", self.identity.hashes)

    def key(self, cell: Cell) -> str:
        """Name of the cell's record."""
        return record_key(**self.hashes, study=self.study.name, cell=cell, seed=self.seed)

    def task(self, cells: tuple[Cell, ...]) -> Task:
        """What a worker needs to measure some of the cells."""
        return Task(
            path=str(self.path),
            identity=self.identity,
            study=self.study.name,
            cells=cells,
            seed=self.seed,
            threads=self.threads,
            cell_timeout=self.cell_timeout,
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


Finished = tuple[Job, Cell, Record]
Queue = deque[tuple[Job, Cell]]


def measure(jobs: Iterable[Job], executor: Executor | None, *, threads: int) -> Iterator[Finished]:
    """Measure what is missing, on `executor` or on local processes."""
    jobs = list(jobs)
    missing: Queue = deque((job, cell) for job in jobs for cell in job.missing())
    if not missing:
        return
    own = executor is None
    executor = LocalPool(threads=threads) if own else executor
    with limited_threads(threads):
        try:
            known, suspects, others = _part(jobs, missing)
            yield from known
            if isinstance(executor, LocalPool) and not executor.warm:
                executor.measuring = 1
            yield from _Scheduler(others, executor, suspects).results()
            for job in jobs:
                forget_dead(job.marks(), lambda key, job=job: job.store.path(key).exists())
        except BaseException:
            if isinstance(executor, LocalPool):
                executor.kill()
            raise
        finally:
            if own:
                executor.shutdown()


@final
@dataclass(frozen=True, slots=True)
class _Suspect:
    """A cell that has taken its process with it, or whole runs: it is measured when nothing else is."""

    job: Job
    cell: Cell
    deaths: int = 0  # of runs


def _part(jobs: Iterable[Job], missing: Queue) -> tuple[list[Finished], deque[_Suspect], Queue]:
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
            suspects.append(_Suspect(job, cell, ended))
        else:
            others.append((job, cell))
    return known, suspects, others


@final
@dataclass(slots=True)
class _Flight:
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


@final
@dataclass(slots=True)
class _Scheduler:
    """Keeps an executor fed with tasks of about `TASK_SECONDS`.

    A local process that dies costs the cell that it was at, no other. That cell is a suspect: it is measured again
    when nothing else is (it may only have run out of a memory that it shared), and recorded as failed if its process
    dies again. Workers elsewhere do the same for themselves (`supervised`). A dask scheduler hands the tasks of a dead
    worker to another one by itself and gives a task up after several deaths; its cells are then sent out one by one.
    """

    missing: Queue
    executor: Executor
    suspects: deque[_Suspect] = field(default_factory=deque)
    single: Queue = field(default_factory=deque)
    flying: dict[Future, _Flight] = field(default_factory=dict)
    over: bool = False
    heard: float = field(default_factory=time.monotonic)  # when the executor last gave a sign of life

    def results(self) -> Iterator[Finished]:
        """Every cell with its record, in the order in which they are finished."""
        parallelism, asked = _parallelism(self.executor), time.monotonic()
        try:
            while self.missing or self.single or self.flying or self.suspects:
                if not (self.missing or self.single or self.flying):
                    yield self._run_alone(self.suspects.popleft())
                    continue
                if time.monotonic() - asked > REFRESH_SECONDS:
                    parallelism, asked = _parallelism(self.executor), time.monotonic()
                    self._look_for_workers()
                used = self._worth(parallelism)
                while (self.missing or self.single) and len(self.flying) < 2 * used:
                    self._submit(used)
                done = self._finished()
                for flight in [flight for future, flight in self.flying.items() if future not in done]:
                    yield from self._arrived(flight)
                for future in done:
                    yield from self._collect(future)
        finally:
            self.over = True
            cancel(self.flying, self.executor)
            for flight in self.flying.values():
                flight.land()

    def _worth(self, parallelism: int) -> int:
        """Processes that the rest is worth: one until it is known to take longer than starting more of them."""
        if not isinstance(self.executor, LocalPool):
            return parallelism
        if self.executor.measuring < parallelism:
            missing = [(job, 1) for job, _ in self.missing]
            missing += [(flight.job, len(flight.cells) - flight.given) for flight in self.flying.values()]
            seconds = sum(job.pace.mean * cells for job, cells in missing if job.pace.cells)
            unknown = time.monotonic() - self.heard > SILENCE
            needed = parallelism if unknown else math.ceil(seconds / WORTH_A_PROCESS)
            self.executor.measuring = max(self.executor.measuring, min(parallelism, needed))
        return self.executor.measuring

    def _finished(self) -> list[Future]:
        """Futures that are done, results before losses: what a dying executor still delivered is kept."""
        done = wait(self.flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED).done
        return sorted(done, key=lambda future: future.cancelled() or future.exception() is not None)

    def _arrived(self, flight: _Flight) -> Iterator[Finished]:
        """Records of a task that is still being measured: a run that ends now has them."""
        future = next(future for future, known in self.flying.items() if known is flight)
        if isinstance(future, MeasuringFuture):
            for finished in flight.hand_on(list(future.arrived)):
                self.heard = time.monotonic()
                yield finished

    def _submit(self, parallelism: int) -> None:
        queue = self.single or self.missing
        job, cells = queue[0][0], []
        size = 1 if self.single else job.pace.task_size(len(self.missing), parallelism)
        while queue and queue[0][0] is job and len(cells) < size:
            cells.append(queue.popleft()[1])
        flight = _Flight(job, tuple(cells))
        self.flying[self._send(flight)] = flight

    def _send(self, flight: _Flight, *, deaths: int = 0) -> Future:
        """Hand a task to the executor: the local one isolates its cells itself, others are told to do so."""
        task = flight.job.task(flight.cells)

        def mark(*, here: bool = True) -> None:
            flight.mark = flight.job.mark(flight.cells, deaths=deaths, here=here)
            if self.over:  # a process took the task up at the moment at which the run ended
                flight.land()

        if isinstance(self.executor, LocalPool):
            if deaths:  # one process more between the cell and this one, which the cell may try to end
                mark()
                return self.executor.submit(supervised, task)
            return self.executor.measure(task, started=mark)
        mark(here=isinstance(self.executor, InProcess))
        return self.executor.submit(run_task if isinstance(self.executor, InProcess) else supervised, task)

    def _collect(self, future: Future) -> Iterator[Finished]:
        flight = self.flying[future]
        try:
            outcome = future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise StudyError(_lost(self.executor, error)) from None
        except UnifiedScoreError:
            raise
        except Exception as error:
            if isinstance(self.executor, LocalPool | InProcess):
                raise
            yield from self._given_up(future, error)
            return
        del self.flying[future]
        self.heard = time.monotonic()
        records, lost = (outcome.records, outcome.lost) if isinstance(outcome, Outcome) else (outcome, "")
        flight.land()  # first: who takes the records may end the run
        yield from flight.hand_on(records)
        rest = flight.cells[flight.given :]
        if lost and rest:
            self.suspects.append(_Suspect(flight.job, rest[0]))
            rest = rest[1:]
        self.missing.extendleft((flight.job, cell) for cell in reversed(rest))

    def _given_up(self, future: Future, error: Exception) -> Iterator[Finished]:
        """What becomes of a task that a cluster could not run: a cell that takes its worker with it is recorded."""
        if type(error).__name__ != "KilledWorker":  # by name: dask is optional
            raise StudyError(
                f"the executor could not run a task ({describe(error)}); "
                "every worker needs the same unifiedscore and the packages that the study imports"
            ) from error
        flight = self.flying.pop(future)
        flight.land()
        if len(flight.cells) > 1:
            self.single.extend((flight.job, cell) for cell in flight.cells)
        else:
            message = "every worker that measured it died (out of memory, a crash in compiled code, or os._exit)"
            yield flight.job, flight.cells[0], Record("failed", {}, message)

    def _run_alone(self, suspect: _Suspect) -> Finished:
        """Measure a cell while nothing else is measured."""
        flight = _Flight(suspect.job, (suspect.cell,))
        try:
            if suspect.deaths or not isinstance(self.executor, LocalPool):
                (record,) = self._send(flight, deaths=suspect.deaths).result()
            else:
                task = suspect.job.task(flight.cells)

                def mark() -> None:
                    flight.mark = suspect.job.mark(flight.cells)

                outcome = self.executor.measure(task, started=mark, fresh=True).result()
                record = outcome.records[0] if outcome.records else lost_record(outcome.lost)
        except BrokenProcessPool as error:
            record = lost_record(str(error))
        finally:
            flight.land()
        return suspect.job, suspect.cell, record

    def _look_for_workers(self) -> None:
        """Say so once where a cluster has no worker that could do anything."""
        workers = _workers(self.executor)
        if workers or workers is None:
            self.heard = time.monotonic()
        elif 0.0 < NO_WORKERS_SECONDS < time.monotonic() - self.heard:
            self.heard = math.inf
            note("the dask scheduler has no workers; start some with `dask worker`, or stop with Ctrl-C")


def _lost(executor: Executor, error: BaseException) -> str:
    """Why an executor that a caller has made cannot go on, with the usual reason where it is a pool of processes."""
    text = (
        "the executor lost its processes or its scheduler. Finished cells are recorded: "
        "start a new one, and the same command takes up where this one stopped"
    )
    if isinstance(executor, ProcessPoolExecutor):
        text += (
            '. Processes that are spawned import the calling script again: it needs `if __name__ == "__main__":` '
            "around everything that runs something, and cannot come from standard input; executor=None needs neither"
        )
    return text


def _workers(executor: Executor) -> int | None:
    """How many workers a dask cluster has; None for any other executor."""
    client = getattr(executor, "_client", None)
    if client is None or not callable(getattr(client, "ncores", None)):
        return None
    return len(client.ncores())


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

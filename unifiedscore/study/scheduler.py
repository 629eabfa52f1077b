"""Cells of several studies on one executor: tasks of a useful size, workers always busy, dead workers survived."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import final

from unifiedscore.errors import StudyError, UnifiedScoreError
from unifiedscore.output import note
from unifiedscore.study.clusters import parallelism_of, why_lost, workers_of
from unifiedscore.study.failure import describe
from unifiedscore.study.flight import Finished, Flight, Queue, Suspect, part
from unifiedscore.study.job import Job
from unifiedscore.study.marks import forget_dead
from unifiedscore.study.pool import InProcess, LocalPool, MeasuringFuture, Outcome, cancel
from unifiedscore.study.records import Record
from unifiedscore.study.threads import limited_threads
from unifiedscore.study.worker import lost_record, run_task, supervised

SILENCE = 2.0  # seconds without a finished cell after which cells count as long, whatever was thought
WORTH_A_PROCESS = 1.0  # seconds of work for each; starting one and importing the engine takes about as long
REFRESH_SECONDS = 5.0  # a cluster grows while it works
LOOK_SECONDS = 1.0  # between two looks at what has arrived of tasks that are not finished
NO_WORKERS_SECONDS = 30.0  # after which a cluster without workers is worth a word


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
            known, suspects, others = part(jobs, missing)
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
    suspects: deque[Suspect] = field(default_factory=deque)
    single: Queue = field(default_factory=deque)
    flying: dict[Future, Flight] = field(default_factory=dict)
    over: bool = False
    heard: float = field(default_factory=time.monotonic)  # when the executor last gave a sign of life

    def results(self) -> Iterator[Finished]:
        """Every cell with its record, in the order in which they are finished."""
        parallelism, asked = parallelism_of(self.executor), time.monotonic()
        try:
            while self.missing or self.single or self.flying or self.suspects:
                if not (self.missing or self.single or self.flying):
                    yield self._run_alone(self.suspects.popleft())
                    continue
                if time.monotonic() - asked > REFRESH_SECONDS:
                    parallelism, asked = parallelism_of(self.executor), time.monotonic()
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

    def _arrived(self, flight: Flight) -> Iterator[Finished]:
        """Records of a task that is still being measured: a run that ends now has them."""
        future = next(future for future, known in self.flying.items() if known is flight)
        if isinstance(future, MeasuringFuture):
            for finished in flight.hand_on(list(future.arrived)):
                self.heard = time.monotonic()
                yield finished

    def _submit(self, parallelism: int) -> None:
        queue = self.single or self.missing
        at = 0 if self.single else self._next()
        job, cells = queue[at][0], []
        size = 1 if self.single else job.pace.task_size(len(self.missing), parallelism)
        while at < len(queue) and queue[at][0] is job and len(cells) < size:
            cells.append(queue[at][1])
            del queue[at]
        flight = Flight(job, tuple(cells))
        self.flying[self._send(flight)] = flight

    def _next(self) -> int:
        """Where in the queue the next task begins: at a study whose first cell is still out only if no other is left.

        Whoever measures the first cell compiles what the study needs; another worker would compile the same beside it.
        """
        begun = {id(flight.job) for flight in self.flying.values() if not flight.job.pace.cells}
        return next((at for at, (job, _) in enumerate(self.missing) if id(job) not in begun), 0)

    def _send(self, flight: Flight, *, deaths: int = 0) -> Future:
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
            raise StudyError(why_lost(self.executor, error)) from None
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
            self.suspects.append(Suspect(flight.job, rest[0]))
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

    def _run_alone(self, suspect: Suspect) -> Finished:
        """Measure a cell while nothing else is measured."""
        flight = Flight(suspect.job, (suspect.cell,))
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
        workers = workers_of(self.executor)
        if workers or workers is None:
            self.heard = time.monotonic()
        elif 0.0 < NO_WORKERS_SECONDS < time.monotonic() - self.heard:
            self.heard = math.inf
            note("the dask scheduler has no workers; start some with `dask worker`, or stop with Ctrl-C")

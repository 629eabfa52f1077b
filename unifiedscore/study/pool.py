"""Local executors: processes that start late, are limited in time and replaced when they die; and no process."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from unifiedscore.errors import ChangedError
from unifiedscore.study.failure import describe
from unifiedscore.study.process import Ended, WorkerProcess, end_families
from unifiedscore.study.records import Record
from unifiedscore.study.threads import limited_threads
from unifiedscore.validate import integer, positive

if TYPE_CHECKING:
    from unifiedscore.study.task import Task

__all__ = ["InProcess", "LocalPool", "Outcome", "available_cores", "cancel", "limited_threads", "local_processes"]

MOST_WORKERS = 60  # beyond it a scheduler (dask, MPI) is the right tool
IDLE_SECONDS = 60.0  # after which a process that has nothing to do gives its memory back
_POOLS: weakref.WeakSet[LocalPool] = weakref.WeakSet()


def available_cores() -> int:
    """Cores this process may use, which in a container or a batch job are fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


class OutOfTime(Exception):
    """A call took longer than it was allowed to; its process has been ended."""


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: the records of its first cells, and how the process ended in the next one, if it did.

    Cells beyond those have not been measured.
    """

    records: list[Record]
    lost: str = ""


@final
class MeasuringFuture(Future):
    """The future of a task's `Outcome`, with the records that have arrived so far."""

    def __init__(self):
        super().__init__()
        self.arrived: list[Record] = []


@final
@dataclass(slots=True)
class _Item:
    """A call or a task that waits for a process."""

    future: Future
    function: Callable
    arguments: tuple
    limit: float | None = None
    started: Callable[[], None] | None = None
    fresh: bool = False  # whether it needs a process that has done nothing before


@final
class LocalPool(Executor):
    """Processes on this machine, started as tasks come and shared by everything that is handed the pool.

    A process that dies, or that is at one cell for longer than the limit, is replaced, and costs only the cell that
    it was at.

    Parameters
    ----------
    workers : int, optional
        Number of processes; default: the available cores.
    threads : int
        BLAS, OpenMP and numba threads of each process. It does not depend on `workers`, so that the number of
        workers cannot change the order of a sum.
    """

    def __init__(self, workers: int | None = None, *, threads: int = 1):
        cores = available_cores() if workers is None else integer(workers, "workers")
        self.workers = min(cores, MOST_WORKERS)
        self.threads = integer(threads, "threads")
        self.measuring = self.workers  # processes that cells are worth; fewer while it is not known that they are
        self._crew: _Crew | None = None
        _POOLS.add(self)

    @property
    def warm(self) -> bool:
        """Whether processes have been started."""
        return self._crew is not None

    def submit(self, function, /, *args, **kwargs) -> Future:
        """Schedule `function(*args, **kwargs)` in one of the processes."""
        return self._put(_Item(Future(), _call, (function, args, kwargs)))

    def submit_limited(self, seconds: float | None, function, /, *args) -> Future:
        """Schedule `function(*args)`, which is ended after so many seconds and then raises `OutOfTime`."""
        return self._put(_Item(Future(), function, args, None if seconds is None else positive(seconds, "seconds")))

    def measure(self, task: Task, *, started: Callable[[], None] | None = None, fresh: bool = False) -> MeasuringFuture:
        """Schedule a task, of whose cells none makes the future raise; `started` is called when a process takes it."""
        from unifiedscore.study.worker import emit_task

        future = MeasuringFuture()
        item = _Item(future, emit_task, (task,), task.cell_timeout, started, fresh)
        self._put(item, min(self.measuring, self.workers))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once they are done."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close(cancel_futures=cancel_futures)
            if wait:
                crew.join()

    def kill(self) -> None:
        """End the processes now; the next task starts new ones."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.kill()
            crew.join()

    def _put(self, item: _Item, most: int | None = None) -> Future:
        if self._crew is None:
            self._crew = _Crew(self.threads)
        self._crew.put(item, most or self.workers)
        return item.future


def kill_all() -> None:
    """End the processes of every pool: this process ends."""
    for pool in list(_POOLS):
        crew = pool._crew
        if crew is not None:
            crew.kill()


atexit.register(kill_all)


@final
class _Crew:
    """Threads of this process that each look after one worker process, and what is waiting for them."""

    def __init__(self, threads: int):
        self._threads = threads
        self._changed, self._waiting, self._idle = threading.Condition(), deque[_Item](), 0
        self._keepers: set[threading.Thread] = set()
        self._processes: set[WorkerProcess] = set()
        self._closed = self._killed = False

    def put(self, item: _Item, most: int) -> None:
        """Queue an item, and have another process if none waits and there are fewer than `most`."""
        with self._changed:
            self._waiting.append(item)
            if self._idle < len(self._waiting) and len(self._keepers) < most:
                # A daemon: a script that forgets its pool ends, and its processes with it.
                keeper = threading.Thread(target=self._keep, daemon=True)
                self._keepers.add(keeper)
                keeper.start()
            self._changed.notify()

    def close(self, *, cancel_futures: bool) -> None:
        with self._changed:
            self._closed = True
            if cancel_futures:
                for item in self._waiting:
                    item.future.cancel()
                self._waiting.clear()
            self._changed.notify_all()

    def kill(self) -> None:
        with self._changed:
            self._closed = self._killed = True
            waiting, processes = list(self._waiting), list(self._processes)
            self._waiting.clear()
            self._changed.notify_all()
        for item in waiting:
            item.future.cancel()
        for process in processes:
            process.kill(family=False)
        end_families(process.family for process in processes)

    def join(self) -> None:
        for keeper in list(self._keepers):
            keeper.join()

    def _next(self) -> _Item | None:
        with self._changed:
            self._idle += 1
            try:
                self._changed.wait_for(lambda: self._waiting or self._closed, IDLE_SECONDS)
                if self._waiting:
                    return self._waiting.popleft()
                if not self._closed:  # in the same breath: `put` counts those that are left
                    self._keepers.discard(threading.current_thread())
                return None
            finally:
                self._idle -= 1

    def _keep(self) -> None:
        """Serve what comes; the thread outlives its process, which the kernel would end with the thread."""
        process, used = None, False
        while (item := self._next()) is not None:
            if not item.future.set_running_or_notify_cancel():
                continue
            try:
                if process is not None and item.fresh and used:
                    self._end(process)
                    process = None
                if process is None:
                    process = self._start()
                result, keep = _run(process, item)
                used = True
            except BaseException as error:
                keep = not isinstance(error, Ended | OutOfTime) and process is not None
                error = BrokenProcessPool(f"its process ended: {error}") if isinstance(error, Ended) else error
                item.future.set_exception(error)
            else:
                item.future.set_result(result)
            del item
            if not keep and process is not None:
                self._end(process)
                process = None
        if process is not None:
            self._end(process)

    def _start(self) -> WorkerProcess:
        with self._changed:
            if self._killed:
                raise Ended("the pool was ended")
            process = WorkerProcess(self._threads)
            self._processes.add(process)
            return process

    def _end(self, process: WorkerProcess) -> None:
        process.kill()
        with self._changed:
            self._processes.discard(process)


def _run(process: WorkerProcess, item: _Item) -> tuple[Any, bool]:
    """The result of an item, and whether its process can be used again."""
    if item.started is not None:
        item.started()
    process.send(item.function, item.arguments)
    measuring = isinstance(item.future, MeasuringFuture)
    records: list[Record] = item.future.arrived if measuring else []
    first, loaded, deadline = "loaded" if measuring else "begun", False, None
    while True:
        try:
            message = process.receive(deadline)
        except Ended as ended:
            if not measuring:
                raise
            return Outcome(records, str(ended)), False
        if message is None:
            process.kill()
            if not measuring:
                raise OutOfTime(f"it took longer than {item.limit:g} s")
            if len(records) < len(item.arguments[0].cells):
                records.append(Record("failed", {}, _too_long(item.limit), item.limit))
            return Outcome(records), False
        kind, value, worn = message
        if kind == "record":
            records.append(value)
        loaded |= kind == first
        if loaded and item.limit is not None:
            deadline = time.monotonic() + item.limit
        broken = kind == "raised" and measuring and loaded and not isinstance(value, ChangedError)
        if broken:  # no fault of the study as such: a cell broke its process
            return Outcome(records, f"broken from within, {describe(value)}"), False
        if kind == "raised":
            raise value
        if kind == "result" or worn:
            return (Outcome(records) if measuring else value), not worn


def _too_long(limit: float) -> str:
    return f"it took longer than the time limit of {limit:g} s for a cell, and was ended"


def _call(function, args, kwargs):
    return function(*args, **kwargs)


@final
class InProcess(Executor):
    """No process of its own: a task runs where it is submitted. For debugging, and to compare with.

    Nothing is limited here: a cell that ends its process ends this one, and no time limit holds.
    """

    workers = 1

    def submit(self, function, /, *args, **kwargs) -> Future:
        """Run `function(*args, **kwargs)` now."""
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def local_processes(executor: Executor, *, workers: int | None = None) -> Iterator[LocalPool | InProcess]:
    """The executor itself where it runs things on this machine; otherwise a pool that does, for the time being."""
    if isinstance(executor, LocalPool | InProcess):
        yield executor
        return
    pool = LocalPool(workers)
    try:
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.shutdown()


def cancel(futures: Iterable[Future], executor: Executor) -> None:
    """Cancel what an executor has not started yet, on the way to an error."""
    for future in futures:
        future.cancel()

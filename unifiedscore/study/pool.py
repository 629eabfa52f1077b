"""Local executors: a spawn process pool that starts late, never oversubscribes and can be restarted; and no pool."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import final

from unifiedscore.study.threads import THREAD_VARIABLES
from unifiedscore.validate import integer

SPAWNER = "UNIFIEDSCORE_SPAWNER"  # number of the thread that starts a worker, for the worker to know
PR_SET_PDEATHSIG = 1
_HOLDING = threading.Lock()
_held: dict[str, tuple[str | None, list[str]]] = {}  # what variables were, and what is wanted of them meanwhile
MOST_WORKERS = 60  # Windows allows 61; beyond it a scheduler (dask, MPI) is the right tool


def available_cores() -> int:
    """Cores this process may use, which in a container or a batch job are fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


@final
class LocalPool(Executor):
    """Processes on this machine, started with the first task and shared by everything that is handed the pool.

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
        self._pool: ProcessPoolExecutor | None = None

    @property
    def warm(self) -> bool:
        """Whether processes have been started."""
        return self._pool is not None

    def submit(self, function, /, *args, **kwargs) -> Future:
        """Schedule `function(*args, **kwargs)` in one of the processes."""
        with _clean_spawn(self.threads):
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(self.workers, context, _start_worker, (self.threads,))
            return self._pool.submit(function, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once they are done."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            self._pool = None

    def kill(self) -> None:
        """End the processes now; the next task starts new ones."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = list((pool._processes or {}).values())
        for process in processes:
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        for process in processes:
            process.join()


@final
class InProcess(Executor):
    """No pool: a task runs where it is submitted. For debugging, and to compare with."""

    workers = 1

    def submit(self, function, /, *args, **kwargs) -> Future:
        """Run `function(*args, **kwargs)` now."""
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def cancel(futures: Iterable[Future], executor: Executor) -> None:
    """Cancel what an executor has not started yet, on the way to an error.

    A local pool is killed then, and would stumble over futures that were cancelled under it.
    """
    if not isinstance(executor, LocalPool):
        for future in futures:
            future.cancel()


@contextmanager
def _clean_spawn(threads: int) -> Iterator[None]:
    """Set the thread limits that new processes inherit, and keep them from importing the caller's main module.

    Without the second, every worker would import the command line once more, and a script that calls `run` without
    an `if __name__ == "__main__"` guard would start itself again in each of them.
    """
    main = sys.modules["__main__"]
    values = dict.fromkeys(THREAD_VARIABLES, str(threads)) | {SPAWNER: str(threading.get_native_id())}
    with _environment(values):
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while; threads that do so at once leave the first state behind together."""
    with _HOLDING:
        for name, value in values.items():
            _held.setdefault(name, (os.environ.get(name), []))[1].append(value)
            os.environ[name] = value
    try:
        yield
    finally:
        with _HOLDING:
            for name, value in values.items():
                before, wanted = _held[name]
                wanted.remove(value)
                if wanted:
                    os.environ[name] = wanted[-1]
                    continue
                del _held[name]
                if before is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = before


def _start_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means
    _let_the_kernel_end_it()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _let_the_kernel_end_it() -> None:
    """On Linux, end with the parent even within compiled code that lets no thread of Python run.

    The kernel's promise is about the thread that started this process: only the main thread lives as long as its
    process, and its number is the process's.
    """
    if sys.platform == "linux" and os.environ.get(SPAWNER) == str(os.getppid()):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_parent() -> None:
    """A killed driver must not leave workers behind: they hold their own queue open and would wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

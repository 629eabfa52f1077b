"""Threads of a worker: BLAS, OpenMP, numba and the engine's own, held to one number while cells are measured."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

# Read by BLAS, OpenMP and numba when a process first loads them, and by the engine on every call.
ENGINE_VARIABLE = "UNIFIEDSCORE_NUM_THREADS"
NUMBA_VARIABLE = "NUMBA_NUM_THREADS"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    NUMBA_VARIABLE,
    ENGINE_VARIABLE,
)


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Hold every library's threads to `threads`: those loaded so far, and those that are loaded meanwhile.

    BLAS and the environment belong to the process: where several threads of one process measure cells at once, as in
    a dask worker with more than one thread, the first to come sets them and the last to go restores them. The limits
    of numba and OpenMP belong to the thread.
    """
    from threadpoolctl import threadpool_limits

    _PROCESS.enter(threads)
    try:
        # Numba before OpenMP: when it starts its threads it sets those of OpenMP to as many.
        with _numba_limited(threads), threadpool_limits(threads, user_api="openmp"):
            yield
    finally:
        _PROCESS.leave()


@final
class _ProcessLimit:
    """The limit on what belongs to the process, counted so that it lasts until the last of several users has left."""

    def __init__(self):
        self._lock, self._users = threading.Lock(), 0
        self._before: dict[str, str | None] = {}
        self._libraries: Any = None

    def enter(self, threads: int) -> None:
        """Limit, unless somebody has."""
        from threadpoolctl import threadpool_limits

        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            # A loaded numba refuses to compile after the variable has changed under its running threads.
            names = [name for name in THREAD_VARIABLES if name != NUMBA_VARIABLE or "numba" not in sys.modules]
            self._before = {name: os.environ.get(name) for name in names}
            os.environ.update(dict.fromkeys(names, str(threads)))
            self._libraries = threadpool_limits(threads, user_api="blas")

    def leave(self) -> None:
        """Restore, unless somebody still needs the limit."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            self._libraries.restore_original_limits()
            for name, value in self._before.items():
                if name == NUMBA_VARIABLE and _numba_runs():
                    continue  # its threads were started meanwhile, with this number, and cannot be changed any more
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


_PROCESS = _ProcessLimit()


@contextmanager
def _numba_limited(threads: int) -> Iterator[None]:
    """Mask all but `threads` of the threads that a loaded numba has or would start."""
    numba = sys.modules.get("numba")
    if numba is None or getattr(numba, "config", None) is None or numba.config.NUMBA_NUM_THREADS <= threads:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _numba_runs() -> bool:
    """Whether numba has started its threads."""
    return bool(getattr(sys.modules.get("numba.np.ufunc.parallel"), "_is_initialized", False))

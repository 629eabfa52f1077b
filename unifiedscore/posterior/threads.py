"""How many threads the engine may use, and the matrix library with one of them."""

from __future__ import annotations

import os
from functools import lru_cache


def threads() -> int:
    """Return the threads to use: the processors this process may run on, at most as many as the environment allows."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("UNIFIEDSCORE_NUM_THREADS") or os.environ.get("NUMBA_NUM_THREADS", "")
    return max(1, min(available, int(limit) if limit.isdigit() else available))


def one_blas_thread():
    """Context in which matrix products use one thread: their sums do not depend on the number of processors.

    Where the engine has threads of its own, or the matrices are thin, more would only wait for each other.
    """
    return _controller().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _controller():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

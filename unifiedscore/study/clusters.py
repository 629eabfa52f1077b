"""What can be asked of an executor, whoever made it: how many workers it has, and why it cannot go on."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor

UNKNOWN_PARALLELISM = 64


def why_lost(executor: Executor, error: BaseException) -> str:
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


def workers_of(executor: Executor) -> int | None:
    """How many workers a dask cluster has; None for any other executor."""
    client = getattr(executor, "_client", None)
    if client is None or not callable(getattr(client, "ncores", None)):
        return None
    return len(client.ncores())


def parallelism_of(executor: Executor) -> int:
    """How many tasks an executor runs at once, as far as it can be asked."""
    for name in ("workers", "_max_workers"):
        if isinstance(workers := getattr(executor, name, None), int):
            return workers
    client = getattr(executor, "_client", None)  # dask.distributed
    if client is not None and callable(getattr(client, "ncores", None)):
        # Never fewer: a queue is what makes an adaptive cluster grow, and workers may be on their way.
        return max(UNKNOWN_PARALLELISM, sum(client.ncores().values()))
    return UNKNOWN_PARALLELISM

"""Whatever a cell does, the run judges it in its time, keeps the others' numbers, and the next run is not in its way.

The default suite runs every kind on one local pool; `-m slow` each executor. `-s` prints what became of each kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from unifiedscore.study.pool import IDLE_SECONDS

HERE = Path(__file__).resolve().parent
LIMIT = 4.0  # seconds for a cell
PATIENCE = 240.0  # for a run, on a busy machine
OK, FAILED = 0, 2


@pytest.fixture(scope="module")
def kinds():
    import importlib.util

    spec = importlib.util.spec_from_file_location("misbehaving", HERE / "study_misbehaving.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(out, *options, kinds="", launcher=(), verb="run"):
    """The command line on the study, and what it said; it runs beside nothing else and leaves nothing behind."""
    words = [*launcher, "-m", "unifiedscore", verb, str(HERE / "study_misbehaving.py"), "--out", out, *options]
    environment = os.environ | {"MISBEHAVING_KINDS": " ".join(kinds)}
    return subprocess.run(
        [sys.executable, *words] if not launcher else words,
        cwd=HERE, env=environment, capture_output=True, text=True, errors="replace", timeout=PATIENCE,
    )  # fmt: skip


def left_behind(patience=0.0):
    """Processes that cells have started and that are still there after so many seconds."""
    end = time.monotonic() + patience
    while left := subprocess.run(["pgrep", "-f", "sleep 987654"], capture_output=True, text=True).stdout.split():
        if time.monotonic() >= end:
            break
        time.sleep(0.5)
    return left


def judged(kinds, path, chosen):
    """Every kind has come out as it must; the table of what became of it."""
    dataset = xr.load_dataset(path)
    calm = dataset["status"].sel(kind="calm")
    assert (calm == OK).all() and np.unique(dataset["value"].sel(kind="calm")).size == calm.size
    messages = {entry["cell"]["kind"]: entry["message"] for entry in json.loads(dataset.attrs["failed_cells"])}
    wrong = {}
    for kind in chosen:
        status = int(dataset["status"].sel(kind=kind, seed=0))
        message = messages.get(kind, "")
        if kind in kinds.GOES_ON:
            right = status == OK
        elif kind in kinds.HANGS:
            right = status == FAILED and f"time limit of {LIMIT:g} s" in message
        elif kind in kinds.ENDS:
            right = status == FAILED and "died twice" in message
        else:
            right = status == FAILED and "died" not in message and "limit" not in message
        if not right or len(message) > 3000:
            wrong[kind] = status, message[:300]
        print(f"{kind:40}{'ok' if status == OK else message[:100]}")
    return wrong


def test_every_kind_of_misbehaviour_is_judged_and_costs_no_other_cell(kinds, tmp_path):
    chosen = list(kinds.KINDS)
    assert len(chosen) >= 100
    out = str(tmp_path / "out")
    done = command(out, "--workers", "2", "--cell-timeout", str(LIMIT), kinds=chosen)
    assert done.returncode == 3, done.stderr[-3000:]
    assert judged(kinds, tmp_path / "out" / "misbehaving.nc", chosen) == {}
    assert left_behind() == []
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".running", ".partial", ".damaged")]
    records = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.json")}
    again = command(out, kinds=chosen)  # without a limit: nothing is measured again
    assert again.returncode == 3
    assert {path: path.stat().st_mtime_ns for path in records} == records


@pytest.fixture
def started(request, monkeypatch):
    """The options and the launcher of an executor, which is there as long as the test."""
    executor = request.param
    if executor == "mpi":
        # Open MPI refuses root unless told twice; containers are often root.
        for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
            monkeypatch.setenv(name, "1")
        launcher = [str(Path(sys.executable).parent / "mpiexec"), "--oversubscribe", "-n", "3", sys.executable]
        yield ["--executor", "mpi"], [*launcher, "-m", "mpi4py.futures"]
    elif executor == "dask":
        from distributed import LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            yield ["--executor", cluster.scheduler_address.replace("tcp", "dask")], ()
    else:
        yield ["--executor", executor], ()


@pytest.mark.slow
@pytest.mark.parametrize("started", ["serial", "mpi", "dask"], indirect=True)
def test_every_kind_on_other_executors(kinds, tmp_path, started):
    chosen = list(kinds.KINDS)
    options, launcher = started
    out = str(tmp_path / "out")
    done = command(out, *options, "--cell-timeout", str(LIMIT), launcher=launcher)
    assert done.returncode == 3, done.stderr[-3000:]
    assert judged(kinds, tmp_path / "out" / "misbehaving.nc", chosen) == {}
    # A worker of a cluster does not hear that the run is over: its processes end when they have been idle for long.
    assert left_behind(IDLE_SECONDS + 30.0) == []


def test_a_cell_without_a_limit_that_ends_its_process_never_ends_in_exit_code_0(kinds, tmp_path):
    done = command(str(tmp_path / "out"), "--executor", "serial", kinds=["exit_at_once_with_0"], verb="verify")
    assert done.returncode == 3 and "died twice" in done.stdout + done.stderr

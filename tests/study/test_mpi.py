"""A driver and two workers under a real mpiexec. When one of them dies MPI ends them all; the same command resumes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import xarray as xr

from unifiedscore import cli
from unifiedscore.study.records import RecordStore


def mpi_run(project, environment):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Open MPI refuses root unless told twice; containers are often root.
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    launcher = [shutil.which("mpiexec", path=path), "--oversubscribe", "-n", "3", sys.executable]
    command = [*launcher, "-m", "mpi4py.futures", "-m", "unifiedscore", "run", "--executor", "mpi"]
    options = {"cwd": project, "env": environment | root, "capture_output": True, "text": True, "timeout": 120}
    return subprocess.run(command, **options)


def test_an_mpi_job_that_lost_a_worker_resumes_to_the_bits_of_a_local_run(
    write_shared, crowded_environment, monkeypatch, capsys
):
    project = write_shared(failing=7)
    first = mpi_run(project, crowded_environment)
    assert first.returncode != 0 and not (project / "results" / "shared.nc").exists()
    assert not (project / "death").exists()
    store = RecordStore.of(project / "results", "shared").folder
    assert len(list(store.glob("*.json"))) < 32
    second = mpi_run(project, crowded_environment)
    assert second.returncode == 3, second.stderr  # a failed cell, as in a local run
    assert "shared: 30 ok, 2 failed" in second.stdout and "2 cells failed" in second.stderr
    there = xr.load_dataset(project / "results" / "shared.nc")
    measured = there["status"] == 0
    assert (there["blas"] == 1).where(measured, True).all() and (there["numba"] == 1).where(measured, True).all()
    monkeypatch.chdir(project)
    assert cli._exit_code(["run", "--executor", "serial", "--out", "here"]) == 3
    assert there["moment"].identical(xr.load_dataset("here/shared.nc")["moment"])


def test_the_mpi_executor_without_its_launcher_says_how_to_start_it(write_shared, monkeypatch):
    project = write_shared()
    monkeypatch.chdir(project)
    command = [sys.executable, "-m", "unifiedscore", "run", "--executor", "mpi"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "mpiexec -n 3 python -m mpi4py.futures -m unifiedscore run" in done.stderr
    assert not (project / "results").exists()

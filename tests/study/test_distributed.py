"""A real dask scheduler and two worker processes on loopback, started and stopped here."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from unifiedscore import cli
from unifiedscore.errors import StudyError
from unifiedscore.ledger import Ledger
from unifiedscore.study import run
from unifiedscore.study.discover import studies_in
from unifiedscore.study.loading import BOUND
from unifiedscore.study.pool import InProcess
from unifiedscore.study.records import RecordStore
from unifiedscore.study.task import Task
from unifiedscore.study.worker import run_task, supervised

DERIVATION = """
import sympy
from unifiedscore.study import Derivation

t = sympy.Symbol("t", real=True)
derivation = Derivation(
    "trig.pythagoras",
    lambda: sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1,
    lambda: sympy.sin(t) ** 2 - sympy.cos(t) ** 2 - 1,
    lambda rng: 0.5,
    statement="sin^2 + cos^2 = 1",
    source="Pythagoras",
)
"""
FIGURE = '''
"""Moments."""
study = "shared"


def figure(dataset):
    from matplotlib.figure import Figure

    drawn = Figure()
    drawn.add_subplot().plot(dataset.seed, dataset.moment.mean("dimension"))
    return drawn
'''
AUDIT = """
import os
import sys

log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def hook(event, arguments):
    changes = event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate")
    if changes or (event == "open" and arguments[2] & writing):
        os.write(log, f"{{os.getpid()}} {{event}} {{arguments[0]}}\\n".encode())


sys.addaudithook(hook)
"""


@pytest.fixture
def cluster(tmp_path, crowded_environment):
    """The address of a scheduler with two workers in another folder, and the log of every file that they change."""
    elsewhere, scratch, description = tmp_path / "elsewhere", tmp_path / "scratch", tmp_path / "scheduler.json"
    elsewhere.mkdir()
    (tmp_path / "site").mkdir()  # for the workers and for the processes in which they measure
    (tmp_path / "site" / "sitecustomize.py").write_text(AUDIT.format(log=str(tmp_path / "writes.log")))
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    dask = [sys.executable, "-m", "dask"]
    server = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    worker = [*dask, "worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    worker += ["--local-directory", str(scratch), "--death-timeout", "60"]
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    audited = crowded_environment | {"PYTHONPATH": path}
    file = ["--scheduler-file", str(description)]
    processes = [subprocess.Popen([*server, *file], cwd=tmp_path, env=crowded_environment, **output)]
    processes += [subprocess.Popen([*worker, *file], cwd=elsewhere, env=audited, **output) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while not (description.exists() and description.read_text()):
            assert time.monotonic() < deadline and processes[0].poll() is None, "the scheduler did not start"
            time.sleep(0.05)
        yield json.loads(description.read_text())["address"].removeprefix("tcp://"), processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def test_verify_on_two_dask_workers_of_which_one_dies(write_shared, cluster, tmp_path, monkeypatch, capsys):
    """Same bits as here, nothing lost, one thread of each library in a cell, and the driver alone writes."""
    address, processes = cluster
    project = write_shared()
    (project / "derivations").mkdir()
    (project / "derivations" / "derive_trig.py").write_text(DERIVATION)
    (project / "figures").mkdir()
    (project / "figures" / "fig_shared.py").write_text(FIGURE)
    monkeypatch.chdir(project)
    code = cli._exit_code(["verify", "--executor", f"dask://{address}"])
    assert code == 0, capsys.readouterr()
    assert sorted(process.poll() is None for process in processes[1:]) == [False, True]
    assert not (project / "death").exists()
    claims = {verdict.claim: verdict.outcome for verdict in Ledger.read("results").verdicts}
    assert claims == {"shared.one": "supported", "trig.pythagoras": "supported"}
    assert (project / "results" / "figures" / "shared.png").exists()
    there = xr.load_dataset("results/shared.nc")
    assert (there["status"] == 0).all() and (there["blas"] == 1).all() and (there["numba"] == 1).all()
    assert cli._exit_code(["run", "--executor", "serial", "--out", "here"]) == 0
    assert there["moment"].identical(xr.load_dataset("here/shared.nc")["moment"])
    assert len(list(RecordStore.of(project / "results", "shared").folder.glob("*.json"))) == there["status"].size
    assert list((tmp_path / "elsewhere").iterdir()) == []
    changed = [line.split(" ", 2)[2] for line in (tmp_path / "writes.log").read_text().splitlines()]
    assert any(path.startswith(str(tmp_path / "scratch")) for path in changed)  # the log sees what there is to see
    assert {path for path in changed if path.startswith(str(project))} == {str(project / "death")}


class Cluster(Executor):
    """Runs tasks here, as a scheduler would whose workers fail in the given way."""

    def __init__(self, error, deadly):
        self.error, self.deadly = error, deadly

    def submit(self, function, /, *arguments):
        future = Future()
        if function is supervised and any(cell["dimension"] == self.deadly for cell in arguments[0].cells):
            future.set_exception(self.error)
        else:
            future.set_result(function(*arguments))
        return future


def test_a_cell_that_takes_every_worker_with_it_is_recorded_and_its_task_fellows_are_measured(make_study, tmp_path):
    study = make_study()
    dataset = run(study, out=tmp_path, executor=Cluster(type("KilledWorker", (Exception,), {})("task"), 4))
    assert (dataset["status"].sel(dimension=4) == 2).all()
    here = run(make_study(), out=tmp_path / "here", executor=InProcess())
    assert np.array_equal(dataset["moment"].sel(dimension=2), here["moment"].sel(dimension=2), equal_nan=True)
    assert "every worker that measured it died" in json.loads(dataset.attrs["failed_cells"])[0]["message"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ModuleNotFoundError("No module named 'unifiedscore'"), "every worker needs the same unifiedscore"),
        (type("CommClosedError", (OSError,), {})("closed"), "could not run a task .CommClosedError: closed"),
    ],
)
def test_a_cluster_that_cannot_run_tasks_says_why(make_study, tmp_path, error, message):
    with pytest.raises(StudyError, match=message):
        run(make_study(), out=tmp_path, executor=Cluster(error, 4))


def test_a_scheduler_that_goes_away_leaves_the_finished_cells(make_study, tmp_path):
    class Gone(InProcess.__base__):
        done = 0

        def submit(self, function, /, *arguments):
            future = Future()
            if Gone.done == 3:
                future.cancel()
                future.set_running_or_notify_cancel()
            else:
                Gone.done += 1
                future.set_result(function(*arguments))
            return future

    study = make_study()
    with pytest.raises(StudyError, match="the same command takes up where this one stopped"):
        run(study, out=tmp_path, executor=Gone())
    assert len(list(RecordStore.of(tmp_path, "moments").folder.glob("*.json"))) >= 3
    here = run(study, out=tmp_path / "here", executor=InProcess())
    assert run(study, out=tmp_path, executor=InProcess())["moment"].identical(here["moment"])


def test_a_worker_elsewhere_needs_the_same_file_and_the_same_engine(write_study, tmp_path):
    path = write_study()
    study = studies_in(path)[0].study
    identity = BOUND[study].identity(study)
    task = Task(str(path), identity, "moments", (next(study.grid.cells()),), seed=0, threads=1)
    assert run_task(task)[0].status == "ok"
    with pytest.raises(StudyError, match="another version of unifiedscore"):
        run_task(replace(task, identity=replace(identity, engine="0" * 64)))
    older = replace(identity, packages=dict(identity.packages) | {"numpy": "1.0"})
    with pytest.raises(StudyError, match=r"numpy is \S+, was 1.0"):
        run_task(replace(task, identity=older))
    with pytest.raises(StudyError, match=r"does not see the study file .*same path"):
        run_task(replace(task, path=str(tmp_path / "elsewhere" / path.name)))


@pytest.mark.parametrize("executor", ["mpi", "dask://127.0.0.1:8786"])
def test_the_number_of_local_processes_is_no_option_of_a_cluster(write_study, tmp_path, executor, capsys):
    options = ["--executor", executor, "--workers", "2", "--out", str(tmp_path / "out")]
    assert cli._exit_code(["run", str(write_study()), *options]) == 2
    assert "--workers counts local processes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

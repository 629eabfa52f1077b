"""What is running now, what a run that was ended leaves, and how long things may take."""

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import pytest
import xarray as xr

from unifiedscore import cli
from unifiedscore.study import scheduler
from unifiedscore.study.runner import running_now

STUDY = """
import time
from unifiedscore.study import Grid, Study, Variable


def measure(cell, rng):
    if cell["seed"] == 1:
        time.sleep(10**6)
    return {"mean": 1.0}


study = Study("slow", "Slow", Grid(seed=range(3)), measure, {"mean": Variable("M")})
"""
DERIVATIONS = """
import time
import sympy
from unifiedscore.study import Derivation

t = sympy.Symbol("t", real=True)


def never():
    time.sleep(10**6)


def dies():
    import os
    os._exit(0)


def derive(claim, residual):
    return Derivation(claim, residual, lambda: t + 1 - t, lambda rng: 0.5, statement="zero")


derivations = [derive("d.quick", lambda: t - t), derive("d.never", never), derive("d.dies", dies)]
"""
PATIENCE = 60.0


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "study_slow.py").write_text(STUDY.lstrip())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(folder, *launcher, options=()):
    command = [
        *launcher,
        sys.executable,
        "-m",
        "unifiedscore",
        "run",
        "study_slow.py",
        "--executor",
        "serial",
        *options,
    ]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def hanging(project):
    return [line for line in running_now(project / "results/cells/slow", set()) if "running seed=1" in line]


def test_status_names_the_running_cell_and_since_when(project, capsys):
    process = start(project)
    try:
        wait_for(lambda: hanging(project))
        assert cli._exit_code(["status"]) == 0
        out = capsys.readouterr().out
        assert "running seed=1, since 20" in out and " s)" in out
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: not hanging(project))  # of a run that has ended nothing is said


def containers():
    """A launcher of which every process is number 1, as in a container; none where that is not allowed."""
    launcher = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    allowed = shutil.which("unshare") and subprocess.run([*launcher, "true"], capture_output=True).returncode == 0
    return [(), launcher] if allowed else [()]


@pytest.mark.parametrize("launcher", containers(), ids=lambda launcher: "container" if launcher else "machine")
def test_a_cell_that_two_runs_did_not_survive_is_given_up(project, launcher):
    for _ in range(2):
        process = start(project, *launcher)
        wait_for(lambda: hanging(project))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not hanging(project))
    process = start(project, *launcher)
    assert process.wait(PATIENCE) == 3
    (failed,) = json.loads(xr.load_dataset(project / "results/slow.nc").attrs["failed_cells"])
    assert failed["cell"] == {"seed": 1} and "2 runs ended while they measured it" in failed["message"]
    assert not list(project.rglob("*.running"))
    process = start(project, *launcher, options=["--retry-failed", "--cell-timeout", "2"])
    assert process.wait(PATIENCE) == 3
    (failed,) = json.loads(xr.load_dataset(project / "results/slow.nc").attrs["failed_cells"])
    assert "time limit of 2 s" in failed["message"]


def test_a_slow_derivation_is_inconclusive_and_one_that_dies_has_failed(tmp_path, monkeypatch, capsys):
    (tmp_path / "derivations").mkdir()
    (tmp_path / "derivations" / "derive_three.py").write_text(DERIVATIONS.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("unifiedscore.verify.proving.SLOW_SECONDS", 2.0)
    assert cli._exit_code(["verify", "--derivation-timeout", "8"]) == 3
    captured = capsys.readouterr()
    ledger = json.loads((tmp_path / "results/ledger.json").read_text())
    outcomes = {verdict["claim"]: (verdict["outcome"], verdict["reason"]) for verdict in ledger["verdicts"]}
    assert outcomes["d.quick"][0] == "supported"
    assert outcomes["d.never"][0] == "inconclusive" and "longer than 8 s" in outcomes["d.never"][1]
    (failed,) = ledger["failed_cells"]
    assert "died twice" in failed["message"] and "exit status 0" in failed["message"]
    assert "derivation d.never, derive_three.py, has been running for" in captured.err


@pytest.mark.parametrize(
    "options",
    [["--cell-timeout", "0"], ["--cell-timeout", "-1"], ["--derivation-timeout", "nan"], ["--cell-timeout", "x"]],
)
def test_limits_are_positive_numbers(project, capsys, options):
    assert cli._exit_code(["verify", "study_slow.py", *options]) == 2
    assert options[0] in capsys.readouterr().err and not (project / "results").exists()


def test_a_cluster_without_workers_is_spoken_of(monkeypatch, capsys):
    class Empty:
        class _client:
            @staticmethod
            def ncores():
                return {}

        def submit(self, *_):
            return Future()

    made = scheduler._Scheduler(scheduler.deque(), Empty())
    made._look_for_workers()
    assert capsys.readouterr().err == ""
    made.heard -= scheduler.NO_WORKERS_SECONDS + 1
    made._look_for_workers()
    made._look_for_workers()
    assert capsys.readouterr().err.count("the dask scheduler has no workers") == 1

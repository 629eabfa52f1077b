"""Whatever happens to a run, the next one gives the data set of an undisturbed one, to the last byte."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from unifiedscore.atomic import RESUME
from unifiedscore.study.dataset import lasting_bytes, read_dataset
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess
from unifiedscore.study.records import _content_hash, record_key
from unifiedscore.study.runner import run

HERE = Path(__file__).resolve().parent
STUDY, DRIVER = HERE / "study_small.py", HERE / "driver.py"
CELLS, FAILING = 30, 1
PRELOADED = ("unifiedscore.cli", "unifiedscore.study.runner", "xarray", "h5netcdf", "threadpoolctl", "subprocess")
PATIENCE = 60.0  # seconds; nothing here takes two on an idle machine


def faults(**per_ten):
    """Mark a test with the faults it injects, and how often for every ten kills."""

    def mark(function):
        function.faults = [name.replace("_", " ") for name in per_ten], list(per_ten.values())
        return function

    return mark


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The data set of a run that nobody disturbed."""
    return resume(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def start():
    """Start a driver: a process forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    running = []

    def start(mode, folder, **task):
        folder.mkdir(parents=True, exist_ok=True)
        files = {name: str(folder / name) for name in ("out", "log", "ready", "copy", "report")}
        task = {"mode": mode, "study": str(STUDY), **files} | task
        process = context.Process(target=runpy.run_path, args=(str(DRIVER), {"TASK": task}))
        before, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")  # not to be imported again
        try:
            process.start()
        finally:
            sys.modules["__main__"] = before
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.join()


@pytest.fixture
def rng(injection, campaign_seed):
    kind, number = injection
    return random.Random(f"{campaign_seed} {kind} {number}")


@pytest.fixture
def verdict(request, injection, undisturbed, tmp_path):
    """Resume, compare with the undisturbed run, and note for the table what was lost or wrong."""
    request.node.user_properties.append(("fault", injection[0]))

    def judge(dataset=None):
        dataset = resume(tmp_path / "out") if dataset is None else dataset
        reference = undisturbed
        lost = int((dataset["status"] > reference["status"]).sum())
        same = np.ones(reference["status"].shape, dtype=bool)
        for name in reference.data_vars:
            ours, theirs = (data[name].values.reshape(*same.shape, -1).view(np.uint8) for data in (dataset, reference))
            same &= (ours.reshape(*same.shape, -1) == theirs.reshape(*same.shape, -1)).all(-1)
        wrong = int((~same).sum()) - lost
        request.node.user_properties += [("lost", lost), ("wrong", wrong)]
        assert (lost, wrong) == (0, 0)
        assert lasting_bytes(dataset) == lasting_bytes(reference)
        return dataset

    yield judge
    stored = next(tmp_path.rglob("small.nc"))
    assert lasting_bytes(read_dataset(stored)) == lasting_bytes(undisturbed)
    assert not [path.name for path in tmp_path.rglob("*") if path.suffix in (".partial", ".running")]


def resume(out):
    return run(studies_in(STUDY)[0].study, out=out, executor=InProcess())


def records(out):
    return sorted(out.glob("cells/small/*.json"))


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} has not happened within {PATIENCE} s"
        time.sleep(0.005)


def processes(*columns):
    """What `ps` says of all processes, as lists of words."""
    command = ["ps", "-A", "-ww", *(word for column in columns for word in ("-o", f"{column}="))]
    return [line.split() for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines()]


def workers_of(pid):
    """The children of a driver that were spawned to run tasks."""
    found = processes("pid", "ppid", "args")
    return [int(words[0]) for words in found if words[1] == str(pid) and "unifiedscore.study.child" in " ".join(words)]


def alive(pid):
    return any(words[0] == str(pid) and not words[1].startswith("Z") for words in processes("pid", "stat"))


def text_of(folder):
    return (folder / "log").read_text() if (folder / "log").exists() else ""


@faults(kill_of_a_serial_run=6)
def test_a_killed_run_is_resumed(injection, rng, start, verdict, tmp_path):
    process = start("serial", tmp_path)
    many = rng.randrange(CELLS)
    wait_until(lambda: len(records(tmp_path / "out")) >= many, "the records")
    time.sleep(rng.uniform(0.0, 0.02))
    process.kill()
    process.join()
    before = {path: path.read_bytes() for path in records(tmp_path / "out")}
    verdict()
    assert {path: path.read_bytes() for path in before} == before  # nothing finished is measured again


@faults(kill_of_a_run_on_two_processes=1, kill_of_a_worker=2)
def test_a_run_on_processes_that_are_killed_is_resumed(injection, rng, start, verdict, tmp_path):
    process = start("processes", tmp_path)
    wait_until((tmp_path / "ready").exists, "the start of the workers")
    many = rng.randrange(1, 8)
    wait_until(lambda: len(records(tmp_path / "out")) >= many, "the first records")
    workers = workers_of(process.pid)
    assert workers
    if injection[0] == "kill of a worker":
        os.kill(rng.choice(workers), signal.SIGKILL)
        process.join(PATIENCE)
        assert process.exitcode == 0, text_of(tmp_path)  # the run survives it by itself
        assert len(records(tmp_path / "out")) == CELLS
    else:
        process.kill()
        process.join()
        wait_until(lambda: not any(map(alive, workers)), "the end of the workers")
    verdict()


@faults(kill_of_one_of_two_runs_at_once=1)
def test_two_runs_at_once_do_not_disturb_each_other(injection, rng, start, verdict, tmp_path):
    doomed, other = (start("serial", tmp_path, log=str(tmp_path / f"log{number}")) for number in range(2))
    many = rng.randrange(10)
    wait_until(lambda: len(records(tmp_path / "out")) > many, "the first records")
    doomed.kill()
    doomed.join()
    other.join(PATIENCE)
    assert other.exitcode == 3, (tmp_path / "log1").read_text()  # one cell of the study fails
    verdict()


@faults(SIGINT=1, SIGTERM=1)
def test_a_signal_ends_a_run_with_advice(injection, rng, start, verdict, tmp_path):
    process = start("serial", tmp_path)
    many = rng.randrange(20)
    wait_until(lambda: len(records(tmp_path / "out")) > many, "the first records")
    time.sleep(rng.uniform(0, 0.05))
    number = getattr(signal, injection[0])
    os.kill(process.pid, number)
    process.join(PATIENCE)
    assert process.exitcode == 128 + number
    assert text_of(tmp_path) == f"unifiedscore: interrupted; {RESUME}\n"
    verdict()


@faults(full_disk=1, read_only_folder=1)
def test_a_folder_that_cannot_be_written_ends_a_run_with_one_paragraph(injection, start, verdict, tmp_path):
    mode, reason = {
        "full disk": ("full", "No space left on device; free some space"),
        "read only folder": ("read_only", "Read-only file system; choose a folder that can be written"),
    }[injection[0]]
    (tmp_path / "out").mkdir()
    process = start(mode, tmp_path)
    process.join(PATIENCE)
    text = text_of(tmp_path)
    found = json.loads((tmp_path / "report").read_text())
    assert found["first"] == 2 and found["left"] == [], text
    (line,) = [line for line in text.splitlines() if "cannot write" in line]
    assert reason in line and RESUME in line and "Traceback" not in text
    assert found["second"] == 3  # one cell of the study fails
    verdict(read_dataset(tmp_path / "copy" / "small.nc"))


@faults(clock_going_backwards=1)
def test_a_clock_that_goes_backwards_changes_nothing(injection, rng, start, verdict, tmp_path):
    process = start("backwards", tmp_path)
    many = rng.randrange(5, 20)
    wait_until(lambda: len(records(tmp_path / "out")) > many, "the first records")
    process.kill()
    process.join()
    for path in records(tmp_path / "out"):
        os.utime(path, (2**33, 2**33))  # in the year 2242
    process = start("backwards", tmp_path)
    process.join(PATIENCE)
    assert process.exitcode == 3, text_of(tmp_path)
    verdict(read_dataset(tmp_path / "out" / "small.nc"))


@pytest.fixture
def finished(undisturbed, tmp_path):
    """A results folder with every record."""
    resume(tmp_path / "out")
    return tmp_path / "out"


@faults(truncated_records=1, flipped_bits_in_records=1, foreign_records=1, records_of_other_cells=1)
def test_damaged_records_are_set_aside_and_measured_again(injection, rng, finished, verdict, capsys):
    hit = rng.sample(records(finished), rng.randrange(2, 12))
    others = records(finished)
    for path in hit:
        content = bytearray(path.read_bytes())
        if injection[0] == "truncated records":
            content = content[: rng.randrange(len(content))]
        elif injection[0] == "flipped bits in records":
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        elif injection[0] == "foreign records":
            content = sealed(json.loads(content) | {"values": {"moment": 1.0}, "status": "ok"})
        else:
            stranger = json.loads(rng.choice([other for other in others if other != path]).read_bytes())
            content = sealed(stranger | {"key": path.stem})
        path.write_bytes(content)
    verdict()
    assert f"{len(hit)} damaged record" in capsys.readouterr().err
    assert len(list(finished.glob("cells/small/*.damaged"))) == len(hit)


@faults(records_of_another_version=1, damaged_data_set=1, damaged_manifest=1)
def test_what_another_version_left_is_not_used(injection, rng, finished, verdict):
    if injection[0] == "damaged data set":
        path = finished / "small.nc"
        content = bytearray(path.read_bytes())
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content[: rng.randrange(1, len(content))])
    elif injection[0] == "damaged manifest":
        path = finished / "cells/small/run.manifest"
        path.write_bytes(path.read_bytes()[: rng.randrange(40)])
    else:  # the same cells under the keys of another engine, with other numbers
        for path in records(finished):
            content = json.loads(path.read_bytes())
            hashes = {"engine": "another", "source": "another"}
            key = record_key(**hashes, study="small", cell=content["cell"], seed=0)
            values = {"moment": rng.random(), "spectrum": [rng.random(), rng.random()]}
            path.unlink()
            if content["status"] == "ok":
                path.with_name(f"{key}.json").write_bytes(sealed(content | {"key": key, "values": values}))
    verdict()


def sealed(content):
    """A record whose hash is right: by another hand, not by accident."""
    content.pop("sha256")
    return json.dumps(content | {"sha256": _content_hash(content)}).encode()


def test_the_undisturbed_run_has_numbers_and_one_failed_cell(undisturbed):
    dataset = undisturbed
    assert dataset["status"].size == CELLS and int((dataset["status"] == 2).sum()) == FAILING
    assert np.isfinite(dataset["moment"].values[dataset["status"].values == 0]).all()
    assert len(np.unique(dataset["moment"])) == CELLS - FAILING + 1


def test_the_comparison_sees_one_bit(finished, undisturbed):
    """A campaign whose comparison could not fail would prove nothing."""
    changed = read_dataset(finished / "small.nc")
    assert lasting_bytes(changed) == lasting_bytes(undisturbed)
    changed["moment"].values[0, 0] = np.nextafter(changed["moment"].values[0, 0], np.inf)
    assert lasting_bytes(changed) != lasting_bytes(undisturbed)

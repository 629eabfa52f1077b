import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import FileError, InputError, StudyError
from unifiedscore.study import Grid, Study, Variable, identity, job, run, runner, scheduler
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import InProcess, LocalPool
from unifiedscore.study.records import Record, RecordStore
from unifiedscore.study.runner import recorded, run_studies, source_file

OK, SKIPPED, FAILED, NOT_RUN = range(4)


def bare(dataset):
    """The numbers without the attributes that a second run may change."""
    return dataset.drop_attrs()


def records_in(out):
    return sorted(out.glob("cells/*/*.json"))


@pytest.fixture(scope="module")
def pool():
    """One pool for the tests of this file, warm."""
    with LocalPool(2) as pool:
        pool.submit(os.getpid).result()
        yield pool


def test_workers_executors_and_chunks_change_no_bit(make_study, tmp_path, pool):
    study = make_study()
    here = run(study, out=tmp_path / "here", executor=InProcess())
    alone = LocalPool(1)
    alone.submit(os.getpid).result()
    runs = [run(study, out=tmp_path / "two", executor=pool), run(study, out=tmp_path / "one", executor=alone)]
    alone.shutdown()
    with ThreadPoolExecutor(3) as threads:
        runs.append(run(study, out=tmp_path / "threads", executor=threads))
    for other in runs:
        assert bare(here).identical(bare(other))
    assert np.isfinite(here["moment"].values[here["status"].values == OK]).all()


def test_cells_run_in_other_processes_when_an_executor_is_given(make_study, tmp_path, pool):
    study = make_study(deadly=4, spared=os.getpid(), seeds=1)
    dataset = run(study, out=tmp_path, executor=pool)
    assert (dataset["status"].sel(dimension=4) == FAILED).all()
    assert (dataset["status"].sel(dimension=2) == OK).all()
    messages = [entry["message"] for entry in json.loads(dataset.attrs["failed_cells"])]
    assert all("worker process died twice" in message for message in messages) and len(messages) == 2
    assert pool.submit(os.getpid).result() != os.getpid()


def test_quick_work_starts_one_process_and_long_work_all(make_study, tmp_path, monkeypatch):
    # On a busy machine the first process may take its time.
    monkeypatch.setattr(scheduler, "SILENCE", np.inf)
    with LocalPool(2) as pool:
        run(make_study(), out=tmp_path / "quick", executor=pool)
        assert pool.measuring == 1
    monkeypatch.setattr(scheduler, "WORTH_A_PROCESS", 1e-9)
    with LocalPool(2) as pool:
        run(make_study(), out=tmp_path / "long", executor=pool)
        assert pool.measuring == 2


def test_a_study_is_begun_by_one_worker_while_another_study_is_left(write_study, tmp_path):
    """Two workers on the first cells of one study would compile the same functions side by side."""
    sent = []

    class Recording(InProcess):
        workers = 2

        def submit(self, function, /, *args, **kwargs):
            sent.append((args[0].study, len(args[0].cells)))
            return super().submit(function, *args, **kwargs)

    paths = [write_study(folder) for folder in ("first", "second")]
    paths[1].write_text(paths[1].read_text().replace('name="moments"', 'name="other"'))
    studies = [studies_in(path)[0].study for path in paths]
    datasets = run_studies(studies, out=tmp_path / "both", executor=Recording())
    assert sent[:4] == [("moments", 1), ("other", 1), ("moments", 1), ("moments", 1)]
    for study, dataset in zip(studies, datasets, strict=True):
        assert bare(dataset).identical(bare(run(study, out=tmp_path / "alone", executor=InProcess())))


def test_a_second_run_measures_nothing(make_study, tmp_path, monkeypatch):
    study = make_study()
    first = run(study, out=tmp_path)
    monkeypatch.setattr(LocalPool, "measure", lambda *_, **__: pytest.fail("a recorded cell was measured again"))
    assert bare(first).identical(bare(run(study, out=tmp_path)))


def test_a_run_resumes_with_missing_and_damaged_records(make_study, tmp_path, capsys):
    study = make_study()
    first = run(study, out=tmp_path)
    records = records_in(tmp_path)
    assert len(records) == 2 * (2 + 4)
    untouched = {path: path.stat().st_mtime_ns for path in records[2:]}
    records[0].unlink()
    records[1].write_bytes(records[1].read_bytes()[:-30])
    again = run(study, out=tmp_path)
    assert bare(first).identical(bare(again))
    assert "1 damaged record was set aside" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in records[2:]} == untouched


def test_a_changed_engine_or_study_file_reuses_no_record(make_study, tmp_path, monkeypatch):
    run(make_study(), out=tmp_path, executor=InProcess())
    before = set(records_in(tmp_path))
    run(make_study(low=0.6), out=tmp_path)
    edited = set(records_in(tmp_path)) - before
    monkeypatch.setattr(identity, "engine_hash", lambda: "another engine")
    run(make_study(), out=tmp_path, executor=InProcess())
    changed = set(records_in(tmp_path)) - before - edited
    assert len(before) == len(edited) == len(changed) == 12


@pytest.mark.parametrize("executor", [InProcess(), None])
def test_an_engine_that_differs_when_it_measures_is_refused(make_study, tmp_path, monkeypatch, executor):
    hashes = iter(["the engine of the run"])
    monkeypatch.setattr(identity, "engine_hash", lambda: next(hashes, "another engine"))
    with pytest.raises(StudyError, match="has imported another version of unifiedscore"):
        run(make_study(), out=tmp_path, executor=executor)
    assert not records_in(tmp_path)


def test_a_record_that_cannot_be_written_ends_the_workers(make_study, tmp_path, monkeypatch):
    def full(*_):
        raise FileError("no space")

    monkeypatch.setattr(RecordStore, "write", full)
    pool = LocalPool(1)
    pool.submit(os.getpid).result()
    with pytest.raises(FileError) as caught:  # whoever keeps the traceback keeps no process
        run(make_study(), out=tmp_path, executor=pool)
    assert not pool.warm and caught.tb is not None


def test_the_root_seed_changes_every_number_and_keeps_the_other_records(make_study, tmp_path):
    study = make_study()
    zero, one = run(study, out=tmp_path), run(study, out=tmp_path, seed=1)
    done = zero["status"].values == OK
    assert (zero["moment"].values[done] != one["moment"].values[done]).all()
    assert one.attrs["root_seed"] == 1 and len(records_in(tmp_path)) == 24


def test_a_label_added_to_an_axis_changes_no_other_cell(make_study, tmp_path):
    few = run(make_study(), out=tmp_path / "few")
    more = run(make_study(dimensions=[1, 2, 4, 8]), out=tmp_path / "more")
    assert bare(more.sel(dimension=[2, 4])).identical(bare(few))


def test_a_larger_profile_reuses_the_cells_of_the_smaller(make_study, tmp_path):
    study = make_study()
    quick = run(study, out=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in records_in(tmp_path)}
    standard = run(study, out=tmp_path, profile="standard")
    assert bare(standard.isel(seed=slice(0, 4))).identical(bare(quick))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert standard.sizes["seed"] == 6 and standard.attrs["profile"] == "standard"


def test_paired_estimators_see_the_same_draws(make_study, tmp_path):
    moment = run(make_study(), out=tmp_path)["moment"].sel(dimension=4)
    assert (moment.sel(estimator="a") == moment.sel(estimator="b")).all()
    assert len(np.unique(moment.sel(estimator="a"))) == 4


def test_a_cell_that_raises_is_recorded_and_the_others_go_on(make_study, tmp_path):
    dataset = run(make_study(failing=4), out=tmp_path)
    status = dataset["status"].sel(estimator="a")
    assert (status.sel(dimension=4) == FAILED).all()
    assert status.sel(dimension=2).values.tolist() == [OK, OK, SKIPPED, SKIPPED]
    failed = json.loads(dataset.attrs["failed_cells"])
    assert failed[0]["cell"] == {"estimator": "a", "dimension": 4, "seed": 0}
    assert failed[0]["message"].startswith("ValueError: no such dimension (study_moments.py, line")
    assert np.isnan(dataset["moment"].values[dataset["status"].values != OK]).all()


def test_failed_cells_are_kept_until_they_are_asked_for_again(write_study, tmp_path, monkeypatch):
    study = studies_in(write_study(failing=4, seeds=1))[0].study
    run(study, out=tmp_path)
    measured = []
    original = LocalPool.measure

    def watched(self, task, **rest):
        measured.extend(task.cells)
        return original(self, task, **rest)

    monkeypatch.setattr(LocalPool, "measure", watched)
    run(study, out=tmp_path)
    assert measured == []
    run(study, out=tmp_path, retry_failed=True)
    assert sorted(cell["dimension"] for cell in measured) == [4, 4]


def in_notebook(values, **variables):
    return Study(
        name="made_here",
        title="Made here",
        grid=Grid(seed=range(2)),
        measure=lambda cell, rng: values,
        variables=variables or {"mean": Variable("Mean")},
    )


def test_a_study_without_a_file_runs_here_with_a_note_and_without_records(tmp_path, capsys):
    study = in_notebook({"mean": 1})
    assert source_file(study) is None
    dataset = run(study, out=tmp_path)
    assert (dataset["mean"] == 1.0).all() and "made_here has no file" in capsys.readouterr().err
    assert not (tmp_path / "cells").exists() and (tmp_path / "made_here.nc").exists()


def test_a_study_is_run_from_its_file_wherever_its_measure_stands(write_study, tmp_path):
    path = write_study()
    (path.parent / "_help.py").write_text(path.read_text().replace("study = Study(", "unused = dict("))
    path.write_text("from _help import *\nfrom _help import unused\n\nstudy = Study(**unused)\n")
    study = studies_in(path)[0].study
    assert source_file(study) == path
    assert (run(study, out=tmp_path, executor=InProcess())["status"] != NOT_RUN).all()


def test_a_study_imported_in_the_ordinary_way_has_its_file(write_study, monkeypatch):
    import importlib

    monkeypatch.syspath_prepend(write_study().parent)
    assert source_file(importlib.import_module("study_moments").study).name == "study_moments.py"


VECTOR = Variable("V", dims=("place",), coords={"place": [1, 2]})


@pytest.mark.parametrize(
    ("values", "variables", "message"),
    [
        (3, {}, "must return a mapping"),
        ({}, {}, "did not return mean; it returned nothing"),
        ({"maen": 1.0}, {}, "did not return mean; it returned maen"),
        ({"mean": 1, "meen": 2}, {}, "returned 'meen', not declared among mean"),
        ({"mean": [1.0, 2.0]}, {}, r"mean must be a single number; got shape \(2,\)"),
        ({"mean": 1j}, {}, "mean must be a real number"),
        ({"mean": None}, {}, "mean must be a real number"),
        ({"mean": "1"}, {}, "mean must be a real number"),
        ({"v": [1.0]}, {"v": VECTOR}, r"v must be an array of shape \(2,\) over \('place',\); got shape \(1,\)"),
        ({"m": 1.0}, {"m": Variable("M", error="bound")}, "did not return bound"),
    ],
)
def test_what_measure_returns_is_checked_with_a_clear_message(tmp_path, values, variables, message):
    dataset = run(in_notebook(values, **variables), out=tmp_path)
    assert (dataset["status"] == FAILED).all()
    with pytest.raises(StudyError, match=message):
        raise StudyError(json.loads(dataset.attrs["failed_cells"])[0]["message"])


def test_nan_and_infinity_are_values_and_errors_may_come_undeclared(tmp_path):
    dataset = run(in_notebook({"mean": np.nan, "mean_error": np.inf}), out=tmp_path)
    assert (dataset["status"] == OK).all()
    assert np.isnan(dataset["mean"]).all() and np.isinf(dataset["mean_error"]).all()
    assert dataset["mean"].attrs["ancillary_variables"] == "mean_error status"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profile": "quik"}, "unknown profile 'quik'"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 1.5}, "seed must be an integer"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"executor": "dask"}, "executor must be a concurrent.futures.Executor"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(make_study, tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        run(make_study(), out=tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="study must be a Study"):
        run("moments")


def test_a_study_file_that_changes_during_the_run_is_noticed(write_study, tmp_path, monkeypatch):
    path = write_study()
    study = studies_in(path)[0].study
    original = runner.RecordStore.read_many

    def edit(self, *arguments, **options):
        path.write_text(path.read_text() + "# edited\n")
        return original(self, *arguments, **options)

    monkeypatch.setattr(runner.RecordStore, "read_many", edit)
    with pytest.raises(StudyError, match=r"study_moments.py changed.*was changed during the run"):
        run(study, out=tmp_path, executor=InProcess())


def test_an_interrupted_run_keeps_what_it_has_and_resumes(make_study, tmp_path, monkeypatch):
    study = make_study()
    written = []
    original = RecordStore.write

    def interrupt(self, *arguments):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(1)
        original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RecordStore, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(study, out=tmp_path / "out")
    assert len(records_in(tmp_path / "out")) == 5 and not (tmp_path / "out" / "moments.nc").exists()
    ((manifest, found, _),) = recorded(tmp_path / "out")
    assert manifest["cells"] == 12 and len(found) == 5
    resumed = run(study, out=tmp_path / "out")
    assert bare(resumed).identical(bare(run(study, out=tmp_path / "undisturbed")))


def test_two_runs_in_one_folder_do_not_disturb_each_other(make_study, tmp_path):
    study = make_study()
    results = []
    threads = [threading.Thread(target=lambda: results.append(run(study, out=tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2 and bare(results[0]).identical(bare(results[1]))
    assert bare(xr.load_dataset(tmp_path / "moments.nc")).identical(bare(results[0]))


def test_workers_are_limited_to_one_thread_of_every_library(pool):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    assert [pool.submit(os.getenv, name).result() for name in names] == ["1", "1", "1"]
    assert os.environ.get("OMP_NUM_THREADS") is None


def test_tasks_grow_with_the_pace_and_shrink_towards_the_end():
    pace = job.Pace()
    assert pace.task_size(1000, 2) == 1
    pace.add([Record("ok", {}, "", 0.01)] * 4)
    assert pace.task_size(1000, 2) == int(job.TASK_SECONDS / 0.01)
    assert pace.task_size(20, 2) == 5
    pace.add([Record("ok", {}, "", 100.0)])
    assert pace.task_size(1000, 2) == 1


def test_several_studies_share_an_executor_and_come_back_in_order(write_study, make_study, tmp_path, pool):
    first, second = make_study(), in_notebook({"mean": 1})
    third = studies_in(renamed := write_study("more", seeds=2))[0].study
    with pytest.raises(InputError, match="different names"):
        run_studies([first, third], out=tmp_path)
    renamed.write_text(renamed.read_text().replace('"moments"', '"others"'))
    third = studies_in(renamed)[0].study
    datasets = run_studies([third, second, first], out=tmp_path, executor=pool)
    assert [dataset.attrs["study"] for dataset in datasets] == ["others", "made_here", "moments"]
    assert bare(datasets[2]).identical(bare(run(first, out=tmp_path / "alone")))


CRASHING = "if cell['dimension'] == 4 and cell['seed'] == 1: os._exit(3)\n    draws ="


KILLING = "if cell['dimension'] == 4 and cell['seed'] == 1: os.kill(os.getppid(), signal.SIGKILL)\n    draws ="


def test_a_cell_that_ends_the_driver_is_recorded_as_failed_by_the_next_run(write_study, tmp_path, capsys):
    path = write_study()
    path.write_text(path.read_text().replace("draws =", KILLING, 1))
    code = "import pathlib, unifiedscore as us\nfrom unifiedscore.study.discover import studies_in\n"
    code += f"us.run(studies_in(pathlib.Path({str(path)!r}))[0].study, out={str(tmp_path / 'out')!r})"
    command = [sys.executable, "-c", code]
    codes = [subprocess.run(command, capture_output=True, timeout=60).returncode for _ in range(3)]
    # A run for each of the doomed cells, unless both were being measured when the first one ended the driver.
    assert codes in ([-9, -9, 0], [-9, 0, 0])
    dataset = xr.load_dataset(tmp_path / "out" / "moments.nc")
    failed = json.loads(dataset.attrs["failed_cells"])
    assert [(entry["cell"]["dimension"], entry["cell"]["seed"]) for entry in failed] == [(4, 1), (4, 1)]
    assert all("died twice" in entry["message"] for entry in failed)
    assert not list(tmp_path.rglob("*.running"))


def test_a_cell_that_is_measured_leaves_no_mark(make_study, tmp_path):
    run(make_study(failing=4), out=tmp_path)
    assert not list(tmp_path.rglob("*.running"))


@pytest.mark.parametrize("code", [0, 1, "'why'"])
def test_sys_exit_in_a_measurement_is_a_failed_cell(write_study, tmp_path, code):
    path = write_study(failing=4)
    path.write_text(path.read_text().replace('raise ValueError("no such dimension")', f"raise SystemExit({code})"))
    dataset = run(studies_in(path)[0].study, out=tmp_path)
    failed = json.loads(dataset.attrs["failed_cells"])
    assert len(failed) == 8 and failed[0]["message"].startswith("SystemExit: ")


def test_a_study_of_the_same_name_from_another_file_is_refused(write_study, tmp_path):
    first, second = write_study("one"), write_study("two", low=0.6)
    run(studies_in(first)[0].study, out=tmp_path / "out")
    before = (tmp_path / "out" / "moments.nc").read_bytes()
    with pytest.raises(StudyError, match=r"two/study_moments\.py.* and so does .*one/study_moments\.py"):
        run(studies_in(second)[0].study, out=tmp_path / "out")
    assert (tmp_path / "out" / "moments.nc").read_bytes() == before
    first.unlink()  # it was moved
    run(studies_in(second)[0].study, out=tmp_path / "out")


@pytest.mark.parametrize("change", [{"cells": None}, {"keys": 3}, {"keys": [1]}, {"study": 1}, {"hashes": []}])
def test_a_foreign_manifest_is_named(make_study, tmp_path, change):
    run(make_study(), out=tmp_path, executor=InProcess())
    path = tmp_path / "cells" / "moments" / "run.manifest"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FileError, match=rf"run.manifest is damaged \(no usable {next(iter(change))}\)"):
        list(recorded(tmp_path))

"""Run studies: find what is recorded, measure the rest on any executor, assemble one data set each."""

from __future__ import annotations

import inspect
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from unifiedscore.atomic import write_atomic
from unifiedscore.deprecation import renamed
from unifiedscore.errors import FileError, InputError, StudyError, visible
from unifiedscore.output import encoded, note
from unifiedscore.reading import files_in, parse_json, read_file, refuse_links
from unifiedscore.study.dataset import assemble, write_dataset
from unifiedscore.study.discover import ORIGIN, study_hash, study_in
from unifiedscore.study.identity import what_changed
from unifiedscore.study.job import Job
from unifiedscore.study.loading import BOUND, notes_once, refuse_changed
from unifiedscore.study.looks import UNTIL_DECIDED
from unifiedscore.study.marks import read_marks
from unifiedscore.study.progress import Progress
from unifiedscore.study.records import LARGEST, MOST, Record, RecordStore
from unifiedscore.study.rehearsal import foreseen
from unifiedscore.study.scheduler import measure
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads
from unifiedscore.study.worker import checked_values, measure_cells
from unifiedscore.validate import shown

if TYPE_CHECKING:
    import xarray as xr

MANIFEST = "run.manifest"
SOURCE_BYTES = 2**24  # of a study file that is looked at only because a manifest names it
_KEY = re.compile("[0-9a-f]{32}")


@renamed(rng_seed="seed")
def run(
    study: Study,
    *,
    profile: str = "quick",
    out: str | Path = "results",
    executor: Executor | None = None,
    seed: int = 0,
    threads: int = 1,
    retry_failed: bool = False,
    cell_timeout: float | None = None,
) -> xr.Dataset:
    """Measure every cell of a study that is not recorded yet and store the data set `<out>/<name>.nc`.

    Use when you measure a study from Python; on the command line it is `unifiedscore run`.

    The numbers depend on the study, the engine and the root seed alone: not on the executor, the number of workers
    or on how often the run was interrupted.

    Parameters
    ----------
    study : Study
        From a file of its own, or made in a notebook (then it runs in this process and keeps no records).
    profile : {"quick", "standard", "full"}
    out : path
        Results folder. Finished cells are recorded in `<out>/cells`; a run that was killed resumes from them.
    executor : concurrent.futures.Executor, optional
        Where cells run. By default local processes, started only if the work is worth it. Any executor will do, such
        as `dask.distributed.Client(...).get_executor()`; workers elsewhere need the study file under the same path
        and the same package, write nothing and send their numbers back.
    seed : int
        Root of every cell's random stream.
    threads : int
        BLAS, OpenMP and numba threads per worker.
    retry_failed : bool
        Measure again the cells recorded as failed.
    cell_timeout : float, optional
        Seconds (of the clock) after which a cell is ended and recorded as failed; without it, cells may take for ever.
        It is no part of what identifies a record. With executors other than the default one, it is each worker that
        ends the cell; only a cell measured in this process cannot be ended.

    Returns
    -------
    xarray.Dataset
        Every variable over the grid, and `status` (ok, skipped, failed, not_run).

    Raises
    ------
    InputError
        The profile or an argument is not valid.
    StudyError
        The study file cannot be imported by a worker, or it or the engine changed during the run.
    FileError
        The disk is full or the folder cannot be written. What is recorded stays, and the next run resumes from it.

    Notes
    -----
    On one machine with one set of packages the data set is the same to the last bit, whatever the number of workers,
    the executor and the moments at which the run was interrupted; the attributes named in
    `unifiedscore.study.dataset.VOLATILE` (when, and beside which commit) aside. `threads`, another processor and
    another build of BLAS change the order in which sums are taken: a sum of m terms then moves by at most `m eps` of
    the sum of their sizes (m = 3000: 7e-13), and what is computed from sums by as much times its condition number.
    Between the kernels of OpenBLAS with and without AVX-512, moments of 3000 points differ by less than 1e-14.
    `unifiedscore run --check` measures a share of the recorded cells again and compares.

    Examples
    --------
    >>> import unifiedscore as us
    >>> dataset = us.run(study, profile="quick", out="results")    # doctest: +SKIP
    """
    settings = RunSettings(
        profile=profile,
        out=out,
        executor=executor,
        seed=seed,
        threads=threads,
        retry_failed=retry_failed,
        cell_timeout=cell_timeout,
    )
    return measure_studies([study], settings)[0]


@renamed(rng_seed="seed")
def run_studies(studies: Iterable[Study], *, seed: int = 0, **settings) -> list[xr.Dataset]:
    """Run several studies on one executor, which the end of one study does not leave idle; keywords as for `run`."""
    return measure_studies(studies, RunSettings(seed=seed, **settings))


def measure_studies(
    studies: Iterable[Study], settings: RunSettings, *, seeds: Mapping[str, int] | None = None
) -> list[xr.Dataset]:
    """The data sets of several studies, measured on one executor where they are not recorded.

    `seeds` says for the studies that ask for more than the profile's seeds how many are measured.
    """
    studies = list(studies)
    for study in studies:
        if not isinstance(study, Study):
            raise InputError(f"study must be a Study; got {shown(study)}")
        study.profile_grid(settings.profile)
    names = [study.name for study in studies]
    if len(set(names)) < len(names):
        raise InputError(f"studies that run together need different names; got {', '.join(names)}")
    finished: dict[str, xr.Dataset] = {}
    jobs, seeds = [], seeds or {}
    for study in studies:
        path = source_file(study)
        if path is None:
            finished[study.name] = _run_here(study, settings, seeds.get(study.name))
        else:
            jobs.append(_plan(study, path, settings, seeds.get(study.name)))
    for job in jobs:
        for problem in foreseen(job.study, job.grid, profile=settings.profile) if job.todo and not job.records else ():
            note(f"{job.study.name}: whatever is measured, this cannot be judged: {problem}")
    for job in jobs:
        if job.done:
            finished[job.study.name] = _finish(job, settings)
    total, done = sum(len(job.todo) for job in jobs), sum(len(job.records) for job in jobs)
    # Closed at once when a record cannot be written: a traceback that somebody keeps would keep the workers too.
    measured = closing(measure(jobs, settings.executor, threads=settings.threads))
    with Progress("measuring", "cells", total=total, done=done) as progress, measured as finished_cells:
        for job, cell, record in finished_cells:
            job.store.write(job.key(cell), record, cell)
            if record.status == "failed" and not job.records and len(job.todo) > 1:
                note(visible(f"{job.study.name}: the first cell failed: {record.message}"))
            job.records[cell] = record
            progress.advance(job.study.name, failed=record.status == "failed")
            if job.done:
                finished[job.study.name] = _finish(job, settings)
    return [finished[name] for name in names]


def source_file(study: Study) -> Path | None:
    """The file that workers import a study from; None for one made in a notebook, a prompt or a running script."""
    if study in ORIGIN:
        return ORIGIN[study]
    function = inspect.unwrap(study.measure)
    function = getattr(function, "func", function)  # functools.partial
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__ == "__main__" or not Path(file).is_file():
        return None
    values = list(vars(module).values())
    values += [item for value in values if isinstance(value, list | tuple) for item in value]
    return Path(file).resolve() if any(value is study for value in values) else None


def bound_study(study: Study, path: Path) -> Study:
    """The study as it is measured: loaded from its file together with the text that was hashed.

    One that Python itself has imported is loaded anew: nobody knows what its file held at the time.

    Raises
    ------
    StudyError
        It was loaded before, and its file or something that it imports was edited since.
    """
    if study not in BOUND:
        study = study_in(path, study.name)
    loaded = BOUND[study]
    refuse_changed(study, loaded)
    for text in notes_once(loaded):
        note(text)
    return study


def recorded(out: Path) -> Iterator[tuple[dict, dict[str, Record], int]]:
    """For every study run into `out`: what its last run wanted, the records there are, and how many are damaged.

    It only looks: the folder may be somebody else's, or in use.
    """
    for folder in files_in(out / "cells", "*", below=out):
        path = folder / MANIFEST
        refuse_links(path, below=out)
        if not path.exists():
            continue
        manifest = read_manifest(path)
        yield manifest, *RecordStore(path.parent).read_many(manifest["keys"])


def running_now(folder: Path, recorded: set[str]) -> list[str]:
    """What the living runs in a folder of records are at, in words: which cell, and since when."""
    lines = []
    for mark in read_marks(folder):
        left = [(key, cell) for key, cell in zip(mark.keys, mark.cells, strict=True) if key not in recorded]
        if not mark.alive or not left:
            continue
        since = max([mark.since, *_written(folder, set(mark.keys) & recorded)])
        cell = ", ".join(f"{name}={value}" for name, value in left[0][1].items())
        what = f"running {cell}" if mark.here else f"handed to the executor: {cell}"
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        at = datetime.fromtimestamp(since).astimezone().isoformat(" ", "seconds")
        lines.append(f"{what}{more}, since {at} ({max(time.time() - since, 0.0):.0f} s)")
    return [visible(line) for line in lines]


def _written(folder: Path, keys: Iterable[str]) -> Iterator[float]:
    """When the records of some cells were written."""
    for key in keys:
        with suppress(OSError):
            yield (folder / f"{key}.json").stat().st_mtime


def read_manifest(path: Path) -> dict:
    """What the last run of a study wanted: study, profile, root_seed, file, hashes, cells, their keys, skipped."""
    kinds = {"study": str, "profile": str, "file": str, "hashes": dict, "cells": int, "keys": list}
    try:
        manifest = parse_json(read_file(path, below=path.parents[2], limit=LARGEST), values=MOST)
    except (FileError, ValueError) as error:
        raise FileError(f"{path} is damaged ({error}); run the study again to replace it") from error
    wrong = [
        name
        for name, kind in kinds.items()
        if not isinstance(manifest, dict) or not isinstance(manifest.get(name), kind)
    ]
    if not wrong and not all(isinstance(key, str) and _KEY.fullmatch(key) for key in manifest["keys"]):
        wrong = ["keys"]  # a key is a file name: nothing that leads out of the folder
    if not wrong and manifest["study"] != path.parent.name:
        wrong = ["study"]
    if wrong:
        raise FileError(f"{path} is damaged (no usable {', '.join(wrong)}); run the study again to replace it")
    return manifest


def outdated(manifest: dict) -> str:
    """What changed since the run that wrote the manifest, in words; empty if nothing did or the file is gone."""
    path = Path(manifest["file"])  # as a stranger may have written it: what is no Python file is not looked at
    with suppress(OSError, ValueError):
        if path.suffix == ".py" and path.is_file() and path.stat().st_size <= SOURCE_BYTES:
            return what_changed(manifest.get("identity"), path)
    return ""


def look_up(
    study: Study, path: Path, settings: RunSettings, *, set_aside: bool = False, seeds: int | None = None
) -> tuple[Job, int]:
    """The job of measuring a study, with what is recorded of it, and how many records are damaged."""
    study = bound_study(study, path)
    grid, identity = study.profile_grid(settings.profile).with_seeds(seeds), BOUND[study].identity(study)
    store = RecordStore.of(settings.out, study.name, identity.hashes)
    todo = [cell for cell in grid.cells() if not grid.skipped(cell)]
    job = Job(study, grid, path, identity, settings, store, todo)
    keys = {job.key(cell): cell for cell in todo}
    found, damaged = store.read_many(keys, _returnable(study), set_aside=set_aside)
    job.records.update((keys[key], record) for key, record in found.items())
    job.pace.add(found.values())
    return job, damaged


def borrow_records(study: Study, measured: Path, settings: RunSettings) -> int:
    """Take over what another results folder records of a study; how many cells that are."""
    path, out = source_file(study), settings.out
    if path is None or not (measured / "cells" / study.name).is_dir() or measured.resolve() == out.resolve():
        return 0
    theirs, ours = (look_up(study, path, replace(settings, out=folder))[0] for folder in (measured, out))
    new = {cell: record for cell, record in theirs.records.items() if cell not in ours.records}
    if new:
        ours.store.open()
    for cell, record in new.items():
        ours.store.write(ours.key(cell), record, cell)
    return len(new)


def _plan(study: Study, path: Path, settings: RunSettings, seeds: int | None) -> Job:
    """Look up what is recorded, and leave a note of what is wanted for `status`."""
    store = RecordStore.of(settings.out, study.name)
    store.open()
    _refuse_namesake(study.name, path, store.folder / MANIFEST)
    job, damaged = look_up(study, path, settings, set_aside=True, seeds=seeds)
    keys = [job.key(cell) for cell in job.todo]
    manifest = {"study": study.name, "profile": settings.profile, "root_seed": settings.seed, "file": str(path)}
    manifest |= {"hashes": job.hashes, "identity": job.identity.to_json(), "cells": len(keys), "keys": keys}
    manifest |= {"skipped": job.grid.skip_reasons()}
    job.store.keep_identity(job.identity.to_json())
    write_atomic(store.folder / MANIFEST, encoded(json.dumps(manifest)))
    if damaged:
        which = (
            "record was set aside (*.damaged) and is" if damaged == 1 else "records were set aside (*.damaged) and are"
        )
        note(f"{study.name}: {damaged} damaged {which} measured again")
    if settings.retry_failed:
        for cell in [cell for cell, record in job.records.items() if record.status == "failed"]:
            del job.records[cell]
    return job


def _returnable(study: Study) -> Callable[[Mapping], bool]:
    """Whether recorded values are ones that the study's `measure` can have returned."""
    required, optional = study.stored_variables(), study.optional_variables()

    def returnable(values: Mapping) -> bool:
        try:
            checked_values(values, required, optional)
        except (StudyError, ValueError):
            return False
        return True

    return returnable


def _refuse_namesake(name: str, path: Path, manifest: Path) -> None:
    """Another study of the same name would overwrite this one's data set."""
    if not manifest.exists():
        return
    try:
        other = Path(read_manifest(manifest)["file"])
    except FileError:
        return  # it is replaced now
    if other != path and other.is_file() and study_hash(other) != study_hash(path):
        raise StudyError(
            f"{path} defines a study called {name!r}, and so does {other}, whose results {manifest.parents[2]} holds; "
            "rename one of them or choose another folder with --out"
        )


def _finish(job: Job, settings: RunSettings) -> xr.Dataset:
    return _keep(job.dataset(), job.study, settings)


def _keep(dataset: xr.Dataset, study: Study, settings: RunSettings) -> xr.Dataset:
    """Store a data set; whoever judges it later must know whether seeds were added until claims were decided."""
    if settings.until_decided:
        dataset.attrs[UNTIL_DECIDED] = 1
    write_dataset(dataset, settings.out / f"{study.name}.nc")
    return dataset


def _run_here(study: Study, settings: RunSettings, seeds: int | None) -> xr.Dataset:
    note(f"{study.name} has no file that a worker could import: it runs in this process, without records")
    grid, records = study.profile_grid(settings.profile).with_seeds(seeds), {}
    todo = [cell for cell in grid.cells() if not grid.skipped(cell)]
    with Progress("measuring", "cells", total=len(todo)) as progress, limited_threads(settings.threads):
        for cell, record in measure_cells(study, todo, seed=settings.seed):
            records[cell] = record
            progress.advance(study.name, failed=record.status == "failed")
    return _keep(assemble(study, grid, records, profile=settings.profile, seed=settings.seed), study, settings)

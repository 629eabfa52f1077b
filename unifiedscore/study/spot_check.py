"""Spot checks of what is stored: a share of cells and evaluations is measured again and compared bit for bit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.study.attack.recheck import repeat_evaluations, search_file
from unifiedscore.study.attack.store import SEARCHES
from unifiedscore.study.grid import Cell
from unifiedscore.study.job import Job
from unifiedscore.study.records import Record
from unifiedscore.study.runner import look_up, source_file
from unifiedscore.study.scheduler import measure
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.stored import read_measured
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads
from unifiedscore.validate import positive, shown

SHARE = 0.02


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that came out otherwise than it is recorded, and how, by variable."""

    cell: Cell
    variables: dict[str, str]


@final
@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What a spot check of one study found.

    Attributes
    ----------
    study : str
    recorded, repeated, damaged : int
        Cells with a record, cells measured again, records that are damaged or foreign.
    differences : tuple of Difference
    altered : tuple of str
        Variables of the stored data set that are not what the records say.
    """

    study: str
    recorded: int
    repeated: int
    damaged: int
    differences: tuple[Difference, ...]
    altered: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing differs and nothing is damaged."""
        return not (self.differences or self.damaged or self.altered)


def spot_check(
    studies: Iterable[Study],
    *,
    profile: str = "quick",
    out: str | Path = "results",
    executor: Executor | None = None,
    seed: int = 0,
    threads: int = 1,
    share: float = SHARE,
    rng: np.random.Generator,
) -> list[SpotCheck]:
    """Measure a random share of the recorded cells again and compare them bit for bit. Nothing is written.

    So are the evaluations of stored searches, under the name `<study>.search`.

    A difference means that a record was tampered with, that `measure` is not a function of its cell and random stream
    alone, or that the machine, its BLAS or another package is not the one that made the record.

    Parameters
    ----------
    studies : iterable of Study
        From files; one made in a notebook keeps no records.
    profile, out, executor, seed, threads
        As for `run`.
    share : float
        Of the recorded cells of each study, in (0, 1]; rounded up, so at least one is measured.
    rng : numpy.random.Generator
        Which cells.

    Returns
    -------
    list of SpotCheck

    Raises
    ------
    InputError
        `share` is out of range, or no study has a record of the present code.
    """
    settings = RunSettings(profile=profile, out=out, executor=executor, seed=seed, threads=threads)
    share = positive(share, "share")
    if share > 1:
        raise InputError(f"share must be at most 1, all recorded cells; got {shown(share)}")
    jobs, damaged = [], []
    for study in studies:
        path = source_file(study)
        if path is None:
            raise InputError(f"{study.name} has no file that a worker could import, and so no records to measure again")
        job, broken = look_up(study, path, settings)
        jobs.append(job)
        damaged.append(broken)
    with limited_threads(threads):
        searches = [found for job in jobs if (found := _check_searches(job, share, rng)) is not None]
    if not any(job.records for job in jobs) and not any(damaged) and not searches:
        raise InputError(
            f"{out} records no cell of the present code with profile {profile} and seed {seed}; "
            "run the studies first, or name the profile, the seed and the versions that they were run with"
        )
    again = [_again(job, share, rng) for job in jobs]
    measured: dict[str, list[Difference]] = {job.study.name: [] for job in jobs}
    recorded = {job.study.name: job.records for job in jobs}
    for job, cell, record in measure(again, settings.executor, threads=settings.threads):
        if variables := _differing(recorded[job.study.name][cell], record):
            measured[job.study.name].append(Difference(cell, variables))
    cells = [
        SpotCheck(
            study=job.study.name,
            recorded=len(job.records),
            repeated=len(part.todo),
            damaged=broken,
            differences=tuple(measured[job.study.name]),
            altered=_altered(job),
        )
        for job, part, broken in zip(jobs, again, damaged, strict=True)
        if job.todo or broken
    ]
    return cells + searches


def _check_searches(job: Job, share: float, rng: np.random.Generator) -> SpotCheck | None:
    """What a spot check of the stored searches of a study found; None where none of the present code is stored."""
    path = search_file(job.study, job.settings.out)
    if path is None:
        return None
    parts = list(repeat_evaluations(job.study, path, dict(job.hashes), share=share, rng=rng))
    differences = []
    for cell, was, now in (entry for _, repeated in parts for entry in repeated):
        record = Record("failed", message=now) if isinstance(now, str) else Record("ok", now)
        if variables := _differing(Record("ok", was), record):
            differences.append(Difference(cell, variables))
    stored, repeated = sum(count for count, _ in parts), sum(len(repeated) for _, repeated in parts)
    return SpotCheck(f"{job.study.name}{SEARCHES}", stored, repeated, 0, tuple(differences)) if stored else None


def _again(job: Job, share: float, rng: np.random.Generator) -> Job:
    """A job that measures a share of the recorded cells and leaves no marks."""
    cells = list(job.records)
    chosen = rng.choice(len(cells), math.ceil(share * len(cells)), replace=False) if cells else ()
    return replace(job, todo=[cells[position] for position in chosen], records={}, marking=False)


def _altered(job: Job) -> tuple[str, ...]:
    """Variables of the stored data set that differ from what the records give; all records are compared."""
    path = job.settings.out / f"{job.study.name}.nc"
    if not job.done or not os.path.lexists(path):
        return ()
    stored = read_measured(path)
    fresh = job.dataset()
    if stored.attrs.get("config") != fresh.attrs["config"]:
        return ()  # of another profile, seed or version
    names = sorted(map(str, set(fresh.variables) | set(stored.variables)))
    return tuple(name for name in names if not _same(stored.variables.get(name), fresh.variables.get(name)))


def _same(stored, fresh) -> bool:
    if stored is None or fresh is None or stored.dims != fresh.dims or stored.shape != fresh.shape:
        return False
    if stored.dtype.kind in "OSUT" or fresh.dtype.kind in "OSUT":  # labels; their storage is netCDF's business
        return bool((stored.values == fresh.values).all())
    return stored.values.astype(fresh.dtype).tobytes() == fresh.values.tobytes()


def _differing(recorded: Record, measured: Record) -> dict[str, str]:
    if recorded.status != measured.status:
        return {
            "status": f"recorded as {recorded.status}, now {measured.status} ({recorded.message or measured.message})"
        }
    differing = {}
    for name in sorted(set(recorded.values) | set(measured.values)):
        # As text: NaN is equal to itself, -0.0 is not 0.0, and every other double has a text of its own.
        was, now = (json.dumps(record.values.get(name)) for record in (recorded, measured))
        if was != now:
            differing[name] = f"recorded {_short(was)}, now {_short(now)}"
    return differing


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Attacks run side by side: in each round, the next batch of each of them, on the executor of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from unifiedscore.output import note
from unifiedscore.profiles import covers
from unifiedscore.study.attack.attack import BUDGET, SEEDS, Attack, Steps
from unifiedscore.study.attack.evaluate import Ask
from unifiedscore.study.attack.store import ENDING, read_searches, search_dataset, write_searches
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.dataset import provenance
from unifiedscore.study.grid import Cell
from unifiedscore.study.identity import Identity
from unifiedscore.study.job import Job, Pace
from unifiedscore.study.loading import BOUND
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.progress import Progress
from unifiedscore.study.records import Record, RecordStore
from unifiedscore.study.runner import bound_study, source_file
from unifiedscore.study.scheduler import measure
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.study.threads import limited_threads
from unifiedscore.study.worker import measure_cells

if TYPE_CHECKING:
    import xarray as xr

RECORDED = 0.005
"""Seconds: an evaluation that takes less is not recorded, since it costs no more than its record."""

HAND_OVER = 0.1
"""Seconds of work below which a batch is not worth the way to other processes and back."""

KNOWN = 16  # evaluations that other processes make before it is believed that one is quick


@final
@dataclass(slots=True)
class _Searched:
    """A study under attack: where its evaluations run, and what is known of them."""

    study: Study
    path: Path | None
    settings: RunSettings
    known: dict[Cell, Record] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    store: RecordStore | None = None
    identity: Identity | None = None
    stored: frozenset[str] = frozenset()  # keys of what the folder held before: to ask for the others takes its time

    def job(self, cells: Iterable[Cell]) -> Job:
        """What is not known of these cells, for the scheduler; no note is left in case one ends its process."""
        if self.store is None:
            self.identity = BOUND[self.study].identity(self.study)
            self.store = RecordStore.of(self.settings.out, self.study.name, self.identity.hashes)
            self.store.open()
            self.store.keep_identity(self.identity.to_json())
            self.stored = self.store.keys()
        # Nothing is random: the same evaluation serves every root seed.
        settings = replace(self.settings, seed=0)
        job = Job(
            self.study, self.study.grid, self.path, self.identity, settings, self.store, list(cells), marking=False
        )
        return replace(job, pace=self.pace)

    def look_up(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those that have to be evaluated, each once."""
        missing = [cell for cell in dict.fromkeys(cells) if cell not in self.known]
        if self.path is None or not missing:
            return missing
        job = self.job(missing)
        keys = {key: cell for cell in missing if (key := job.key(cell)) in self.stored}
        found, _ = self.store.read_many(keys)
        for key, cell in keys.items():
            record = found.get(key)
            if record is not None and not (record.status == "failed" and self.settings.retry_failed):
                self.known[cell] = record
        return [cell for cell in missing if cell not in self.known]


def attack_studies(
    studies: Iterable[Study],
    settings: RunSettings,
    *,
    claim: str | None = None,
    names: Iterable[str] | None = None,
    budget: int | None = None,
    shrink: bool = True,
    meanwhile: Callable[[], None] | None = None,
) -> dict[str, dict[str, xr.Dataset]]:
    """Attack the universals of several studies; their data sets by study and name, also stored.

    Only those that the profile covers, and of them only `claim` where it is given; or just the ones called `names`.
    The stored searches of others stay. `meanwhile` is called between batches, for what is to go on beside them.
    """
    named = None if names is None else set(names)
    partial = claim is not None or named is not None
    searched, running = {}, []
    for study in studies:
        covered = [u for u in study.universals if claim in (None, u.id) and covers(settings.profile, u.profile)]
        chosen = covered if named is None else [u for u in study.universals if u.name in named]
        if not chosen:
            continue
        path = source_file(study)
        bound = study if path is None else bound_study(study, path)
        if path is None:
            note(f"{study.name} has no file that a worker could import: it is attacked in this process")
        searched[study.name] = _Searched(bound, path, settings)
        keys = {universal.key for universal in chosen}
        for universal in (u for u in bound.universals if u.key in keys):
            running.append((searched[study.name], _attack(bound, universal, settings, budget, shrink)))
    _run([(part, attack.steps()) for part, attack in running], settings, meanwhile)
    datasets: dict[str, dict[str, xr.Dataset]] = {name: {} for name in searched}
    origins = {name: _origin(part, settings) for name, part in searched.items()}
    for part, attack in running:
        name = part.study.name
        datasets[name][attack.universal.name] = search_dataset(part.study, attack, origins[name])
    for name, found in datasets.items():
        file = settings.out / f"{name}{ENDING}"
        kept = read_searches(file) if partial and file.exists() else {}
        names = {universal.name for universal in searched[name].study.universals}
        write_searches({key: value for key, value in kept.items() if key in names} | found, file)
    return datasets


def stored_searches(study: Study, out: Path) -> dict[str, xr.Dataset]:
    """The searches of a study that a results folder holds; none where it holds no such file."""
    file = out / f"{study.name}{ENDING}"
    return read_searches(file) if study.universals and file.exists() else {}


def _origin(part: _Searched, settings: RunSettings) -> dict:
    """The provenance of all searches of a study: to ask git and the installed packages takes longer than to store."""
    return provenance(
        part.study, part.study.grid, profile=settings.profile, seed=settings.seed, path=part.path,
        identity=part.identity,
    )  # fmt: skip


def _attack(study: Study, universal: Universal, settings: RunSettings, budget: int | None, shrink: bool) -> Attack:
    family = (u for u in study.universals if u.space is universal.space and u is not universal)
    siblings = tuple(start for other in family for start in other.starts)
    count = BUDGET[settings.profile] if budget is None else budget
    return Attack(universal, count, settings.seed, SEEDS[settings.profile], shrink, siblings)


def _run(searches: list[tuple[_Searched, Steps]], settings: RunSettings, meanwhile: Callable[[], None] | None) -> None:
    """Advance all searches batch by batch. Which ones run beside one another changes no batch."""
    own = LocalPool(threads=settings.threads) if settings.executor is None else None
    executor = settings.executor or own
    try:
        with Progress("attacking", "claims", total=len(searches)) as progress:
            waiting = [(part, steps, next(steps, None)) for part, steps in searches]
            while waiting := [entry for entry in waiting if _goes_on(entry, progress)]:
                if meanwhile is not None:
                    meanwhile()
                _evaluate(waiting, executor, settings)
                waiting = [
                    (part, steps, _next(steps, [_record(part, ask) for ask in asks])) for part, steps, asks in waiting
                ]
    finally:
        if own is not None:
            own.shutdown()


def _goes_on(entry: tuple[_Searched, Steps, list[Ask] | None], progress: Progress) -> bool:
    part, _, asks = entry
    if asks is None:
        progress.advance(part.study.name)
    return asks is not None


def _evaluate(waiting: list[tuple[_Searched, Steps, list[Ask]]], executor, settings: RunSettings) -> None:
    """Evaluate one batch of every search."""
    cells: dict[int, tuple[_Searched, list[Cell]]] = {}
    for part, _, asks in waiting:
        cells.setdefault(id(part), (part, []))[1].extend(ask.cell for ask in asks)
    missing = [(part, part.look_up(wanted)) for part, wanted in cells.values()]
    here = _is_quick(missing, executor, settings)
    jobs, parts = [], {}
    for part, todo in missing:
        if here or part.path is None:
            _measure_here(part, todo, settings)
        elif todo:
            jobs.append(part.job(todo))
            parts[part.study.name] = part
    with closing(measure(jobs, executor, threads=settings.threads)) as measured:
        for job, cell, record in measured:
            if record.seconds > RECORDED or record.status == "failed":
                # To wait for the disk would take as long as many an evaluation.
                job.store.write(job.key(cell), record, cell, lasting=False)
            parts[job.study.name].known[cell] = record


def _is_quick(missing: list[tuple[_Searched, list[Cell]]], executor, settings: RunSettings) -> bool:
    """Whether a batch is known to take less time than handing it to other processes would."""
    if not isinstance(executor, LocalPool) or settings.cell_timeout is not None:
        return False
    if any(todo and part.pace.cells < KNOWN for part, todo in missing):
        return False
    return sum(part.pace.mean * len(todo) for part, todo in missing) < HAND_OVER


def _measure_here(part: _Searched, todo: list[Cell], settings: RunSettings) -> None:
    with limited_threads(settings.threads):
        for cell, record in measure_cells(part.study, todo, seed=0, path=part.path):
            part.known[cell] = record
            part.pace.add([record])


def _record(part: _Searched, ask: Ask) -> Record:
    return part.known[ask.cell]


def _next(steps: Steps, records: list[Record]) -> list[Ask] | None:
    try:
        return steps.send(records)
    except StopIteration:
        return None

"""From study files to a ledger: derivations, studies, verdicts, figures, on one shared executor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from unifiedscore.atomic import locked, write_atomic
from unifiedscore.errors import FileError, InputError, StudyError, UnifiedScoreError, UnknownNameError
from unifiedscore.inference import Verdict
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.report import NOT_ESTABLISHED, read_not_established
from unifiedscore.output import encoded, note, short_path
from unifiedscore.profiles import PROFILES
from unifiedscore.study.attack.run import attack_studies, stored_searches
from unifiedscore.study.attack.store import SEARCHES
from unifiedscore.study.discover import Found, FoundDerivation, FoundFigure, FoundStudy, found_by_default
from unifiedscore.study.extending import measure_until_decided
from unifiedscore.study.failure import STOPPED, describe
from unifiedscore.study.identity import what_changed
from unifiedscore.study.judge import judge, not_run, profile_of
from unifiedscore.study.looks import UNTIL_DECIDED
from unifiedscore.study.maps.making import make_map
from unifiedscore.study.maps.map import Map, mapped_claim
from unifiedscore.study.pool import local_processes
from unifiedscore.study.progress import Progress
from unifiedscore.study.reproduce import MOST_SEEDS, reproduce
from unifiedscore.study.runner import measure_studies
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.stamp import origin, stamp
from unifiedscore.study.stored import read_measured
from unifiedscore.study.study import Study
from unifiedscore.study.unjudged import FailedCell, NotRun, failed_cells
from unifiedscore.verify.proving import DERIVATION_SECONDS, prove_all, proving

if TYPE_CHECKING:
    import xarray as xr


@final
@dataclass(slots=True)
class Judged:
    """What accumulates on the way to a ledger."""

    root_seed: int
    verdicts: list[Verdict] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    failed_cells: list[FailedCell] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_study(
        self, found: FoundStudy, dataset: xr.Dataset, *, claim: str | None, until_decided: bool | None = None
    ) -> None:
        """Judge a study on its data set; `until_decided` as for `judge`."""
        study = found.study
        self.runs[study.name] = stamp(dataset) | origin(dataset)
        if changed := what_changed(_identity(dataset), found.path):
            note(f"{study.name}: its data are stale ({changed}); unifiedscore run measures them again")
            self.stale.append(study.name)
        profile = profile_of(dataset, default=PROFILES[0])
        self.verdicts += [
            self._reproducible(verdict, found.path, profile)
            for verdict in judge(study, dataset, until_decided=until_decided)
            if claim in (None, verdict.claim)
        ]
        self.not_run += [entry for entry in not_run(study, dataset) if claim in (None, entry.claim)]
        self.failed_cells += failed_cells(study.name, dataset)

    def add_searches(self, found: FoundStudy, searches: Mapping[str, xr.Dataset], *, claim: str | None) -> None:
        """Judge what was searched of a study's universals; the others wait for a larger profile, or for a search."""
        study = found.study
        for universal in (u for u in study.universals if claim in (None, u.id)):
            dataset = searches.get(universal.name)
            if dataset is None:
                reason = f"needs the profile {universal.profile}, or was not searched: unifiedscore falsify"
                entry = NotRun(universal.id, universal.regime, study.name, universal.profile, reason)
                self.not_run.append(entry)
                continue
            if what_changed(_identity(dataset), found.path):
                self.stale.append(study.name)
            profile = profile_of(dataset, default=PROFILES[0])
            verdicts = judge(study, dataset)
            self.verdicts += [self._reproducible(verdict, found.path, profile) for verdict in verdicts]
            self.failed_cells += failed_cells(study.name, dataset)

    def add_derivation(self, found: FoundDerivation, result: Verdict | str) -> None:
        """Add the verdict on a derivation, or the message with which it failed."""
        if isinstance(result, Verdict):
            self.verdicts.append(self._reproducible(result, found.path))
        else:
            self.failed_cells.append(FailedCell(found.path.stem, {}, result))

    def ledger(self, *, profile: str, until_decided: bool = False) -> Ledger:
        """The ledger of all that was added."""
        return Ledger(
            profile=profile,
            root_seed=self.root_seed,
            verdicts=tuple(self.verdicts),
            not_run=tuple(self.not_run),
            failed_cells=tuple(self.failed_cells),
            stale=tuple(self.stale),
            runs=self.runs,
            until_decided=until_decided,
        )

    def _reproducible(self, verdict: Verdict, path: Path, profile: str = PROFILES[0]) -> Verdict:
        """The verdict with a command that also names what differs from the defaults: its file, the root seed."""
        file = "" if found_by_default(path) else str(short_path(path))
        command = reproduce(verdict.claim, profile=profile, file=file, seed=self.root_seed, looks=verdict.looks)
        return replace(verdict, reproduce=command)


def select(found: Found, claim: str | None) -> Found:
    """Only what the claim `claim` (in all its regimes) needs."""
    if claim is None:
        return found
    if claim not in found.claim_ids():
        raise UnknownNameError("claim", claim, found.claim_ids())
    studies = tuple(item for item in found.studies if claim in item.study.claim_ids())
    names = {item.study.name for item in studies}
    return Found(
        studies,
        tuple(item for item in found.derivations if item.derivation.claim == claim),
        tuple(item for item in found.figures if names.issuperset(name.removesuffix(SEARCHES) for name in item.studies)),
    )


def verify(
    found: Found,
    settings: RunSettings,
    *,
    claim: str | None = None,
    derivation_timeout: float = DERIVATION_SECONDS,
    most_seeds: int = MOST_SEEDS,
    budget: float | None = None,
) -> Ledger:
    """Judge every study and derivation found; returns the ledger. A slow derivation keeps no study waiting.

    Seeds are added where `settings` say until_decided; `most_seeds` and `budget` as for `measure_until_decided`.
    """
    judged, studies = Judged(settings.seed), [item.study for item in found.studies]
    if settings.until_decided:
        datasets = measure_until_decided(studies, settings, most_seeds=most_seeds, budget=budget, claim=claim)
    else:
        datasets = measure_studies(studies, settings)
    for item, dataset in zip(found.studies, datasets, strict=True):
        judged.add_study(item, dataset, claim=claim)
    with proving(found.derivations, settings.executor, settings.seed, seconds=derivation_timeout) as proofs:
        # A search waits for its own last batch, and many batches are too small to be shared out.
        searches = attack_studies(studies, settings, claim=claim, meanwhile=proofs.advance)
        for item in found.studies:
            judged.add_searches(item, searches.get(item.study.name, {}), claim=claim)
        for item, result in proofs.results():
            judged.add_derivation(item, result)
    return judged.ledger(profile=settings.profile, until_decided=settings.until_decided)


def attack_found(
    found: Found, settings: RunSettings, *, claim: str | None = None, budget: int | None = None, shrink: bool = True
) -> Ledger:
    """Attack the universal claims of every study found, and nothing else; returns their ledger."""
    judged = Judged(settings.seed)
    studies = [item.study for item in found.studies]
    searches = attack_studies(studies, settings, claim=claim, budget=budget, shrink=shrink)
    for item in found.studies:
        judged.add_searches(item, searches.get(item.study.name, {}), claim=claim)
    return judged.ledger(profile=settings.profile)


def maps_in(
    found: Found, *, claim: str | None, x: str | None = None, y: str | None = None, levels: int | None = None
) -> list[tuple[Study, Map]]:
    """The maps to make: those that the studies declare, or the claim's over the axes that are given.

    Raises
    ------
    InputError
        Only one axis is given, or axes without a claim, or there is nothing to make.
    """
    if (x is None) != (y is None) or (x is not None and claim is None):
        raise InputError("a map of your own needs --claim, --x and --y, all three")
    studies = [item.study for item in found.studies]
    if x is None:
        wanted = [(study, entry) for study in studies for entry in study.maps]
        wanted = [(s, m) for s, m in wanted if claim is None or m.claim.partition(" ")[0] == claim]
    else:
        wanted = [(s, Map(c.name, x=x, y=y)) for s in studies for c in s.claims if c.id == claim and x in s.grid.axes]
    if not wanted:
        raise InputError(
            "none of these studies declares such a map; --claim, --x and --y make one over two axes of a study's grid"
        )
    if levels is not None:
        wanted = [(study, replace(entry, levels=levels)) for study, entry in wanted]
    for study, entry in wanted:
        mapped_claim(study, entry)
    return wanted


def draw_maps(wanted: Iterable[tuple[Study, Map]], settings: RunSettings) -> Iterator[tuple[Map, xr.Dataset, str]]:
    """Make maps one after the other: each with its data set and the name of its picture."""
    from unifiedscore.plotting.render import draw_map

    for study, entry in wanted:
        dataset = make_map(study, entry, settings)
        yield entry, dataset, draw_map(dataset, settings.out)


def judge_results(
    found: Found,
    *,
    out: Path,
    executor: Executor,
    seed: int | None = None,
    claim: str | None = None,
    derivation_timeout: float = DERIVATION_SECONDS,
    until_decided: bool | None = None,
) -> Ledger:
    """Judge the data sets stored in `out`, without measuring anything; returns the ledger.

    All are judged look by look if `until_decided`, or if it is not given and any of them was collected so: a ledger
    has one plan for its seeds.
    """
    datasets = {item.study.name: read_measured(out / f"{item.study.name}.nc") for item in found.studies}
    profiles, seeds = ({dataset.attrs.get(name) for dataset in datasets.values()} for name in ("profile", "root_seed"))
    if len(profiles) > 1 or len(seeds) > 1:
        raise StudyError(
            f"the data sets in {out} come from different runs (profiles {profiles}, root seeds {seeds}); "
            "run them again with one profile and seed"
        )
    seed = int(next(iter(seeds), 0) if seed is None else seed)
    if until_decided is None:
        until_decided = any(dataset.attrs.get(UNTIL_DECIDED, False) for dataset in datasets.values())
    judged = Judged(seed)
    for item in found.studies:
        try:
            judged.add_study(item, datasets[item.study.name], claim=claim, until_decided=until_decided)
        except StudyError as error:
            raise FileError(f"{out / item.study.name}.nc cannot be judged: {error}") from error
        judged.add_searches(item, stored_searches(item.study, out), claim=claim)
    for item, result in prove_all(found.derivations, executor, seed, seconds=derivation_timeout):
        judged.add_derivation(item, result)
    return judged.ledger(profile=str(next(iter(profiles), "quick")), until_decided=until_decided)


def _identity(dataset: xr.Dataset) -> dict | None:
    """The identity of what measured a data set; None where it does not say."""
    try:
        return json.loads(dataset.attrs["config"])["identity"]
    except (KeyError, TypeError, ValueError):
        return None


def draw(
    figures: Iterable[FoundFigure], *, out: Path, executor: Executor, keep: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Draw figures from stored data sets; with `keep` the index still lists the others drawn before.

    They are written on this machine, by processes of their own. Figures of a larger profile than that of the data are
    left out, with a note.

    Returns
    -------
    entries, problems
        The entries of the figure index; figure and message of each one that could not be drawn.
    """
    from unifiedscore.plotting.render import write_index

    figures = list(figures)
    with local_processes(executor) as processes, Progress("drawing", "figures", total=len(figures)) as progress:
        waiting = [(item, processes.submit(_draw, str(item.path), str(out))) for item in figures]
        results = []
        for item, future in waiting:
            results.append((item, _drawn(future)))
            progress.advance(item.name)
    entries = [result for _, result in results if isinstance(result, dict)]
    problems = [{"figure": item.name, "message": text} for item, text in results if isinstance(text, str)]
    for item in (item for item, result in results if result is None):
        note(f"figure {item.name} needs data of the profile {item.profile}; it is not drawn")
    if waiting:
        write_index(entries, out, keep=keep)
    return entries, problems


def _drawn(future: Future) -> dict[str, Any] | str | None:
    try:
        return future.result()
    except BrokenProcessPool as error:
        return str(error)


def _draw(path: str, out: str) -> dict[str, Any] | str | None:
    from unifiedscore.plotting.render import render

    try:
        return render(Path(path), Path(out))
    except UnifiedScoreError as error:
        return str(error)
    except STOPPED as error:
        return describe(error, path)


def copy_not_established(found: Found, out: Path, *, keep: bool = False) -> None:
    """Copy what the authors of the studies say is not established (`not_established.md` beside them) to the results.

    With `keep`, a text already there that holds other folders' words stays, and these are added to it.
    """
    folders = dict.fromkeys(item.path.parent for item in (*found.studies, *found.derivations))
    words = [read_not_established(folder) for folder in folders]
    words = [text for text in words if text]
    if not words:
        return
    with locked(out):
        if keep and (before := read_not_established(out)):
            words = [before, *(text for text in words if text not in before)]
        write_atomic(out / NOT_ESTABLISHED, encoded("\n".join(words)))

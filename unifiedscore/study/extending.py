"""More seeds for the claims that a run leaves undecided, look after look, until each is decided or cannot be."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from unifiedscore.output import note
from unifiedscore.profiles import PROFILES
from unifiedscore.study.claim import Claim
from unifiedscore.study.clusters import parallelism_of
from unifiedscore.study.dataset import STATUS
from unifiedscore.study.grid import Cell, Grid
from unifiedscore.study.judge import standings
from unifiedscore.study.looks import asks_for_seeds, consecutive_seeds, first_seeds
from unifiedscore.study.reproduce import MOST_SEEDS
from unifiedscore.study.runner import look_up, measure_studies, source_file
from unifiedscore.study.selection import Unavailable, chosen_labels
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study

if TYPE_CHECKING:
    import xarray as xr


@final
@dataclass(frozen=True, slots=True)
class _Wish:
    """A study that asks for a look: how many seeds it is at, which claims need it, and what it is expected to cost."""

    study: Study
    seeds: int
    claims: tuple[str, ...]
    cells: int
    seconds: float


@final
@dataclass(slots=True)
class _Extension:
    """Data sets that grow, and what has been said of claims that they cannot help."""

    settings: RunSettings
    most_seeds: int
    claim: str | None
    datasets: dict[str, xr.Dataset]
    told: set[tuple[str, str]] = field(default_factory=set)

    def wishes(self, studies: Iterable[Study]) -> list[_Wish]:
        """The looks that are asked for, the cheapest first."""
        found = [wish for study in studies if (wish := self._wish(study)) is not None]
        return sorted(found, key=lambda wish: (wish.seconds, wish.study.name))

    def _wish(self, study: Study) -> _Wish | None:
        first = first_seeds(study.profile_grid(PROFILES[0]).axes)
        if not study.claims or not any(asks_for_seeds(claim) for claim in study.claims):
            return None
        if first is None:
            self._say(study.name, "", "its seeds are not 0, 1, 2, ..., so none can be added")
            return None
        dataset = self.datasets[study.name]
        grid = study.profile_grid(self.settings.profile)
        stored = consecutive_seeds(dataset)
        seeds = first
        while seeds <= stored:
            seeds *= 2
        claims = {claim.key: claim for claim in study.claims}
        asking = []
        for standing in standings(study, dataset, until_decided=True):
            claim, need = claims[standing.verdict.key], standing.need
            if not need or not asks_for_seeds(claim) or self.claim not in (None, claim.id):
                continue
            if max(need, seeds) > self.most_seeds:
                if math.isfinite(need):
                    about = f"about {need:.0f} seeds would do" if need > seeds else f"the next look is at {seeds} seeds"
                    self._say(study.name, claim.name, f"{about}, and at most {self.most_seeds} are measured")
            elif not _adds(grid, claim, stored, seeds):
                self._say(study.name, claim.name, "its grid skips further seeds")
            else:
                asking.append(claim.name)
        if not asking:
            return None
        cells, each = self._missing(study, grid, stored, seeds)
        return _Wish(study, seeds, tuple(asking), cells, cells * each)

    def _missing(self, study: Study, grid: Grid, stored: int, seeds: int) -> tuple[int, float]:
        """How many cells of a look are not recorded, and what one of the recorded cells has taken; 0 where none is.

        A recorded look costs nothing, so that a budget cannot undo what an earlier call decided.
        """
        path = source_file(study)
        if path is None:
            new = dict(grid.axes) | {"seed": tuple(range(stored, seeds))}
            return sum(not grid.skipped(cell) for cell in _selected(new, {})), 0.0
        job, _ = look_up(study, path, self.settings, seeds=seeds)
        taken = [record.seconds for record in job.records.values() if record.status == STATUS[0]]
        return sum(cell not in job.records for cell in job.todo), statistics.median(taken) if taken else 0.0

    def _say(self, study: str, claim: str, text: str) -> None:
        if (study, claim) not in self.told:
            self.told.add((study, claim))
            note(f"{claim or study} stays undecided: {text}" if claim else f"{study} is not extended: {text}")

    def measure(self, wishes: list[_Wish]) -> None:
        """Take the looks that are asked for."""
        for wish in (wish for wish in wishes if wish.cells):
            names = ", ".join(wish.claims[:3]) + (f" and {len(wish.claims) - 3} more" if len(wish.claims) > 3 else "")
            note(f"{wish.study.name}: {wish.cells} more cells, up to {wish.seeds} seeds, for {names}")
        seeds = {wish.study.name: wish.seeds for wish in wishes}
        found = measure_studies([wish.study for wish in wishes], self.settings, seeds=seeds)
        self.datasets |= {wish.study.name: dataset for wish, dataset in zip(wishes, found, strict=True)}


def measure_until_decided(
    studies: Iterable[Study],
    settings: RunSettings,
    *,
    most_seeds: int = MOST_SEEDS,
    budget: float | None = None,
    claim: str | None = None,
) -> list[xr.Dataset]:
    """The data sets of several studies, extended along their seeds until every Monte Carlo claim is decided.

    What a claim comes to is a function of the root seed and of the largest look that was completed; the budget and an
    interruption change nothing but how far it got, and what is recorded costs nothing. A cell of a larger look is the
    cell that a larger grid would have.

    Parameters
    ----------
    studies : iterable of Study
    settings : RunSettings
        With `until_decided`.
    most_seeds : int
        No look is at more.
    budget : float, optional
        Seconds, beginning now. A look that is not expected to end in time is not begun; the first run of the profile
        is no look and is always made.
    claim : str, optional
        Only this claim asks for more.
    """
    began, studies = time.monotonic(), list(studies)
    workers = 1 if settings.executor is None else parallelism_of(settings.executor)
    datasets = measure_studies(studies, settings)
    names = [study.name for study in studies]
    growing = _Extension(settings, most_seeds, claim, dict(zip(names, datasets, strict=True)))
    while wishes := growing.wishes(studies):
        if budget is not None:
            left = budget - (time.monotonic() - began)
            wishes = wishes[:1]
            if wishes[0].cells and wishes[0].seconds / workers > left:
                note(
                    f"the budget of {budget:g} s is spent: {wishes[0].study.name} would look at {wishes[0].seeds} seeds"
                )
                break
        growing.measure(wishes)
    return [growing.datasets[name] for name in names]


def _adds(grid: Grid, claim: Claim, stored: int, seeds: int) -> bool:
    """Whether a claim reads any of the cells that more seeds add; with a control that does, it has no look."""
    new = dict(grid.axes) | {"seed": tuple(range(stored, seeds))}
    return any(not grid.skipped(cell) for cell in _selected(new, claim.where))


def _selected(axes: Mapping[str, tuple], where: Mapping) -> Iterable[Cell]:
    try:
        chosen = chosen_labels(axes, {axis: wanted for axis, wanted in where.items() if axis in axes})
    except Unavailable:
        return ()
    return (Cell(dict(zip(chosen, labels, strict=True))) for labels in itertools.product(*chosen.values()))

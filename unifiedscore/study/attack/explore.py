"""The stages of a search: known hard instances, Sobol points, restarted Nelder-Mead, a wide restart from the best.

A search is a generator: it yields a batch of evaluations and receives their values. A batch depends on the values of
earlier batches alone, so neither workers nor interruptions change what is evaluated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore.study.attack.evaluate import Ask, Variant
from unifiedscore.study.attack.simplex import nelder_mead
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.attack.yardstick import LAST, Rank, Yardstick
from unifiedscore.study.records import Record

STAGES = ("starts", "sibling", "sobol", "polish", "restart")
LANES = 8  # searches side by side: a constant, so that the number of workers changes nothing
BATCH = 256  # Sobol points at once
EDGE, WIDE = 0.05, 0.3
Batches = Generator[list[Ask], list[Record], None]


@final
@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation of a search; `values` is None where it failed or there is no such instance."""

    u: np.ndarray
    instance: Instance | None
    stage: str
    seed: int
    rank: Rank
    values: Mapping[str, float] | None
    message: str = ""


@final
@dataclass(slots=True)
class Exploration:
    """The search for a worst instance of a claim, or of its control; `trials` grows while it runs."""

    universal: Universal
    variant: Variant
    budget: int
    seed: int
    starts: Sequence[Instance] = ()
    siblings: Sequence[Instance] = ()
    trials: list[Trial] = field(default_factory=list)
    yardstick: Yardstick = field(init=False)

    def __post_init__(self):
        self.yardstick = Yardstick.of(self.universal, self.variant)

    @property
    def best(self) -> Trial | None:
        """The first of the best evaluations of all."""
        return max(self.trials, key=lambda trial: trial.rank, default=None)

    def batches(self) -> Batches:
        """All stages, one batch after the other."""
        space = self.universal.space
        for stage, given in (("starts", self.starts), ("sibling", self.siblings)):
            known = {trial.instance for trial in self.trials}
            fresh = [start for start in dict.fromkeys(given) if start not in known]
            yield from self._measure([space.encode(start) for start in fresh], stage, fresh)
        points = self._sobol()
        for first in range(0, len(points), BATCH):
            yield from self._measure(points[first : first + BATCH], "sobol")
        last = self.budget // 10
        yield from self._polish(self.budget - last)
        yield from self._restart()

    def _sobol(self) -> np.ndarray:
        from scipy.stats import qmc

        space = self.universal.space
        text = f"{self.seed} {self.universal.id} {self.universal.regime}"
        words = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u4")
        rng = np.random.default_rng(np.random.SeedSequence(words.tolist()))
        power = max(int(np.log2(max(self.budget / 5, 1))), 0)
        return qmc.Sobol(space.coordinates, scramble=True, seed=rng).random_base2(power)

    def _polish(self, until: int) -> Batches:
        """Restarted Nelder-Mead from all points in the order of their ranks, several side by side."""
        starts = iter(sorted(self.trials, key=lambda trial: trial.rank, reverse=True))
        longest = max(self.budget // 6, 1)
        lanes: list[_Lane] = []
        while len(self.trials) < until:
            while len(lanes) < LANES and (start := next(starts, None)) is not None:
                if (lane := self._lane(start, EDGE, longest)) is not None:
                    lanes.append(lane)
            if not lanes:
                return
            chosen = lanes[: until - len(self.trials)]
            fresh = yield from self._measure([lane.point for lane in chosen], "polish")
            ended = {id(lane) for lane, trial in zip(chosen, fresh, strict=True) if not lane.advance(trial.rank)}
            lanes = [lane for lane in lanes if id(lane) not in ended]

    def _restart(self) -> Batches:
        """The last tenth from the best point with a wide simplex: what a collapsed one has missed."""
        while len(self.trials) < self.budget and self.best is not None:
            lane = self._lane(self.best, WIDE, self.budget)
            if lane is None:
                return
            before = len(self.trials)
            while len(self.trials) < self.budget:
                fresh = yield from self._measure([lane.point], "restart")
                if not lane.advance(fresh[0].rank):
                    break
            if len(self.trials) == before:
                return

    def _lane(self, start: Trial, edge: float, longest: int) -> _Lane | None:
        if start.instance is None:
            return None
        free = self.universal.space.active(start.instance)
        steps = nelder_mead(start.u, start.rank, edge=edge, free=free)
        return _Lane(steps, next(steps), longest)

    def _measure(
        self, points: Iterable[np.ndarray], stage: str, instances: Sequence[Instance] | None = None
    ) -> Generator[list[Ask], list[Record], list[Trial]]:
        """Evaluate points, or the instances that they stand for; those for which `derive` finds none cost nothing."""
        points = list(points)[: max(self.budget - len(self.trials), 0)]
        decoded = [self.universal.space.decode(u) for u in points] if instances is None else list(instances)
        asks = [Ask(self.universal, self.variant, "first", one) for one in decoded[: len(points)] if one is not None]
        records = iter((yield asks) if asks else ())
        fresh = []
        for u, instance in zip(points, decoded, strict=False):
            record = next(records) if instance is not None else None
            values = record.values if record is not None and record.status == "ok" else None
            rank = self.yardstick.rank(values) if values is not None else LAST
            message = record.message if record is not None else ""
            fresh.append(Trial(u, instance, stage, self.seed, rank, values, message))
        self.trials += fresh
        return fresh


@final
@dataclass(slots=True, eq=False)
class _Lane:
    """One Nelder-Mead search: the point that it waits for, and how many more it may ask for."""

    steps: Generator[np.ndarray, Rank, None]
    point: np.ndarray
    left: int

    def advance(self, rank: Rank) -> bool:
        """Hand over the rank of its point; whether it goes on."""
        self.left -= 1
        if self.left <= 0:
            return False
        try:
            self.point = self.steps.send(rank)
        except StopIteration:
            return False
        return True

"""The attack on one universal claim: search, certificates, shrinking, and the same search on its control."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import final

from unifiedscore.study.attack.certify import MOST, Certificate, certify
from unifiedscore.study.attack.evaluate import Ask
from unifiedscore.study.attack.explore import Exploration, Trial
from unifiedscore.study.attack.shrink import Shrunk, shrink
from unifiedscore.study.attack.space import Instance
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.records import Record

BUDGET = {"quick": 300, "standard": 10_000, "full": 200_000}
SEEDS = {"quick": 1, "standard": 1, "full": 5}
Steps = Generator[list[Ask], list[Record], None]


@final
@dataclass(slots=True, eq=False)
class Attack:
    """What is asked of one universal claim, and what came of it once `steps` has run to its end.

    Attributes
    ----------
    trials : dict of str to list of Trial
        Of the claim, over all seeds, and of its control.
    certificates : list of Certificate
        What the second route said of the claim's candidates, the largest margin first.
    shrunk : Shrunk or None
        The counterexample made simple.
    control : Certificate or None
        The first certified counterexample to the control, and how many evaluations it took.
    """

    universal: Universal
    budget: int
    seed: int = 0
    seeds: int = 1
    shrink: bool = True
    siblings: Sequence[Instance] = ()
    trials: dict[str, list[Trial]] = field(default_factory=lambda: {"claim": [], "control": []})
    certificates: list[Certificate] = field(default_factory=list)
    shrunk: Shrunk | None = None
    control: Certificate | None = None

    def steps(self) -> Steps:
        """Yield batches of evaluations and receive their records."""
        for seed in range(self.seed, self.seed + self.seeds):
            search = self._exploration("claim", seed)
            yield from search.batches()
            self.trials["claim"] += search.trials
        yardstick = self._exploration("claim", self.seed).yardstick
        self.certificates = yield from certify(self.universal, "claim", yardstick, self.trials["claim"])
        certified = [found for found in self.certificates if found.certified]
        if certified and self.shrink:
            self.shrunk = yield from shrink(self.universal, "claim", yardstick, certified[0])
        elif certified:
            self.shrunk = Shrunk(certified[0], (), 0)
        if self.universal.control is not None:
            yield from self.refute_control()

    def _exploration(self, variant, seed: int) -> Exploration:
        # A control that a known instance refutes says nothing of what the search can find by itself.
        known = (self.universal.starts, self.siblings) if variant == "claim" else ((), ())
        return Exploration(self.universal, variant, self.budget, seed, *known)

    def refute_control(self) -> Steps:
        """The same budget on the control, from Sobol points on; it ends once the control is refuted."""
        search, left = self._exploration("control", self.seed), MOST
        batches, records, seen = search.batches(), None, 0
        self.trials["control"] = search.trials
        while True:
            try:
                asks = batches.send(records)
            except StopIteration:
                asks = None
            fresh, seen = search.trials[seen:], len(search.trials)
            if left:
                found = yield from certify(self.universal, "control", search.yardstick, fresh, most=min(left, 3))
                left -= len(found)
                self.control = next((entry for entry in found if entry.certified), None)
            if self.control is not None or asks is None:
                batches.close()
                return
            records = yield asks

"""Claims of study and derivation files, judged on demand and once: what the pytest plugin asks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from unifiedscore.errors import InputError, StudyError, UnknownNameError
from unifiedscore.inference import Key, Verdict
from unifiedscore.ledger.words import spoken
from unifiedscore.profiles import PROFILES
from unifiedscore.study.attack.run import attack_studies
from unifiedscore.study.discover import FoundDerivation, FoundStudy, derivations_in, find_files, studies_in
from unifiedscore.study.extending import measure_until_decided
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.reproduce import MOST_SEEDS
from unifiedscore.study.runner import borrow_records, measure_studies
from unifiedscore.study.settings import RunSettings
from unifiedscore.study.study import Study
from unifiedscore.validate import integer
from unifiedscore.verify.proving import DERIVATION_SECONDS, prove_all
from unifiedscore.verify.routine import Judged


@final
@dataclass(frozen=True, slots=True)
class Judgement:
    """All that one file claims: verdicts, claims that wait for a larger profile, cells that failed."""

    verdicts: Mapping[Key, Verdict] = field(default_factory=dict)
    waiting: Mapping[Key, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


@final
class ClaimJudge:
    """Runs a study the first time one of its verdicts is asked for, and remembers.

    Parameters
    ----------
    out : path
        Results folder.
    seed : int
        Root of every cell's random stream.
    executor : concurrent.futures.Executor, optional
        Where cells run and derivations are proved; by default local processes.
    measured : path, optional
        Another results folder. What it records of the present code is used rather than measured again.
    cell_timeout, derivation_timeout : float, optional
        Seconds.
    until_decided : bool
        Whether seeds are added until Monte Carlo claims are decided, to no more than `most_seeds`.
    most_seeds : int

    Attributes
    ----------
    borrowed : dict of str to int
        Cells of each study whose records came from `measured`.
    """

    def __init__(
        self,
        out: Path,
        *,
        seed: int = 0,
        executor: Executor | None = None,
        measured: Path | None = None,
        cell_timeout: float | None = None,
        derivation_timeout: float = DERIVATION_SECONDS,
        until_decided: bool = False,
        most_seeds: int = MOST_SEEDS,
    ):
        self.settings = RunSettings(
            out=out, seed=seed, executor=executor, cell_timeout=cell_timeout, until_decided=until_decided
        )
        self.most_seeds = integer(most_seeds, "most_seeds")
        self.measured, self.borrowed = measured, dict[str, int]()
        self.derivation_timeout = derivation_timeout
        self._known: dict[tuple[Path, str, bool], Judgement] = {}

    def judgement(self, path: Path, *, profile: str, until_decided: bool | None = None) -> Judgement:
        """Everything on one study or derivation file; `until_decided` as this judge has it, unless it is given."""
        key = Path(path).resolve(), profile, self.settings.until_decided if until_decided is None else until_decided
        if key not in self._known:
            # A study is judged as on the command line, whatever the caller makes of warnings.
            with warnings.catch_warnings():
                warnings.resetwarnings()
                self._known[key] = self._judge(*key)
        return self._known[key]

    def verdict(
        self,
        path: Path,
        claim: str,
        *,
        regime: str | None = None,
        profile: str = "quick",
        until_decided: bool | None = None,
    ) -> Verdict | None:
        """The verdict on one claim; None where it waits for a larger profile.

        Raises
        ------
        UnknownNameError
            The file makes no such claim, or not in this regime.
        InputError
            It makes several: `regime` must say which.
        StudyError
            Cells failed.
        """
        judgement = self.judgement(path, profile=profile, until_decided=until_decided)
        keys = [*judgement.verdicts, *judgement.waiting]
        of_claim = [key for key in keys if key[0] == claim]
        if not of_claim and judgement.failures:
            raise StudyError(_failed(path, judgement))
        if not of_claim:
            raise UnknownNameError("claim", claim, {key[0] for key in keys})
        chosen = [key for key in of_claim if regime in (None, key[1])]
        if not chosen:
            raise UnknownNameError(f"regime of {claim}", regime, {key[1] for key in of_claim})
        if len(chosen) > 1:
            names = ", ".join(repr(key[1]) for key in chosen)
            raise InputError(f"{claim} is claimed in several regimes ({names}); say which one with regime=")
        return self.by_key(path, chosen[0], profile=profile, until_decided=until_decided)

    def by_key(self, path: Path, key: Key, *, profile: str, until_decided: bool | None = None) -> Verdict | None:
        """The verdict with this claim, regime and evidence; None where it waits for a larger profile."""
        judgement = self.judgement(path, profile=profile, until_decided=until_decided)
        if judgement.failures:
            raise StudyError(_failed(path, judgement))
        return judgement.verdicts.get(key)

    def _borrow(self, studies: Iterable[Study], settings: RunSettings) -> None:
        """Use what an earlier run has measured and recorded elsewhere."""
        if self.measured is None:
            return
        for study in studies:
            count = borrow_records(study, self.measured, settings)
            if count:
                self.borrowed[study.name] = self.borrowed.get(study.name, 0) + count

    @contextmanager
    def _executor(self) -> Iterator[Executor]:
        if self.settings.executor is not None:
            yield self.settings.executor
            return
        with LocalPool() as pool:
            yield pool

    def _judge(self, path: Path, profile: str, until_decided: bool) -> Judgement:
        verdicts: dict[Key, Verdict] = {}
        waiting: dict[Key, str] = {}
        failures: list[str] = []
        if is_study(path):
            found = studies_in(path)
            settings = replace(self.settings, profile=profile, until_decided=until_decided)
            studies = [item.study for item in found]
            self._borrow(studies, settings)
            if until_decided:
                datasets = measure_until_decided(studies, settings, most_seeds=self.most_seeds)
            else:
                datasets = measure_studies(studies, settings)
            searches = attack_studies(studies, settings)
            for item, dataset in zip(found, datasets, strict=True):
                judged = Judged(self.settings.seed)
                judged.add_study(item, dataset, claim=None)
                judged.add_searches(item, searches.get(item.study.name, {}), claim=None)
                verdicts |= {verdict.key: verdict for verdict in judged.verdicts}
                claims = (*item.study.claims, *item.study.universals)
                keys = {claim.key[:2]: claim.key for claim in claims}
                waiting |= {keys[entry.claim, entry.regime]: entry.profile for entry in judged.not_run}
                failures += [f"{cell.where}: {cell.message}" for cell in judged.failed_cells]
        else:
            judged = Judged(self.settings.seed)
            found = derivations_in(path)
            with self._executor() as executor:
                for item, result in prove_all(found, executor, self.settings.seed, seconds=self.derivation_timeout):
                    judged.add_derivation(item, result)
            verdicts |= {verdict.key: verdict for verdict in judged.verdicts}
            failures += [cell.message for cell in judged.failed_cells]
        return Judgement(verdicts, waiting, tuple(failures))


def claim_files(paths: list[str]) -> list[Path]:
    """The study and derivation files below `paths`, as the command line finds them."""
    found = find_files(paths, kinds=("studies", "derivations"))
    files = [*found["studies"], *found["derivations"]]
    if not files:
        raise InputError(f"nothing found below {', '.join(paths)}: expected study_*.py or derive_*.py")
    return files


def is_study(path: Path) -> bool:
    """Whether a file holds studies rather than derivations."""
    return not Path(path).name.startswith("derive_")


def claims_in(path: Path) -> list[tuple[Key, str]]:
    """Every claim that a file makes, with the profile that judges it, without running anything."""
    found: list[FoundStudy] | list[FoundDerivation]
    if is_study(path):
        found = studies_in(path)
        return [(claim.key, claim.profile) for item in found for claim in (*item.study.claims, *item.study.universals)]
    found = derivations_in(path)
    return [(item.derivation.key, PROFILES[0]) for item in found]


def explain(verdict: Verdict) -> str:
    """Why a verdict is not what its claim expects, in a few lines; empty where it is."""
    if verdict.as_expected:
        return ""
    outcome, expected = spoken(verdict.outcome), spoken(verdict.expected)
    lines = [f"{verdict.name}: {outcome}, where {expected} was expected", f"  claim: {verdict.statement}"]
    lines.append(f"  verdict: {verdict.reason}")
    if verdict.control_outcome is None and outcome == expected:
        lines.append("  a claim expected supported needs a control, and none was judged")
    elif verdict.control_outcome not in (None, "refuted"):
        mutation = (verdict.control_detail or {}).get("mutation", "unnamed")
        lines.append(f"  its control ({mutation}) must be refuted; got {spoken(verdict.control_outcome)}")
    if counterexample := (verdict.search or {}).get("counterexample"):
        lines += ["  counterexample:", *(f"    {line}" for line in counterexample["code"].splitlines())]
    lines.append(f"  {verdict.reproduce}")
    return "\n".join(lines)


def _failed(path: Path, judgement: Judgement) -> str:
    shown = "; ".join(judgement.failures[:3])
    more = f"; and {len(judgement.failures) - 3} more" if len(judgement.failures) > 3 else ""
    return f"{Path(path).name}: {len(judgement.failures)} failed: {shown}{more}"

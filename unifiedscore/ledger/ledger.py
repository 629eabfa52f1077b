"""The ledger: what was claimed, what came out, what was not run, what failed; and the exit code that follows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from unifiedscore import __version__
from unifiedscore.atomic import make_folder, write_atomic
from unifiedscore.errors import FileError, InputError, StudyError, UnknownNameError
from unifiedscore.inference import REFUTE_LEVEL, Verdict
from unifiedscore.inference.verdict import CONTROL_KINDS
from unifiedscore.ledger.part import Part
from unifiedscore.ledger.schema import SCHEMA_VERSION, check_ledger
from unifiedscore.output import encoded
from unifiedscore.reading import read_json
from unifiedscore.study.unjudged import FailedCell, NotRun

FILE = "ledger.json"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every verdict of a run, and what the run left without one.

    `Ledger.read(path)` gives the ledger of a results folder, or any other ledger.json.

    Parameters
    ----------
    profile, root_seed
        Of the run.
    package_version : str
        Of the package that judged; by default this one.
    verdicts : tuple of Verdict
    not_run : tuple of NotRun
        Claims that wait for a larger profile.
    failed_cells : tuple of FailedCell
    stale : tuple of str
        Studies judged on data that another version of their file or of the engine measured.
    runs : mapping, optional
        Study to the stamp of the run that was judged; see `unifiedscore.study.stamp`.
    maps : mapping, optional
        Name of a map to the part of its area with each outcome and nine points of its boundary.
    until_decided : bool
        Whether the Monte Carlo verdicts are those of looks at more and more seeds; the looks of a verdict say so too.

    Raises
    ------
    StudyError
        Two verdicts have the same key (claim, regime, evidence).

    Examples
    --------
    >>> import unifiedscore as us
    >>> ledger = us.ledger.Ledger.read("results")                                # doctest: +SKIP
    >>> [verdict.name for verdict in ledger.verdicts if verdict.outcome == "refuted"]  # doctest: +SKIP
    ['drift.highdim_relative (equal_means)']
    >>> ledger = Ledger(profile="quick", root_seed=0)
    >>> ledger.exit_code, ledger.family_wise_bound
    (1, 0.0)
    >>> Ledger.from_json(ledger.to_json()) == ledger
    True
    """

    profile: str
    root_seed: int
    package_version: str = __version__
    verdicts: tuple[Verdict, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    failed_cells: tuple[FailedCell, ...] = ()
    stale: tuple[str, ...] = ()
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    maps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    until_decided: bool = False

    def __post_init__(self):
        for name in ("verdicts", "not_run", "failed_cells"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "stale", tuple(sorted(set(self.stale))))
        looked = self.until_decided or any(verdict.looks is not None for verdict in self.verdicts)
        object.__setattr__(self, "until_decided", looked and self.monte_carlo_verdicts > 0)
        twice = sorted(key for key, count in Counter(verdict.key for verdict in self.verdicts).items() if count > 1)
        if twice:
            raise StudyError(
                f"two verdicts have the same claim, regime and evidence: {twice}; name their regimes apart"
            )

    @property
    def run(self) -> dict[str, Any]:
        """Profile, root seed and package version: verdicts of one ledger belong to one run."""
        return {name: getattr(self, name) for name in ("profile", "root_seed", "package_version")}

    def belongs_with(self, other: Ledger) -> bool:
        """Whether the verdicts of both may stand in one ledger: of one run, and with one plan for the seeds.

        Monte Carlo verdicts at the profile's seeds and those of looks do not: to have had both to choose from adds up
        their error rates. Where one of the two has none, there is nothing to mix.
        """
        plans = {ledger.until_decided for ledger in (self, other) if ledger.monte_carlo_verdicts}
        return self.run == other.run and len(plans) < 2

    @property
    def monte_carlo_verdicts(self) -> int:
        """How many verdicts rest on Monte Carlo evidence."""
        return sum(verdict.evidence == "monte_carlo" for verdict in self.verdicts)

    @property
    def family_wise_bound(self) -> float:
        """K (1 - REFUTE_LEVEL): the bound on the chance of any wrong refutation among the K Monte Carlo verdicts."""
        return round(self.monte_carlo_verdicts * (1 - REFUTE_LEVEL), 12)

    @property
    def differing(self) -> tuple[Verdict, ...]:
        """The verdicts that are not as their claims expect, or whose control was not refuted."""
        return tuple(verdict for verdict in self.verdicts if not verdict.as_expected)

    @property
    def changed_after_a_run(self) -> tuple[Verdict, ...]:
        """The verdicts on claims that were changed after a run, each with its finding."""
        return tuple(verdict for verdict in self.verdicts if verdict.finding)

    @property
    def controls(self) -> dict[str, int]:
        """How many verdicts have a control of each kind, in the order of `CONTROL_KINDS`.

        The kind is empty in ledgers from before it was stored.
        """
        counts = Counter(verdict.control_kind for verdict in self.verdicts)
        return {kind: counts[kind] for kind in (*CONTROL_KINDS, "") if counts[kind]}

    @property
    def inequalities(self) -> tuple[Verdict, ...]:
        """The verdicts that uphold an inequality and say how near to its bound the worst cell comes."""
        upheld = (verdict for verdict in self.verdicts if verdict.outcome in ("supported", "survived"))
        return tuple(verdict for verdict in upheld if verdict.sharpness is not None)

    @property
    def exit_code(self) -> int:
        """0: every verdict as expected and every control refuted; 1: some verdict differs, is stale, or there is
        none; 3: a cell failed.
        """
        if self.failed_cells:
            return 3
        return 1 if self.stale or not self.verdicts or self.differing else 0

    def of_claim(self, claim: str) -> tuple[Verdict, ...]:
        """The verdicts on one claim, in all its regimes.

        Raises
        ------
        UnknownNameError
            The ledger holds no verdict on it.
        """
        found = tuple(verdict for verdict in self.verdicts if verdict.claim == claim)
        if not found:
            raise UnknownNameError("claim", claim, {verdict.claim for verdict in self.verdicts})
        return found

    def merge(self, old: Ledger, part: Part) -> Ledger:
        """This ledger of a part of the studies, and what `old` holds on all that the part did not judge again."""
        judged = {verdict.key for verdict in self.verdicts}
        kept = tuple(v for v in old.verdicts if v.key not in judged and not part.judges(v))
        rest = {verdict.study for verdict in kept} - part.studies
        return replace(
            self,
            verdicts=kept + self.verdicts,
            not_run=tuple(entry for entry in old.not_run if not part.covers(entry)) + self.not_run,
            failed_cells=tuple(cell for cell in old.failed_cells if not part.measures(cell)) + self.failed_cells,
            stale=(*self.stale, *rest.intersection(old.stale)),
            runs={study: run for study, run in old.runs.items() if study in rest} | dict(self.runs),
            until_decided=self.until_decided or old.until_decided,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: what `write` writes."""
        return {
            "schema_version": SCHEMA_VERSION,
            **self.run,
            **({"until_decided": True} if self.until_decided else {}),
            "monte_carlo_verdicts": self.monte_carlo_verdicts,
            "family_wise_bound": self.family_wise_bound,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "not_run": [entry.to_json() for entry in self.not_run],
            "failed_cells": [cell.to_json() for cell in self.failed_cells],
            "stale": list(self.stale),
            **({"runs": {study: dict(run) for study, run in self.runs.items()}} if self.runs else {}),
            **({"maps": {name: dict(entry) for name, entry in self.maps.items()}} if self.maps else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, source: str | Path = "this") -> Ledger:
        """The ledger that `to_json` wrote; `source` names it in messages.

        The number of Monte Carlo verdicts and the bound are counted again, not believed.

        Raises
        ------
        FileError
            Something is missing or of the wrong kind.
        """
        check_ledger(data, source)
        verdicts = []
        for position, entry in enumerate(data["verdicts"]):
            try:
                verdicts.append(Verdict.from_json(entry))
            except InputError as error:
                raise FileError(f"{source} is not a ledger: verdicts[{position}]: {error}") from None
        try:
            return cls(
                profile=data["profile"],
                root_seed=data["root_seed"],
                package_version=data["package_version"],
                verdicts=tuple(verdicts),
                not_run=tuple(map(NotRun.from_json, data["not_run"])),
                failed_cells=tuple(map(FailedCell.from_json, data["failed_cells"])),
                stale=tuple(data.get("stale", ())),
                runs=data.get("runs", {}),
                maps=data.get("maps", {}),
                until_decided=data.get("until_decided", False),
            )
        except StudyError as error:
            raise FileError(f"{source} is not a ledger: {error}") from None

    def write(self, out: str | Path) -> Path:
        """Write `<out>/ledger.json` atomically."""
        path = Path(out) / FILE
        make_folder(path.parent)
        text = json.dumps(self.to_json(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_atomic(path, encoded(text))
        return path

    @classmethod
    def read(cls, path: str | Path) -> Ledger:
        """Read a ledger.json, or the one in a results folder.

        Raises
        ------
        FileError
            There is none, or the file is damaged or something else.
        """
        path = Path(path)
        # A file that is named may be a link; in a folder that is named, none is followed.
        named = path.suffix == ".json" and not path.is_dir()
        below, path = (None, path) if named else (path, path / FILE)
        try:
            data = read_json(path, below=below)
        except FileError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            raise FileError(f"{error}; unifiedscore verify or judge writes a {FILE}") from error.__cause__
        return cls.from_json(data, source=path)

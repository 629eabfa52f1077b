"""What a call judges of a project: all of it, some files, or one claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.inference import Verdict
from unifiedscore.study.attack.universal import SEARCH
from unifiedscore.study.discover import Found
from unifiedscore.study.unjudged import FailedCell, NotRun


@final
@dataclass(frozen=True, slots=True)
class Part:
    """What a call judges: studies by name, derivations by claim and by file, perhaps of one claim alone."""

    studies: frozenset[str]
    proofs: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    claim: str | None = None
    searches: bool = False  # universal claims alone

    @classmethod
    def of(cls, found: Found, claim: str | None = None, *, searches: bool = False) -> Part:
        """All that was found, or one claim of it, or its universal claims alone."""
        return cls(
            frozenset(item.study.name for item in found.studies),
            frozenset(item.derivation.claim for item in found.derivations),
            frozenset(item.path.stem for item in found.derivations),
            claim,
            searches,
        )

    def covers(self, entry: Verdict | NotRun) -> bool:
        """Whether the entry is on a study and a claim of this part."""
        if self.searches and getattr(entry, "evidence", SEARCH) != SEARCH:
            return False
        return entry.study in self.studies and self.claim in (None, entry.claim)

    def judges(self, verdict: Verdict) -> bool:
        """Whether the part judges what this verdict judged, by a study or by a proof."""
        return self.covers(verdict) or (verdict.evidence == "symbolic" and verdict.claim in self.proofs)

    def measures(self, cell: FailedCell) -> bool:
        """Whether the part measures this cell, or proves what this file proves."""
        if self.searches and "instance" not in cell.cell:
            return False
        return cell.study in self.studies | self.files

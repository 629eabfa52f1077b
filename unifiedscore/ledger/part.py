"""What a call judges of a project: all of it, some files, or one claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.inference import Verdict
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

    @classmethod
    def of(cls, found: Found, claim: str | None = None) -> Part:
        """All that was found, or one claim of it."""
        return cls(
            frozenset(item.study.name for item in found.studies),
            frozenset(item.derivation.claim for item in found.derivations),
            frozenset(item.path.stem for item in found.derivations),
            claim,
        )

    def covers(self, entry: Verdict | NotRun) -> bool:
        """Whether the entry is on a study and a claim of this part."""
        return entry.study in self.studies and self.claim in (None, entry.claim)

    def judges(self, verdict: Verdict) -> bool:
        """Whether the part judges what this verdict judged, by a study or by a proof."""
        return self.covers(verdict) or (verdict.evidence == "symbolic" and verdict.claim in self.proofs)

    def measures(self, cell: FailedCell) -> bool:
        """Whether the part measures this cell, or proves what this file proves."""
        return cell.study in self.studies | self.files

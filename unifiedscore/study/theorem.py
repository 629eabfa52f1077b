"""A theorem: what its claims, one per regime, have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, final

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.verdict import Evidence, Outcome
from unifiedscore.study.claim import Claim, Control, Hypothesis


@final
@dataclass(frozen=True, slots=True)
class Theorem:
    """Everything about a theorem that holds in each of its regimes, written once.

    Use when several claims share an id, a statement or a source. `claim` makes one claim of it.

    Parameters
    ----------
    id, statement, source, evidence, variable, test, where, minus, regime, expect, control, hypotheses, profile,
    finding, sharpness
        The fields of `Claim`. What is left out here is given to `claim`.

    Examples
    --------
    >>> from unifiedscore.study import Control, Inside
    >>> mean = Theorem("demo.mean", "The mean is one.", "derived here", "monte_carlo", "mean", Inside(0.9, 1.1))
    >>> near = mean.claim(regime="near", where={"distance": 1}, control=Control("two", test=Inside(1.9, 2.1)))
    >>> far = mean.claim(regime="far", where={"distance": 9}, expect="refuted")
    >>> near.statement == far.statement
    True
    """

    id: str | None = None
    statement: str | None = None
    source: str | None = None
    evidence: Evidence | None = None
    variable: str | None = None
    test: AbstractTest | None = None
    where: Mapping[str, Any] | None = None
    minus: Mapping[str, Any] | None = None
    regime: str | None = None
    expect: Outcome | None = None
    control: Control | None = None
    hypotheses: tuple[Hypothesis, ...] | None = None
    profile: str | None = None
    finding: str | None = None
    sharpness: str | None = None

    def claim(self, **given) -> Claim:
        """The claim of this theorem in one regime.

        Parameters
        ----------
        **given
            Fields of `Claim`. A field given here replaces the theorem's own, whole: a `where` is not merged, and
            None takes away what the theorem says.

        Returns
        -------
        Claim

        Raises
        ------
        InputError
            A field is unknown, missing or not valid.
        """
        names = [field.name for field in fields(Claim)]
        for name in given:
            if name not in names:
                raise UnknownNameError("field of a claim", name, names)
        own = {name: getattr(self, name) for name in names}
        stated = {name: value for name, value in (own | given).items() if value is not None}
        missing = [name for name in names[:6] if name not in stated]
        if missing:
            raise InputError(f"{self._name()}: give {', '.join(missing)} to the theorem or to claim(...)")
        return Claim(**stated)

    def _name(self) -> str:
        return "a theorem without an id" if self.id is None else f"theorem {self.id!r}"

"""What a study states before it runs: variables, hypotheses, controls, claims."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import plain, read_end
from unifiedscore.inference.verdict import Evidence, Key, Outcome, claim_name
from unifiedscore.profiles import PROFILES
from unifiedscore.validate import sequence, shown


@dataclass(frozen=True, slots=True)
class Variable:
    """One stored quantity of a study.

    Parameters
    ----------
    long_name, units, symbol : str
        As they are stored in the netCDF file and printed on figures. `long_name` is a phrase that is understood alone.
    error : str, optional
        Name of the variable that holds its numerical error; `<name>_error` is used if it exists and this is None.
    dims, coords
        Fixed-length extra dimensions and their labels, for measurements that are arrays.

    Examples
    --------
    >>> Variable("Relative squared error", error="relative_error").units
    '1'
    """

    long_name: str
    units: str = "1"
    symbol: str = ""
    error: str | None = None
    dims: tuple[str, ...] = ()
    coords: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        _text(self.long_name, "Variable: long_name")
        for name in ("units", "symbol"):
            _string(getattr(self, name), f"variable {self.long_name!r}: {name}")
        if self.error is not None:
            _text(self.error, f"variable {self.long_name!r}: error")
        dims = (self.dims,) if isinstance(self.dims, str) else self.dims
        if not isinstance(dims, tuple | list) or not all(isinstance(dim, str) for dim in dims):
            raise InputError(f"variable {self.long_name!r}: dims must be a tuple of names; got {shown(dims)}")
        dims = tuple(dims)
        object.__setattr__(self, "dims", dims)
        object.__setattr__(self, "coords", _mapping(self.coords, f"variable {self.long_name!r}: coords"))
        unknown = sorted(set(self.coords) - set(dims))
        if unknown:
            raise InputError(f"variable {self.long_name!r}: coords name {unknown}, which are not among its dims {dims}")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A condition of a theorem, measured: `low <= median over seeds <= high` in every cell of the claim.

    Use of="mean" where the condition is about an expectation, such as E|x|^2: the median of skewed replicates is
    another number.

    Examples
    --------
    >>> Hypothesis("common norm R0", "norm_ratio", low=0.9, high=1.1).variable
    'norm_ratio'
    """

    name: str
    variable: str
    low: float = -math.inf
    high: float = math.inf
    of: Literal["median", "mean"] = "median"

    def __post_init__(self):
        _text(self.name, "Hypothesis: name")
        _choice(self.of, ("median", "mean"), f"hypothesis {self.name!r}: of")
        _text(self.variable, f"hypothesis {self.name!r}: variable")
        for name in ("low", "high"):
            read_end(getattr(self, name), f"hypothesis {self.name!r}: {name}")
        if not self.low <= self.high:
            raise InputError(
                f"hypothesis {self.name!r} needs low <= high; got {plain(self.low)!r} and {plain(self.high)!r}"
            )
        if self.low == -math.inf and self.high == math.inf:
            raise InputError(f"hypothesis {self.name!r} always holds: give it a finite low or high")


@dataclass(frozen=True, slots=True)
class Control:
    """The claim with exactly one thing made wrong; judged by the same code, it must come out refuted.

    Parameters
    ----------
    mutation : str
        What was made wrong, in words.
    variable, where, test
        Exactly one of them: a wrong measurement, a wrong law (updates the claim's `where`), a wrong prediction.

    Examples
    --------
    >>> Control("fields from independent samples", where={"estimator": "split_sample"}).mutation
    'fields from independent samples'
    """

    mutation: str
    variable: str | None = None
    where: Mapping[str, Any] | None = None
    test: AbstractTest | None = None

    def __post_init__(self):
        _text(self.mutation, "Control: mutation")
        given = [name for name in ("variable", "where", "test") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(
                f"control {self.mutation!r} must replace exactly one of variable, where and test, or nobody knows "
                f"which of them refuted it; got {' and '.join(given) or 'none'}"
            )
        if self.variable is not None:
            _text(self.variable, f"control {self.mutation!r}: variable")
        if self.where is not None:
            where = _mapping(self.where, f"control {self.mutation!r}: where")
            if not where:
                raise InputError(f"control {self.mutation!r}: where is empty, so the control would be the claim itself")
            object.__setattr__(self, "where", where)
        if self.test is not None:
            _test(self.test, f"control {self.mutation!r}")

    @property
    def kind(self) -> str:
        """What it changes: "measurement", "law", or the region alone, which shows no more than "resolution only"."""
        if self.test is not None:
            return "resolution only"
        return "law" if self.variable is None else "measurement"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a theorem in one regime, the test that decides it, and the outcome expected from theory.

    Parameters
    ----------
    id : str
        Dotted name, the same in every regime.
    statement : str
        A sentence that is understood alone and names its regime.
    source : str
    evidence : {"exact", "quadrature", "monte_carlo"}
        Symbolic evidence comes from a `Derivation`.
    variable : str
        The stored variable that is tested.
    test : AbstractTest
    where : mapping
        Label, list of labels or slice (both ends included) per axis. Axes not named are left whole.
    minus : mapping
        Subtract the same variable at these labels, cell by cell (paired difference).
    regime : str
    expect : outcome
        Written before the run.
    control : Control, optional
        Needed where `expect` is "supported"; refused where it is "refuted" (a sibling regime plays its part) or
        "not_applicable".
    hypotheses : tuple of Hypothesis
    profile : {"quick", "standard", "full"}
    finding : str
        What was found and how it was checked twice, where `expect` was changed after a run.
    sharpness : str
        Where the claim is an inequality: the variable that holds the ratio of its two sides, smaller over larger; the
        claim's own if that is what it tests. Its largest value over the cells is how near to the bound the worst of
        them comes, and stands in the ledger: 1 where the bound is attained.

    Raises
    ------
    InputError
        Naming the claim and the argument.

    Examples
    --------
    >>> from unifiedscore.inference import Inside
    >>> claim = Claim("demo.mean", "The mean is one.", "derived here", "monte_carlo", "mean", Inside(0.9, 1.1),
    ...               control=Control("predict two", test=Inside(1.9, 2.1)))
    >>> claim.expect
    'supported'
    """

    id: str
    statement: str
    source: str
    evidence: Evidence
    variable: str
    test: AbstractTest
    where: Mapping[str, Any] = field(default_factory=dict)
    minus: Mapping[str, Any] = field(default_factory=dict)
    regime: str = ""
    expect: Outcome = "supported"
    control: Control | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    profile: str = "quick"
    finding: str = ""
    sharpness: str = ""

    def __post_init__(self):
        _text(self.id, "Claim: id")
        _string(self.regime, f"claim {self.id!r}: regime")
        name = claim_name(f"claim {self.id!r}", self.regime)
        for attribute in ("statement", "source", "variable"):
            _text(getattr(self, attribute), f"{name}: {attribute}")
        if any(character.isspace() for character in self.id):
            raise InputError(f"{name}: id must hold no blanks, so that `--claim` can name it")
        _choice(self.evidence, get_args(Evidence), f"{name}: evidence")
        _choice(self.expect, get_args(Outcome), f"{name}: expect")
        _choice(self.profile, PROFILES, f"{name}: profile")
        _test(self.test, name)
        if self.evidence == "symbolic":
            raise InputError(f"{name}: evidence 'symbolic' is for proofs; write a Derivation, or call it 'exact'")
        object.__setattr__(self, "where", _mapping(self.where, f"{name}: where"))
        object.__setattr__(self, "minus", _mapping(self.minus, f"{name}: minus"))
        for attribute in ("finding", "sharpness"):
            _string(getattr(self, attribute), f"{name}: {attribute}")
        hypotheses = sequence(self.hypotheses, f"{name}: hypotheses", "Hypothesis objects")
        if not all(isinstance(entry, Hypothesis) for entry in hypotheses):
            raise InputError(f"{name}: hypotheses must be Hypothesis objects; got {shown(hypotheses)}")
        object.__setattr__(self, "hypotheses", hypotheses)
        for axis, label in self.minus.items():
            if isinstance(label, slice | list | tuple | range) or getattr(label, "ndim", 0):
                raise InputError(f"{name}: minus needs one label per axis; got {shown(label)} for axis {axis!r}")
        self._check_tests(name)
        self._check_control(name)

    @property
    def key(self) -> Key:
        """(claim, regime, evidence): what identifies a claim, as it does its verdict."""
        return self.id, self.regime, self.evidence

    @property
    def name(self) -> str:
        """The id, with the regime where there is one."""
        return claim_name(self.id, self.regime)

    def _check_tests(self, name: str):
        kind = type(self.test).__name__
        control = self.control.test if isinstance(self.control, Control) else None
        for test in (self.test, control):
            if test is not None and test.needs_exact_evidence and self.evidence != "exact":
                raise InputError(f"{name}: {type(test).__name__} needs exact evidence; got {shown(self.evidence)}")
        if self.test.axis == "seed":
            raise InputError(f"{name}: seeds are replicates, a test cannot run along them; choose another axis")
        if self.test.scale_variable is not None and self.minus:
            raise InputError(f"{name}: {kind} tests a residual; minus is for values (store the difference instead)")

    def _check_control(self, name: str):
        if self.control is not None and not isinstance(self.control, Control):
            raise InputError(f"{name}: control must be a Control; got {shown(self.control)}")
        if self.expect == "supported" and self.control is None:
            raise InputError(f"{name}: expected supported but without a control; say what would have refuted it")
        if self.expect == "refuted" and self.control is not None:
            raise InputError(
                f"{name}: expected refuted, so it has no control; its power is shown by a sibling regime "
                "(same id and test) expected supported"
            )
        if self.expect == "not_applicable":
            if self.control is not None:
                raise InputError(f"{name}: expected not applicable, so no control is judged; remove it")
            if not self.hypotheses:
                raise InputError(f"{name}: expected not applicable, but it has no hypothesis that could fail")
        if self.control is None:
            return
        if self.control.variable == self.variable:
            raise InputError(f"{name}: the control's variable is the claim's own {self.variable!r}; it tests nothing")
        if self.control.test is not None and self.control.test == self.test:
            raise InputError(f"{name}: the control's test is the claim's own; it tests nothing")


def check_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Check what one claim cannot know alone; returns the claims as a tuple.

    Keys (claim, regime, evidence) are unique, and every claim expected refuted has a sibling regime with the same id
    and test expected supported: without one, a broken measurement would refute it just as well.

    Raises
    ------
    InputError
        Naming the claim.
    """
    claims = tuple(claims)
    for claim in claims:
        if not isinstance(claim, Claim):
            raise InputError(f"claims must be Claim objects; got {shown(claim)}")
    regimes = defaultdict(list)
    seen = set()
    for claim in claims:
        if claim.key in seen:
            raise InputError(f"claim {claim.id!r} appears twice with regime {claim.regime!r} and {claim.evidence}")
        seen.add(claim.key)
        regimes[claim.id].append(claim)
    for claim in claims:
        if claim.expect == "refuted":
            siblings = (s for s in regimes[claim.id] if s.expect == "supported" and s.test == claim.test)
            if next(siblings, None) is None:
                raise InputError(
                    f"claim {claim.id!r} (regime {claim.regime!r}) is expected refuted but has no sibling regime with "
                    "the same id and test expected supported"
                )
    return claims


def _text(value, name: str):
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name} must be a non-empty string; got {shown(value)}")


def _string(value, name: str):
    if not isinstance(value, str):
        raise InputError(f"{name} must be a string; got {shown(value)}")


def _choice(value, allowed, name: str):
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}; got {shown(value)}")


def _test(value, name: str):
    if not isinstance(value, AbstractTest):
        raise InputError(f"{name}: test must be Identity, Inside, Rate, Limit or Proportion; got {shown(value)}")


def _mapping(value, name: str) -> dict:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{name} must map axis names to labels; got {shown(value)}")
    return dict(value)

"""A universal claim: a statement about every instance of a space, and the wrong statement that must be refuted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, final, get_args

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.inference.estimates import read_end
from unifiedscore.inference.verdict import Key, claim_name
from unifiedscore.profiles import PROFILES
from unifiedscore.study.attack.space import Instance, Space
from unifiedscore.study.claim import Hypothesis
from unifiedscore.validate import choice, sequence, shown

Quantity = Callable[[Instance], Mapping[str, float]]
SEARCH = "search"
Attacked = Literal["survived", "refuted"]


@final
@dataclass(frozen=True, slots=True)
class FalseVariant:
    """The claim with exactly one thing made wrong; the same search must refute it, or it had no power.

    The search of a control knows none of the claim's `starts`: it shows what is found without being told.

    Parameters
    ----------
    mutation : str
        What was made wrong, in words.
    region : tuple of float, optional
        A region that is too small: a wrong constant.
    drop : str, optional
        Name of a hypothesis that is left out.
    quantity : callable, optional
        A wrong formula. `second` is then its second route.
    second : callable, optional

    Examples
    --------
    >>> FalseVariant("the constant lowered by 2 %", region=(-math.inf, 0.98)).mutation
    'the constant lowered by 2 %'
    """

    mutation: str
    region: tuple[float, float] | None = None
    drop: str | None = None
    quantity: Quantity | None = None
    second: Quantity | None = None

    def __post_init__(self):
        _text(self.mutation, "FalseVariant: mutation")
        name = f"the false variant {self.mutation!r}"
        given = [part for part in ("region", "drop", "quantity") if getattr(self, part) is not None]
        if len(given) != 1:
            raise InputError(
                f"{name} must change exactly one of region, drop and quantity, or nobody knows which of them refuted "
                f"it; got {' and '.join(given) or 'none'}"
            )
        if self.region is not None:
            object.__setattr__(self, "region", _region(self.region, name))
        for part in ("quantity", "second"):
            if getattr(self, part) is not None and not callable(getattr(self, part)):
                raise InputError(f"{name}: {part} must be a function of an instance; got {shown(getattr(self, part))}")
        if (self.quantity is None) != (self.second is None):
            raise InputError(f"{name}: a wrong quantity needs a second route of its own, and nothing else does")

    @property
    def kind(self) -> str:
        """What it changes: "measurement" (the formula), "law" (which instances count) or "resolution only"."""
        return "measurement" if self.quantity else "law" if self.drop else "resolution only"


@final
@dataclass(frozen=True, slots=True)
class Universal:
    """One sentence "for all instances of a space", which a search tries to refute.

    Parameters
    ----------
    id, statement, source : str
    space : Space
    quantity : callable
        `quantity(instance)` returns a mapping with "value", its numerical "error" and every variable that a hypothesis
        names. It is deterministic. A value of NaN says that nothing is defined there.
    region : tuple of float
        The theorem: every value lies in it. One end may be infinite. Scale the value so that the bound is 1:
        inequalities as ratios in (-inf, 1); with a number as `unit`, signs in (0, inf) and increases in (-inf, 0).
    second : callable
        The same by another route ("value", "error"): only what both refute is a counterexample.
    control : FalseVariant
        Needed where `expect` is "survived"; where it is "refuted", another universal of the same id or space plays its
        part.
    hypotheses : tuple of Hypothesis
        Measured on every instance. One that fails makes it no counterexample.
    regular : tuple of Hypothesis
        For sharpness only: equality outside of them is trivial.
    unit : "log", a number or a name
        Unit of the distance from the region: "log" for ratios, a number, or a variable that `quantity` returns.
    evidence : {"exact", "quadrature"}
        Of one evaluation.
    expect : {"survived", "refuted"}
    regime, profile, finding : str
        As for `Claim`.
    starts : tuple of Instance
        Instances that are known to be hard; they are evaluated first, for ever.
    sharpness : tuple of float, optional
        Pinned after a long search: leaving it is a verdict that differs.
    clear : float
        How far beyond an end of the region, as a factor, a value must lie to count: 1000 for identities, whose
        rounding has no exact constant.

    Examples
    --------
    >>> from unifiedscore.study.attack.parameters import Real
    >>> space = Space(x=Real(-1, 1), y=Real(-1, 1))
    >>> product = lambda instance: {"value": 2 * instance["x"] * instance["y"], "error": 1e-15}
    >>> squares = lambda instance: {
    ...     "value": (instance["x"] + instance["y"]) ** 2 - instance["x"] ** 2 - instance["y"] ** 2,
    ...     "error": 1e-15,
    ... }
    >>> lowered = FalseVariant("the constant lowered by 2 %", region=(-math.inf, 1.96))
    >>> parts = space, product, (-math.inf, 2.0), squares, lowered
    >>> claim = Universal("demo.square", "2xy <= 2 on the square.", "elementary", *parts)
    >>> claim.evidence_of_the_verdict
    'search'
    """

    id: str
    statement: str
    source: str
    space: Space
    quantity: Quantity
    region: tuple[float, float]
    second: Quantity
    control: FalseVariant | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    regular: tuple[Hypothesis, ...] = ()
    unit: str | float = "log"
    evidence: Literal["exact", "quadrature"] = "quadrature"
    expect: Attacked = "survived"
    regime: str = ""
    profile: str = "quick"
    finding: str = ""
    starts: tuple[Instance, ...] = ()
    sharpness: tuple[float, float] | None = None
    clear: float = 1.0

    def __post_init__(self):
        _text(self.id, "Universal: id")
        if any(character.isspace() for character in self.id):
            raise InputError(f"universal {self.id!r}: id must hold no blanks, so that `--claim` can name it")
        _string(self.regime, f"universal {self.id!r}: regime")
        name = claim_name(f"universal {self.id!r}", self.regime)
        for attribute in ("statement", "source"):
            _text(getattr(self, attribute), f"{name}: {attribute}")
        _string(self.finding, f"{name}: finding")
        choice(self.evidence, f"{name}: evidence", ("exact", "quadrature"))
        choice(self.expect, f"{name}: expect", get_args(Attacked))
        choice(self.profile, f"{name}: profile", PROFILES)
        if not isinstance(self.space, Space):
            raise InputError(f"{name}: space must be a Space; got {shown(self.space)}")
        for attribute in ("quantity", "second"):
            if not callable(getattr(self, attribute)):
                raise InputError(f"{name}: {attribute} must be a function of an instance")
        if self.quantity is self.second and self.evidence != "exact":
            raise InputError(f"{name}: second must be another route than quantity, or it certifies nothing")
        object.__setattr__(self, "region", _region(self.region, name))
        for attribute in ("hypotheses", "regular"):
            object.__setattr__(self, attribute, _hypotheses(getattr(self, attribute), f"{name}: {attribute}"))
        _check_unit(self.unit, self.region, self.clear, name)
        self._check_control(name)
        starts = sequence(self.starts, f"{name}: starts", "instances")
        if not all(isinstance(start, Instance) for start in starts):
            raise InputError(f"{name}: starts must be instances of its space, as space.instance(...) makes them")
        object.__setattr__(self, "starts", tuple(self.space.instance(**start.values_given) for start in starts))
        if self.sharpness is not None:
            object.__setattr__(self, "sharpness", _region(self.sharpness, f"{name}: sharpness"))

    @property
    def key(self) -> Key:
        """(claim, regime, "search"): what identifies a universal claim, as it does its verdict."""
        return self.id, self.regime, SEARCH

    @property
    def name(self) -> str:
        """The id, with the regime where there is one."""
        return claim_name(self.id, self.regime)

    @property
    def evidence_of_the_verdict(self) -> str:
        """A search is not a proof, whatever the evidence of one evaluation."""
        return SEARCH

    def _check_control(self, name: str) -> None:
        control = self.control
        if control is not None and not isinstance(control, FalseVariant):
            raise InputError(f"{name}: control must be a FalseVariant; got {shown(control)}")
        if self.expect == "survived" and control is None:
            raise InputError(f"{name}: expected survived but without a control; say what the search would have refuted")
        if self.expect == "refuted" and control is not None:
            raise InputError(
                f"{name}: expected refuted, so it has no control; a universal with the same id or space that is "
                "expected survived shows what is true instead"
            )
        if control is None:
            return
        names = [hypothesis.name for hypothesis in self.hypotheses]
        if control.drop is not None and control.drop not in names:
            raise UnknownNameError(f"hypothesis dropped by the control of {name}", control.drop, names)
        if control.region == self.region or control.quantity is self.quantity:
            raise InputError(f"{name}: the control is the claim itself; it tests nothing")
        if control.region is not None:
            _check_unit(self.unit, control.region, self.clear, f"{name}: the control")


def check_universals(universals: Iterable[Universal]) -> tuple[Universal, ...]:
    """Check what one universal cannot know alone; returns them as a tuple.

    Raises
    ------
    InputError
        Two share a key, or one is expected refuted and none of the same id or space is expected survived.
    """
    universals = tuple(universals)
    seen = set()
    for universal in universals:
        if not isinstance(universal, Universal):
            raise InputError(f"universals must be Universal objects; got {shown(universal)}")
        if universal.key in seen:
            raise InputError(f"universal {universal.id!r} appears twice with regime {universal.regime!r}")
        seen.add(universal.key)
    for universal in universals:
        family = (u for u in universals if u.id == universal.id or u.space is universal.space)
        if universal.expect == "refuted" and all(u.expect == "refuted" for u in family):
            raise InputError(
                f"universal {universal.name} is expected refuted, but none of the same id or space is expected "
                "survived: say what is true instead"
            )
    return universals


def _text(value, name: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name} must be a non-empty string; got {shown(value)}")


def _string(value, name: str) -> None:
    if not isinstance(value, str):
        raise InputError(f"{name} must be a string; got {shown(value)}")


def _region(region, name: str) -> tuple[float, float]:
    if not isinstance(region, list | tuple) or len(region) != 2:
        raise InputError(f"{name}: region must be (low, high); got {shown(region)}")
    low, high = (read_end(end, f"{name}: region") for end in region)
    if not low <= high or (math.isinf(low) and math.isinf(high)):
        raise InputError(f"{name}: region must have low <= high and a finite end; got {shown(region)}")
    return float(low), float(high)


def _hypotheses(given, name: str) -> tuple[Hypothesis, ...]:
    given = sequence(given, name, "Hypothesis objects")
    if not all(isinstance(entry, Hypothesis) for entry in given):
        raise InputError(f"{name} must be Hypothesis objects; got {shown(given)}")
    return given


def _check_unit(unit, region: tuple[float, float], clear: float, name: str) -> None:
    if isinstance(clear, bool) or not isinstance(clear, int | float) or not 1 <= clear < math.inf:
        raise InputError(f"{name}: clear must be a factor of at least 1; got {shown(clear)}")
    if unit == "log":
        if any(math.isfinite(end) and end <= 0 for end in region):
            raise InputError(f"{name}: the unit 'log' is for regions with positive ends; give a number as unit")
    elif isinstance(unit, str):
        _text(unit, f"{name}: unit")
    elif isinstance(unit, bool) or not isinstance(unit, int | float) or not 0 < unit < math.inf:
        raise InputError(f"{name}: unit must be 'log', a positive number or the name of a variable; got {shown(unit)}")

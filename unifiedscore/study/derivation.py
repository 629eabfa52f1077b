"""Derivations: a theorem reduced to zero by SymPy, a mutated one that is not, and the field code beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unifiedscore.errors import InputError, StudyError
from unifiedscore.inference.estimates import no_estimate
from unifiedscore.inference.verdict import SUPPORT_LEVEL, Key, Outcome, Verdict, interval_of
from unifiedscore.study.evaluation import Size, measure_size
from unifiedscore.study.reproduce import reproduce
from unifiedscore.study.trial_points import concrete_function, trial_point
from unifiedscore.validate import generator, instance, positive, shown

if TYPE_CHECKING:
    from sympy import Expr

_POINTS = 3
_TRIES = 12  # poles and undefined values are redrawn


@dataclass(frozen=True, slots=True)
class Derivation:
    """One theorem as `lhs - rhs`, with a control and the comparison with the field code.

    Parameters
    ----------
    claim : str
        Id of the claim.
    residual : callable () -> sympy expression, matrix or list of expressions
        lhs - rhs, which SymPy must reduce to zero.
    control : callable () -> the same
        The residual of a wrong theorem; it must be nonzero at a rational point.
    agrees : callable (Generator) -> float
        |lambdified expression - field code| / (eps scale) at random points.
    statement, source : str
    regime : str
    mutation : str
        What the control makes wrong, in words.
    agreement : float
        The largest value of `agrees` that counts as rounding.

    Raises
    ------
    InputError
        Naming the claim and the argument.

    Examples
    --------
    >>> import sympy
    >>> t = sympy.Symbol("t", real=True)
    >>> d = Derivation("demo.pythagoras", lambda: sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1,
    ...                lambda: sympy.sin(t) ** 2 - sympy.cos(t) ** 2 - 1, lambda rng: 0.5,
    ...                statement="sin^2 + cos^2 = 1")
    >>> judge_derivation(d, np.random.default_rng(0)).outcome
    'supported'
    """

    claim: str
    residual: Callable[[], Expr]
    control: Callable[[], Expr]
    agrees: Callable[[np.random.Generator], float]
    statement: str = ""
    source: str = ""
    regime: str = ""
    mutation: str = ""
    agreement: float = 1e3

    def __post_init__(self):
        if not isinstance(self.claim, str) or not self.claim.strip():
            raise InputError(f"Derivation: claim must be a non-empty string; got {shown(self.claim)}")
        for name in ("residual", "control", "agrees"):
            if not callable(getattr(self, name)):
                raise InputError(f"derivation {self.claim!r}: {name} must be a function; got {getattr(self, name)!r}")
        object.__setattr__(self, "agreement", positive(self.agreement, f"derivation {self.claim!r}: agreement"))

    @property
    def key(self) -> Key:
        """(claim, regime, evidence), as of the verdict."""
        return self.claim, self.regime, "symbolic"


def judge_derivation(derivation: Derivation, rng: np.random.Generator, *, study: str = "derivations") -> Verdict:
    """The symbolic verdict.

    Supported iff SymPy reduces the residual to zero, the field code agrees and the control is refuted. Refuted if the
    residual is nonzero at a point that the assumptions of its symbols allow, whatever its size, or the field code
    differs. Zero at points but not reduced is inconclusive: evaluation is no proof. So are values that rounding, a
    branch cut or an integral without a closed form leaves open, and symbols that no trial number can replace.

    Parameters
    ----------
    derivation : Derivation
    rng : numpy.random.Generator
        Draws the rational points, and the points of `agrees`.
    study : str
        Written into the verdict; the name of the file it came from.

    Raises
    ------
    StudyError
        If one of the three functions raises, or returns no expression or number.
    """
    instance(derivation, "derivation", Derivation)
    generator(rng)
    name = f"derivation {derivation.claim!r}"
    outcome, reason, value = _reduce(_entries(_call(derivation.residual, f"{name}: residual"), name), rng, prove=True)
    if outcome != "refuted":
        difference = _call(lambda: float(derivation.agrees(rng)), f"{name}: agrees")
        bound = f"{difference:.3g} eps scale (at most {derivation.agreement:.3g} is rounding)"
        if math.isnan(difference):
            outcome, reason = "inconclusive", "the comparison with the field code gave NaN"
        elif difference > derivation.agreement:
            outcome, reason = "refuted", f"the field code differs from the lambdified expression by {bound}"
        else:
            reason = f"{reason}; the field code agrees to {bound}"
    wrong, why, at = _reduce(_entries(_call(derivation.control, f"{name}: control"), name), rng, prove=False)
    if wrong != "refuted":
        power = f"the check had no power: its control came out {wrong}: {why}"
        outcome, reason = "inconclusive", f"{reason}; and {power}" if outcome == "inconclusive" else power
    interval = interval_of(no_estimate(""), SUPPORT_LEVEL)
    return Verdict(
        claim=derivation.claim,
        regime=derivation.regime,
        study=study,
        statement=derivation.statement,
        source=derivation.source,
        evidence="symbolic",
        outcome=outcome,
        expected="supported",
        reason=reason,
        estimate=value,
        interval=interval,
        region={"low": 0.0, "high": 0.0},
        control_outcome=wrong,
        control_detail={
            "mutation": derivation.mutation or "the residual of a wrong theorem",
            "estimate": at,
            "interval": interval,
            "reason": why,
        },
        control_kind="measurement",  # the residual of another theorem
        reproduce=reproduce(derivation.claim),
    )


def _call(function: Callable[[], Any], name: str):
    try:
        return function()
    except Exception as error:
        raise StudyError(f"{name} raised {type(error).__name__}: {error}") from error


def _entries(value, name: str) -> list:
    """The scalar expressions of a residual: an expression, a matrix, an equation or a nest of lists of them."""
    import sympy

    if isinstance(value, sympy.Equality):
        value = value.lhs - value.rhs
    if isinstance(value, sympy.logic.boolalg.BooleanAtom | bool):
        raise StudyError(f"{name}: a residual is lhs - rhs, not the truth value {value!r} (Eq evaluates by itself)")
    if isinstance(value, sympy.MatrixBase | sympy.NDimArray):
        value = list(sympy.flatten(value.tolist()))
    if isinstance(value, Iterable) and not isinstance(value, str | sympy.Basic):
        entries = [entry for part in value for entry in _entries(part, name)]
    else:
        try:
            entries = [sympy.sympify(value, strict=True)]
        except sympy.SympifyError:
            raise StudyError(f"{name}: expected a SymPy expression; got {shown(value)}") from None
        if not isinstance(entries[0], sympy.Expr):
            raise StudyError(f"{name}: expected a SymPy expression; got {shown(value)}")
    if not entries:
        raise StudyError(f"{name}: the residual holds no expression")
    return entries


def _reduce(entries: list, rng: np.random.Generator, *, prove: bool) -> tuple[Outcome, str, float]:
    """Outcome, reason and the size that decided it. Points first: they are cheap, and refute."""
    import sympy

    unproved, open_questions = 0, []
    for number, entry in enumerate(entries):
        which = f"entry {number + 1} of {len(entries)} of the residual" if len(entries) > 1 else "the residual"
        exact = not entry.has(sympy.Float)
        if entry == 0 and exact:
            continue
        size, point = _size_at_points(entry, rng)
        if size.state == "nonzero":
            return "refuted", f"{which} is {size.text} at {point} (two evaluations agree)", size.value
        if prove and exact and _is_zero(entry):
            continue
        unproved += 1
        open_questions += [size.text] if size.state == "undecided" else []
        open_questions += [] if exact else ["holds floating-point numbers, which prove nothing: use Rational"]
    if not unproved:
        return "supported", "SymPy reduces the residual to 0", 0.0
    seen = "; ".join(dict.fromkeys(open_questions)) or "is zero at rational points, which proves nothing"
    what = f"{unproved} of {len(entries)} entries of the residual" if len(entries) > 1 else "the residual"
    return "inconclusive", f"SymPy did not reduce {what} to 0; it {seen}", math.nan


def _is_zero(expression) -> bool:
    """Whether one of SymPy's exact rewritings gives 0; the cheap ones come first."""
    import sympy

    rewritings = (
        lambda e: e.doit(),
        sympy.expand,
        lambda e: sympy.cancel(sympy.together(e)),
        lambda e: sympy.expand(sympy.powsimp(sympy.expand(e), force=False)),
        sympy.simplify,
        sympy.trigsimp,
        sympy.radsimp,
        lambda e: sympy.simplify(e.rewrite(sympy.exp)),
        lambda e: sympy.simplify(sympy.expand_func(e)),
        lambda e: sympy.simplify(sympy.expand_log(e)),
        sympy.besselsimp,
        sympy.gammasimp,
        sympy.factor,
        lambda e: sympy.simplify(sympy.hyperexpand(e)),
    )
    for rewrite in rewritings:
        try:
            if rewrite(expression) == 0:
                return True
        except (sympy.PolynomialError, NotImplementedError, TypeError, ValueError, AttributeError):
            continue  # a rewriting that does not know this expression proves nothing
    return False


def _size_at_points(expression, rng: np.random.Generator) -> tuple[Size, str]:
    """The first size that is not zero, with its point; else "zero" if it was so at a point, else why it is undecided.

    Undefined functions become concrete ones: an identity for every profile holds for a polynomial too.
    """
    from sympy.core.function import AppliedUndef

    unknown = Size("undecided", text="could not be evaluated at a rational point")
    calls = expression.atoms(AppliedUndef)
    for function in sorted({call.func for call in calls}, key=str):
        concrete = concrete_function([call for call in calls if call.func == function], rng)
        if concrete is None:
            return Size("undecided", text=f"has no trial function with the assumptions of {function}"), ""
        expression = expression.replace(function, concrete)
    try:
        expression = expression.doit()
    except (NotImplementedError, ValueError, TypeError):
        return unknown, ""
    symbols, zeros = sorted(expression.free_symbols, key=str), 0
    for _ in range(_TRIES if symbols else 1):
        point = trial_point(symbols, rng)
        if isinstance(point, str):
            return Size("undecided", text=point), ""
        try:
            # Substituted together: a number must not meet the assumptions of a symbol that is still there.
            size = measure_size(expression.subs(point, simultaneous=True))
        except (ValueError, TypeError, NotImplementedError, ZeroDivisionError):
            continue
        if size.state == "nonzero":
            return size, ", ".join(f"{symbol}={label}" for symbol, label in point.items()) or "its constant value"
        if size.state == "undecided":
            unknown = size
            continue
        zeros += 1
        if zeros == _POINTS:
            break
    return (Size("zero") if zeros else unknown), ""

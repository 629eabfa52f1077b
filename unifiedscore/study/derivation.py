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
from unifiedscore.validate import generator, instance, positive

if TYPE_CHECKING:
    from sympy import Expr

_DIGITS = 50
_ZERO = 1e-30  # SymPy works with up to 100 digits: the leftovers of a cancellation are far smaller
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
            raise InputError(f"Derivation: claim must be a non-empty string; got {self.claim!r}")
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
    residual is nonzero at a rational point to 50 digits or the field code differs. Zero at points but not reduced is
    inconclusive: evaluation is no proof.

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
        reproduce=f"unifiedscore verify --claim {derivation.claim}",
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
            raise StudyError(f"{name}: expected a SymPy expression; got {value!r}") from None
        if not isinstance(entries[0], sympy.Expr):
            raise StudyError(f"{name}: expected a SymPy expression; got {value!r}")
    if not entries:
        raise StudyError(f"{name}: the residual holds no expression")
    return entries


def _reduce(entries: list, rng: np.random.Generator, *, prove: bool) -> tuple[Outcome, str, float]:
    """Outcome, reason and the size that decided it. Points first: they are cheap, and refute."""
    unproved, unevaluated = 0, 0
    for number, entry in enumerate(entries):
        which = f"entry {number + 1} of {len(entries)} of the residual" if len(entries) > 1 else "the residual"
        if entry == 0:
            continue
        value, point, known = _nonzero_at(entry, rng)
        if point:
            return "refuted", f"{which} is {value:.6g} at {point} (evaluated to {_DIGITS} digits)", value
        if prove and _is_zero(entry):
            continue
        unproved += 1
        unevaluated += not known
    if not unproved:
        return "supported", "SymPy reduces the residual to 0", 0.0
    seen = (
        "could not be evaluated at a rational point" if unevaluated else "is zero at rational points, which is no proof"
    )
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


def _nonzero_at(expression, rng: np.random.Generator) -> tuple[float, str, bool]:
    """(value, point, whether it could be evaluated); the point is empty if no rational point gave a nonzero value.

    Undefined functions become concrete ones: an identity for every profile holds for a polynomial too.
    """
    from sympy.core.function import AppliedUndef

    for function in sorted({call.func for call in expression.atoms(AppliedUndef)}, key=str):
        coefficients = [_rational(rng, positive=True) for _ in range(4)]

        def concrete(*arguments, coefficients=coefficients):
            total = sum((k + 1) * argument for k, argument in enumerate(arguments))
            return sum(c * total**power for power, c in enumerate(coefficients))

        expression = expression.replace(function, concrete)
    try:
        expression = expression.doit()
    except (NotImplementedError, ValueError, TypeError):
        return math.nan, "", False
    symbols = sorted(expression.free_symbols, key=str)
    evaluated = 0
    for _ in range(_TRIES if symbols else 1):
        point = {symbol: _draw(symbol, rng) for symbol in symbols}
        try:
            value = _to_digits(expression.subs(point))
        except (ValueError, TypeError, NotImplementedError, ZeroDivisionError):
            continue
        if math.isnan(value):
            continue
        evaluated += 1
        if value > 0:
            where = ", ".join(f"{symbol}={label}" for symbol, label in point.items()) or "its constant value"
            return value, where, True
        if evaluated == _POINTS:
            break
    return math.nan, "", evaluated > 0


def _to_digits(number) -> float:
    """|number| if it is nonzero to 50 digits, 0 if no digit of it is known to differ from zero, NaN if it is none."""
    from sympy.core.evalf import PrecisionExhausted

    try:
        value = number.evalf(_DIGITS, strict=True)
    except PrecisionExhausted:
        # A zero, or a real number whose imaginary part is one. A part of precision 1 has no known digit.
        value = number.evalf(_DIGITS)
        parts = [part for part in value.as_real_imag() if getattr(part, "_prec", 1) > 1 and abs(part) > _ZERO]
        return float(abs(value)) if parts else 0.0
    if not value.is_number or value.is_finite is not True:
        return math.nan
    return float(abs(value))


def _draw(symbol, rng: np.random.Generator):
    """A rational number that the symbol's assumptions allow."""
    import sympy

    if symbol.is_integer:
        number = sympy.Integer(int(rng.integers(1, 8)))
    else:
        number = _rational(rng, positive=True)
    if symbol.is_negative or (not symbol.is_nonnegative and not symbol.is_integer and rng.random() < 0.5):
        number = -number
    return number


def _rational(rng: np.random.Generator, *, positive: bool):
    """p/q with 1/8 < p/q < 8: no pole of the usual suspects, no term lost to the others."""
    import sympy

    number = sympy.Rational(int(rng.integers(13, 97)), int(rng.integers(13, 97)))
    return number if positive or rng.random() < 0.5 else -number

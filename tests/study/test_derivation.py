"""Derivations: reduced, nonzero at a rational point, or neither."""

import json

import numpy as np
import pytest
import sympy as sp

from unifiedscore.errors import InputError, StudyError
from unifiedscore.study.derivation import Derivation, judge_derivation

A, B = sp.symbols("a b", real=True)
R = sp.symbols("r", positive=True)
PHI = sp.Function("phi")


def _judge(residual, control=lambda: A + 1, agrees=lambda rng: 1.0, **fields):
    verdict = judge_derivation(Derivation("demo.x", residual, control, agrees, **fields), np.random.default_rng(0))
    json.dumps(verdict.to_json(), allow_nan=False)
    assert verdict.evidence == "symbolic" and verdict.expected == "supported"
    return verdict


@pytest.mark.parametrize(
    "residual",
    [
        sp.Integer(0),
        (A + B) ** 2 - A**2 - 2 * A * B - B**2,
        sp.sin(A) ** 2 + sp.cos(A) ** 2 - 1,
        1 / (A - B) - 1 / (A + B) - 2 * B / (A**2 - B**2),
        sp.exp(A + B) - sp.exp(A) * sp.exp(B),
        sp.cosh(A) - (sp.exp(A) + sp.exp(-A)) / 2,
        sp.sqrt(2) * sp.sqrt(3) - sp.sqrt(6),
        sp.diff(sp.exp(-PHI(R)), R) + PHI(R).diff(R) * sp.exp(-PHI(R)),
        sp.Integral(sp.exp(-(R**2)), (R, 0, sp.oo)) - sp.sqrt(sp.pi) / 2,
        sp.log(R**2) - 2 * sp.log(R),
        sp.gamma(R + 1) - R * sp.gamma(R),
        sp.Matrix([[A - A, (A + 1) ** 2 - A**2 - 2 * A - 1]]),
        [A - A, sp.expand((A - B) * (A + B)) - A**2 + B**2],
        sp.Eq((A + B) ** 2, A**2 + 2 * A * B + B**2, evaluate=False),
    ],
    ids=str,
)
def test_what_sympy_reduces_is_supported(residual):
    verdict = _judge(lambda: residual)
    assert verdict.outcome == "supported", verdict.reason
    assert verdict.control_outcome == "refuted" and verdict.estimate == 0.0


@pytest.mark.parametrize(
    "residual",
    [
        A - B,
        sp.sin(A) ** 2 + sp.cos(A) ** 2 - 1 + sp.Rational(1, 10**25) * A,
        sp.sqrt(2) - sp.Rational(14142135623730950488, 10**19),
        PHI(R).diff(R) - PHI(R) / R,
        sp.diff(sp.exp(-PHI(R)), R) - PHI(R).diff(R) * sp.exp(-PHI(R)),
        sp.Matrix([[0, 0], [0, A]]),
        [sp.Integer(0), sp.Integer(1)],
        sp.sqrt(A**2) - A,  # true for positive a only, and a is real
        sp.exp(-200 * R),
        sp.I * A,
        1 + sp.I * (sp.sin(A) ** 2 + sp.cos(A) ** 2 - 1),  # real, with an imaginary part that has no digits
    ],
    ids=str,
)
def test_what_is_nonzero_at_a_rational_point_is_refuted(residual):
    verdict = _judge(lambda: residual)
    assert verdict.outcome == "refuted", verdict.reason
    assert verdict.estimate > 0


def test_assumptions_restrict_the_points():
    positive = sp.Symbol("p", positive=True)
    negative = sp.Symbol("n", negative=True)
    whole = sp.Symbol("k", integer=True)
    assert _judge(lambda: sp.sqrt(positive**2) - positive).outcome == "supported"
    assert _judge(lambda: sp.Abs(negative) + negative).outcome == "supported"
    assert _judge(lambda: sp.cos(sp.pi * whole) - (-1) ** whole).outcome == "supported"


def test_zero_at_points_is_no_proof():
    # max(a, b) = (a + b + |a - b|) / 2 holds at every point; none of the rewritings finds it
    verdict = _judge(lambda: sp.Max(A, B) - (A + B + sp.Abs(A - B)) / 2)
    assert verdict.outcome == "inconclusive" and "proves nothing" in verdict.reason
    assert verdict.control_outcome == "refuted" and verdict.to_json()["estimate"] is None


def test_what_cannot_be_evaluated_is_inconclusive():
    verdict = _judge(lambda: sp.zoo * A)
    assert verdict.outcome == "inconclusive" and "could not be evaluated" in verdict.reason


def test_a_control_that_holds_takes_the_power():
    verdict = _judge(lambda: A - A, control=lambda: (A + 1) ** 2 - A**2 - 2 * A - 1)
    assert verdict.outcome == "inconclusive" and verdict.control_outcome != "refuted"
    assert "no power" in verdict.reason and not verdict.as_expected


@pytest.mark.parametrize(
    ("value", "outcome"), [(999.0, "supported"), (1001.0, "refuted"), (np.inf, "refuted"), (np.nan, "inconclusive")]
)
def test_the_field_code_must_agree(value, outcome):
    verdict = _judge(lambda: A - A, agrees=lambda rng: value)
    assert verdict.outcome == outcome and "field code" in verdict.reason


def test_the_agreement_bound_is_a_field():
    assert _judge(lambda: A - A, agrees=lambda rng: 50.0, agreement=40).outcome == "refuted"


def test_agrees_gets_the_generator():
    assert _judge(lambda: A - A, agrees=lambda rng: float(rng.random())).outcome == "supported"


def test_positional_order_and_text():
    verdict = _judge(lambda: A - A, statement="s", source="src", regime="g", mutation="plus one")
    assert (verdict.statement, verdict.source, verdict.regime) == ("s", "src", "g")
    assert verdict.control_detail["mutation"] == "plus one"
    assert verdict.reproduce == "unifiedscore verify --claim demo.x"


def test_errors_name_the_derivation():
    with pytest.raises(InputError, match=r"demo\.x.*residual"):
        Derivation("demo.x", A, lambda: A, lambda rng: 0.0)
    for residual in (lambda: 1 / 0, lambda: "a", lambda: True, list, lambda: sp.Eq(A, A)):
        with pytest.raises(StudyError, match=r"demo\.x"):
            _judge(residual)
    with pytest.raises(StudyError, match="agrees"):
        _judge(lambda: A - A, agrees=lambda rng: {}["x"])
    with pytest.raises(InputError, match="rng"):
        judge_derivation(Derivation("demo.x", lambda: A, lambda: A, lambda rng: 0.0), 0)

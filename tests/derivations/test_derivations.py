"""Every derivation is a proof, its control is not, and a wrong theorem or wrong field code is noticed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import unifiedscore as us
from unifiedscore.inference.verdict import claim_name
from unifiedscore.study.derivation import judge_derivation
from unifiedscore.study.discover import derivations_in, load_module

FOLDER = Path(__file__).parents[2] / "derivations"
FILES = sorted(FOLDER.rglob("derive_*.py"))
ALL = [found.derivation for path in FILES for found in derivations_in(path)]
DERIVATIONS = {claim_name(derivation.claim, derivation.regime): derivation for derivation in ALL}


def test_claims_are_unique_and_described():
    assert len(DERIVATIONS) == len(ALL)
    for derivation in DERIVATIONS.values():
        assert derivation.statement.endswith(".") and derivation.source and derivation.mutation


@pytest.mark.parametrize("claim", DERIVATIONS)
def test_derivation_is_supported_and_its_control_refuted(claim):
    verdict = judge_derivation(DERIVATIONS[claim], np.random.default_rng(0))
    assert verdict.outcome == "supported", verdict.reason
    assert verdict.control_outcome == "refuted"


@pytest.mark.parametrize("claim", DERIVATIONS)
def test_field_code_agrees_at_other_points(claim):
    derivation = DERIVATIONS[claim]
    assert max(derivation.agrees(np.random.default_rng(seed)) for seed in range(1, 6)) <= derivation.agreement


@pytest.mark.parametrize("claim", ["drift.gaussian_identity", "drift.curl_identity", "drift.concentration_lemmas"])
def test_wrong_theorem_is_refuted(claim):
    derivation = DERIVATIONS[claim]
    wrong = replace(derivation, residual=derivation.control)
    assert judge_derivation(wrong, np.random.default_rng(0)).outcome == "refuted"


MUTATIONS = {
    "score": lambda value: -value,
    "mean_shift": lambda value: 2 * value,
    "preconditioner": lambda value: value / 2,
    "residual": lambda value: value[:, ::-1],
    "curl_norm": lambda value: value / np.sqrt(2),
    "mean_distance": lambda value: value**2,
}


@pytest.mark.parametrize(
    ("claim", "quantity"),
    [
        ("drift.gaussian_identity", "score"),
        ("drift.gaussian_identity", "mean_shift"),
        ("drift.radial_decomposition", "preconditioner"),
        ("drift.radial_decomposition", "residual"),
        ("drift.curl_identity", "curl_norm"),
        ("drift.gaussian_unique_conservative", "curl_norm"),
        ("drift.low_temperature_constant", "mean_shift"),
        ("drift.low_temperature_constant", "score"),
        ("drift.low_temperature_residual", "mean_shift"),
        ("drift.concentration_lemmas", "mean_distance"),
    ],
)
def test_wrong_field_code_is_noticed(claim, quantity, monkeypatch):
    """A wrong sign, a factor 2 or swapped coordinates in the code exceed the rounding bound."""

    class Mutated:
        def __init__(self, moments):
            self.moments = moments

        def __getattr__(self, name):
            value = getattr(self.moments, name)
            return MUTATIONS[quantity](value) if name == quantity else value

    correct = us.posterior_moments
    monkeypatch.setattr(us, "posterior_moments", lambda *args, **options: Mutated(correct(*args, **options)))
    derivation = DERIVATIONS[claim]
    assert derivation.agrees(np.random.default_rng(0)) > derivation.agreement


@pytest.mark.parametrize("claim", ["drift.gaussian_laws", "drift.three_channels", "drift.highdim_relative_equal_means"])
def test_drift_of_the_wrong_sign_is_noticed(claim, monkeypatch):
    correct = us.Drift
    monkeypatch.setattr(us, "Drift", lambda kernel, *, target, model: correct(kernel, target=model, model=target))
    derivation = DERIVATIONS[claim]
    assert derivation.agrees(np.random.default_rng(0)) > derivation.agreement


@pytest.mark.parametrize("claim", ["drift.curl_identity", "drift.gaussian_unique_conservative"])
def test_transposed_jacobian_is_noticed(claim, monkeypatch):
    correct = us.MeanShift

    class Transposed:
        def __init__(self, kernel, measure):
            self.field = correct(kernel, measure)

        def jacobian(self, x):
            return self.field.jacobian(x).transpose(0, 2, 1)

    monkeypatch.setattr(us, "MeanShift", Transposed)
    derivation = DERIVATIONS[claim]
    assert derivation.agrees(np.random.default_rng(0)) > derivation.agreement


def test_wrong_steps_inside_a_proof_are_not_zero():
    low, matched = (
        load_module(FOLDER / "drift" / f"derive_{name}.py") for name in ("low_temperature", "matched_gaussian")
    )
    laws, curl = (load_module(FOLDER / "drift" / f"derive_{name}.py") for name in ("gaussian_laws", "curl"))
    assert low.matern_gap(constant=low.D + 2 * low.NU + 1) != 0
    assert low.angular_gap() == 0
    assert matched.match_gap(factor=sp.Rational(1, 2)) != 0
    assert laws.energy(laws.shift(1) - laws.shift(4), 5) == sp.Rational(9, 20)
    # The curl at the origin of the atoms (1, 0), (0, 2) with tau = 1 is w1 w2 / 2 = 0.0983059666207.
    symbols = {curl.SCALE: 1, "a": 1, "c": 2, curl.MASSES[0]: 1, curl.MASSES[1]: 1}
    by_name = {str(symbol): symbol for symbol in curl.laplace_curl().free_symbols}
    value = curl.laplace_curl().subs({by_name.get(str(key), key): number for key, number in symbols.items()})
    assert float(value) == pytest.approx(0.0983059666207, abs=1e-13)


def test_every_kernel_of_the_table_is_checked_against_the_library():
    module = load_module(FOLDER / "drift" / "derive_radial_decomposition.py")
    assert set(module.code_kernels(1.0, 2.0)) == set(module.TABLE)


@pytest.mark.parametrize(("dimension", "share"), [(1, "3/8"), (2, "4/15"), (3, "5/24"), (10, "12/143")])
def test_matern_residual_share_has_the_tabulated_limits(dimension, share):
    module = load_module(FOLDER / "drift" / "derive_low_temperature.py")
    formula = module.residual_share(module.MATERN_3_2, module.SCALE**2 * (1 + module.Z))
    assert formula.subs(module.D, dimension) == sp.Rational(share)


def test_posterior_scale_has_the_tabulated_fixed_point():
    """tau = 4 / sqrt(D), sigma = 1/2: rho tau = 2 sqrt(2), C_post / C_th = .934973."""
    module = load_module(FOLDER / "drift" / "derive_matched_gaussian.py")
    ratio = sp.Symbol("c", positive=True)
    theory = 2 * sp.sqrt(2)
    equation = module.RATIO.subs({module.H2: ratio * theory, module.SIGMA2: sp.Rational(1, 4)}) - ratio
    assert float(sp.nsolve(equation, ratio, 0.9)) == pytest.approx(0.934973, abs=5e-7)

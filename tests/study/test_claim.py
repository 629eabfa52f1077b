"""What a claim refuses: checks that could not fail, or could not be read."""

import pytest

from unifiedscore.errors import InputError
from unifiedscore.inference import Identity, Inside, Rate
from unifiedscore.study.claim import Claim, Control, Hypothesis, Variable, check_claims

REGION = Inside(0, 1)
CONTROL = Control("predict two", test=Inside(1.5, 2.5))


def _claim(**changes):
    entries = dict(
        id="a.b", statement="it holds", source="derived here", evidence="monte_carlo", variable="y", test=REGION,
        control=CONTROL,
    )  # fmt: skip
    return Claim(**(entries | changes))


def test_positional_order_is_the_pinned_one():
    claim = Claim(
        "a", "s", "src", "exact", "y", REGION, {"d": 1}, {"m": "x"}, "r", "supported", CONTROL, (), "full", "f"
    )
    assert (claim.where, claim.minus, claim.regime, claim.profile, claim.finding) == (
        {"d": 1},
        {"m": "x"},
        "r",
        "full",
        "f",
    )
    assert Control("m", "y").variable == "y"
    assert Hypothesis("h", "v", 0, 1).high == 1
    variable = Variable("long", "m", "y", "y_error", ("k",), {"k": [1, 2]})
    assert (variable.units, variable.symbol, variable.error, variable.dims) == ("m", "y", "y_error", ("k",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"control": None}, "without a control"),
        ({"expect": "refuted"}, "sibling"),
        ({"expect": "not_applicable"}, "remove it"),
        ({"expect": "not_applicable", "control": None}, "no hypothesis"),
        ({"evidence": "symbolic"}, "Derivation"),
        ({"evidence": "guess"}, "evidence"),
        ({"expect": "true"}, "expect"),
        ({"profile": "fast"}, "profile"),
        ({"test": (0, 1)}, "test must be"),
        ({"test": Identity(1, "scale")}, "exact"),
        ({"test": Rate(0, 1, along="seed")}, "replicates"),
        ({"where": ["d"]}, "where"),
        ({"minus": {"d": [1, 2]}}, "one label"),
        ({"hypotheses": ("h",)}, "Hypothesis"),
        ({"statement": ""}, "statement"),
        ({"id": "a b"}, "blanks"),
        ({"control": "none"}, "Control"),
        ({"control": Control("same", test=Inside(0, 1))}, "tests nothing"),
        ({"control": Control("same", variable="y")}, "tests nothing"),
    ],
)
def test_a_bad_claim_is_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        _claim(**changes)
    assert "claim" in str(caught.value).lower()


@pytest.mark.parametrize(
    "arguments", [{}, {"variable": "z", "where": {"d": 1}}, {"where": {"d": 1}, "test": REGION}, {"where": {}}]
)
def test_a_control_replaces_exactly_one_thing(arguments):
    with pytest.raises(InputError, match="control"):
        Control("wrong", **arguments)


def test_a_hypothesis_must_be_able_to_fail():
    with pytest.raises(InputError, match="always holds"):
        Hypothesis("h", "v")
    with pytest.raises(InputError, match="low <= high"):
        Hypothesis("h", "v", 2, 1)


def test_a_claim_expected_refuted_needs_a_sibling_with_the_same_test():
    refuted = _claim(regime="beyond", expect="refuted", control=None)
    assert check_claims([_claim(), refuted]) == (_claim(), refuted)
    with pytest.raises(InputError, match="sibling"):
        check_claims([refuted])
    with pytest.raises(InputError, match="sibling"):
        check_claims([_claim(test=Inside(0, 3)), refuted])
    with pytest.raises(InputError, match="sibling"):
        check_claims([_claim(id="other"), refuted])


def test_keys_are_unique():
    with pytest.raises(InputError, match="twice"):
        check_claims([_claim(), _claim(statement="again")])
    assert len(check_claims([_claim(), _claim(evidence="quadrature")])) == 2

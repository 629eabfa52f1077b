import pytest

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.study import Claim, Control, Hypothesis, Inside, Theorem

TEST, CONTROL = Inside(0.9, 1.1), Control("two", test=Inside(1.9, 2.1))
CLAIM = dict(
    id="a.b",
    statement="The mean is one.",
    source="here",
    evidence="monte_carlo",
    variable="mean",
    test=TEST,
    where={"dimension": 4},
    minus={"estimator": "exact"},
    regime="small",
    expect="inconclusive",
    control=CONTROL,
    hypotheses=(Hypothesis("size", "size", low=1),),
    profile="standard",
    finding="found",
)


@pytest.mark.parametrize("at_the_claim", range(2**4))
def test_it_does_not_matter_which_fields_the_theorem_and_which_the_claim_gives(at_the_claim):
    late = {name: value for i, (name, value) in enumerate(CLAIM.items()) if at_the_claim >> (i % 4) & 1}
    early = {name: value for name, value in CLAIM.items() if name not in late}
    assert Theorem(**early).claim(**late) == Claim(**CLAIM)


@pytest.mark.parametrize("name", CLAIM)
def test_a_field_of_the_claim_replaces_that_of_the_theorem(name):
    other = {"evidence": "quadrature", "expect": "supported", "profile": "full", "test": Inside(0.8, 1.0)}
    other |= {"where": {"seed": 0}, "minus": {"seed": 1}, "control": Control("three", test=Inside(2.9, 3.1))}
    value = other.get(name, () if name == "hypotheses" else "other")
    assert Theorem(**CLAIM).claim(**{name: value}) == Claim(**(CLAIM | {name: value}))


def test_the_first_six_fields_come_in_the_order_of_a_claim():
    six = list(CLAIM.values())[:6]
    assert Theorem(*six).claim(control=CONTROL) == Claim(*six, control=CONTROL)


def test_a_theorem_is_left_as_it_is_by_its_claims():
    theorem = Theorem(**CLAIM)
    theorem.claim(regime="other", where={"seed": 1})
    assert theorem == Theorem(**CLAIM)


def test_none_takes_away_what_the_theorem_says():
    assert Theorem(**CLAIM).claim(control=None).control is None


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(InputError, match=r"theorem 'a.b': give source, test to the theorem or to claim"):
        Theorem("a.b", "s", evidence="exact", variable="mean").claim()
    with pytest.raises(InputError, match="a theorem without an id: give id, "):
        Theorem().claim()
    with pytest.raises(UnknownNameError, match=r"field of a claim 'regimes'.*regime"):
        Theorem(**CLAIM).claim(regimes="small")
    with pytest.raises(InputError, match="expected supported but without a control"):
        Theorem(**CLAIM).claim(expect="supported", control=None)

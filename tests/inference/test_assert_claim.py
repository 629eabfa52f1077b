"""`assert_claim` fails on refutation alone, with the chance of a false alarm."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.inference import Identity, Inside, Limit, Proportion, Rate
from unifiedscore.inference.decision import decide_values
from unifiedscore.testing import RefutedError, assert_claim

RNG = np.random.default_rng(0)
NEAR_ONE = RNG.normal(1.0, 0.1, 32)


def test_support_and_indecision_pass_and_say_why():
    assert assert_claim(NEAR_ONE, Inside(0.9, 1.1)).outcome == "supported"
    found = assert_claim(NEAR_ONE[:5], Inside(0.99, 1.01))
    assert found.outcome == "inconclusive"
    assert "too few seeds" in found.reason and "seeds would do" in found.reason


def test_a_refuted_claim_fails_an_ordinary_assertion_and_states_its_failure_chance():
    with pytest.raises(AssertionError) as caught:
        assert_claim(NEAR_ONE, Inside(1.9, 2.1), statement="the mean is two")
    message = str(caught.value)
    assert isinstance(caught.value, RefutedError) and isinstance(caught.value, us.UnifiedScoreError)
    assert message.startswith("the mean is two is refuted: ") and "[1.9, 2.1]" in message
    assert message.endswith("a true claim fails so at most once in 10000 runs")


def test_numerical_errors_leave_nothing_to_chance():
    assert assert_claim([1.0], Inside(0.9, 1.1), error=[0.01]).outcome == "supported"
    with pytest.raises(RefutedError) as caught:
        assert_claim([2.0], Inside(0.9, 1.1), error=[0.01])
    assert "runs" not in str(caught.value)


def test_every_test_of_the_package_can_be_asserted():
    x = np.array([4.0, 8.0, 16.0, 32.0, 64.0])
    y = 3 / x[:, None] * np.exp(RNG.normal(0, 0.01, (5, 32)))
    assert assert_claim(y, Rate(-1.1, -0.9, along="dimension"), x=x).outcome == "supported"
    with pytest.raises(RefutedError):
        assert_claim(y, Rate(-2.1, -1.9, along="dimension"), x=x)
    limit = 2 + 1 / x[:, None] + RNG.normal(0, 1e-3, (5, 32))
    assert assert_claim(limit, Limit(1.9, 2.1, along="dimension", order=1.0), x=x).outcome == "supported"
    assert assert_claim(RNG.binomial(100, 0.5, 32) / 100, Proportion(0.4, 0.6, trials=100)).outcome == "supported"
    assert assert_claim([1e-16], Identity(c=10.0, scale="size"), error=[1.0]).outcome == "supported"


@pytest.mark.parametrize("shape", [(32, 1), (1, 32), (1, 1, 32)])
def test_a_column_of_seeds_says_what_a_row_of_them_says(shape):
    for values, test in ((NEAR_ONE, Inside(0.9, 1.1)), (np.full(32, 0.5), Proportion(0.4, 0.6, trials=100))):
        assert assert_claim(values.reshape(shape), test) == assert_claim(values, test)
    with pytest.raises(RefutedError, match="over 32 seeds"):
        assert_claim(NEAR_ONE.reshape(shape), Inside(1.9, 2.1))
    assert assert_claim(np.ones(shape), Inside(0.9, 1.1), error=np.full(shape, 0.01)).outcome == "supported"


def test_shares_with_an_error_are_refuted_at_the_refutation_level_alone():
    """25 of 32 events: the 99 % interval misses [0, 0.5], the 99.99 % one does not."""
    test, shares = Proportion(0.0, 0.5, trials=1), np.repeat([1.0, 0.0], [25, 7])
    assert test.estimate(shares, level=0.99).low > 0.5 > test.estimate(shares, level=0.9999).low
    assert decide_values(test, shares, error=np.zeros(32)).outcome == "inconclusive"


def test_a_true_claim_on_the_edge_of_its_region_is_not_refuted():
    """400 suites with 16 seeds whose mean is an end of the region: 0.04 failures are expected, one may happen."""
    failures = 0
    for values in np.random.default_rng(1).normal(1.0, 1.0, (400, 16)):
        try:
            assert_claim(values, Inside(1.0, 2.0))
        except RefutedError:
            failures += 1
    assert failures <= 1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((NEAR_ONE, "inside"), {}, "test must be a test"),
        ((NEAR_ONE, Inside), {}, "test must be a test"),
        (([], Inside(0, 1)), {}, "values must"),
        ((1.0, Inside(0, 1)), {}, "values must hold one number per seed"),
        (([np.nan, 1.0], Inside(0, 1)), {}, "values must be finite"),
        ((np.ones((4, 3)), Rate(-2, 0, along="x")), {}, "x must be given"),
        ((NEAR_ONE, Inside(0, 1)), {"statement": 3}, "statement must be text"),
        ((NEAR_ONE, Inside(0, 1)), {"error": [0.1]}, r"error must have the shape of the values, \(32,\); got \(1,\)"),
        ((np.ones((4, 8)), Inside(0, 1)), {"error": np.ones((8, 4))}, "error must have the shape of the values"),
        ((np.ones(8), Proportion(0, 0.5, trials=4)), {"error": np.zeros(8)}, "error must be left out"),
    ],
)
def test_malformed_calls_are_refused_by_name(arguments, options, message):
    with pytest.raises(us.UnifiedScoreError, match=message):
        assert_claim(*arguments, **options)

"""What a sequence may still do beyond its last value: powers, logarithms, no limit at all; what may be concluded."""

import numpy as np
import pytest

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Limit, Rate, decide
from unifiedscore.inference.tail import order_of, remaining

X = 2.0 ** np.arange(4, 13)
LONG = 2.0 ** np.arange(4, 21)


def _outcome(test, y, x):
    support, refute = (test.estimate(y, x=x, level=level) for level in (SUPPORT_LEVEL, REFUTE_LEVEL))
    if decide(support, test.low, test.high) == "supported":
        return "supported"
    return "refuted" if decide(refute, test.low, test.high) == "refuted" else "inconclusive"


def _rate(*region):
    return Rate(*region, along="d")


def _limit(*region, order=1):
    return Limit(*region, along="d", order=order)


def _steady(step, start=-1.02):
    """y whose local slopes rise by `step` each time: it has no exponent."""
    return np.exp(np.concatenate([[0], np.cumsum((start + step * np.arange(8)) * np.log(2))]))


def _noisy(y, noise, seed=0):
    return y[:, None] * np.exp(noise * np.random.default_rng(seed).normal(size=(y.size, 16)))


@pytest.mark.parametrize("p", [0.25, 0.5, 1.0, 2.0])
def test_the_tail_of_a_power_is_the_geometric_one(p):
    u = np.log(X)
    tail = remaining(3 + 2 * X**-p, np.zeros(X.size), u)
    assert tail.settled and tail.low == pytest.approx(-2 * X[-1] ** -p) and tail.high == pytest.approx(tail.low)
    assert order_of((3 + 2 * X**-p)[-3:], u[-3:]) == pytest.approx(p)
    assert order_of(1 - np.array([1.0, 5.0, 70.0]) ** -p, np.log([1.0, 5.0, 70.0])) == pytest.approx(p)


def test_the_tail_of_a_logarithmic_correction_covers_its_limit_and_is_not_settled():
    u = np.log(X)
    for sign in (-1, 1):
        tail = remaining(sign / u, np.zeros(X.size), u)
        assert not tail.settled and tail.low <= -sign / u[-1] <= tail.high and "logarithmic" in tail.words
        assert max(-tail.low, tail.high) < 2.5 / u[-1]


def test_a_sequence_that_does_not_shrink_has_an_infinite_tail_on_its_own_side_only():
    u = np.log(X)
    for step in (-1.0, 1.0):
        tail = remaining(step * np.arange(9.0), np.zeros(9), u)
        assert (tail.low, tail.high) == ((-np.inf, 0) if step < 0 else (0, np.inf)) and not tail.settled
    assert remaining(1e-9 * np.arange(9.0), np.full(9, 1e-9), u).settled


def test_a_wrong_order_is_found_and_decides_nothing():
    y = 1 + X**-0.5
    for region in ((0.97, 1.003), (1.003, 1.03)):
        assert _outcome(_limit(*region), y, X) == "inconclusive"
    reason = _limit(1.003, 1.03).estimate(y, x=X, level=0.99).reason
    assert reason.startswith("pre-asymptotic: the correction falls like x^-0.5, not like the declared x^-1;")
    assert _limit(0, 2).estimate(y, x=X, level=0.99).covers(1.0)
    assert _outcome(_limit(2.0, 2.1), y, X) == _outcome(_limit(0.5, 0.97), y, X) == "refuted"
    assert _outcome(_limit(0.97, 1.003, order=0.5), y, X) == "supported"
    back = _limit(1.003, 1.03, order=-1).estimate(1 + X[::-1] ** -0.5, x=1 / X[::-1], level=0.99).reason
    assert "falls like x^0.5, not like the declared x^1;" in back


@pytest.mark.parametrize("c", [-0.5, 1.0, 3.0])
@pytest.mark.parametrize("r", [0.25, 0.5, 0.75, 1.5, 2.0])
@pytest.mark.parametrize("x", [X, 4.0 ** np.arange(5, 11), 2.0 ** np.arange(4, 9), 2.0 ** np.arange(6, 9)])
def test_limits_are_covered_whatever_the_order_of_the_correction(c, r, x):
    for order in (0.5, 1.0):
        assert _limit(0, 2, order=order).estimate(1 + c * x**-r, x=x, level=0.99).covers(1.0)


@pytest.mark.parametrize("x", [X, LONG])
def test_a_logarithmic_correction_of_a_rate_is_pre_asymptotic(x):
    y = np.log(x) / x  # the exponent is -1, the local slopes -1 + 1 / log x
    for region in ((-1.08, -0.95), (-1.05, -0.97), (-0.94, -0.93), (-0.9, -0.8)):
        estimate = _rate(*region).estimate(y, x=x, level=0.99)
        assert estimate.covers(-1.0) and decide(estimate, *region) == "inconclusive"
        assert estimate.reason.startswith("pre-asymptotic")
    assert _outcome(_rate(-2.05, -1.95), y, x) == _outcome(_rate(-0.5, -0.4), y, x) == "refuted"


@pytest.mark.parametrize("noise", [1e-3, 1e-2])
@pytest.mark.parametrize("x", [X, LONG])
def test_seeds_do_not_hide_a_logarithmic_correction(noise, x):
    for seed in range(5):
        y = _noisy(np.log(x) / x, noise, seed)
        for region in ((-1.08, -0.95), (-1.05, -0.97)):
            assert _outcome(_rate(*region), y, x) != "refuted"
        assert _outcome(_rate(-0.9, -0.8), y, x) != "supported"
        assert _outcome(_rate(-2.05, -1.95), y, x) == _outcome(_rate(-0.5, -0.4), y, x) == "refuted"


@pytest.mark.parametrize("step", [0.001, 0.003, 0.01])
def test_slopes_that_rise_steadily_support_nothing(step):
    region = -1.05, -0.95
    estimate = _rate(*region).estimate(_steady(step), x=X, level=0.99)
    assert decide(estimate, *region) == "inconclusive" and estimate.high == np.inf
    assert "not less than before" in estimate.reason and "no x can be named" in estimate.reason
    assert _outcome(_rate(*region), _noisy(_steady(step), 1e-4), X) == "inconclusive"


def test_a_control_far_from_a_steady_trend_is_refuted_on_both_sides_and_not_near_it():
    for y in (_steady(0.003), _noisy(_steady(0.003), 1e-4)):
        assert _outcome(_rate(-2.05, -1.95), y, X) == _outcome(_rate(0.9, 1.1), y, X) == "refuted"
        assert _outcome(_rate(-0.9, -0.8), y, X) == "inconclusive"


def test_a_power_correction_is_still_supported_with_its_control_refuted():
    y = (1 + X**-0.5) / X
    assert _outcome(_rate(-1.05, -0.95), y, X) == "supported"
    assert _outcome(_rate(-1.05, -0.95), _noisy((1 + 3 / X) / X, 1e-3), X) == "supported"
    assert _outcome(_rate(-0.94, -0.9), y, X) == _outcome(_rate(-2.05, -1.95), y, X) == "refuted"


def test_messages_show_plain_numbers():
    from unifiedscore.errors import InputError

    for make in (lambda: _limit(0, 1, order=np.float64(0.0)), lambda: _rate(np.float64(np.nan), 0)):
        with pytest.raises(InputError) as error:
            make()
        assert "np." not in str(error.value)


def test_a_bend_over_all_x_has_the_sign_of_the_trend_at_either_end():
    from unifiedscore.inference.rate import _bend, _local_slopes

    for x in (X, 1 / X):
        for sign in (-1, 1):
            y = (0.3 * np.log(x) + sign * 0.02 * np.log(x) ** 2)[:, None]
            local = _local_slopes(x, y)
            assert np.sign(_bend(x, y)) == np.sign(local[-1] - local[0])
            test = _limit(0, 1, order=1 if x is X else -1)
            y = (2 * x**-test.order + sign * 0.1 * np.abs(np.log(x)))[:, None]
            local = test._local(x, y)
            assert np.sign(test._bend(x, y)) == np.sign(local[-1] - local[0]) == sign


def test_a_trend_that_noise_hides_in_the_last_half_widens_towards_where_all_of_x_points():
    for seed in range(20):
        for sign in (-1, 1):
            y = _noisy((np.log(X) / X) ** sign, 0.05, seed)  # slopes fall for +1, rise for -1
            estimate = _rate(-5, 5).estimate(y, x=X, level=0.99)
            below, above = estimate.value - estimate.low, estimate.high - estimate.value
            assert (above < 2 * below) if sign > 0 else (below < 2 * above)


def test_a_trend_that_the_last_half_allows_is_not_called_one_that_it_shows():
    reasons = [
        _rate(-1.05, -0.95).estimate(_noisy(np.log(X) / X, noise, seed), x=X, level=0.99).reason
        for noise in (1e-4, 0.05)
        for seed in range(10)
    ]
    assert all(
        "local slopes still trend by +" in reason or "local slopes still trend by -" in reason
        for reason in reasons[:10]
    )
    allowed = [reason for reason in reasons[10:] if "may still trend by up to" in reason]
    assert allowed and not any("slopes still trend" in reason for reason in allowed)

"""Truncated second moments of the gradient of a bounded reward: two formulas, and the rate in closed form."""

from pathlib import Path

import mpmath
import pytest

from unifiedscore.study.discover import load_module


@pytest.fixture(scope="module")
def reward():
    return load_module(Path(__file__).parents[2] / "studies" / "tilting" / "study_universal_reward.py")


def exact(f, reach):
    """2 E[f(X)^2; 0 < X < L] by mpmath in pieces of .05."""
    pieces = [reach * k / 40 for k in range(41)]
    return float(2 * mpmath.quad(lambda x: f(x) ** 2 * mpmath.npdf(x), pieces))


@pytest.mark.parametrize(("omega", "c", "reach"), [(0.3, 0.75, 2.0), (1.0, 1.0, 1.5), (1.0, 0.75, 2.5)])
def test_the_moment_of_the_wild_reward_is_that_of_its_gradient(reward, omega, c, reach):

    def value(x):
        return mpmath.sin(omega * mpmath.exp(c * x**2 / 2))

    expected = exact(lambda x: mpmath.diff(value, x), reach)
    for route in (reward.wild, reward.wild_in_parts):
        assert route(omega, c, reach) == pytest.approx(expected, rel=1e-9)


def test_the_moment_of_the_tame_reward_is_that_of_its_gradient(reward):
    expected = exact(lambda x: 2 * mpmath.cos(2 * x), 3.0)
    for route in (reward.tame, reward.tame_in_parts):
        assert route(2.0, 3.0) == pytest.approx(expected, rel=1e-12)


def test_the_moment_follows_its_rate_ever_more_closely(reward):
    """Its relative gap is 1/((2c - 1) L^2) but for what oscillates and for higher orders."""
    gaps = [1 - reward.wild_in_parts(1.0, 1.0, reach) / reward.rate(1.0, 1.0, reach) for reach in (3.0, 4.0, 5.0)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == pytest.approx(1 / 25, rel=0.2) and gaps[1] == pytest.approx(1 / 16, rel=0.25)

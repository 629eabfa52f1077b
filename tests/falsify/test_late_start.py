"""The distance at a late start and its bounds: the values of the theory, and the package's own flow."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import unifiedscore as us
from unifiedscore.study.discover import load_module


@pytest.fixture(scope="module")
def late():
    return load_module(Path(__file__).parents[2] / "studies" / "closed_form" / "_late.py")


def test_the_bound_with_its_exponential_is_the_one_of_the_theory(late):
    """Two points at +-1; computed in the theory by another rule and printed with three digits."""
    times = (0.2, 0.5, 0.8, 0.9)
    for sigma, printed in ((0.1, (0.00236, 0.0423, 107, 7e15)), (0.4, (0.00945, 0.169, 408, 2.7e16))):
        found = [math.exp(late.bounds(2.0, sigma * late.ABSOLUTE, time)[0]) for time in times]
        assert found == pytest.approx(printed, rel=2e-2)


def test_the_plain_bound_has_a_closed_form_where_the_diameter_does_not_cut_it(late):
    """The integral of s/(1-s)^3 is T^2 / 2 (1-T)^2."""
    _, plain = late.bounds(2.0, 0.1, 0.5)
    assert plain == pytest.approx(0.1 * 0.5, rel=1e-6)


def test_both_ways_of_averaging_over_noise_are_one_function(late):
    """Around the sharpness at which integration by parts takes over, against a rule of 4001 nodes."""
    places, r = np.array([-1.0, 0.2, 1.4]), 2.0
    y, e = np.linspace(-6, 6, 25), np.linspace(-8, 8, 4001)
    weights = np.exp(-(e**2) / 2)
    for s in (0.05, 0.8, 0.85, 5.0):
        exact = late.barycenter(places, y[:, None] + s * e, r) @ weights / weights.sum()
        np.testing.assert_allclose(late.smoothed(places, r, s)(y), exact, atol=3e-6)


def test_without_smoothing_the_flow_ends_in_the_quantiles_of_the_mixture(late):
    places, time, starts = np.array([-1.0, 0.2, 1.4]), 0.6, np.linspace(-4, 4, 33)
    scheme, h = late.fields(places, 0.0, time, 32, np.zeros(1))
    ends = late.flow(scheme, h, starts)
    np.testing.assert_allclose(ends, late.quantiles(places, time / (1 - time), starts), atol=2e-4)
    np.testing.assert_allclose(late.flow(scheme[::-1], -h, ends), starts, atol=2e-4)
    np.testing.assert_allclose(late.ranks(places, time / (1 - time), ends), starts, atol=2e-4)


@pytest.mark.parametrize(("time", "printed"), [(0.5, 0.0206), (0.8, 0.1825), (0.9, 0.2227)])
def test_w2_is_that_of_euler_steps_of_the_package_up_to_their_error(late, time, printed):
    """Points at +-1, sigma .4: the theory prints W2 of 200 steps, with an error that is .004 without smoothing."""
    places, r = np.array([-1.0, 1.0]), time / (1 - time)
    found, error = late.distance(places, 0.4, time)
    e, starts = (ndtri((np.arange(n) + 0.5) / n) for n in (100, 1000))
    run = us.sample_closed_form(
        places[:, None], 1000, n_steps=200, smoothing=0.4, start=starts[:, None], trajectory=True,
        noise=us.Noise("shared", given=e[:, None]), rng=np.random.default_rng(0),
    )  # fmt: skip
    ends = np.sort(run.trajectory[round(200 * time)][:, 0])
    assert np.sqrt(np.mean((ends - (1 - time) * late.quantiles(places, r, starts)) ** 2)) == pytest.approx(
        printed, abs=2e-3
    )
    assert error < 2e-3 and found == pytest.approx(printed, abs=5e-3)


def test_a_gap_that_is_linear_in_the_start_has_its_exact_mean_square(late):
    starts = np.linspace(-8, 8, 4001)
    assert late.root_mean_square(starts, 2 * starts) == pytest.approx(2.0, rel=1e-5)
    assert late.root_mean_square(np.array([0.0, 1.0]), np.array([1.0, 1.0])) ** 2 == pytest.approx(ndtr(1) - 0.5)


@pytest.mark.parametrize(("diameter", "time", "expected"), [(100.0, 0.1, 0.406), (1000.0, 0.05, 0.472)])
def test_two_points_smoothed_by_their_distance_attain_almost_half_of_the_plain_bound(late, diameter, time, expected):
    """The smoothed path waits at the midpoint; in the limit the share is one half."""
    places = np.array([-0.5, 0.5]) * diameter
    found, _ = late.distance(places, diameter, time, steps=64, count=127)
    _, plain = late.bounds(diameter, diameter * late.ABSOLUTE, time)
    assert found / plain == pytest.approx(expected, abs=2e-3)

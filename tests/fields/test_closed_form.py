"""Closed-form diffusion fields: golden values, velocity and score identities, and what smoothing is not."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError

EPS = np.finfo(float).eps
POINTS, QUERY, NOISE = np.array([[-1.0], [0.5], [2.0]]), np.array([[0.3]]), np.array([[-1.0], [0.5]])
TIMES = [0.1, 0.5, 0.9, 0.99]


@pytest.mark.parametrize(
    ("smoothing", "score", "velocity"),
    [(0.0, -0.0229626782572909, 0.577037321742709), (0.4, -0.3631123641923292, 0.2368876358076708)],
)
def test_golden_values(smoothing, score, velocity):
    assert us.SmoothedClosedFormScore(POINTS, 0.5, smoothing, noise=NOISE)(QUERY)[0, 0] == pytest.approx(
        score, abs=1e-14
    )
    assert us.ClosedFormVelocity(POINTS, 0.5, smoothing, noise=NOISE)(QUERY)[0, 0] == pytest.approx(velocity, abs=1e-14)


def test_mean_of_scores_differs_by_the_mean_noise():
    """M-sample field minus mean of M scores = sigma mean(eps) / (1-t)^2: golden 0.4 apart; 0 for antithetic noise."""
    mean = us.Smoothed(us.ClosedFormScore(POINTS, 0.5), 0.4, noise=NOISE)(QUERY)
    assert mean[0, 0] == pytest.approx(0.0368876358076709, abs=1e-14)
    gap = us.SmoothedClosedFormScore(POINTS, 0.5, 0.4, noise=NOISE)(QUERY) - mean
    assert gap[0, 0] == pytest.approx(0.4 * NOISE.mean() / 0.5**2, abs=1e-14)
    both = np.concatenate([NOISE, -NOISE])
    mean = us.Smoothed(us.ClosedFormScore(POINTS, 0.5), 0.4, noise=both)(QUERY)
    assert us.SmoothedClosedFormScore(POINTS, 0.5, 0.4, noise=both)(QUERY)[0, 0] == pytest.approx(mean[0, 0], abs=1e-14)


@pytest.mark.parametrize("time", TIMES)
def test_velocity_identity(time):
    """(z + (1-t) s) / t = (x_sigma - z) / (1-t), two routes through the engine."""
    rng = np.random.default_rng(0)
    points, x, noise = rng.normal(size=(20, 3)), rng.normal(size=(10, 3)), rng.normal(size=(5, 3))
    score = us.SmoothedClosedFormScore(points, time, 0.3, noise=noise)(x)
    velocity = us.ClosedFormVelocity(points, time, 0.3, noise=noise)(x)
    np.testing.assert_allclose((x + (1 - time) * score) / time, velocity, atol=100 * EPS * 4 / (time * (1 - time)))


@pytest.mark.parametrize("time", [0.0, *TIMES])
def test_score_is_the_gradient_of_the_log_density(time):
    rng = np.random.default_rng(1)
    points, x = rng.normal(size=(6, 2)), 0.5 * rng.normal(size=(5, 2))
    density = us.GaussianMixture(time * points, (1 - time) ** 2)
    scale = 1e3 * EPS / (1 - time) ** 3
    np.testing.assert_allclose(us.ClosedFormScore(points, time)(x), density.score(x), atol=scale)
    np.testing.assert_allclose(us.SmoothedClosedFormScore(points, time, 0, noise=None)(x), density.score(x), atol=scale)


def test_velocity_at_time_zero_points_to_the_mean_exactly():
    x = np.array([[2.0], [-7.0]])
    np.testing.assert_array_equal(us.ClosedFormVelocity(POINTS, 0.0)(x), 0.5 - x)


def test_smoothing_averages_the_log_density_not_the_density():
    """One point, t = .5, sigma = .3: slopes -4 and -2.94118."""
    x = np.array([[1.0]])
    averaged = us.SmoothedClosedFormScore([[0.0]], 0.5, 0.3, noise="population")(x)
    density = us.GaussianMixture([[0.0]], 0.25).smoothed(0.09).score(x)
    assert averaged[0, 0] == pytest.approx(-4.0, abs=1e-12)
    assert density[0, 0] == pytest.approx(-2.94117647, abs=1e-8)


def test_a_gaussian_population_is_not_changed_by_smoothing():
    law, x = us.GaussianMixture([[1.0]], 2.0), np.linspace(-3, 3, 7)[:, None]
    np.testing.assert_allclose(
        us.SmoothedClosedFormScore(law, 0.6, 0.5, noise="population")(x), us.ClosedFormScore(law, 0.6)(x), atol=1e-11
    )


def test_one_sided_lipschitz_constant_is_attained_by_two_points():
    time, diameter = 0.6, 2.0
    bound = time * diameter**2 / (4 * (1 - time) ** 3) - 1 / (1 - time)
    assert bound == pytest.approx(6.875)
    field = us.ClosedFormVelocity([[-1.0], [1.0]], time)
    assert field.jacobian(np.zeros((1, 1)))[0, 0, 0] == pytest.approx(bound, abs=1e-12)
    x = np.random.default_rng(0).normal(size=(200, 1))
    assert field.jacobian(x).max() <= bound


@pytest.mark.parametrize("build", [us.ClosedFormScore, us.ClosedFormVelocity])
def test_potential_is_that_of_the_field(build):
    rng = np.random.default_rng(2)
    field, x, step = build(rng.normal(size=(7, 2)), 0.7), rng.normal(size=(4, 2)), 1e-5
    assert field.is_conservative
    for axis in np.eye(2):
        slope = (field.potential(x + step * axis) - field.potential(x - step * axis)) / (2 * step)
        np.testing.assert_allclose(slope, field(x) @ axis, atol=1e-7)


@pytest.mark.parametrize("time", [-0.1, 1.0, 1.5, np.nan])
def test_times_outside_the_unit_interval_are_refused(time):
    for build in (us.ClosedFormScore, us.ClosedFormVelocity):
        with pytest.raises(InputError, match="time must"):
            build(POINTS, time)


def test_smoothing_without_noise_is_refused():
    with pytest.raises(InputError, match="noise must be"):
        us.ClosedFormVelocity(POINTS, 0.5, 0.1)


@pytest.mark.parametrize("dimension", [1, 2, 9])
def test_the_fields_conform(dimension):
    rng = np.random.default_rng(3)
    points, noise, x = (rng.normal(size=(n, dimension)) for n in (12, 4, 5))
    center = us.Barycenter(us.Gaussian(0.5), points, scale=0.5)
    fields = [
        center,
        us.Smoothed(center, 0.3, noise=noise),
        us.ClosedFormScore(points, 0.5),
        us.SmoothedClosedFormScore(points, 0.5, 0.3, noise=noise),
        us.ClosedFormVelocity(points, 0.5, 0.3, noise=noise),
        us.ClosedFormVelocity(points, 0.0),
    ]
    if dimension == 1:
        fields.append(us.ClosedFormVelocity(points, 0.5, 0.3, noise="population"))
    for field in fields:
        us.testing.check_field(field, x)

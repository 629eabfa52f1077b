"""The closed-form sampler: golden trajectory, laws of its paths, noise policies, estimators and errors."""

import numpy as np
import pytest
from scipy.special import ndtri

import unifiedscore as us
from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.samplers.closed_form import time_grid

EPS = np.finfo(float).eps
TWO = np.array([[-1.0], [1.0]])


def sample(data, n, seed=1, **settings):
    options = dict(n_steps=50, smoothing=0.5, noise=us.Noise("fixed", draws=4), rng=np.random.default_rng(seed))
    return us.sample_closed_form(data, n, **(options | settings))


def cloud(n=50, dimension=2, seed=0):
    return 2 * np.random.default_rng(seed).normal(size=(n, dimension))


def test_golden_trajectory():
    noise = us.Noise("fixed", given=[[[-1.0], [0.5]]])
    result = sample([[-1.0], [0.5], [2.0]], 1, n_steps=10, smoothing=0.4, start=[[0.3]], noise=noise, trajectory=True)
    golden = [0.3, 0.32, 0.343475827742, 0.371166416471, 0.403845706978, 0.441730736885, 0.483245808771]
    golden += [0.526707915331, 0.548295930192, 0.524334064156, 0.5]
    np.testing.assert_allclose(result.trajectory[:, 0, 0], golden, atol=6e-13)
    assert result.last_state[0, 0] == result.trajectory[-2, 0, 0]
    np.testing.assert_array_equal(result.indices, [[1, 1]])


@pytest.mark.parametrize("policy", ["fixed", "fresh", "shared", "fixed_antithetic", "fresh_antithetic"])
def test_last_step_is_a_barycenter_and_samples_stay_in_the_hull(policy):
    points = cloud(dimension=3)
    result = sample(points, 60, noise=us.Noise(policy, draws=4))
    assert (result.samples >= points.min(0) - 1e-12).all() and (result.samples <= points.max(0) + 1e-12).all()
    assert np.linalg.norm(result.samples, axis=1).max() <= np.linalg.norm(points, axis=1).max() + 1e-12
    if policy == "fixed":
        noise = np.random.default_rng(5).normal(size=(60, 4, 3))
        result = sample(points, 60, noise=us.Noise("fixed", given=noise))
        field = us.Smoothed(us.Barycenter(us.Gaussian(1 / 50), points, scale=0.98), 0.5, noise=noise[0])
        np.testing.assert_allclose(field.evaluate(result.last_state, noise=noise), result.samples, atol=1e-10)


@pytest.mark.parametrize("policy", ["fixed", "fresh"])
def test_path_representation(policy):
    """z_n = (1 - t_n) z_0 + t_n sum_j w_nj x_j, w_nj = S(S-n) / (n(S-j)(S-j-1)), from the steps themselves."""
    result = sample(cloud(), 20, n_steps=12, noise=us.Noise(policy, draws=4), trajectory=True)
    states, s = result.trajectory, 12
    n = np.arange(s)[:, None, None]
    centers = states[:-1] + (states[1:] - states[:-1]) * (s - n)
    for step in range(1, s):
        j = np.arange(step)
        omega = s * (s - step) / (step * (s - j) * (s - j - 1))
        assert omega.sum() == pytest.approx(1.0, abs=1e-14)
        mean = np.einsum("j,jnd->nd", omega, centers[:step])
        np.testing.assert_allclose(states[step], (1 - step / s) * states[0] + step / s * mean, atol=1e-13)


def test_one_point_is_approached_in_a_straight_line():
    point = np.array([[3.0, -1.0]])
    result = sample(point, 5, trajectory=True)
    expected = point + (1 - result.times)[:, None, None] * (result.trajectory[0] - point)
    np.testing.assert_allclose(result.trajectory, expected, atol=1e-13)


def test_without_smoothing_samples_are_training_points():
    points = cloud()
    distances = {}
    for steps in (20, 100):
        found = sample(points, 400, smoothing=0.0, n_steps=steps)
        gap = np.linalg.norm(found.samples - points[found.indices[:, 0]], axis=1)
        distances[steps] = np.quantile(gap, 0.99)
    assert distances[100] <= 1e-12 < distances[20]


def test_samples_are_means_of_the_returned_tuples():
    points = cloud()
    for smoothing in (0.3, 1.0):
        result = sample(points, 400, n_steps=200, smoothing=smoothing)
        gap = np.linalg.norm(result.samples - points[result.indices].mean(1), axis=1)
        assert np.median(gap) <= 1e-12
        assert (gap > 1e-2).mean() <= 0.05
    # The nearest neighbours of the unperturbed state are another tuple.
    nearest = np.argmin(((result.last_state[:, None] - 0.995 * points) ** 2).sum(-1), axis=1)
    assert np.median(np.linalg.norm(result.samples - points[nearest], axis=1)) > 0.1


@pytest.mark.parametrize(
    ("policy", "share"), [("fixed", 0.160), ("fixed_antithetic", 0.357), ("fresh", 0.131), ("fresh_antithetic", 0.250)]
)
def test_each_policy_has_its_own_law(policy, share):
    """P(sample = 0) for two points, M = 2, sigma = .5, S = 50. The golden values have a standard error of 2e-3."""
    n = 10_000
    found = sample(TWO, n, noise=us.Noise(policy, draws=2))
    # Level 1e-6 a policy: 4.9 standard errors of both estimates.
    error = np.hypot(2e-3, np.sqrt(share * (1 - share) / n))
    assert np.mean(np.abs(found.samples) < 0.5) == pytest.approx(share, abs=4.9 * error)


def test_population_noise_has_the_golden_two_point_values():
    found = sample(TWO, 2, smoothing=0.6, n_steps=100, noise="population", start=[[2.5], [0.8]])
    np.testing.assert_allclose(found.samples[:, 0], [0.87041, 0.79833], atol=5e-6)
    assert found.indices.shape == (2, 0)


def test_starting_late_reproduces_the_table_of_two_points():
    """W2 at the end for sigma = .4: .0042 at T = .5 (uniform steps S = 200, midpoint-quantile starts)."""
    quantiles = ndtri((np.arange(300) + 0.5) / 300)[:, None]
    noise = ndtri((np.arange(400) + 0.5) / 400)[:, None]
    grid = dict(smoothing=0.4, n_steps=200, noise=us.Noise("shared", given=noise))
    full = sample(TWO, 300, start=quantiles, **grid)
    # The unsmoothed mixture at T = .5 by its own midpoint quantiles: inverse of its distribution function.
    x = np.linspace(-4, 4, 400_001)
    from scipy.stats import norm

    law = 0.5 * (norm.cdf((x + 0.5) / 0.5) + norm.cdf((x - 0.5) / 0.5))
    late_start = np.interp((np.arange(300) + 0.5) / 300, law, x)[:, None]
    late = sample(TWO, 300, start=late_start, start_time=0.5, **grid)
    distance = np.sqrt(np.mean((np.sort(full.samples[:, 0]) - np.sort(late.samples[:, 0])) ** 2))
    assert distance == pytest.approx(0.0042, abs=3e-4)


@pytest.mark.parametrize("start_time", [0.0, 0.9])
def test_near_field_paths_equal_dense_paths(start_time):
    rng = np.random.default_rng(0)
    points = us.load_measure("checkerboard", n=500, rng=rng, side=8.0)
    options = dict(n_steps=100, smoothing=0.2, start_time=start_time)
    dense, near = (sample(points, 300, estimator=name, **options) for name in ("dense", "near"))
    assert np.abs(dense.samples - near.samples).max() <= 1e-10
    np.testing.assert_array_equal(dense.indices, near.indices)
    assert near.fractions[-1] < 0.1 and dense.fractions[-1] == 1.0


def test_late_starts_are_drawn_from_the_unsmoothed_mixture():
    """z_T = T x + (1-T) e: mean T mean(x), variance T^2 var(x) + (1-T)^2, at the rounded start time."""
    points, n = np.array([[-1.0], [3.0]]), 20_000
    result = sample(points, n, n_steps=10, start_time=0.79, smoothing=0.0, trajectory=True)
    assert result.settings["start_time"] == 0.8 and len(result.times) == 3
    start = result.trajectory[0, :, 0]
    variance = 0.8**2 * 4 + 0.2**2
    # Five standard errors; the fourth moment is at most three times the squared variance.
    assert start.mean() == pytest.approx(0.8, abs=5 * np.sqrt(variance / n))
    assert start.var() == pytest.approx(variance, abs=5 * variance * np.sqrt(2 / n))
    # Around each point the spread is that of the noise alone.
    side = start[start > 0.8] - 2.4
    assert side.std() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("dimension", [2, 9])
def test_indices_are_those_of_the_largest_posterior_weight(dimension):
    rng = np.random.default_rng(0)
    points, weights = rng.normal(size=(40, dimension)), rng.random(40)
    noise = rng.normal(size=(25, 3, dimension))
    for mass in (np.ones(40), weights):
        result = sample(us.Samples(points, mass), 25, n_steps=5, noise=us.Noise("fixed", given=noise))
        queries = result.last_state[:, None] + 0.5 * noise
        logits = -((queries[:, :, None] - 0.8 * points) ** 2).sum(-1) / (2 * 0.2**2) + np.log(mass)
        np.testing.assert_array_equal(result.indices, logits.argmax(2))


def test_dense_in_high_dimension_and_with_weights_uses_the_tiled_engine():
    points = cloud(30, 9)
    wide = sample(points, 10)
    still = lambda d: {"start": np.zeros((10, d)), "noise": us.Noise("fixed", given=np.zeros((10, 4, d)))}
    padded = sample(np.pad(points[:, :2], ((0, 0), (0, 7))), 10, **still(9))
    flat = sample(points[:, :2], 10, **still(2))
    assert wide.samples.shape == (10, 9)
    np.testing.assert_allclose(padded.samples[:, :2], flat.samples, atol=1e-10)
    equal = sample(us.Samples(points[:, :2], np.ones(30)), 10)
    doubled = sample(us.Samples(np.concatenate([points[:, :2], points[:1, :2]]), [0.5, *np.ones(29), 0.5]), 10)
    np.testing.assert_allclose(equal.samples, doubled.samples, atol=1e-9)


def test_neighbour_estimator_is_exact_with_every_point():
    points = cloud(30)
    exact = sample(points, 20)
    all_points = sample(points, 20, estimator=us.Neighbours(nearest=10, remainder=20))
    np.testing.assert_allclose(all_points.samples, exact.samples, atol=1e-9)
    few = sample(points, 20, estimator=us.Neighbours(nearest=2, remainder=2))
    assert not np.allclose(few.samples, exact.samples)


def test_large_smoothing_gives_means_of_extreme_points():
    points = cloud(20)
    noise = np.random.default_rng(3).normal(size=(200, 3, 2))
    diameter = np.linalg.norm(points[:, None] - points, axis=-1).max()
    found = sample(points, 200, smoothing=60 * diameter, n_steps=400, noise=us.Noise("fixed", given=noise))
    expected = points[np.argmax(noise @ points.T, axis=2)].mean(1)
    assert (np.linalg.norm(found.samples - expected, axis=1) < 1e-6).mean() >= 0.98


def test_time_grids_end_in_a_full_step():
    times, etas = time_grid(4, 0.0)
    np.testing.assert_allclose(times, [0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(etas, [1 / 4, 1 / 3, 1 / 2, 1])
    assert len(time_grid(100, 0.29)[1]) == 71
    times, etas = time_grid(50, 0.2, "log_time")
    assert times[0] == 0.2 and times[-2] == pytest.approx(1 - 1 / 50) and times[-1] == 1.0
    np.testing.assert_allclose(etas[:-1], np.log(50 * 0.8) / 49)
    assert etas[-1] == 1.0 and len(etas) == 50
    np.testing.assert_array_equal(time_grid(1)[1], [1.0])


def test_log_time_and_uniform_time_converge_to_the_same_flow():
    start = np.random.default_rng(0).normal(size=(30, 2))
    noise = us.Noise("fixed", given=np.random.default_rng(1).normal(size=(30, 2, 2)))
    points = cloud(6, seed=4)
    ends = []
    for spacing, steps in [("time", 2000), ("log_time", 2000)]:
        found = sample(points, 30, n_steps=steps, start=start, noise=noise, spacing=spacing)
        ends.append(found.samples)
    assert np.median(np.abs(ends[0] - ends[1])) < 1e-10


def test_settings_and_types():
    result = sample(cloud().astype(np.float32), 7, estimator=us.Near(1e-9))
    assert result.samples.dtype == np.float32 and result.trajectory is None
    expected = {"n_steps": 50, "smoothing": 0.5, "noise_policy": "fixed", "tolerance": 1e-9, "n_data": 50}
    assert expected.items() <= result.settings.items()
    first, second = sample(cloud(), 7), sample(cloud(), 7)
    np.testing.assert_array_equal(first.samples, second.samples)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_steps": 0}, InputError, "n_steps must be at least 1"),
        ({"start_time": 1.0}, InputError, r"start_time must lie in \[0, 1\)"),
        ({"start_time": -0.5}, InputError, "start_time must be"),
        ({"start_time": 0.995}, InputError, "leaves no step"),
        ({"smoothing": -1.0}, InputError, "smoothing must be"),
        ({"noise": None}, InputError, "noise must be a Noise"),
        ({"noise": "fixed"}, InputError, "noise must be a Noise.* got 'fixed'"),
        ({"noise": np.zeros((10, 4, 2))}, InputError, "noise must be a Noise.* got an array"),
        ({"estimator": "fast"}, UnknownNameError, "unknown estimator"),
        ({"estimator": us.Near}, InputError, "estimator must be"),
        ({"spacing": "log"}, UnknownNameError, "unknown spacing"),
        ({"estimator": us.Neighbours(40, 11)}, InputError, "must be at most the 50"),
        ({"rng": 3}, InputError, "rng must be"),
        ({"start": np.zeros((3, 2))}, InputError, "start must hold n = 10"),
        ({"noise": us.Noise("fixed", given=np.zeros((9, 4, 2)))}, InputError, "given noise of the policy 'fixed' must"),
        ({"noise": us.Noise("fresh", given=np.zeros((9, 10, 4, 2)))}, InputError, "given noise holds 9 steps"),
        ({"noise": us.Noise("population")}, InputError, "exact in dimension 1 only"),
    ],
)
def test_bad_settings_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        sample(cloud(), 10, **change)


def test_bad_data_is_refused():
    with pytest.raises(InputError, match="must be finite"):
        sample(np.array([[0.0], [np.nan]]), 3)
    with pytest.raises(InputError, match="at most 7 dimensions"):
        sample(cloud(20, 8), 3, estimator="near")

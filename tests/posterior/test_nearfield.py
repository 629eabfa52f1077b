"""Pruned posterior means: within the stated tolerance of the dense sum, for every kind of data."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.posterior.exponential import exp_negative
from unifiedscore.posterior.nearfield import NearField


def diameter(points):
    return np.linalg.norm(np.ptp(points, axis=0))


@pytest.mark.parametrize("dimension", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("time", [0.05, 0.5, 0.9, 0.99, 0.999])
def test_it_agrees_with_the_tiled_engine(dimension, time):
    rng = np.random.default_rng(dimension)
    points = rng.normal(size=(700, dimension)) + 3
    x = time * points[rng.integers(700, size=900)] + (1 - time) * rng.normal(size=(900, dimension))
    dense = us.Barycenter(us.Gaussian(1 - time), points, scale=time)(x)
    for prune in (True, False):
        found = NearField(points).means(x, scale=time, bandwidth=1 - time, prune=prune)
        # The neglected share, and rounding of the logits r^2 / 2h^2 and of the division by the scale.
        bound = 1e-12 * diameter(points) + 1e-14 * (1 / (1 - time) + 1 / time) ** 1.5
        np.testing.assert_allclose(found.mean, dense, atol=bound, rtol=0)
        assert found.fraction == 1.0 or prune


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
def test_the_bound_on_the_neglected_mass_holds_where_it_is_loose_enough_to_see(tolerance):
    rng = np.random.default_rng(0)
    points, x = rng.uniform(-4, 4, size=(3000, 2)), rng.uniform(-6, 6, size=(2000, 2))
    exact = NearField(points).means(x, bandwidth=0.2, prune=False)
    pruned = NearField(points, tolerance=tolerance).means(x, bandwidth=0.2)
    worst = np.linalg.norm(pruned.mean - exact.mean, axis=1).max()
    assert worst <= tolerance * diameter(points)
    assert pruned.fraction < 0.35


def test_pruning_saves_more_as_the_kernel_narrows():
    rng = np.random.default_rng(0)
    near, x = NearField(rng.uniform(size=(2000, 2))), rng.uniform(size=(3000, 2))
    shares = [near.means(x, bandwidth=h).fraction for h in (1.0, 0.1, 0.03, 0.01)]
    assert shares[0] == 1.0 and shares[1] > shares[2] > shares[3] and shares[3] < 0.08


def test_queries_far_from_all_points_keep_the_nearest():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = NearField(points).means([[1e3, 0.0], [0.0, -1e3]], bandwidth=0.5)
    np.testing.assert_allclose(found.mean[0], [1.0, 0.0], atol=1e-12)
    # (0, 0) and (1, 0) are both at distance 1000 up to 5e-4: weights exp(-2 * 0), exp(-2 * 1).
    np.testing.assert_allclose(found.mean[1], [np.exp(-2.0) / (1 + np.exp(-2.0)), 0.0], atol=1e-9)


def test_coincident_points_one_query_and_a_common_offset():
    points = np.full((50, 2), 1e6)
    np.testing.assert_array_equal(NearField(points).means([[1e6, 1e6]], bandwidth=0.1).mean, [[1e6, 1e6]])
    rng = np.random.default_rng(0)
    base, x = rng.integers(-64, 64, size=(300, 2)) / 64, rng.integers(-64, 64, size=(400, 2)) / 64
    moved = NearField(base + 2.0**20).means(x + 2.0**20, bandwidth=0.02).mean - 2.0**20
    np.testing.assert_allclose(moved, NearField(base).means(x, bandwidth=0.02).mean, atol=1e-9)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    near, x = NearField(rng.normal(size=(500, 2))), rng.normal(size=(20_000, 2))
    many = near.means(x, bandwidth=0.1).mean
    monkeypatch.setattr("unifiedscore.posterior.nearfield.threads", lambda: 1)
    np.testing.assert_array_equal(near.means(x, bandwidth=0.1).mean, many)


@pytest.mark.parametrize("dimension", [1, 2, 4])
@pytest.mark.parametrize("own", [True, False])
def test_smoothed_means_are_means_at_perturbed_queries_averaged(dimension, own):
    rng = np.random.default_rng(dimension)
    near, x = NearField(rng.normal(size=(300, dimension)) + 2), rng.normal(size=(150, dimension)) + 2
    noise = rng.normal(size=(150, 6, dimension) if own else (6, dimension))
    for scale, bandwidth in ((1.0, 0.1), (0.7, 0.3), (1.0, 5.0)):
        found = near.smoothed_means(x, noise, 0.4, scale=scale, bandwidth=bandwidth)
        queries = (x[:, None] + 0.4 * noise).reshape(-1, dimension)
        each = near.means(queries, scale=scale, bandwidth=bandwidth, prune=False).mean.reshape(150, 6, dimension)
        np.testing.assert_allclose(found.mean, each.mean(1), atol=1e-11 * diameter(near.points), rtol=0)
    with pytest.raises(InputError, match="noise must have shape"):
        near.smoothed_means(x, noise[..., :1, :][..., :0, :], 0.4, bandwidth=1.0)


@pytest.mark.parametrize("bandwidth", [1e-5, 1e-3, 0.03, 0.2])
def test_kernels_of_every_width_agree_with_brute_force(bandwidth):
    """Narrow ones need their own reference at every query of a block, wide ones share one."""
    rng = np.random.default_rng(3)
    points, x = rng.uniform(size=(400, 2)), rng.uniform(-0.2, 1.2, size=(3000, 2))
    logits = -((x[:, None] - points) ** 2).sum(-1) / (2 * bandwidth**2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    expected = weights @ points / weights.sum(1, keepdims=True)
    found = NearField(points).means(x, bandwidth=bandwidth).mean
    # Rounding of r^2 / 2 h^2 (and of its differences) moves the weights of two points of equal distance.
    np.testing.assert_allclose(found, expected, atol=1e-12 + 1e-15 / bandwidth**2, rtol=0)


def test_the_exponential_is_that_of_the_library():
    t = -np.concatenate([[0.0], np.geomspace(1e-300, 700, 4000)])
    ours = np.array([exp_negative(value) for value in t])
    np.testing.assert_allclose(ours, np.exp(t), rtol=4e-16)
    assert exp_negative(-1e4) == pytest.approx(np.exp(-708.0), rel=1e-12)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at most 7 dimensions"):
        NearField(np.zeros((5, 8)))
    with pytest.raises(InputError, match="equal weights"):
        NearField(us.Samples([[0.0], [1.0]], [1, 2]))
    with pytest.raises(InputError, match="tolerance must lie"):
        NearField([[0.0], [1.0]], tolerance=1.5)
    with pytest.raises(InputError, match="x must be finite"):
        NearField([[0.0], [1.0]]).means([[np.nan]], bandwidth=0.1)

"""Laws of weighted samples."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture, Samples, as_samples


def test_weighted_moments_equal_those_of_the_repeated_points(rng):
    points, repeats = rng.normal(size=(5, 3)), np.array([1, 2, 3, 1, 4])
    weighted, repeated = Samples(points, repeats), np.repeat(points, repeats, axis=0)
    np.testing.assert_allclose(weighted.mean, repeated.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(weighted.covariance_matrix, np.cov(repeated.T, bias=True), rtol=1e-12)
    np.testing.assert_allclose(weighted.second_moment, repeated.T @ repeated / 11, rtol=1e-12)


def test_moments_survive_a_far_offset(rng):
    points = rng.normal(size=(200, 2))
    moved = Samples(points + 1e8)
    # Adding 1e8 rounds each coordinate to 1.5e-8; the covariance may move by that times the spread.
    np.testing.assert_allclose(moved.covariance_matrix, Samples(points).covariance_matrix, atol=1e-7)


def test_draws_follow_the_weights_and_keep_the_dtype(rng):
    data = Samples(np.array([[0.0], [1.0]], dtype=np.float32), [0, 1])
    drawn = data.sample(50, rng)
    assert drawn.dtype == np.float32
    assert (drawn == 1).all()


def test_as_samples_wraps_arrays_and_keeps_samples(rng):
    data = Samples(rng.normal(size=(4, 2)))
    assert as_samples(data) is data
    assert as_samples(data.points).size == 4


@pytest.mark.parametrize(
    ("points", "weights", "message"),
    [
        (np.zeros((0, 2)), None, "at least one point"),
        (np.zeros(3), None, "two-dimensional"),
        ([[np.nan, 0.0]], None, "finite"),
        ([[1j]], None, "real numeric"),
        (np.array([[None]]), None, "real numeric"),
        ([[1.0], [2.0, 3.0]], None, "regular array"),
        ([[0.0], [1.0]], [0.0, 0.0], "must not all be zero"),
        ([[0.0], [1.0]], [-1.0, 2.0], "must not be negative"),
        ([[0.0], [1.0]], [1.0], "shape"),
    ],
)
def test_bad_samples_are_refused(points, weights, message):
    with pytest.raises(InputError, match=message):
        Samples(points, weights)


def test_a_mixture_is_not_silently_taken_for_samples():
    with pytest.raises(InputError, match=r"target must be Samples.*\.sample"):
        as_samples(GaussianMixture([[0.0]], 1.0), "target")


def test_huge_moment_matrices_are_refused_before_allocation():
    with pytest.raises(InputError, match="20000"):
        _ = Samples(np.zeros((2, 20_001))).second_moment

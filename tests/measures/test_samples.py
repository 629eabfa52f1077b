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


@pytest.mark.parametrize("far", [1e20, -1e200, 1e308])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_points_without_weight_influence_no_moment(far, place):
    points = np.insert(np.array([[1.0, 4.0], [2.0, 0.0], [5.0, 1.0]]), place, far, axis=0)
    weights = np.insert(np.array([1.0, 2.0, 1.0]), place, 0.0)
    found, held = Samples(points, weights), Samples(np.delete(points, place, axis=0), [1.0, 2.0, 1.0])
    for name in ("mean", "covariance_matrix", "second_moment"):
        np.testing.assert_array_equal(getattr(found, name), getattr(held, name))
    np.testing.assert_array_equal(held.mean, [2.5, 1.25])


def test_a_far_point_of_tiny_weight_counts_for_its_weight():
    found = Samples([[1e20], [1.0], [2.0]], [1e-30, 1.0, 1.0])
    np.testing.assert_allclose(found.mean, [1.5 + 0.5e-10], rtol=1e-15)


def test_samples_own_their_points_and_weights(rng):
    points, weights = rng.normal(size=(5, 2)), np.ones(5)
    for given in (points, np.asfortranarray(points), points[::-1], np.repeat(points, 2, axis=1)[:, ::2]):
        data = Samples(given, weights)
        before = data.points.copy(), data.mean
        given += 1.0
        weights[0] = 7.0
        np.testing.assert_array_equal(data.points, before[0])
        np.testing.assert_array_equal(data.mean, before[1])
        weights[0] = 1.0
        assert not np.shares_memory(as_samples(given).points, given)


def test_a_frame_with_the_column_names_of_a_law_is_no_law():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"log_density": [1.0, 2.0], "x": [0.0, 1.0]})
    assert as_samples(frame).dimension == 2

"""The neighbour estimator, by enumeration of every possible remainder."""

from itertools import combinations

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.posterior.neighbours import NeighbourMeans

POINTS, QUERY, TIME, COUNT = 0.5 * np.arange(8.0)[:, None], np.array([[0.8]]), 0.5, 2


def exact(x=QUERY, time=TIME):
    return us.Barycenter(us.Gaussian(1 - time), POINTS, scale=time)(x)


def errors(remainder, nearest=COUNT, x=QUERY, search=None, time=TIME):
    """Error of the estimate for every possible draw of the remainder."""
    means = NeighbourMeans(POINTS, nearest=nearest, remainder=remainder)
    near = means.neighbours(x if search is None else search, scale=time)
    rest = [j for j in range(8) if j not in near[0]]
    draws = np.array(list(combinations(rest, remainder)))
    x, near = np.repeat(x, len(draws), axis=0), np.repeat(near, len(draws), axis=0)
    return means.combine(x, near, draws, scale=time, bandwidth=1 - time)[:, 0] - exact(x[:1], time)[0, 0]


def test_the_neighbours_are_those_of_the_scaled_points():
    near = NeighbourMeans(POINTS, nearest=2, remainder=1).neighbours(QUERY, scale=TIME)
    np.testing.assert_array_equal(near, [[3, 4]])
    assert exact()[0, 0] == pytest.approx(1.633705799194, abs=1e-12)


@pytest.mark.parametrize(
    ("remainder", "bias", "rms"),
    [
        (1, 0.0508016809, 0.662648),
        (2, 0.0194512366, 0.413734),
        (3, 0.0097473567, 0.291320),
        (4, 0.0048907195, 0.205542),
        (5, 0.0019646810, 0.129816),
        (6, 0.0, 0.0),
    ],
)
def test_golden_bias_and_error(remainder, bias, rms):
    found = errors(remainder)
    assert found.mean() == pytest.approx(bias, abs=1e-10)
    assert np.sqrt((found**2).mean()) == pytest.approx(rms, abs=1e-6)


def smoothed_bias(time, smoothing, nearest, remainder, at_query):
    x = np.array([[0.8]])
    shifted = [x + smoothing * sign for sign in (-1.0, 1.0)]
    return np.mean([errors(remainder, nearest, y, x if at_query else None, time).mean() for y in shifted])


@pytest.mark.parametrize(
    ("time", "smoothing", "nearest", "good", "bad"),
    [
        (0.5, 0.25, 2, 0.0202454, 0.0193731),
        (0.5, 0.5, 2, 0.0148152, 0.0215980),
        (0.5, 1.0, 2, 0.0014429, 0.0241021),
        (0.5, 0.5, 3, -0.0204318, 0.0166499),
        (0.9, 0.5, 2, -9e-12, -0.1617696),
        # By hand: the query z - 1 misses its point with probability 2/3, an error of +1/2; z + 1 averages to its own.
        (0.9, 1.0, 2, -8e-10, 0.1666667),
    ],
)
def test_neighbours_must_be_those_of_the_perturbed_point(time, smoothing, nearest, good, bad):
    assert smoothed_bias(time, smoothing, nearest, 2, False) == pytest.approx(good, abs=5e-8)
    assert smoothed_bias(time, smoothing, nearest, 2, True) == pytest.approx(bad, abs=5e-8)


def test_draws_are_uniform_subsets_of_the_complement():
    means = NeighbourMeans(POINTS, nearest=3, remainder=2)
    near = np.repeat([[0, 3, 7]], 20_000, axis=0)
    draws = np.sort(means.draw_remainder(near, np.random.default_rng(0)), axis=1)
    subsets, counts = np.unique(draws, axis=0, return_counts=True)
    np.testing.assert_array_equal(subsets, list(combinations([1, 2, 4, 5, 6], 2)))
    # Ten equally likely subsets: binomial standard deviation 42; five of them is a chance of 6e-6.
    assert np.abs(counts - 2000).max() < 5 * 42.5


@pytest.mark.parametrize(("nearest", "remainder"), [(8, 0), (3, 5), (1, 7)])
def test_it_is_exact_when_every_point_is_used(nearest, remainder):
    x = np.random.default_rng(0).normal(size=(40, 1)) + 1
    means = NeighbourMeans(POINTS, nearest=nearest, remainder=remainder)
    value = means(x, scale=TIME, bandwidth=1 - TIME, rng=np.random.default_rng(1))
    np.testing.assert_allclose(value, exact(x), atol=1e-13)


def test_high_dimension_finds_the_same_neighbours_as_brute_force():
    rng = np.random.default_rng(0)
    points, x = rng.normal(size=(60, 20)), rng.normal(size=(10, 20))
    near = NeighbourMeans(points, nearest=4, remainder=0).neighbours(x, scale=0.5)
    squared = ((x[:, None] - 0.5 * points) ** 2).sum(-1)
    np.testing.assert_array_equal(near, np.sort(np.argsort(squared, axis=1)[:, :4], axis=1))


def test_too_many_points_are_refused():
    with pytest.raises(InputError, match="must be at most the 8 data points; got 5 \\+ 4"):
        NeighbourMeans(POINTS, nearest=5, remainder=4)
    with pytest.raises(InputError, match="equal weights"):
        NeighbourMeans(us.Samples([[0.0], [1.0]], [1, 3]), nearest=1, remainder=0)

"""The minimum-energy classifier made of tilted laws: from kernel Bayes at smoothing 0 to the quadratic discriminant."""

import numpy as np
import pytest

import unifiedscore as us

FIRST = np.array([[-1.2], [0.1], [1.7], [2.0]])
SECOND = np.array([[-0.6], [0.5], [0.9], [3.1], [3.4]])
QUERIES = np.array([[-1.0], [0.0], [0.8], [2.5], [4.0]])
GOLDEN = {
    0.0: (0.709159, 0.749284, 0.058501, 0.703458, 0.000000),
    0.3: (0.746175, 0.538386, 0.157231, 0.722205, 0.000000),
    1.0: (0.768005, 0.329079, 0.516795, 0.508463, 0.000009),
    4.0: (0.614482, 0.591035, 0.571468, 0.384993, 0.088353),
    16.0: (0.648658, 0.617830, 0.563545, 0.358412, 0.149557),
}
QUADRATIC = (0.649761, 0.618390, 0.563262, 0.357737, 0.151054)


def posterior(first, second):
    """Probability of the first class at the queries, equal priors, from laws with normalised densities."""
    return 1 / (1 + np.exp(second.log_density(QUERIES) - first.log_density(QUERIES)))


def tilted(points, smoothing):
    score = us.SmoothedScore(points, 0.3, smoothing, noise="population")
    return us.MomentMatchedTilt(score, us.solve_tilt(score))


@pytest.mark.parametrize("smoothing", GOLDEN)
def test_posteriors_of_tilted_classes_are_golden(smoothing):
    found = posterior(tilted(FIRST, smoothing), tilted(SECOND, smoothing))
    assert found == pytest.approx(GOLDEN[smoothing], abs=6e-7)


def test_both_ends_are_the_classical_classifiers_and_the_path_between_is_not_monotone():
    bayes = posterior(*(us.GaussianMixture(points, 0.09) for points in (FIRST, SECOND)))
    assert bayes == pytest.approx(posterior(tilted(FIRST, 0.0), tilted(SECOND, 0.0)), abs=1e-11)
    moments = ((points.mean(0)[None], float(points.var() + 0.09)) for points in (FIRST, SECOND))
    quadratic = posterior(*(us.GaussianMixture(*pair) for pair in moments))
    assert quadratic == pytest.approx(QUADRATIC, abs=6e-7)
    # At the first query the smoothed posteriors leave the interval between the two ends.
    assert bayes[0] < GOLDEN[1.0][0] and quadratic[0] > GOLDEN[4.0][0]

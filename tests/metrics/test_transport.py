"""Transport distances with known answers, at equal and unequal sizes."""

from fractions import Fraction

import numpy as np
import pytest

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.metrics.replicates import replicated
from unifiedscore.metrics.transport import sinkhorn_divergence, sliced_wasserstein2, wasserstein2


def quantile_distance(x, y):
    """One-dimensional W2 over the merged jumps, in exact rational masses."""
    x, y, total, at = sorted(x), sorted(y), 0.0, Fraction(0)
    jumps = sorted({Fraction(i + 1, len(x)) for i in range(len(x))} | {Fraction(j + 1, len(y)) for j in range(len(y))})
    for jump in jumps:
        i, j = int(at * len(x)), int(at * len(y))
        total += float(jump - at) * (x[i] - y[j]) ** 2
        at = jump
    return np.sqrt(total)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 5), (4, 6), (7, 3), (13, 40)])
def test_one_dimension_has_its_quantile_formula(n, m):
    rng = np.random.default_rng(n * m)
    x, y = rng.normal(size=n), rng.normal(size=m) + 1
    exact = quantile_distance(x, y)
    assert wasserstein2(x[:, None], y[:, None]) == pytest.approx(exact, rel=1e-12)
    assert sliced_wasserstein2(x[:, None], y[:, None], n_directions=5, rng=rng) == pytest.approx(exact, rel=1e-12)


def test_a_translation_costs_its_length_and_repetition_nothing():
    rng = np.random.default_rng(0)
    x, shift = rng.normal(size=(60, 3)), np.array([1.0, -2.0, 2.0])
    assert wasserstein2(x, x + shift) == pytest.approx(3.0, rel=1e-12)
    assert wasserstein2(x, np.repeat(x, 3, axis=0)) <= 1e-7
    # The mean over directions of (theta . shift)^2 is |shift|^2 / d.
    value = sliced_wasserstein2(x, np.repeat(x, 2, axis=0) + shift, n_directions=4000, rng=rng)
    # (theta . e)^2 has mean 1/3 and standard deviation .298: five standard errors of the mean.
    assert value**2 == pytest.approx(3.0, abs=5 * 9 * 0.298 / np.sqrt(4000))


def test_interpolated_quantiles_fall_short_of_the_exact_distance():
    """Two and 2000 points of one Gaussian. E W2^2 = 2 - 4 phi(0)/sqrt(pi) = 1.0997 with steps at 1/2, and
    2/3 + 1 - 2/pi = 1.0300 with a line between the two points, because the integral of u ndtri(u) is 1/(2 sqrt(pi)).
    """
    rng, levels, exact, interpolated = np.random.default_rng(0), (np.arange(2000) + 0.5) / 2000, [], []
    for _ in range(400):
        x, y = rng.normal(size=2), rng.normal(size=2000)
        exact.append(sliced_wasserstein2(x[:, None], y[:, None], n_directions=1, rng=rng) ** 2)
        interpolated.append(np.mean((np.quantile(x, levels) - np.quantile(y, levels)) ** 2))
    expected = 2 - 4 / np.sqrt(2) / np.pi
    # 2000 points instead of the law change either by less than 2e-3.
    assert np.mean(exact) == pytest.approx(expected, abs=4.5 * np.std(exact) / 20 + 2e-3)
    gap = np.subtract(exact, interpolated)
    assert gap.mean() == pytest.approx(expected - 5 / 3 + 2 / np.pi, abs=4.5 * gap.std() / 20 + 2e-3)
    assert gap.mean() > 4.5 * gap.std() / 20


def test_brute_force_over_permutations():
    from itertools import permutations

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    best = min(((x[list(p)] - y) ** 2).sum() for p in permutations(range(6)))
    assert wasserstein2(x, y) == pytest.approx(np.sqrt(best / 6), rel=1e-12)


def test_standard_errors_need_replicates():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(20, 1)), rng.normal(size=(30, 1))) for _ in range(8)]
    result = replicated(wasserstein2, pairs)
    assert result.standard_error == pytest.approx(result.values.std(ddof=1) / np.sqrt(8))
    with pytest.raises(InputError, match="at least two replicates"):
        replicated(wasserstein2, pairs[:1])


def test_dimensions_must_agree():
    with pytest.raises(InputError, match="y must have dimension 2"):
        wasserstein2(np.zeros((3, 2)), np.zeros((3, 1)))


def test_the_sinkhorn_divergence_lies_between_transport_and_the_distance_of_the_means():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(50, 2)) * 0.5 + 1
    values = [sinkhorn_divergence(x, y, epsilon=epsilon) for epsilon in (1e-2, 0.1, 1.0, 10.0, 1e5)]
    assert values[0] == pytest.approx(wasserstein2(x, y) ** 2, rel=0.02)
    assert values[-1] == pytest.approx(((x.mean(0) - y.mean(0)) ** 2).sum(), rel=1e-3)
    assert np.diff(values).max() < 0


def test_the_sinkhorn_divergence_agrees_with_pot():
    import ot

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(20, 3)) + 0.5
    costs = {}
    for name, (a, b) in {"xy": (x, y), "xx": (x, x), "yy": (y, y)}.items():
        masses, cost = (np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b))), ot.dist(a, b)
        plan = ot.sinkhorn(*masses, cost, 2.0, method="sinkhorn_log", numItermax=20_000, stopThr=1e-12)
        costs[name] = (plan * cost).sum() + 2.0 * (plan * np.log(plan * plan.size)).sum()
    expected = costs["xy"] - 0.5 * (costs["xx"] + costs["yy"])
    assert sinkhorn_divergence(x, y, epsilon=2.0) == pytest.approx(expected, rel=1e-7)


def test_a_sinkhorn_divergence_vanishes_for_equal_samples_and_refuses_what_has_no_digits():
    x = np.random.default_rng(2).normal(size=(30, 2))
    assert sinkhorn_divergence(x, x[::-1], epsilon=0.5) < 1e-8
    assert sinkhorn_divergence(x[:1], x[:1], epsilon=0.5) == 0.0
    assert sinkhorn_divergence(x[:1], x[1:2], epsilon=0.5) == pytest.approx(((x[0] - x[1]) ** 2).sum(), rel=1e-12)
    with pytest.raises(InputError, match="epsilon must be at most 1e\\+06 times"):
        sinkhorn_divergence(x, x + 1, epsilon=1e9)
    with pytest.raises(NumericalError, match="use a larger epsilon than"):
        sinkhorn_divergence(x, x + 1, epsilon=1e-3, max_iterations=5)
    with pytest.raises(NumericalError, match="leave far points out"):
        sinkhorn_divergence(x, np.append(x, [[1e200, 0.0]], axis=0), epsilon=0.5)


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_the_sinkhorn_divergence_needs_few_iterations_for_its_digits(epsilon):
    x, y = np.random.default_rng(3).normal(size=(2, 150, 2))
    exact = sinkhorn_divergence(x, y, epsilon=epsilon, tolerance=1e-7, max_iterations=200_000)
    assert sinkhorn_divergence(x, y, epsilon=epsilon) == pytest.approx(exact, rel=1e-5)
    assert sinkhorn_divergence(x, x, epsilon=epsilon) < 1e-6

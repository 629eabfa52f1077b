"""Cross-fitted, split-sample and same-sample alignment on fields whose truth is known."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.metrics import cross_fitted_cosine, global_cosine, replicated_cosines

N, D = 60, 4


def noisy(rng, replicates, *, angle=0.5, noise=1.0, signal=1.0):
    """Two fields at a known angle, with one noise in both."""
    first, other = rng.standard_normal((2, N, D))
    other -= first * (first * other).sum() / (first**2).sum()
    other *= np.linalg.norm(first) / np.linalg.norm(other)
    second = np.cos(angle) * first + np.sin(angle) * other
    shared = noise * rng.standard_normal((replicates, N, D))
    return signal * first + shared, signal * second + shared


def test_two_replicates_give_the_formula():
    (d1, d2), (s1, s2) = noisy(np.random.default_rng(1), 2, noise=1e-2)
    product = lambda a, b: (a * b).sum(1).mean()  # noqa: E731
    expected = (product(d1, s2) + product(d2, s1)) / 2 / np.sqrt(product(d1, d2) * product(s1, s2))
    estimate = cross_fitted_cosine(np.stack([d1, d2]), np.stack([s1, s2]))
    assert estimate.value == pytest.approx(expected, rel=1e-13)
    assert np.isnan(estimate.low) and "at least three" in estimate.reason


def test_weights_are_those_of_the_queries():
    drift, score = noisy(np.random.default_rng(2), 5)
    weights = np.repeat([1.0, 3.0], N // 2)
    repeated = np.repeat(np.arange(N), weights.astype(int))
    assert cross_fitted_cosine(drift, score, weights).value == pytest.approx(
        cross_fitted_cosine(drift[:, repeated], score[:, repeated]).value, rel=1e-12
    )


def test_the_noise_energy_is_the_unbiased_variance_summed_over_coordinates():
    drift, score = noisy(np.random.default_rng(4), 5)
    weights = np.linspace(1.0, 3.0, N)
    expected = weights / weights.sum() @ drift.var(0, ddof=1).sum(1)
    assert replicated_cosines(drift, score, weights).noise_energy == pytest.approx(expected, rel=1e-12)


def test_shared_noise_flatters_the_same_sample_and_independent_noise_belittles_the_split():
    rng, truth = np.random.default_rng(3), np.cos(1.2)
    found = [replicated_cosines(*noisy(rng, 8, angle=1.2, noise=2.0)) for _ in range(40)]
    mean = lambda name: np.mean([getattr(f, name).value for f in found])  # noqa: E731
    # Energies are 1 (signal) and 4 (noise) a coordinate.
    assert mean("cross_fitted") == pytest.approx(truth, abs=0.03)
    assert mean("split_sample") == pytest.approx(truth / 5, abs=0.02)
    assert mean("same_sample") == pytest.approx((truth + 4) / 5, abs=0.02)
    assert np.mean([f.signal_energy for f in found]) == pytest.approx(D, rel=0.05)
    assert np.mean([f.noise_energy for f in found]) == pytest.approx(4 * D, rel=0.03)


def test_without_noise_all_three_are_the_plain_cosine():
    drift, score = noisy(np.random.default_rng(4), 4, noise=0.0)
    found = replicated_cosines(drift, score)
    for estimate in (found.cross_fitted, found.split_sample, found.same_sample):
        assert estimate.value == pytest.approx(global_cosine(drift[0], score[0]), rel=1e-12)
    assert abs(found.noise_energy) < 1e-12 * found.signal_energy


def test_the_interval_covers_the_truth_at_its_level():
    rng, level, repeats = np.random.default_rng(5), 0.9, 400
    # New queries each time: the truth is the cosine of the law, 0.5 by construction below.
    hits = 0
    for _ in range(repeats):
        first, other = rng.standard_normal((2, N, D))
        shared = rng.standard_normal((8, N, D))
        second = 0.5 * first + np.sqrt(0.75) * other
        estimate = cross_fitted_cosine(first + shared, second + shared, level=level)
        hits += estimate.low <= 0.5 <= estimate.high
    # Nominal 0.9, conservative by design; four binomial errors below and a cap that a vacuous interval would break.
    assert 0.9 - 4 * np.sqrt(0.09 / repeats) <= hits / repeats <= 0.995


def test_pure_noise_is_called_hidden_and_not_given_a_cosine():
    rng, repeats = np.random.default_rng(6), 300
    # A flat kernel's noise is one constant vector: its sign repeats at every query, and queries alone would be fooled.
    constant = rng.standard_normal((repeats, 8, 1, D)) + np.zeros((1, 1, N, 1))
    found = [cross_fitted_cosine(noise, noise, level=0.99) for noise in constant]
    wrong = sum(np.isfinite(f.value) for f in found)
    assert wrong <= 0.01 * repeats + 4 * np.sqrt(0.01 * repeats)
    assert "noise hides the drift" in next(f for f in found if np.isnan(f.value)).reason


@pytest.mark.parametrize("spread", ["constant", "free"])
@pytest.mark.parametrize("replicates", [2, 3, 4])
def test_few_replicates_of_pure_noise_are_given_no_cosine(replicates, spread):
    rng, level, repeats = np.random.default_rng(9), 0.9, 400
    shape = (replicates, 1 if spread == "constant" else N, 1 if spread == "constant" else D)
    found = []
    for _ in range(repeats):
        noise = np.zeros((replicates, N, D)) + rng.standard_normal(shape)
        found.append(cross_fitted_cosine(noise, 2 * noise, level=level))
    wrong = sum(np.isfinite(f.value) for f in found)
    assert wrong <= (1 - level) * repeats + 4 * np.sqrt(level * (1 - level) * repeats)
    if replicates == 2:
        assert any("two replicates cannot tell the drift from noise" in f.reason for f in found)


def test_the_quantile_of_two_replicates_is_that_of_one_normal_number():
    """One constant number as noise is the worst case: there the level is met, not undercut."""
    rng, level, repeats = np.random.default_rng(10), 0.8, 2000
    noise = rng.standard_normal((repeats, 2, 1, 1)) + np.zeros((1, 1, 3, 1))
    wrong = sum(np.isfinite(cross_fitted_cosine(n, n, level=level).value) for n in noise)
    assert wrong / repeats == pytest.approx(1 - level, abs=4 * np.sqrt(level * (1 - level) / repeats))


def test_sparse_fields_in_high_dimension_are_refused():
    """Two rings in 1024 dimensions, 1000 samples: the truth is 0.587, plain ratios say 0.7 to 1."""
    import unifiedscore as us

    d, rng = 1024, np.random.default_rng(0)
    p, q = us.load_pair("ring_mog", dimension=d)
    kernel, x = us.Laplace(0.3 * d**0.5), q.sample(100, rng)
    draws = [[us.posterior_moments(kernel, law.sample(1000, rng), x) for law in (p, q)] for _ in range(4)]
    drift = np.stack([a.mean_shift - b.mean_shift for a, b in draws])
    score = np.stack([a.score - b.score for a, b in draws])
    for count in (2, 3, 4):
        found = cross_fitted_cosine(drift[:count], score[:count])
        assert np.isnan(found.value) and found.reason


def test_a_clear_signal_is_not_called_hidden():
    rng = np.random.default_rng(7)
    found = [cross_fitted_cosine(*noisy(rng, 8, noise=1.0)) for _ in range(50)]
    assert all(np.isfinite(f.value) for f in found)


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_scale_does_not_matter(size):
    drift, score = noisy(np.random.default_rng(8), 5)
    assert cross_fitted_cosine(size * drift, score).value == pytest.approx(cross_fitted_cosine(drift, score).value)


@pytest.mark.parametrize(
    ("drift", "score", "message"),
    [
        (np.ones((1, 3, 2)), np.ones((1, 3, 2)), "at least two independent replicates"),
        (np.ones((3, 2)), np.ones((3, 2)), r"must have shape \(R, n, d\)"),
        (np.ones((2, 3, 2)), np.ones((2, 4, 2)), "one shape"),
        (np.full((2, 3, 2), np.inf), np.ones((2, 3, 2)), "finite"),
    ],
)
def test_bad_input_is_refused(drift, score, message):
    with pytest.raises(InputError, match=message):
        cross_fitted_cosine(drift, score)


def test_vanishing_fields_are_hidden_rather_than_a_warning():
    found = replicated_cosines(np.zeros((3, 5, 2)), np.zeros((3, 5, 2)))
    assert np.isnan(found.cross_fitted.value) and np.isnan(found.same_sample.value) and found.same_sample.reason

"""Algorithm 2: golden values, its factorisation, its population target and its options."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.fields import PUBLISHED_FLOOR

RNG = np.random.default_rng(5)


def test_golden_toy():
    batch = us.batch_drift(us.Laplace(1.0), [[0.0], [1.0]], positives=[[2.0], [3.0]], negatives=[[-1.0], [0.5]])
    np.testing.assert_allclose(batch.drift.ravel(), [0.7362891817292483, 1.1230413461774589], rtol=1e-14)
    np.testing.assert_allclose(batch.positive_mass, [0.2846308241, 0.7466535275], atol=1e-10)
    np.testing.assert_allclose(batch.negative_mass, [0.9930118536, 0.6645051387], atol=1e-10)
    plain = us.Drift(us.Laplace(1.0), target=[[2.0], [3.0]], model=[[-1.0], [0.5]])([[0.0], [1.0]])
    np.testing.assert_allclose(plain.ravel(), [2.3352524246, 2.0425797071], atol=1e-10)


@pytest.mark.parametrize("self_terms", ["mask", "keep"])
def test_the_factorised_form_agrees_with_the_two_softmaxes(self_terms):
    """Brute force: row and column softmax as the paper writes them, then weights and sums."""
    x, y = RNG.normal(size=(7, 3)), RNG.normal(size=(9, 3)) + 1.0
    r = np.linalg.norm(x[:, None] - np.concatenate([y, x]), axis=2)
    if self_terms == "mask":
        r[np.arange(7), 9 + np.arange(7)] += 1e6
    k = np.exp(-r / 0.8)
    affinity = np.sqrt(k / k.sum(1, keepdims=True) * k / k.sum(0, keepdims=True))
    plus, minus = affinity[:, :9], affinity[:, 9:]
    expected = (plus * minus.sum(1, keepdims=True)) @ y - (minus * plus.sum(1, keepdims=True)) @ x
    batch = us.batch_drift(us.Laplace(0.8), x, positives=y, self_terms=self_terms)
    np.testing.assert_allclose(batch.drift, expected, rtol=1e-12)


def test_the_target_golden_values():
    p, q = us.GaussianMixture([[0.7]], 0.64), us.GaussianMixture([[0.0]], 1.0)
    scale, direction = us.BatchDriftTarget(us.Gaussian(0.6), target=p, model=q).parts(
        np.array([[-1.0], [0.0], [0.5], [1.5]])
    )
    np.testing.assert_allclose(direction.ravel(), [0.39066, 0.27532, 0.21765, 0.10231], atol=6e-6)
    np.testing.assert_allclose(scale, [0.24911, 0.53173, 0.61269, 0.54589], atol=6e-6)


@pytest.mark.parametrize("kernel", [us.Gaussian(0.9), us.Laplace(0.7)], ids=repr)
def test_the_target_of_samples_is_the_batch_drift_at_the_queries(kernel):
    x, y = RNG.normal(size=(12, 2)), RNG.normal(size=(12, 2)) + 0.5
    batch = us.batch_drift(kernel, x, positives=y, self_terms="keep")
    np.testing.assert_allclose(us.BatchDriftTarget(kernel, target=y, model=x)(x), batch.drift, rtol=1e-11, atol=1e-13)


def test_a_shift_moves_nothing_and_float32_stays():
    x, y = RNG.normal(size=(6, 2)), RNG.normal(size=(5, 2))
    here = us.batch_drift(us.Laplace(1.0), x, positives=y).drift
    there = us.batch_drift(us.Laplace(1.0), x + 1e6, positives=y + 1e6).drift
    np.testing.assert_allclose(there, here, atol=1e-8)
    small = us.batch_drift(us.Laplace(1.0), x.astype(np.float32), positives=y.astype(np.float32)).drift
    assert small.dtype == np.float32


def test_the_floor_raises_every_affinity_masked_ones_included():
    x, y = RNG.normal(size=(20, 2)), RNG.normal(size=(20, 2))
    clean = us.batch_drift(us.Laplace(0.03), x, positives=y)
    floored = us.batch_drift(us.Laplace(0.03), x, positives=y, floor=PUBLISHED_FLOOR)
    assert clean.floored == 0 and floored.floored > 0.5
    # Forty affinities a row: twenty floored ones add twenty times 1e-3 to a sum of about one.
    assert (floored.negative_mass >= 20e-3).all()
    assert np.abs(floored.drift - clean.drift).max() > 1e-3


def test_bad_batches_are_refused():
    with pytest.raises(InputError, match="two queries"):
        us.batch_drift(us.Laplace(1.0), [[0.0]], positives=[[1.0]])
    with pytest.raises(InputError, match="self_terms"):
        us.batch_drift(us.Laplace(1.0), [[0.0], [1.0]], positives=[[1.0]], self_terms="drop")
    with pytest.raises(InputError, match="positives"):
        us.batch_drift(us.Laplace(1.0), [[0.0], [1.0]], positives=[[1.0, 2.0]])
    with pytest.raises(InputError, match="kernel"):
        us.batch_drift(1.0, [[0.0], [1.0]], positives=[[1.0]])
    with pytest.raises(InputError, match="3: draw Samples"):
        us.BatchDriftTarget(
            us.Gaussian(1.0), target=us.GaussianMixture([[0.0] * 4], 1.0), model=us.GaussianMixture([[0.0] * 4], 1.0)
        )
    with pytest.raises(InputError, match="one dimension"):
        us.BatchDriftTarget(us.Gaussian(1.0), target=np.zeros((2, 2)), model=np.zeros((2, 1)))

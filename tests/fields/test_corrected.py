"""The bias-corrected mean shift and the normalisations."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.metrics import drift_scale, feature_scale

RNG = np.random.default_rng(7)


def test_corrected_weights_are_convex_and_add_the_plug_in_estimate_of_the_bias():
    y, x = RNG.normal(size=(25, 3)), RNG.normal(size=(4, 3))
    kernel = us.Laplace(0.9)
    field = us.CorrectedMeanShift(kernel, y)
    weights = field.weights(x)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-14)
    k = np.exp(-np.linalg.norm(x[:, None] - y, axis=2) / 0.9)
    w = k / k.sum(1, keepdims=True)
    mean = w @ y
    expected = mean + w**2 @ y - (w**2).sum(1, keepdims=True) * mean - x
    np.testing.assert_allclose(field(x), expected, rtol=1e-12)


def test_an_offset_costs_no_digits():
    y, x = RNG.normal(size=(25, 2)), RNG.normal(size=(4, 2))
    near, far = (us.CorrectedMeanShift(us.Laplace(0.9), y + offset)(x + offset) for offset in (0.0, 1e7))
    np.testing.assert_allclose(far, near, atol=1e-7)


def test_unequal_weights_are_refused():
    with pytest.raises(InputError, match="equal weights"):
        us.CorrectedMeanShift(us.Laplace(1.0), us.Samples(np.eye(2), [1, 2]))
    with pytest.raises(InputError, match="kernel"):
        us.CorrectedMeanShift("laplace", np.eye(2))


def test_normalised_drift_has_unit_loss_and_features_unit_distance():
    x, y = RNG.normal(size=(20, 5)), 3 * RNG.normal(size=(30, 5))
    drift = us.Drift(us.Laplace(1.0), target=y, model=x)(x)
    assert np.mean((drift / drift_scale(drift)) ** 2) == pytest.approx(1, rel=1e-14)
    s = feature_scale(x, y)
    distance = np.linalg.norm((x[:, None] - y) / s, axis=2).mean()
    assert distance == pytest.approx(np.sqrt(5), rel=1e-13)
    # A query's zero distance to itself lowers the mean only where it is counted.
    assert feature_scale(x, x, include_self=True) == pytest.approx(0.95 * feature_scale(x, x), rel=1e-12)
    with pytest.raises(InputError, match="vanish"):
        drift_scale(np.zeros((2, 2)))
    with pytest.raises(InputError, match="distinct"):
        feature_scale(np.zeros((2, 2)), np.zeros((1, 2)))

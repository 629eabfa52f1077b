"""Drifts of several temperatures, each of unit size at the reference points."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.fields import FieldSum
from unifiedscore.metrics import drift_scale

RNG = np.random.default_rng(0)
DATA, MODEL, X = RNG.normal(1.0, 1.0, (200, 3)), RNG.normal(0.0, 1.5, (150, 3)), RNG.normal(size=(7, 3))
KERNELS = [us.Laplace(h) for h in (0.1, 0.4, 2.0)]


def test_the_field_is_the_sum_of_drifts_over_their_published_scales():
    parts = [us.Drift(kernel, target=DATA, model=MODEL) for kernel in KERNELS]
    wanted = sum(part(X) / drift_scale(part(MODEL)) for part in parts)
    found = us.MultiTemperatureDrift(KERNELS, target=DATA, model=MODEL)
    np.testing.assert_allclose(found(X), wanted, rtol=1e-12)
    weighted = us.MultiTemperatureDrift(KERNELS, target=DATA, model=MODEL, weights=[1.0, 0.0, -2.0])
    rest = [part(X) / drift_scale(part(MODEL)) for part in parts]
    np.testing.assert_allclose(weighted(X), rest[0] - 2 * rest[2], rtol=1e-12)


def test_each_part_has_unit_size_at_the_reference_points_whatever_their_weights():
    reference = us.Samples(X, RNG.uniform(0.5, 2.0, len(X)))
    found = us.MultiTemperatureDrift(KERNELS, target=DATA, model=MODEL, reference=reference)
    for part, coefficient in zip(found.fields, found.coefficients, strict=True):
        energy = reference.weights @ ((coefficient * part(X)) ** 2).mean(axis=1)
        assert energy == pytest.approx(1.0, rel=1e-12)


def test_the_value_at_a_point_does_not_depend_on_the_batch():
    found = us.MultiTemperatureDrift(KERNELS, target=DATA, model=MODEL)
    us.testing.check_field(found, X)
    np.testing.assert_allclose(found(X)[:1], found(X[:1]), rtol=1e-12)


def test_gaussian_temperatures_add_up_to_a_gradient_and_others_do_not():
    population = us.GaussianMixture(np.eye(3), 0.5), us.GaussianMixture(-np.eye(3), 0.7)
    options = dict(target=population[0], model=population[1], reference=X)
    gaussian = us.MultiTemperatureDrift([us.Gaussian(0.5), us.Gaussian(2.0)], **options)
    assert gaussian.is_conservative and not us.MultiTemperatureDrift(KERNELS, **options).is_conservative
    us.testing.check_field(gaussian, X)  # its potential and its Jacobian, too


def test_it_is_not_the_drift_of_the_sum_of_the_kernels():
    apart = us.MultiTemperatureDrift(KERNELS, target=DATA, model=MODEL)(X)
    together = us.Drift(us.KernelSum(KERNELS), target=DATA, model=MODEL)(X)
    assert us.metrics.global_cosine(apart, together) < 0.99


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernels": us.Laplace(1.0)}, "kernels must be a list of kernels"),
        ({"kernels": [us.Laplace(1.0), "gaussian"]}, "kernels must be a list of kernels"),
        ({"model": us.GaussianMixture(np.zeros((1, 3)), 1.0)}, "reference must be given"),
        ({"reference": X[:, :2]}, "reference must have 3 columns"),
        ({"weights": [1.0]}, "weights must hold a number for each of the 3 parts"),
        ({"model": DATA}, "the drift does not vanish"),
    ],
)
def test_what_cannot_be_normalised_is_refused_by_name(change, message):
    arguments = dict(kernels=KERNELS, target=DATA, model=MODEL) | change
    with pytest.raises(us.UnifiedScoreError, match=message):
        us.MultiTemperatureDrift(arguments.pop("kernels"), **arguments)


def test_fields_of_different_dimensions_do_not_add_up():
    fields = [us.as_field(lambda x: x, dimension=d) for d in (2, 3)]
    with pytest.raises(us.UnifiedScoreError, match="fields must have the same dimension"):
        FieldSum(fields, [1.0, 1.0])


def test_equal_laws_in_another_order_are_refused_instead_of_rounding_blown_up():
    points = np.random.default_rng(0).normal(size=(300, 2))
    with pytest.raises(InputError, match="does not vanish"):
        us.MultiTemperatureDrift([us.Laplace(bandwidth=0.5)], target=points, model=points[::-1].copy())

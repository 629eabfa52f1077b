"""Cosines, scales and errors of two fields at common queries."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.metrics import (
    best_relative_error,
    best_scale,
    cosine,
    global_cosine,
    mean_cosine,
    mean_product,
    relative_error,
)

RNG = np.random.default_rng(0)
F, G = RNG.standard_normal((2, 40, 3))
W = RNG.uniform(0, 1, 40)


def test_the_pointwise_cosine_is_that_of_each_angle():
    angle = np.linspace(0, np.pi, 7)
    first = np.tile([2.0, 0.0], (7, 1))
    second = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_allclose(cosine(first, second), np.cos(angle), atol=1e-15)


def test_mean_of_ratios_and_ratio_of_means_differ_as_they_must():
    first = np.array([[1.0, 0.0], [3.0, 0.0]])
    second = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert mean_cosine(first, second) == pytest.approx(0.5)
    assert global_cosine(first, second) == pytest.approx(1 / np.sqrt(10 * 2))


@pytest.mark.parametrize("weights", [None, W])
def test_the_best_scale_minimises_the_relative_error_and_leaves_one_minus_squared_cosine(weights):
    best = best_scale(F, G, weights)
    error = relative_error(F, G, best, weights)
    assert error == pytest.approx(best_relative_error(F, G, weights), rel=1e-13)
    assert error == pytest.approx(1 - global_cosine(F, G, weights) ** 2, rel=1e-13)
    assert min(relative_error(F, G, best + step, weights) for step in (-1e-3, 1e-3)) > error


def test_the_relative_error_is_an_energy_over_the_energy_of_the_drift():
    assert relative_error(F, G, 2.0, W) == pytest.approx((W @ ((F - 2 * G) ** 2).sum(1)) / (W @ (F**2).sum(1)))


def test_a_scale_for_each_query_is_applied_row_by_row():
    scale = RNG.uniform(1, 2, 40)
    assert relative_error(scale[:, None] * G, G, scale) < 1e-30
    assert relative_error(scale[:, None] * G, G, scale[::-1]) > 0.01
    with pytest.raises(InputError, match=r"scale must be a number or have shape \(40,\)"):
        relative_error(F, G, np.ones(39))


def test_weights_equal_repetition():
    first, second, counts = F[:3], G[:3], [1, 2, 3]
    for measure in (mean_product, mean_cosine, global_cosine, best_scale, best_relative_error):
        repeated = measure(np.repeat(first, counts, axis=0), np.repeat(second, counts, axis=0))
        assert measure(first, second, counts) == pytest.approx(repeated, rel=1e-13)


def test_a_nearly_perfect_alignment_keeps_its_digits():
    across = np.stack([-G[:, 1], G[:, 0], 0 * G[:, 2]], axis=1)  # orthogonal to G at every query
    tilted = G + 1e-9 * across
    expected = 1e-18 * mean_product(across, across) / mean_product(G, G)
    assert best_relative_error(tilted, G) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_neither_tiny_nor_huge_fields_lose_their_cosine(size):
    assert global_cosine(size * F, G) == pytest.approx(global_cosine(F, G), rel=1e-13)
    assert best_scale(size * F, G) == pytest.approx(size * best_scale(F, G), rel=1e-13)
    assert best_scale(F, size * G) == pytest.approx(best_scale(F, G) / size, rel=1e-13)
    assert best_relative_error(F, size * G) == pytest.approx(best_relative_error(F, G), rel=1e-13)


def test_vanishing_fields_have_no_cosine_and_say_so_by_nan():
    zero = np.zeros_like(F)
    assert np.isnan(global_cosine(zero, G)) and np.isnan(mean_cosine(F, zero)) and np.isnan(best_scale(F, zero))
    assert best_relative_error(F, zero) == 1.0 and np.isnan(best_relative_error(zero, G))
    partly = np.where(np.arange(40)[:, None] < 20, F, 0.0)
    assert mean_cosine(partly, G) == pytest.approx(cosine(F, G)[:20].mean())


@pytest.mark.parametrize("measure", [mean_product, cosine, mean_cosine, global_cosine, best_scale, best_relative_error])
def test_fields_of_different_shape_are_refused(measure):
    with pytest.raises(InputError, match=r"one shape \(n, d\); got \(40, 3\) and \(39, 3\)"):
        measure(F, G[:-1])
    with pytest.raises(InputError, match="finite"):
        measure(F, np.full_like(G, np.nan))

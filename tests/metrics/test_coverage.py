"""Nearest-training distance, duplicates and recall on sets with known answers."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.metrics.coverage import duplicate_rate, mode_coverage, nearest_training_distance, recall


def test_copies_are_at_distance_zero_exactly_even_far_from_the_origin():
    training = np.random.default_rng(0).normal(size=(30, 20)) + 1e5
    np.testing.assert_array_equal(nearest_training_distance(training[:7], training), 0.0)
    moved = training[:7] + 0.01
    np.testing.assert_allclose(nearest_training_distance(moved, training), 0.01 * np.sqrt(20), rtol=1e-8)
    assert duplicate_rate(np.concatenate([training[:3], moved[:1]]), training, tolerance=1e-9) == 0.75


def test_recall_counts_the_reference_points_that_are_reached():
    samples = np.arange(5.0)[:, None]
    reference = np.array([[0.4], [1.9], [4.9], [7.0], [-0.9], [-1.5]])
    assert recall(samples, reference, k=1) == pytest.approx(4 / 6)
    assert recall(samples, reference, k=2) == pytest.approx(5 / 6)
    # A collapsed sample reaches only its own point; a copy of the reference reaches all of it.
    assert recall(np.zeros((10, 1)), reference, k=3) == 0.0
    assert recall(reference, reference, k=1) == 1.0


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="more than 3 samples"):
        recall(np.zeros((3, 1)), np.zeros((2, 1)))


def test_mode_coverage_is_one_minus_total_variation_of_the_shares():
    centers, modes = np.array([[0.0], [10.0], [20.0]]), np.array([0, 1, 2])
    samples = np.repeat(centers, [6, 3, 1], axis=0) + 0.1
    # Shares .6, .3, .1 against a third each: 1/3 + .3 + .1.
    assert mode_coverage(samples, centers, modes) == pytest.approx(1 / 3 + 0.4, abs=1e-12)
    assert mode_coverage(samples[:6], centers, modes) == pytest.approx(1 / 3, abs=1e-12)
    assert mode_coverage(centers, centers, modes) == pytest.approx(1.0, abs=1e-12)
    # Unequal modes count with their own mass, whatever their labels.
    assert mode_coverage(samples, samples, np.repeat([4, 0, 7], [6, 3, 1])) == pytest.approx(1.0, abs=1e-12)
    for wrong in ([0, 1], [0.0, 1.0, 2.0], [-1, 0, 1]):
        with pytest.raises(InputError, match="modes must"):
            mode_coverage(samples, centers, np.array(wrong))

"""The unbiased two-sample statistic: brute force, and mean zero under one law."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.metrics.mmd import unbiased_mmd2


def test_it_is_the_double_sum_without_the_diagonal(monkeypatch):
    rng = np.random.default_rng(0)
    x, y, h = rng.normal(size=(7, 3)) + 1e6, rng.normal(size=(9, 3)) + 1e6, 0.7

    def k(a, b):
        return np.exp(-((a - b) ** 2).sum() / (2 * h * h))

    xx = sum(k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / 42
    yy = sum(k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / 72
    xy = sum(k(a, b) for a in x for b in y) / 63
    # Positions near 1e6 are rounded by 1e-10.
    np.testing.assert_allclose(unbiased_mmd2(x, y, bandwidths=[h, h]), xx + yy - 2 * xy, atol=1e-8)
    monkeypatch.setattr("unifiedscore.metrics.mmd.BLOCK", 40)
    np.testing.assert_allclose(unbiased_mmd2(x, y, bandwidths=h), xx + yy - 2 * xy, atol=1e-8)


def test_its_mean_is_zero_under_one_law():
    rng = np.random.default_rng(1)
    draws = np.array(
        [unbiased_mmd2(rng.normal(size=(10, 2)), rng.normal(size=(15, 2)), bandwidths=[0.5, 2.0]) for _ in range(800)]
    )
    # Level 1e-6 a bandwidth; with the diagonal left in, the mean would be at least 1/10 (1 - E k) = .02.
    error = draws.std(0, ddof=1) / np.sqrt(800)
    assert (np.abs(draws.mean(0)) < 4.9 * error).all() and (error < 0.004).all()


def test_bad_input():
    with pytest.raises(InputError, match="two points"):
        unbiased_mmd2([[0.0]], [[1.0], [2.0]], bandwidths=1.0)
    with pytest.raises(InputError, match="bandwidths must be"):
        unbiased_mmd2([[0.0], [1.0]], [[1.0], [2.0]], bandwidths=[0.0])

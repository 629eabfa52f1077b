"""Intervals of means under skewness: their formula, their symmetries, their level."""

import math

import numpy as np
import pytest

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Inside
from unifiedscore.inference.estimates import student, t_quantile, unstretched
from unifiedscore.inference.mean import mean_interval, tail_skewness

SKEWED = np.random.default_rng(0).lognormal(0, 1, 24)
EVEN = np.linspace(-1, 1, 16)


def test_the_longer_side_is_stretched_by_the_cornish_fisher_term_and_the_other_is_students():
    for level in (SUPPORT_LEVEL, REFUTE_LEVEL):
        found, plain = mean_interval(SKEWED, level), student(SKEWED, level)
        t, g = t_quantile(level, 23), tail_skewness(SKEWED, from_zero=False)
        error = SKEWED.std(ddof=1) / math.sqrt(24)
        assert g > 1 and found.low == plain.low and found.value == plain.value
        assert found.high == pytest.approx(plain.value + error * (t + (2 * t * t + 1) / 6 * g / math.sqrt(24)))
        assert unstretched(found, 24, level) == pytest.approx((plain.low, plain.high))


def test_the_skewness_is_four_times_what_exceeds_the_noise_of_normal_replicates():
    centred = SKEWED - SKEWED.mean()
    seen = (centred**3).mean() / (centred**2).mean() ** 1.5
    noise = math.sqrt(6 * 24 * 23 / (22 * 25 * 27))
    assert tail_skewness(SKEWED, from_zero=False) == pytest.approx(4 * (seen - 1.6 * noise))


@pytest.mark.parametrize("from_zero", [False, True])
def test_a_mirror_mirrors_and_a_scale_scales(from_zero):
    found = mean_interval(SKEWED, 0.99, from_zero=from_zero)
    mirrored = mean_interval(-SKEWED, 0.99, from_zero=from_zero)
    assert (mirrored.low, mirrored.value, mirrored.high) == pytest.approx((-found.high, -found.value, -found.low))
    large = mean_interval(2.0**900 * SKEWED, 0.99, from_zero=from_zero)
    assert (large.low, large.high) == (2.0**900 * found.low, 2.0**900 * found.high)


def test_even_replicates_keep_students_interval_wherever_they_stand():
    for shift in (0.0, 5.0, -5.0, 1e6):
        assert mean_interval(EVEN + shift, 0.99, from_zero=True) == student(EVEN + shift, 0.99)


def test_zero_is_an_end_only_of_values_of_one_sign():
    wide = mean_interval(SKEWED, 0.99, from_zero=True)
    plain = mean_interval(SKEWED, 0.99)
    assert wide.high > plain.high and wide.low == plain.low
    moved = mean_interval(SKEWED - 0.5, 0.99, from_zero=True)
    assert moved.high == pytest.approx(plain.high - 0.5)  # mixed signs
    few = np.array([0.0] * 60 + [1.0] * 4)
    assert mean_interval(few, 0.9999, from_zero=True).high == math.inf


def _missed(draw, mean, level, repeats, seeds=16):
    rng, counts = np.random.default_rng(1), np.zeros(2)
    test = Inside(-math.inf, mean)
    for sample in draw(rng, (repeats, seeds)):
        counts += [not test.estimate(sample, level=level).covers(mean), not student(sample, level).covers(mean)]
    return counts / repeats


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng, shape: rng.lognormal(-0.5, 1, shape), 1.0),
        (lambda rng, shape: rng.chisquare(1, shape), 1.0),
        (lambda rng, shape: rng.exponential(size=shape), 1.0),
    ],
)
def test_skewed_means_are_covered_where_students_interval_misses(draw, mean):
    ours, plain = _missed(draw, mean, 0.99, 3000)
    assert ours <= 0.01 + 4 * math.sqrt(0.0099 / 3000) and plain > 0.03
    ours, plain = _missed(draw, mean, 0.9999, 3000)
    assert ours <= 2e-3 and plain > 2e-3


def test_normal_intervals_are_as_wide_as_students():
    rng = np.random.default_rng(2)
    for seeds, most in ((16, 1.03), (64, 1.015)):
        samples = 1 + 0.1 * rng.normal(size=(800, seeds))
        widths = [[(e.high - e.low) for e in (Inside(0, 2).estimate(y, level=0.9999), student(y, 0.9999))]
                  for y in samples]  # fmt: skip
        assert 1 <= np.mean(np.divide(*np.transpose(widths))) < most


def test_the_reason_says_that_skewness_kept_it_open_and_how_many_seeds_would_do():
    levels = SUPPORT_LEVEL, REFUTE_LEVEL
    end = (student(SKEWED, SUPPORT_LEVEL).high + mean_interval(SKEWED, SUPPORT_LEVEL).high) / 2
    test = Inside(0.0, end)
    narrow, wide = (test.estimate(SKEWED, level=level) for level in levels)
    reason = test.undecided(narrow, wide, seeds=24, levels=levels)
    need = test.seeds_needed(narrow, seeds=24, level=levels[0], refute_level=levels[1], shown=levels[0])
    assert (
        reason.startswith("the replicates are too skewed: the mean ") and f"as many as {need} seeds would do" in reason
    )
    reach, deviation = end - narrow.value, SKEWED.std(ddof=1)
    for seeds, enough in ((need, True), (need - 1, False)):
        t = t_quantile(SUPPORT_LEVEL, seeds - 1)
        half = deviation / math.sqrt(seeds) * (t + (2 * t * t + 1) / 6 * narrow.skewness / math.sqrt(seeds))
        assert bool(half <= reach) == enough
    few = Inside(0.0, 1.3)
    narrow, wide = (few.estimate(EVEN + 1, level=level) for level in levels)
    assert few.undecided(narrow, wide, seeds=16, levels=levels).startswith("too few seeds: the mean ")

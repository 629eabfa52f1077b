"""Chances from counts: the interval is exact."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from unifiedscore.errors import InputError
from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Proportion, decide
from unifiedscore.inference.proportion import exact_interval


@pytest.mark.parametrize(("events", "trials"), [(0, 30), (3, 30), (17, 40), (30, 30), (12, 100_000)])
@pytest.mark.parametrize("level", [0.9, SUPPORT_LEVEL, REFUTE_LEVEL])
def test_the_ends_leave_half_of_the_error_in_each_binomial_tail(events, trials, level):
    low, high = exact_interval(events, trials, level)
    tail = (1 - level) / 2
    if events:
        assert binom.sf(events - 1, trials, low) == pytest.approx(tail, rel=1e-6)
    else:
        assert low == 0
    if events < trials:
        assert binom.cdf(events, trials, high) == pytest.approx(tail, rel=1e-6)
    else:
        assert high == 1


@pytest.mark.parametrize("chance", [0.002, 0.3, 0.97])
def test_the_interval_covers_at_least_at_its_level_summed_over_all_counts(chance):
    counts = np.arange(201)
    covered = [low <= chance <= high for low, high in (exact_interval(int(k), 200, 0.95) for k in counts)]
    assert 0.95 <= binom.pmf(counts, 200, chance)[covered].sum() < 1


def test_seeds_without_events_count_and_are_no_copies_of_each_other():
    test = Proportion(0, 0.001, trials=1000)
    estimate = test.estimate(np.zeros(16), level=SUPPORT_LEVEL)
    assert decide(estimate, test.low, test.high) == "supported"
    assert estimate.high == pytest.approx(1 - 0.005 ** (1 / 16000))


def test_seeds_needed_is_where_the_verdict_turns():
    test = Proportion(0, 0.01, trials=100)
    estimate = test.estimate([0.0, 0.01], level=SUPPORT_LEVEL)
    need = test.seeds_needed(estimate, seeds=2, level=SUPPORT_LEVEL, refute_level=REFUTE_LEVEL)
    enough = test.estimate([0.0, 0.01] * (need // 2), level=SUPPORT_LEVEL)
    fewer = test.estimate([0.0, 0.01] * int(need / 2 / 1.25), level=SUPPORT_LEVEL)
    assert decide(enough, test.low, test.high) == "supported"
    assert decide(fewer, test.low, test.high) == "inconclusive"
    edge = test.estimate([0.01, 0.01], level=SUPPORT_LEVEL)
    assert test.seeds_needed(edge, seeds=2, level=SUPPORT_LEVEL, refute_level=REFUTE_LEVEL) is None


@pytest.mark.parametrize(
    ("shares", "word"),
    [([0.5, math.nan], "NaN"), ([], "no share"), ([0.333], "counts out of 10"), ([1.1], "counts"), ([-0.1], "counts")],
)
def test_shares_that_are_no_counts_give_no_interval(shares, word):
    estimate = Proportion(0, 0.5, trials=10).estimate(shares, level=SUPPORT_LEVEL)
    assert estimate.kind == "none" and word in estimate.reason


@pytest.mark.parametrize(
    "arguments", [(-1, 2, 10), (0, 1, 10), (2, 3, 10), (-2, -1, 10), (0.5, 0.1, 10), (0, 0.5, 0), (0, 0.5, 1.5)]
)
def test_regions_without_content_and_counts_that_are_none_are_refused(arguments):
    with pytest.raises(InputError, match=r"Proportion|region|trials"):
        Proportion(*arguments)

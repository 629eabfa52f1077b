"""Looks planned in advance: how the error rates are spent, and which look decides."""

import math

import pytest

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Look
from unifiedscore.inference.looks import decided_at, planned_looks

SUPPORTED, REFUTED, OPEN, AWAY = "supported", "refuted", "inconclusive", "not_applicable"


def test_all_looks_together_spend_no_more_than_a_single_verdict_may():
    looks = planned_looks(16, 16 * 2**40)
    for level, whole in (("support", 1 - SUPPORT_LEVEL), ("refute", 1 - REFUTE_LEVEL)):
        spent = math.fsum(1 - getattr(look, level) for look in looks)
        # 1/(k (k + 1)) telescopes: 1 - 1/(K + 1) after K looks, and never more than 1.
        assert spent == pytest.approx(whole * (1 - 1 / (len(looks) + 1)), rel=1e-9)
        assert 1 - getattr(looks[0], level) == pytest.approx(whole / 2, rel=1e-9)  # from the first look on


def test_looks_double_the_seeds():
    assert [(look.number, look.seeds) for look in planned_looks(24, 200)] == [(1, 24), (2, 48), (3, 96), (4, 192)]
    assert planned_looks(16, 15) == []
    assert Look(1, 16).following() == Look(2, 32)


@pytest.mark.parametrize(
    "outcomes, position",
    [
        ([SUPPORTED], 0),
        ([OPEN, SUPPORTED], 1),
        ([REFUTED], None),
        ([REFUTED, REFUTED], 1),
        ([REFUTED, OPEN, REFUTED], None),  # not repeated by the next look
        ([REFUTED, OPEN, REFUTED, REFUTED, SUPPORTED], 3),
        ([REFUTED, SUPPORTED], 1),
        ([AWAY, SUPPORTED], 0),
        ([OPEN, OPEN], None),
        ([], None),
    ],
)
def test_the_first_support_decides_and_a_refutation_that_is_repeated(outcomes, position):
    growing = [{"a": 16 * 2**k} if outcome == REFUTED else {} for k, outcome in enumerate(outcomes)]
    assert decided_at(outcomes, growing) == position


@pytest.mark.parametrize(
    ("refuting", "position"),
    [
        ([{"a": 16}, {"a": 16}, {"a": 16}], None),  # the same replicates three times
        ([{"a": 16}, {"a": 16, "b": 32}, {"a": 16, "b": 64}], 2),  # the second cell is confirmed a look later
        ([{"a": 16}, {"b": 32}, {"a": 64}], None),  # no cell twice in a row
        ([{"a": 16, "b": 16}, {"a": 16, "b": 32}], 1),
    ],
)
def test_a_cell_confirms_itself_with_further_replicates_alone(refuting, position):
    assert decided_at([REFUTED] * len(refuting), refuting) == position

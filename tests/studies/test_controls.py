"""What the controls of all studies change: the measurement or the law, and seldom only the region."""

from collections import Counter
from pathlib import Path

import pytest

from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def claims():
    found = discover([ROOT], kinds=("studies",))
    return [claim for item in found.studies for claim in item.study.claims]


def test_at_most_ten_controls_of_a_quick_run_judge_the_same_numbers_against_another_region(claims):
    # A verdict implies that another region is missed: such a control shows the resolution of the test and no more.
    counts = Counter(claim.control.kind for claim in claims if claim.control and claim.profile == "quick")
    assert counts["measurement"] > 250 and counts["law"] > 80
    assert counts["resolution only"] <= 10


def test_every_claim_that_is_expected_to_hold_has_a_control(claims):
    without = [claim.key for claim in claims if claim.control is None and claim.expect == "supported"]
    assert without == []

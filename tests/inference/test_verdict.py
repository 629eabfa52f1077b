"""A verdict: when it is as expected, and that its JSON loses nothing."""

import itertools
import json
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unifiedscore.errors import InputError
from unifiedscore.inference import Verdict
from unifiedscore.inference.estimates import no_estimate
from unifiedscore.inference.verdict import EVIDENCE, OUTCOMES, interval_of

BASE = {
    "claim": "a.b",
    "study": "s",
    "statement": "x",
    "source": "y",
    "evidence": "exact",
    "outcome": "supported",
    "expected": "supported",
    "reason": "r",
    "interval": {"low": 0.0, "high": 1.0, "level": None, "kind": "numerical"},
    "region": {"low": 0.0, "high": 1.0},
}
CONTROLS = (None, *OUTCOMES)
AS_EXPECTED = {
    ("supported", "refuted"),
    ("survived", "refuted"),
    *itertools.product(("refuted", "inconclusive", "not_applicable"), (None, "refuted")),
}
"""(outcome, which is the expected one; outcome of the control): refuted, or none where none is needed."""


@pytest.mark.parametrize("expected", OUTCOMES)
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("control", CONTROLS)
def test_as_expected_over_every_outcome_expectation_and_control(outcome, expected, control):
    verdict = Verdict(**BASE | {"outcome": outcome, "expected": expected, "control_outcome": control})
    assert verdict.as_expected == (outcome == expected and (expected, control) in AS_EXPECTED)
    assert Verdict.from_json(verdict.to_json()).as_expected == verdict.as_expected


number = st.floats(allow_nan=False, allow_infinity=False)
low, high = number | st.just(-math.inf), number | st.just(math.inf)
text = st.text(max_size=20)
ends = {"low": low, "high": high}
interval = st.one_of(
    st.fixed_dictionaries(ends | {"level": st.just(None), "kind": st.just("numerical")}),
    st.fixed_dictionaries(ends | {"level": st.floats(0.9, 0.9999), "kind": st.sampled_from(("t", "binomial"))}),
    st.just(interval_of(no_estimate(""), 0.99)),
)
hypothesis = st.fixed_dictionaries(
    {"name": text, "value": number | st.just(math.nan)} | ends | {"holds": st.booleans()}
)
control = st.fixed_dictionaries(
    {"mutation": text, "estimate": number | st.just(math.nan), "interval": interval, "reason": text}
)
verdicts = st.fixed_dictionaries(
    dict.fromkeys(("claim", "regime", "study", "statement", "source", "reason", "finding", "reproduce"), text)
    | dict.fromkeys(("outcome", "expected"), st.sampled_from(OUTCOMES)) | {"evidence": st.sampled_from(EVIDENCE)}
    | {"estimate": number | st.just(math.nan), "interval": interval, "region": st.fixed_dictionaries(ends)}
    | {"control_outcome": st.sampled_from(CONTROLS), "control_detail": st.none() | control}
    | {"hypotheses": st.lists(hypothesis, max_size=3).map(tuple), "cells": st.integers(0, 10**6)}
)  # fmt: skip


def same(one, other):
    """Equal with the sign of infinities and zeros, the order of keys, and NaN where the other has NaN."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


@given(verdicts)
@settings(max_examples=300, deadline=None)
def test_a_verdict_goes_through_json_and_back_unchanged(parts):
    verdict = Verdict(**parts)
    text = json.dumps(verdict.to_json(), allow_nan=False)
    again = Verdict.from_json(json.loads(text))
    assert again == verdict and hash(again) == hash(verdict)
    for name, value in parts.items():
        assert same(getattr(again, name), value), name
    assert json.dumps(again.to_json()) == text
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_null_is_an_infinite_end_by_its_side_and_an_unknown_number_elsewhere():
    null = {"low": None, "high": None}
    unknown, open_ended = null | {"level": None, "kind": "none"}, null | {"level": 0.99, "kind": "t"}
    condition = null | {"name": "h", "value": None, "holds": False}
    detail = {"mutation": "m", "estimate": None, "interval": unknown}
    parts = BASE | {"estimate": None, "region": null, "control_detail": detail, "hypotheses": [condition]}
    verdict = Verdict.from_json(parts | {"interval": open_ended})
    infinite = (-math.inf, math.inf)
    assert (verdict.interval["low"], verdict.interval["high"]) == infinite
    assert (verdict.region["low"], verdict.region["high"]) == infinite
    assert (verdict.hypotheses[0]["low"], verdict.hypotheses[0]["high"]) == infinite
    nowhere = Verdict.from_json(parts | {"interval": unknown})
    for value in (
        *(nowhere.interval["low"], nowhere.interval["high"], nowhere.estimate, nowhere.hypotheses[0]["value"]),
        *(nowhere.control_detail["estimate"], nowhere.control_detail["interval"]["high"]),
    ):
        assert math.isnan(value)


@pytest.mark.parametrize("part", ["estimate", "reason", "finding", "region", "control_outcome", "cells"])
def test_verdicts_that_say_different_things_are_not_equal(part):
    other = {"estimate": 2.0, "reason": "q", "finding": "f", "control_outcome": "refuted", "cells": 3}
    other["region"] = {"low": 0.0, "high": math.inf}
    assert Verdict(**BASE) == Verdict(**BASE) != Verdict(**BASE | {part: other[part]})
    assert Verdict(**BASE) != "a.b"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "a verdict must be an object"),
        ({}, "a verdict lacks claim, study, statement"),
        (BASE | {"outcome": "fine"}, "outcome must be one of 'supported'"),
        (BASE | {"expected": None}, "expected must be one of"),
        (BASE | {"control_outcome": ""}, "control_outcome must be one of"),
        (BASE | {"evidence": "hearsay"}, "evidence must be one of 'symbolic'"),
    ],
)
def test_what_is_not_a_verdict_is_refused(entry, message):
    with pytest.raises(InputError, match=message):
        Verdict.from_json(entry)

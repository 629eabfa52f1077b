"""What a search prints of every universal claim of this repository runs as printed, in a fresh interpreter."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

import unifiedscore as us
from unifiedscore.study.attack.run import attack_studies
from unifiedscore.study.discover import studies_in
from unifiedscore.study.settings import RunSettings

ROOT = Path(__file__).parents[2]
BUDGET = 12
"""Evaluations of each claim: enough for an instance to print, and its starts refute what is refuted."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    studies = [found.study for file in sorted((ROOT / "studies").glob("*/study_universal_*.py"))
               for found in studies_in(file)]  # fmt: skip
    settings = RunSettings(out=tmp_path_factory.mktemp("printed"), profile="standard")
    datasets = attack_studies(studies, settings, budget=BUDGET)
    return [
        (universal, us.judge(study, datasets[study.name][universal.name])[0])
        for study in studies
        for universal in study.universals
    ]


def printed(found):
    """The codes of a verdict, with the values that they must print."""
    search = found.search
    yield search["worst"]["code"], None if search["counterexample"] else found.estimate
    if search["counterexample"]:
        yield search["counterexample"]["code"], search["counterexample"]["value"]


def test_every_printed_instance_gives_the_value_of_its_verdict_in_a_fresh_interpreter(verdicts):
    codes = [(universal.name, *entry) for universal, found in verdicts for entry in printed(found)]
    assert len(codes) >= len(verdicts) >= 30
    program = ["import json, sys", "codes, answers = json.load(sys.stdin), []"]
    # Each code as it is printed, with names of its own; its last line prints what the quantity returned.
    program += ["for code in codes:", "    shown = []", "    exec(code, {'print': shown.append})"]
    program += ["    answers.append(float(shown[0]['value']))", "print(json.dumps(answers))"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)], input=json.dumps([code for _, code, _ in codes]), text=True,
        capture_output=True, cwd=ROOT, env=environment, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    for (name, _, expected), answer in zip(codes, json.loads(done.stdout.splitlines()[-1]), strict=True):
        if expected is not None and not math.isnan(expected):
            assert answer == pytest.approx(expected, rel=1e-12, abs=1e-15), name


def test_every_counterexample_was_made_simple_from_one_that_both_routes_certified(verdicts):
    refuted = [(universal, found) for universal, found in verdicts if universal.expect == "refuted"]
    assert len(refuted) >= 8
    for universal, found in refuted:
        counterexample = found.search["counterexample"]
        assert found.outcome == "refuted", universal.name
        space = universal.space
        start, end = (
            space.instance(**{name: tuples(value) for name, value in counterexample[part].items()})
            for part in ("shrunk_from", "instance")
        )
        assert space.complexity(end) <= space.complexity(start), universal.name


def tuples(value):
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def test_every_survivor_with_a_bound_that_is_not_zero_says_what_share_of_it_was_attained(verdicts):
    for universal, found in verdicts:
        if found.outcome == "survived" and universal.clear == 1 and 0 not in universal.region:
            assert found.search["sharpness"] is not None and found.search["sharpness"] > 0, universal.name

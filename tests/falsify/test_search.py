"""A search finds what there is, says what it found, and depends on nothing but study, budget and seed."""

import json
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.attack.run import attack_studies
from unifiedscore.study.attack.simplex import nelder_mead
from unifiedscore.study.attack.store import read_searches
from unifiedscore.study.attack.yardstick import Yardstick
from unifiedscore.study.dataset import lasting_bytes
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.settings import RunSettings


def bits(folder, name="ball"):
    found = read_searches(folder / f"{name}.search.nc")
    return {claim: lasting_bytes(dataset) for claim, dataset in found.items()}


def test_nelder_mead_climbs_to_the_top_and_stays_in_the_cube():
    top = np.array([0.3, 1.2, 0.5])  # the best point of the cube is on its surface
    start, count = np.full(3, 0.5), 0
    rank = lambda u: (2, -float(((u - top) ** 2).sum()))  # noqa: E731
    steps = nelder_mead(start, rank(start), edge=0.05, free=np.array([True, True, False]))
    point, best = next(steps), rank(start)
    while count < 500:
        assert (point >= 0).all() and (point <= 1).all() and point[2] == 0.5
        best, count = max(best, rank(point)), count + 1
        try:
            point = steps.send(rank(point))
        except StopIteration:
            break
    assert best[1] == pytest.approx(-0.04, abs=1e-9) and count < 400


def test_the_known_answer_is_found_certified_and_made_simple(ball, tmp_path):
    dataset = us.falsify(ball, claim="ball.low", out=tmp_path)
    (verdict,) = us.judge(ball, dataset)
    assert (verdict.outcome, verdict.as_expected, verdict.evidence) == ("refuted", True, "search")
    assert verdict.search["counterexample"]["instance"] == {"x": 0.5, "y": -0.25, "z": 0.1}
    assert verdict.search["counterexample"]["second"]["route"] == "mpmath, 50 digits"
    assert verdict.estimate == pytest.approx(1.0, abs=1e-12)


def test_a_true_bound_survives_sharply_and_its_control_is_refuted(ball, tmp_path):
    dataset = us.falsify(ball, claim="ball.high", out=tmp_path)
    (verdict,) = us.judge(ball, dataset)
    assert (verdict.outcome, verdict.control_outcome) == ("survived", "refuted") and verdict.as_expected
    assert 0.98 < verdict.search["sharpness"] <= 1 / 1.001 + 1e-12 and "sharp" in verdict.reason
    assert verdict.search["counterexample"] is None and verdict.search["evaluations"] == verdict.cells == 300
    # The data set decodes to the very instances that were evaluated.
    for row in (0, 17, 250):
        instance = ball.universals[1].space.decode(dataset["u"].values[row])
        assert instance["x"] == dataset["x"].values[row]
        assert ball.universals[1].quantity(instance)["value"] == dataset["value"].values[row]
    stages = np.array(dataset["stage"].attrs["flag_meanings"].split())[dataset["stage"].values]
    assert list(dict.fromkeys(stages)) == ["sobol", "polish", "restart"]
    assert (stages[:300] == "sobol").sum() == 32 and (stages[:300] == "restart").sum() == 30


def test_workers_executors_and_a_second_call_change_no_bit(write, tmp_path):
    study = studies_in(write())[0].study
    for workers in (1, 2, 4):
        with LocalPool(workers=workers) as pool:
            attack_studies([study], RunSettings(out=tmp_path / f"w{workers}", executor=pool))
    with ThreadPoolExecutor(2) as pool:
        attack_studies([study], RunSettings(out=tmp_path / "threads", executor=pool))
    attack_studies([study], RunSettings(out=tmp_path / "w1"))  # on what is recorded
    first = bits(tmp_path / "w1")
    assert set(first) == {"ball.low", "ball.high"}
    assert all(bits(tmp_path / folder) == first for folder in ("w2", "w4", "threads"))


SLOW = """
import time
space = Space(x=Real(-1, 1), y=Real(-1, 1))


def value(instance):
    time.sleep(0.02)
    return {"value": 1 - instance["x"] ** 2 - instance["y"] ** 2, "error": 1e-14}


def second(instance):
    return {"value": 1 - (instance["x"] ** 2 + instance["y"] ** 2), "error": 1e-14}


study = Study("slow", "Slow", universals=[
    Universal("slow.bound", "At most 1.1.", "elementary", space, value, (-math.inf, 1.1), second,
              FalseVariant("0.9", region=(-math.inf, 0.9)), unit=1.0)])
"""


def test_a_search_that_was_killed_resumes_from_its_records_to_the_same_bits(write, tmp_path):
    path = write(SLOW, "slow")
    command = [sys.executable, "-m", "unifiedscore", "falsify", str(path), "--budget", "100", "--workers", "1"]
    process = subprocess.Popen([*command, "--out", str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
    cells = tmp_path / "killed" / "cells" / "slow"
    for _ in range(1200):
        if len(list(cells.glob("*.json"))) > 20 or process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    recorded = len(list(cells.glob("*.json")))
    assert 20 < recorded and not (tmp_path / "killed" / "slow.search.nc").exists()
    for folder in ("killed", "whole"):
        assert subprocess.run([*command, "--out", str(tmp_path / folder)], stdout=subprocess.DEVNULL).returncode == 0
    assert bits(tmp_path / "killed", "slow") == bits(tmp_path / "whole", "slow")
    assert len(list(cells.glob("*.json"))) == len(list((tmp_path / "whole/cells/slow").glob("*.json")))


def test_the_printed_counterexample_runs_in_a_fresh_interpreter(write, tmp_path):
    path = write()
    command = [sys.executable, "-m", "unifiedscore", "falsify", str(path), "--claim", "ball.low"]
    done = subprocess.run([*command, "--out", "results"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    code = lines[lines.index("from unifiedscore.study import universal_in") :][:3]
    again = subprocess.run([sys.executable, "-c", "\n".join(code)], cwd=tmp_path, capture_output=True, text=True)
    assert eval(again.stdout) == {"value": 1.0, "error": 1e-14}, again.stderr
    stored = json.loads((tmp_path / "results" / "ledger.json").read_text())
    assert stored["schema_version"] == 2
    assert stored["verdicts"][0]["search"]["counterexample"]["code"] == "\n".join(code)
    assert os.path.exists(tmp_path / "results" / "ball.search.nc")


@pytest.mark.parametrize("value, error, low, high, outside", [
    (2.0, 0.5, -math.inf, 1.0, True),
    (5.5e4, 5.2e5, -math.inf, 1.0, False),  # to first order in the error it would lie outside
    (2.0, 1.5, -math.inf, 1.0, False),
    (0.3, 0.3, 0.5, math.inf, False),
    (0.3, 0.1, 0.5, math.inf, True),
])  # fmt: skip
def test_in_logarithms_too_both_ends_of_the_interval_must_lie_outside(value, error, low, high, outside):
    found = Yardstick((low, high), "log", 1.0, (), ()).margin({"value": value, "error": error})
    assert (found > 0) == outside
    assert not outside or found == pytest.approx(
        math.log((value - error) / high if high < 9 else low / (value + error))
    )

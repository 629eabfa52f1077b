"""A test of one's own is judged as the package's are: nothing tells tests apart by their class."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import unifiedscore
from unifiedscore.inference import AbstractTest, Estimate
from unifiedscore.study import Claim, Control, Grid, Study, Variable, judge

PACKAGE = Path(unifiedscore.__file__).parent
TESTS = {"Identity", "Inside", "Rate", "Limit", "Proportion"}


@dataclass(frozen=True, slots=True)
class Spread(AbstractTest):
    """The range of the seeds along an axis, without an interval beyond its own size."""

    low: float
    high: float
    along: str

    statistic: ClassVar[str] = "spread"

    @property
    def axis(self):
        return self.along

    @property
    def estimand(self):
        return "median"

    def estimate(self, y, *, x=None, error=None, level):
        value = float(np.ptp(y))
        return Estimate(value, 0.9 * value, 1.1 * value, "t")


def test_a_test_that_the_package_does_not_know_is_judged_and_described():
    claim = Claim("own.spread", "The spread is about 3.", "here", "monte_carlo", "y", Spread(2.0, 4.0, "x"),
                  control=Control("ten times as much", variable="wide"))  # fmt: skip
    study = Study("own", "A test of one's own", Grid(x=[1, 2, 3, 4], seed=range(3)), lambda cell, rng: {},
                  {"y": Variable("Value"), "wide": Variable("Wrong value")}, [claim])  # fmt: skip
    y = np.arange(4.0)[:, None] + np.zeros(3)
    (verdict,) = judge(study, xr.Dataset({"y": (("x", "seed"), y), "wide": (("x", "seed"), 10 * y)},
                                         {"x": [1, 2, 3, 4], "seed": range(3)}))  # fmt: skip
    assert (verdict.outcome, verdict.control_outcome, verdict.of) == ("supported", "refuted", "median")
    assert "the spread of the medians 3 with interval [2.7, 3.3] (99 % over 3 seeds)" in verdict.reason


# A slope is predicted by a rate alone: the door of a figure refuses other tests.
DOORS = {PACKAGE / "plotting" / "prediction.py"}


@pytest.mark.parametrize(
    "path", sorted(set(PACKAGE.rglob("*.py")) - DOORS), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_code_asks_which_test_it_has(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            classes = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            imported = "unifiedscore.inference" in path.read_text(encoding="utf-8")
            assert not (imported and classes & TESTS), f"{path}:{node.lineno} tells tests apart by their class"

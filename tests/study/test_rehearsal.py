import pytest

from unifiedscore.study import Claim, Control, Grid, Inside, Rate, Study, Variable
from unifiedscore.study.rehearsal import foreseen


def study(grid, test, control, **claim):
    claims = [Claim("a.b", "s", "t", "monte_carlo", "y", test, control=Control("m", test=control), **claim)]
    return Study("demo", "A demonstration", grid, lambda cell, rng: {"y": 1.0}, {"y": Variable("Value")}, claims)


INSIDE = Inside(0.5, 1.5), Inside(4.0, 5.0)
RATE = Rate(-0.5, 0.5, along="n"), Rate(3.0, 4.0, along="n")


@pytest.mark.parametrize(
    ("grid", "tests", "message"),
    [
        (Grid(seeds=range(16)), INSIDE, "a.b: the variable has no axis seed"),
        (Grid(n=[1, 2, 4], seed=range(16)), RATE, "a.b: too few points: 3 along x, at least 4"),
    ],
)
def test_what_no_measurement_could_decide_is_known_before(grid, tests, message):
    made = study(grid, *tests)
    (problem,) = foreseen(made, made.grid, profile="quick")
    assert problem.startswith(message) and "control" not in problem


@pytest.mark.parametrize(
    ("grid", "tests"), [(Grid(seed=range(16)), INSIDE), (Grid(n=[1, 2, 4, 8, 16], seed=range(16)), RATE)]
)
def test_what_can_be_decided_is_not_spoken_of(grid, tests):
    made = study(grid, *tests)
    assert foreseen(made, made.grid, profile="quick") == []

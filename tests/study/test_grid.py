import pickle
import subprocess
import sys

import numpy as np
import pytest

from unifiedscore.errors import InputError, StudyError, UnknownNameError
from unifiedscore.study import Cell, Grid
from unifiedscore.study.grid import canonical


def test_cells_are_the_product_of_the_axes_in_storage_order():
    grid = Grid(estimator=["a", "b"], dimension=np.array([4, 16]), seed=range(3))
    cells = [tuple(cell.values()) for cell in grid.cells()]
    assert cells[:4] == [("a", 4, 0), ("a", 4, 1), ("a", 4, 2), ("a", 16, 0)]
    assert len(set(cells)) == grid.size == 12 and grid.shape == (2, 2, 3)
    assert type(cells[0][1]) is int


def test_a_cell_is_a_read_only_hashable_mapping():
    cell = Cell({"dimension": 4, "seed": 0})
    assert dict(cell) == {"dimension": 4, "seed": 0} and cell == {"seed": 0, "dimension": 4}
    assert {cell: 1}[Cell({"seed": 0, "dimension": 4})] == 1
    assert pickle.loads(pickle.dumps(cell)) == cell
    with pytest.raises(TypeError):
        cell["dimension"] = 5
    with pytest.raises(KeyError, match="its axes are dimension, seed"):
        cell["bandwidth"]


def test_the_stream_of_a_cell_is_pinned_across_processes_and_versions():
    """A change here silently changes every Monte Carlo number ever recorded."""
    cell = {"dataset": "ring", "dimension": 4, "seed": 0}
    assert canonical(cell) == '{"dataset":"s:ring","dimension":"f:0x1.0000000000000p+2","seed":"f:0x0.0p+0"}'
    grid = Grid(dataset=["ring"], dimension=[4], seed=[0])
    first = int(grid.stream(Cell(cell), seed=7).integers(2**63))
    code = (
        "from unifiedscore.study import Cell, Grid; g = Grid(seed=[0], dimension=[4], dataset=['ring']);"
        f"print(int(g.stream(Cell({cell}), seed=7).integers(2**63)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert first == int(other) == 6612060766476178614


def test_streams_differ_between_cells_and_seeds_but_not_along_paired_axes():
    grid = Grid(estimator=["a", "b"], dimension=[4, 16], seed=range(2), paired=("estimator",))

    def draw(root, **cell):
        return grid.stream(Cell(cell), seed=root).random()

    one = draw(0, estimator="a", dimension=4, seed=0)
    assert draw(0, estimator="b", dimension=4, seed=0) == one
    others = [draw(0, estimator="a", dimension=16, seed=0), draw(0, estimator="a", dimension=4, seed=1)]
    assert len({one, *others, draw(1, estimator="a", dimension=4, seed=0)}) == 4


def test_a_label_that_turns_integers_into_floats_leaves_the_other_streams_alone():
    few, more = Grid(size=[1, 2], seed=[0]), Grid(size=[1, 2, 2.5], seed=[0])
    for old, new in zip(few.cells(), more.cells(), strict=False):
        assert few.stream(old, seed=0).random() == more.stream(new, seed=0).random()


def test_large_neighbouring_integers_have_different_streams():
    grid = Grid(size=[2**53, 2**53 + 1])
    assert len({grid.stream(cell, seed=0).random() for cell in grid.cells()}) == 2


def test_replace_overrides_labels_and_keeps_the_rest():
    grid = Grid(estimator=["a"], seed=range(2), paired="estimator", skip=lambda cell: cell["seed"] == 3)
    larger = grid.replace(seed=range(4))
    assert larger.shape == (1, 4) and larger.paired == ("estimator",)
    assert [larger.skipped(cell) for cell in larger.cells()] == [False, False, False, True]
    with pytest.raises(UnknownNameError, match=r"axis 'sead'.*seed"):
        grid.replace(sead=range(3))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "at least one axis"),
        ({"seed": []}, "seed must have at least one label"),
        ({"seed": [1, 1.0]}, "repeats the labels"),
        ({"seed": 3}, "seed must be a list"),
        ({"estimator": "ab"}, "estimator must be a list"),
        ({"seed": {1, 2}}, "must be ordered"),
        ({"seed": np.zeros((2, 2))}, "one-dimensional"),
        ({"seed": [True]}, "an int, a float"),
        ({"seed": [None]}, "an int, a float"),
        ({"seed": [float("nan")]}, "not NaN"),
        ({"seed": [2**70]}, "64 bits"),
        ({"mixed": ["a", 1]}, "all text or all numbers"),
        ({"estimator": [""]}, "empty label"),
        ({"Seed": [1]}, "lower-case"),
        ({"status": [1]}, "'status' is taken"),
        ({"method": [1]}, "'method' is taken"),
        ({"seed": [1], "paired": ("seed",)}, "cannot be paired"),
        ({"seed": [1], "paired": ("estimator",)}, "paired axis 'estimator'"),
        ({"seed": [1], "skip": 3}, "skip must be a function"),
    ],
)
def test_bad_axes_are_refused_by_name(axes, message):
    with pytest.raises(InputError, match=message):
        Grid(**axes)


def test_a_skip_that_raises_names_the_cell():
    grid = Grid(seed=[5], skip=lambda cell: 1 / 0)
    with pytest.raises(StudyError, match=r"skip\(seed=5\) raised ZeroDivisionError"):
        grid.skipped(next(grid.cells()))


def test_a_skip_may_give_its_reason():
    answers = {0: "the population has no seed", 1: True, 2: "", 3: False, 4: np.True_, 5: "the population has no seed"}
    grid = Grid(seed=range(6), skip=lambda cell: answers[cell["seed"]])
    reasons = [grid.skip_reason(cell) for cell in grid.cells()]
    assert reasons == ["the population has no seed", "", None, None, "", "the population has no seed"]
    assert [grid.skipped(cell) for cell in grid.cells()] == [True, True, False, False, True, True]
    assert grid.skip_reasons() == {"the population has no seed": 2, "": 2}
    assert Grid(seed=range(6)).skip_reasons() == {}

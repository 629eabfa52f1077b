from pathlib import Path

import numpy as np
import pytest

from unifiedscore.errors import InputError, StudyError
from unifiedscore.study import Grid, Study, Variable, combine, known
from unifiedscore.study.runner import source_file

CELL = {"seed": 0}


def drawn(cell, rng):
    return {"first": rng.normal(), "second": rng.random()}


def silent(cell, rng):
    return {"silent": known(1.0, 0.5)}


def spawned(cell, rng):
    one, two = rng.spawn(2)
    return {"one": one.random(), "two": two.random(), "own": rng.random()}


def whole(cell, rng):
    """All parts as one function."""
    first, second = rng.normal(), rng.random()
    one, two = rng.spawn(2)
    found = {"first": first, "second": second, "silent": 1.0, "silent_error": 0.5}
    found |= {"one": one.random(), "two": two.random(), "own": rng.random()}
    three, four = rng.spawn(2)
    return found | {"again_one": three.random(), "again_two": four.random(), "again_own": rng.random()}


def again(cell, rng):
    return {f"again_{name}": value for name, value in spawned(cell, rng).items()}


def test_parts_see_the_stream_as_the_lines_of_one_function_do():
    combined = combine(drawn, silent, spawned, again)(CELL, np.random.default_rng(3))
    assert combined == whole(CELL, np.random.default_rng(3))


def test_a_part_behind_the_others_changes_none_of_their_numbers():
    short = combine(drawn, spawned)(CELL, np.random.default_rng(4))
    long = combine(silent, drawn, spawned, again)(CELL, np.random.default_rng(4))
    assert short.items() <= long.items()


def test_combined_parts_can_be_combined():
    nested = combine(combine(drawn, silent), combine(spawned))(CELL, np.random.default_rng(5))
    assert nested == combine(drawn, silent, spawned)(CELL, np.random.default_rng(5))


def test_no_part_and_parts_that_are_not_functions_are_refused():
    with pytest.raises(InputError, match="at least one part"):
        combine()
    with pytest.raises(InputError, match=r"must be a function of .*got 3"):
        combine(drawn, 3)


def test_a_part_that_returns_a_name_of_another_or_no_mapping_is_named():
    with pytest.raises(StudyError, match="drawn returns first, second, which a part before it"):
        combine(drawn, drawn)(CELL, np.random.default_rng(0))
    with pytest.raises(StudyError, match="override returns silent_error"):

        def override(cell, rng):
            return {"silent_error": 0.0}

        combine(silent, override)(CELL, np.random.default_rng(0))
    with pytest.raises(StudyError, match=r"must return a mapping from .*; got 2\.0"):
        combine(lambda cell, rng: 2.0)(CELL, np.random.default_rng(0))


study = Study(
    name="parts",
    title="Parts",
    grid=Grid(seed=range(2)),
    measure=combine(drawn, silent),
    variables={name: Variable(name) for name in ("first", "second", "silent")},
)


def test_workers_find_the_file_of_a_study_with_a_combined_measure():
    assert source_file(study) == Path(__file__).resolve()
    assert study.measure.__doc__ == "Measure drawn, silent."

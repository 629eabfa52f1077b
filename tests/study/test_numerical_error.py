from dataclasses import replace

import numpy as np
import pytest

from unifiedscore.errors import InputError, StudyError
from unifiedscore.study import Grid, Study, Variable, known, run, two_rules
from unifiedscore.study.numerical_error import Known, expanded
from unifiedscore.study.worker import checked_values

VARIABLES = {"gap": Variable("Gap"), "size": Variable("Size", error="bound")}


def study(values, variables=VARIABLES):
    return Study("small", "Small", Grid(seed=range(2)), lambda cell, rng: values, variables)


def stored(values):
    """What a cell stores: what the study's measure returns, held against the declarations."""
    small = study(values)
    return checked_values(small.measure({}, None), small.stored_variables(), small.optional_variables())


def test_a_value_and_its_error_are_stored_as_when_both_are_written_by_hand():
    by_hand = {"gap": 0.25, "gap_error": 1e-9, "size": 2.0, "bound": 0.5}
    assert stored({"gap": known(0.25, 1e-9), "size": known(2, 0.5)}) == by_hand
    assert stored({"gap": two_rules(0.25 + 1e-9, 0.25), "size": two_rules(1.5, 2.0)}) == pytest.approx(by_hand)
    assert list(stored({"gap": known(np.float64(0.25), 1e-9), "size": 2.0, "bound": np.nan})) == [
        "gap", "size", "bound", "gap_error",
    ]  # fmt: skip


def test_two_rules_keep_the_finer_one_and_add_what_both_have_in_common():
    assert two_rules(3.0, 2.0) == Known(2.0, 1.0) == two_rules(1.0, 2.0)
    assert two_rules(3.0, -2.0, rounding=0.5, relative=0.25) == Known(-2.0, 5.0 + 0.5 + 0.5)
    assert np.isnan(two_rules(np.nan, 1.0).error)
    curve = two_rules(np.array([1.0, 2.0]), np.array([1.5, 2.0]))
    np.testing.assert_array_equal(curve.value, [1.5, 2.0])
    np.testing.assert_array_equal(curve.error, [0.5, 0.0])


def test_mappings_are_bound_name_by_name():
    coarse, fine = {"a": 1.0, "b": 2.0}, {"b": 2.5, "a": 1.0}
    assert two_rules(coarse, fine, rounding=0.125) == {"a": Known(1.0, 0.125), "b": Known(2.5, 0.625)}
    assert known(fine, 0.5) == {"a": Known(1.0, 0.5), "b": Known(2.5, 0.5)}
    assert known(fine, {"a": 0.0, "b": 1.0}) == {"a": Known(1.0, 0.0), "b": Known(2.5, 1.0)}
    assert two_rules({}, {}) == known({}, 1.0) == {}


def test_names_and_errors_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="coarse and fine must have the same names; b is in one alone"):
        two_rules({"a": 1.0}, {"a": 1.0, "b": 2.0})
    with pytest.raises(InputError, match="two numbers or two mappings"):
        two_rules(1.0, {"a": 1.0})
    with pytest.raises(InputError, match="value and error must have the same names; a, b"):
        known({"a": 1.0}, {"b": 1.0})
    for wrong in (-1e-9, "1", np.array([0.0, -1.0]), 1j, None):
        with pytest.raises(InputError, match="a numerical error must be a real number of at least 0"):
            known(1.0, wrong)
    with pytest.raises(InputError, match="at least 0"):
        two_rules(1.0, 1.0, rounding=-1.0)


def test_an_error_that_is_given_twice_must_be_the_same():
    assert stored({"gap": known(1.0, 0.5), "gap_error": 0.5, "size": 1.0, "bound": 0.0})["gap_error"] == 0.5
    assert expanded({"gap": known(1.0, np.nan), "gap_error": np.nan})["gap"] == 1.0
    with pytest.raises(StudyError, match=r"two values of gap_error: 0.25 and, as the error of gap, 0.5"):
        stored({"gap": known(1.0, 0.5), "gap_error": 0.25, "size": 1.0, "bound": 0.0})


def test_the_value_is_held_against_its_declaration():
    with pytest.raises(StudyError, match="gap must be a single number"):
        stored({"gap": known([1.0, 2.0], 0.1), "size": 1.0, "bound": 0.0})
    with pytest.raises(StudyError, match="'other', 'other_error', not declared"):
        stored({"other": known(1.0, 0.1), "gap": 1.0, "size": 1.0, "bound": 0.0})


def test_the_data_set_is_the_one_of_errors_written_by_hand(tmp_path):
    short = {"gap": two_rules(1.0, 1.5, rounding=1e-12), "size": known(2.0, 0.125)}
    long = {"gap": 1.5, "gap_error": 0.5 + 1e-12, "size": 2.0, "bound": 0.125}
    found, wanted = (run(study(values), out=tmp_path / str(i)) for i, values in enumerate((short, long)))
    assert found.drop_attrs().identical(wanted.drop_attrs())
    assert found["gap"].attrs == wanted["gap"].attrs and found["bound"].attrs == wanted["bound"].attrs


def test_a_copy_of_a_study_stores_errors_under_its_own_names():
    small = study({"gap": known(1.0, 0.5)}, {"gap": Variable("Gap")})
    other = replace(small, variables={"gap": Variable("Gap", error="width")})
    assert small.measure({}, None) == {"gap": 1.0, "gap_error": 0.5}
    assert other.measure({}, None) == {"gap": 1.0, "width": 0.5}

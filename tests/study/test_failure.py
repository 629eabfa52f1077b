import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from unifiedscore.errors import StudyError
from unifiedscore.study import Variable
from unifiedscore.study.failure import LONGEST, describe
from unifiedscore.study.worker import checked_values

VECTOR = {"v": Variable("V", dims=("place",), coords={"place": [2, 1, 3]})}
MATRIX = {"v": Variable("V", dims=("place", "kind"), coords={"place": [2, 1], "kind": ["a", "b"]})}
PLACES = {"place": [1, 2, 3]}


class Rude(Exception):
    def __str__(self):
        sys.exit(0)


def test_any_exception_has_a_short_line_that_can_be_stored():
    assert describe(ValueError("why")) == "ValueError: why"
    assert describe(Rude()) == "Rude: no message, since making it raised SystemExit"
    assert describe(ValueError("\ud800")).encode() == rb"ValueError: \ud800"
    assert describe(ExceptionGroup("both", [KeyError(1), Rude()])).startswith(
        "ExceptionGroup: both (2 sub-exceptions): K"
    )
    long = describe(ValueError("start" + "x" * 10**7 + "end"))
    assert (
        len(long) < LONGEST and long.startswith("ValueError: startx") and long.endswith("xend") and "10000008" in long
    )


@pytest.mark.parametrize(
    "value",
    [
        [20.0, 10.0, 30.0],
        xr.DataArray([20.0, 10.0, 30.0], dims="place"),
        xr.DataArray([10.0, 20.0, 30.0], PLACES, dims="place"),
        xr.DataArray([30.0, 10.0, 20.0], {"place": [3, 1, 2]}, dims="place"),
        pd.Series([10.0, 20.0, 30.0], index=[1, 2, 3]),
        pd.Series([20.0, 10.0, 30.0]),
        np.ma.masked_array([20.0, 10.0, 30.0], False),
    ],
)
def test_labels_decide_where_a_value_is_stored(value):
    assert checked_values({"v": value}, VECTOR, {}) == {"v": [20.0, 10.0, 30.0]}


def test_dimensions_are_transposed_with_their_labels():
    value = xr.DataArray([[3.0, 1.0], [4.0, 2.0]], {"kind": ["a", "b"], "place": [1, 2]}, dims=("kind", "place"))
    assert checked_values({"v": value}, MATRIX, {}) == {"v": [[1.0, 2.0], [3.0, 4.0]]}
    frame = pd.DataFrame({"b": [4.0, 2.0], "a": [3.0, 1.0]}, index=[1, 2])
    assert checked_values({"v": frame}, MATRIX, {}) == {"v": [[1.0, 2.0], [3.0, 4.0]]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (xr.DataArray([1.0, 2.0, 3.0], {"place": [1, 2, 4]}, dims="place"), "other labels along place"),
        (xr.DataArray([1.0, 2.0, 3.0], {"place": [1, 2, 2]}, dims="place"), "other labels along place"),
        (xr.DataArray([1.0, 2.0, 3.0], dims="site"), r"dimensions \('place',\); got \('site',\)"),
        (pd.Series([1.0, 2.0, 3.0], index=list("abc")), "other labels along place"),
        (np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False]), "v is masked"),
        (xr.DataArray(1.0), "dimensions"),
    ],
)
def test_other_labels_and_masks_are_refused(value, message):
    with pytest.raises(StudyError, match=message):
        checked_values({"v": value}, VECTOR, {})


def test_the_masked_constant_is_no_number():
    with pytest.raises(StudyError, match="v is masked"):
        checked_values({"v": np.ma.masked}, {"v": Variable("V")}, {})

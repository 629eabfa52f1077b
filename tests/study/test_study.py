import math

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Identity, Inside, Rate, Study, Variable

CONTROL = Control("two", test=Inside(1.9, 2.1))


def claim(**changes):
    base = dict(id="a.b", statement="s", source="here", evidence="monte_carlo", variable="mean", test=Inside(0.9, 1.1))
    return Claim(**(base | {"control": CONTROL} | changes))


def study(*claims, **changes):
    base = dict(name="small", title="Small", grid=Grid(dimension=[1, 2, 4], seed=range(3)), claims=claims)
    base |= {"measure": lambda cell, rng: {}, "variables": {"mean": Variable("Mean")}}
    return Study(**(base | changes))


def test_a_valid_study_is_accepted_and_larger_profiles_inherit():
    small = study(claim(), claim(regime="large", where={"seed": [0, 9]}), profiles={"standard": {"seed": range(10)}})
    assert small.profile_grid("quick").shape == (3, 3)
    assert small.profile_grid("standard").shape == small.profile_grid("full").shape == (3, 10)
    with pytest.raises(InputError, match=r"profile 'quik'.*quick"):
        small.profile_grid("quik")


def test_declared_errors_are_stored_and_others_may_be_returned():
    variables = {"mean": Variable("Mean", error="bound"), "other": Variable("Other")}
    small = study(variables=variables)
    assert list(small.stored_variables()) == ["mean", "other", "bound"]
    assert list(small.optional_variables()) == ["other_error"]


REFUTED = dict(expect="refuted", control=None)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ([claim(variable="meen")], "'meen'.*mean"),
        ([claim(where={"dimensoin": 1})], "axis in where 'dimensoin'.*dimension"),
        ([claim(where={"dimension": 3})], "label of the axis dimension in where 3"),
        ([claim(minus={"dimension": 3})], "in minus 3"),
        ([claim(control=Control("w", where={"estimator": 1}))], "control's where 'estimator'"),
        ([claim(control=Control("w", variable="none"))], "variable of the control 'none'"),
        ([claim(hypotheses=(Hypothesis("h", "norm", low=1),))], "hypothesis 'h' 'norm'"),
        ([claim(test=Rate(-1.1, -0.9, along="dim"))], "axis to fit along 'dim'"),
        ([claim(test=Identity(c=10, scale="size"), evidence="exact")], "test's scale 'size'"),
        ([claim(), claim()], "appears twice"),
        ([claim(**REFUTED, regime="r")], "sibling"),
        ([claim(), claim(**REFUTED, regime="r", test=Inside(0.8, 1.1))], "sibling"),
        (["claim"], "must be Claim objects"),
    ],
)
def test_claims_that_do_not_fit_the_study_are_refused(claims, message):
    with pytest.raises(InputError, match=message):
        study(*claims)


def test_slices_and_lists_of_labels_are_accepted():
    study(claim(where={"dimension": slice(2, None), "seed": [0, 1]}), claim(**REFUTED, regime="r"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Bad name"}, "lower-case identifier"),
        ({"title": " "}, "title must be"),
        ({"grid": [1]}, "grid must be a Grid"),
        ({"measure": 3}, "measure must be a function"),
        ({"variables": {}}, "at least one name"),
        ({"variables": {"seed": Variable("Seed")}}, "not an axis"),
        ({"variables": {"skip_reason": Variable("Reason")}}, "none of status, skip_reason"),
        ({"variables": {"mean": 3}}, "must be a Variable"),
        ({"variables": {"mean": Variable("M", dims=("place",))}}, "needs fixed labels"),
        ({"variables": {"mean": Variable("M", dims=("seed",), coords={"seed": [1]})}}, "no axis"),
        ({"profiles": {"standard": {"sead": [1]}}}, "axis 'sead'"),
        ({"profiles": {"huge": {"seed": [1]}}}, "profile 'huge'"),
        ({"claims": 3}, "claims must be a list"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        study(**changes)


def test_two_variables_may_share_an_extra_dimension_only_with_equal_labels():

    def variable(labels):
        return Variable("V", dims=("place",), coords={"place": labels})

    study(variables={"a": variable([1, 2]), "b": variable([1, 2])})
    with pytest.raises(InputError, match="different coords"):
        study(variables={"a": variable([1, 2]), "b": variable([1, math.inf])})


def test_labels_match_up_to_rounding_and_unknown_ones_name_the_nearest():
    grid = Grid(t=[0.1, 0.2, 0.1 + 0.2, 5.0], seed=range(3))
    study(claim(where={"t": 0.3}), claim(where={"t": np.array([0.1, 0.3])}, regime="r"), grid=grid)
    with pytest.raises(
        InputError, match=r"label of the axis t in where 0\.35; .*: 0\.30000000000000004, 0\.2, 0\.1 \(4"
    ):
        study(claim(where={"t": np.float64(0.35)}), grid=grid)
    with pytest.raises(InputError, match=r"4\.0001"):
        study(claim(where={"t": 4.0001}), grid=grid)

"""Messages show the numbers of NumPy as the plain numbers they are, and say what to do with what is no array."""

import pickle

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import errors
from unifiedscore.arrays import as_array
from unifiedscore.errors import InputError, UnifiedScoreError, UnknownNameError, plain_numbers
from unifiedscore.inference import Inside, Limit, Proportion, Rate
from unifiedscore.plotting import Prediction

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, UnifiedScoreError)]
SCALARS = [np.float64(0.5), np.float32(0.25), np.int64(-3), np.uint8(7), np.True_, np.False_, np.float64(np.nan)]
SCALARS += [np.complex128(1 + 2j), np.str_("one"), np.float64(1e-300), np.float64(-np.inf)]


@pytest.mark.parametrize("value", SCALARS, ids=repr)
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_shows_plain_numbers(kind, value):
    text = f"got {[value, {'k': value}]!r}"
    error = UnknownNameError("name", [value], ["a"]) if kind is UnknownNameError else kind(text)
    assert "np." not in str(error) and repr(value.item()).strip("()") in str(error)
    if kind is not UnknownNameError:
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_other_text_stays_as_it_is():
    text = "convert it with np.asarray(..., dtype=float), or np.float64 and np.datetime64('2020-01-01')"
    assert plain_numbers(text) == text


CALLS = [
    lambda: us.Laplace(np.float64(-1.0)),
    lambda: Inside(np.float64(2.0), np.float64(1.0)),
    lambda: Rate(np.float64(1.0), np.float64(1.0), along="x"),
    lambda: Limit(0.0, 1.0, along="x", order=np.float64(0.0)),
    lambda: Proportion(np.float64(0.0), np.float64(1.0), 5),
    lambda: Inside(0.0, 1.0).estimate([1.0, 2.0, 3.0], level=np.float64(2.0)),
    lambda: Prediction(np.float64(-1.0), low=np.float64(-0.5), high=np.float64(0.0)),
    lambda: us.as_field(np.float64(1.0), dimension=2),
    lambda: us.study.Grid(seed=[np.float64(0.5), np.float64(0.5)]),
    lambda: us.study.Grid(seed=[np.float64(np.nan)]),
    lambda: us.testing.check_field(np.float64(1.0), [[0.0]]),
    lambda: us.testing.check_kernel(np.float64(1.0)),
    lambda: us.testing.parametrize_with_checks([np.float64(1.0)]),
    lambda: us.kernels.ScaleMixture(atom=[np.float64(-1.0)]),
    lambda: us.kernel_by_name([np.float64(1.0)], 1.0),
    lambda: us.load_measure(np.float64(1.0)),
    lambda: us.ClosedFormScore(np.zeros((3, 1)), time=np.float64(1.5)),
]


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_no_message_shows_a_numpy_scalar(call):
    with pytest.raises(UnifiedScoreError) as caught:
        call()
    assert "np." not in str(caught.value)


FIELD = us.MeanShift(us.Gaussian(1.0), np.zeros((3, 2)))
X = np.ones((4, 2))


@pytest.mark.parametrize(
    "given", [FIELD, us.as_field(np.sin, dimension=2), lambda x: x, np.sin], ids=lambda g: type(g).__name__
)
@pytest.mark.parametrize(
    "call",
    [
        lambda given: as_array(given, "a"),
        lambda given: us.metrics.global_cosine(given, X),
        lambda given: us.metrics.global_cosine(X, given),
        lambda given: us.metrics.best_scale(X, given),
        lambda given: us.metrics.cosine(given, X),
        lambda given: us.MeanShift(us.Gaussian(1.0), given),
        lambda given: us.Samples(given),
        lambda given: FIELD(given),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_field_in_the_place_of_its_values_is_to_be_evaluated(given, call):
    what = "field" if hasattr(given, "dimension") else "function"
    with pytest.raises(InputError, match=rf"got the {what} \S+; evaluate it at the queries: field\(x\)"):
        call(given)


def test_a_field_needs_no_dimension_and_a_function_is_told_to_give_one():
    assert us.as_field(FIELD) is FIELD
    with pytest.raises(InputError, match=r"dimension must be given.*as_field\(f, dimension=2\)"):
        us.as_field(np.sin)

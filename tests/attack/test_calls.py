"""Malformed calls of every public name end in an error that names the argument, and well-formed ones in an answer."""

import warnings
from functools import lru_cache

import numpy as np
import pytest
from attack_arguments import FOREIGN
from attack_calls import not_a_number, outcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

import unifiedscore as us
from unifiedscore import study
from unifiedscore.errors import UnifiedScoreError

NAMES = [name for name in us.__all__ if name not in ("__version__", "ledger")] + [
    f"study.{name}" for name in study.__all__
]


@lru_cache(maxsize=1)
def table():
    from attack_doors import doors  # builds an object of every kind: not when tests are only collected

    return doors()


def test_every_public_name_has_its_entry():
    assert sorted(table()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_malformed_call_is_refused_by_the_name_of_the_argument(name, record_property):
    calls, wrong = 0, []
    for door in table()[name]:
        for argument, what, arguments in door.malformed():
            calls += 1
            ending = outcome(door.call, arguments, argument, what)
            if ending != "refused":
                wrong.append(f"{door.label}({argument} = {what}): {ending[0]}: {ending[1]}")
    group = "study objects and tests" if name.startswith("study.") else us._MODULE_OF.get(name, name)
    record_property("attack", (group, calls, len(wrong)))
    assert not wrong, "\n".join(wrong)


def reordered(array):
    """The same numbers, not contiguous, in Fortran order and read-only."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1])) if array.ndim else array
    if array.ndim:
        wide[..., ::2] = array
        spaced = wide[..., ::2]
        spaced.flags.writeable = False
        fortran = np.asfortranarray(array)
        fortran.flags.writeable = False
        return spaced, fortran
    return ()


@pytest.mark.parametrize("name", NAMES)
def test_a_well_formed_call_takes_any_memory_layout_and_leaves_its_input_alone(name):
    for door in table()[name]:
        plain = door.call(**door.good())
        assert not not_a_number(plain), f"{door.label} answers NaN"
        for argument, value in door.arguments.items():
            if not isinstance(value.good, np.ndarray) or value.good.dtype.kind != "f":
                continue
            for other in reordered(value.good):
                before = other.copy()
                again = door.call(**door.good() | {argument: other})
                np.testing.assert_array_equal(other, before)
                if isinstance(plain, np.ndarray):
                    np.testing.assert_allclose(again, plain, rtol=1e-10, atol=1e-12)


NUMBERS = some.floats(allow_nan=True, allow_infinity=True) | some.integers() | some.booleans() | some.complex_numbers()
DTYPES = some.sampled_from(["f2", "f4", "f8", "i1", "i8", "u2", "c16", "?", "S3", "U2", "M8[s]", "m8[s]", "O"])
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ANYTHING = some.one_of(
    some.none(),
    some.text(max_size=6),
    some.binary(max_size=4),
    NUMBERS,
    some.lists(NUMBERS, max_size=4),
    some.lists(some.lists(NUMBERS, max_size=3), max_size=4),
    some.dictionaries(some.text(max_size=2), NUMBERS, max_size=2),
    DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES, elements=some.integers(-3, 3) if dtype == "O" else None)),
    some.sampled_from(list(FOREIGN.values())),
)  # fmt: skip
COUNTED = ("n_particles", "n_steps", "budget", "order", "max_samples", "systems", "n",
           "objects", "start", "dimension", "size", "out", "path")  # fmt: skip
"""Here a drawn value may be a valid one that costs time or writes: the table above holds what is wrong with them."""


def places():
    return [(door, argument) for made in table().values() for door in made for argument in door.arguments]


@settings(max_examples=1500, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=some.integers(0, 10**6), value=ANYTHING)
def some_value_ends_well(place, value):
    every = [(door, argument) for door, argument in places_once() if argument not in COUNTED]
    door, argument = every[place % len(every)]
    TALLY["calls"] += 1
    arguments = door.good() | {argument: value}
    what = outcome(door.call, arguments, argument, "long")
    if what == "refused" or (callable(value) and what[0] == "does not name it"):
        return  # a function of the user's may fail with an error of its own
    TALLY["wrong"] += 1
    assert what[0] == "accepted", f"{door.label}({argument} = {value!r}): {what}"
    TALLY["wrong"] -= 1
    TALLY["accepted"] += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            answer = door.call(**door.good() | {argument: value})
    except UnifiedScoreError:
        return
    assert not not_a_number(answer), f"{door.label}({argument} = {value!r}) answers NaN"


TALLY = {"calls": 0, "wrong": 0, "accepted": 0}
places_once = lru_cache(maxsize=1)(places)


def test_whatever_a_machine_draws_is_refused_by_name_or_answered_without_nan(record_property):
    try:
        some_value_ends_well()
    finally:
        record_property("attack", ("drawn by hypothesis", TALLY["calls"] - TALLY["accepted"], TALLY["wrong"]))


@pytest.mark.parametrize("bandwidth", [1e-300, 1e-150, 1e-20, 1e20, 1e150, 1e300])
@pytest.mark.parametrize("name", ["gaussian", "laplace", "matern:1.5", "rational_quadratic:1", "student_t:3"])
def test_extreme_bandwidths_give_numbers_or_an_error_of_the_package(name, bandwidth):
    rng = np.random.default_rng(0)
    points, mixture = rng.normal(size=(6, 2)), us.GaussianMixture(rng.normal(size=(2, 2)), 0.5)
    for scale in (1.0, 1e-150, 1e150):
        for law in (us.Samples(scale * points[:4]), mixture.scaled(scale)):
            for field in (us.MeanShift, us.KernelScore, us.Barycenter):
                try:
                    answer = field(us.kernel_by_name(name, bandwidth, dimension=2), law)(scale * points)
                except UnifiedScoreError:
                    continue
                assert np.isfinite(answer).all(), (field.__name__, type(law).__name__, scale)

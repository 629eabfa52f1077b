"""Every door takes every kind of array-like and gives what it gives for NumPy, or refuses it by name with a remedy."""

import re
from functools import cache

import numpy as np
import pytest
from input_doors import Door, doors, leaves
from input_kinds import REFUSED, TAKEN, spaced

from unifiedscore.errors import InputError

DOORS = doors()
NAMES = [f"{door.name}-{door.good.shape}" for door in DOORS]


@cache
def answer(index, label, numbers):
    door = DOORS[index]
    plain = np.frombuffer(numbers[0], dtype=numbers[1]).reshape(numbers[2]).copy()
    return leaves(door.call(plain))


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("index", range(len(DOORS)), ids=NAMES)
def test_every_kind_gives_what_numpy_gives(index, record_property):
    door, count = DOORS[index], 0
    for kind in TAKEN:
        value = kind.make(door.good.copy())
        if value is None:
            continue
        plain = np.ascontiguousarray(kind.plain(door.good)) if door.good.ndim else np.asarray(kind.plain(door.good))
        expected = answer(index, kind.label, (plain.tobytes(), plain.dtype.str, door.good.shape))
        same(leaves(door.call(value)), expected)
        count += 1
    record_property("cases", count)
    assert count >= 15


def naming(door: Door, text: str) -> bool:
    """The name of the argument, or a plain word for it where an error of several arguments has to do."""
    words = {door.argument, door.argument.removesuffix("s"), *re.findall(r"\w+", WORDS.get(door.name, ""))}
    return any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


WORDS = {
    # The two fields of a cosine are called by their place.
    **{f"metrics.{name}({argument})": f"{place} field"
       for name in ("best_scale", "best_relative_error", "relative_error")
       for argument, place in (("drift", "first"), ("score", "second"))},
    # Its caller says what to call the value; this is the default.
    "measures.as_samples(value)": "data",
}  # fmt: skip


@pytest.mark.parametrize("index", range(len(DOORS)), ids=NAMES)
def test_what_is_refused_is_refused_by_name_and_with_a_remedy(index, record_property):
    door, count = DOORS[index], 0
    for kind in REFUSED:
        value = kind.make(door.good.copy())
        if value is None or (kind.label == "torch complex" and door.name.startswith("kernels.")):
            continue  # profiles are functions of complex distances
        with pytest.raises(InputError) as caught:
            door.call(value)
        text = str(caught.value)
        assert naming(door, text), f"{kind.label}: {text}"
        assert kind.remedy in text, f"{kind.label}: {text}"
        assert len(text) < 1000 and "\n" not in text
        count += 1
    record_property("cases", count)
    assert count >= 7


@pytest.mark.parametrize("index", range(len(DOORS)), ids=NAMES)
@pytest.mark.parametrize("layout", [np.array, np.asfortranarray, spaced])
def test_no_door_changes_or_keeps_the_memory_of_its_input(index, layout):
    door = DOORS[index]
    given = layout(door.good.copy()) if door.good.ndim else door.good.copy()
    found = door.call(given)
    np.testing.assert_array_equal(given, door.good)
    before = [np.array(leaf) for leaf in leaves(found)]
    for leaf in leaves(found):
        assert not np.shares_memory(leaf, given)
    given[...] = given[::-1].copy() * 2 if given.ndim else 2 * given
    same(leaves(found), before)

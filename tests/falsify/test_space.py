"""Spaces of instances: points and instances go back and forth, and simpler instances are instances."""

import numpy as np
import pytest

from unifiedscore.errors import InputError, UnifiedScoreError
from unifiedscore.study import Choice, Instance, Integer, Many, Real, Simplex, Space, Spectrum, Vector

SPACES = {
    "numbers": Space(x=Real(-1, 1), scale=Real(1e-3, 1e3, log=True), dimension=Integer(2, 2**20, log=True)),
    "names": Space(kernel=Choice(("gaussian", "laplace")), order=Choice((1, 2, 4)), x=Real(0, 1)),
    "lists": Space(weights=Simplex(4, floor=0.05), mean=Vector(3, -2.0, 2.0), spectrum=Spectrum(3, 0.01, 10.0)),
    "equal_shares": Space(spectrum=Spectrum(2, 0.1, 1.0, multiplicity=False)),
    "ragged": Space(
        x=Many(Many(Real(-3, 3), at_most=4, count="dimension"), at_most=6, count="points"),
        points=Integer(2, 6),
        weights=Many(Real(0.01, 1, log=True), at_most=6, count="points"),
        dimension=Integer(1, 4),
    ),
    "derived": Space(x=Real(0, 1), y=Real(0, 1), derive=lambda i: {"z": i["x"] + i["y"]} if i["x"] > 0.2 else None),
}
REPEATS = 60


def flat(value):
    if isinstance(value, tuple):
        return [leaf for entry in value for leaf in flat(entry)]
    return [value]


@pytest.mark.parametrize("name", SPACES)
def test_points_and_instances_go_back_and_forth(name):
    space, rng = SPACES[name], np.random.default_rng(0)
    for _ in range(REPEATS):
        u = rng.random(space.coordinates)
        instance = space.decode(u)
        if instance is None:
            continue
        again = space.decode(space.encode(instance))
        for parameter in space.parameters:
            before, after = flat(instance[parameter]), flat(again[parameter])
            numbers = [(a, b) for a, b in zip(before, after, strict=True) if isinstance(a, float)]
            assert all(abs(a - b) <= 1e-12 * (1 + abs(a)) for a, b in numbers)
            assert [x for x in before if not isinstance(x, float)] == [x for x in after if not isinstance(x, float)]
        assert space.parse(instance.text) == instance  # bit for bit
        assert eval(instance.code(), {"space": space}) == instance
        active = space.active(instance)
        other = np.where(active, u, rng.random(space.coordinates))
        assert space.decode(other) == instance  # the rest has no part in it


@pytest.mark.parametrize("name", SPACES)
def test_every_simpler_instance_is_one_of_the_space_and_simpler(name):
    space, rng = SPACES[name], np.random.default_rng(1)
    for _ in range(8):
        instance = space.decode(rng.random(space.coordinates))
        if instance is None:
            continue
        steps = 0
        while (simpler := next(space.simpler(instance), None)) is not None:
            assert space.complexity(simpler) < space.complexity(instance)
            assert space.instance(**simpler.values_given) == simpler
            instance, steps = simpler, steps + 1
            assert steps < 200


def test_the_simplest_instance_is_the_one_a_person_would_choose():
    space, instance = SPACES["ragged"], SPACES["ragged"].decode(np.full(SPACES["ragged"].coordinates, 0.77))
    while (simpler := next(space.simpler(instance), None)) is not None:
        instance = simpler
    assert instance == space.instance(points=2, dimension=1, weights=(1.0, 1.0), x=((1.0,), (1.0,)))


def test_an_instance_is_read_only_and_equal_by_its_parameters():
    space = SPACES["derived"]
    instance = space.instance(x=0.5, y=0.25)
    assert instance["z"] == 0.75 and instance == space.instance(x=0.5, y=0.25) and len({instance, instance}) == 1
    with pytest.raises(TypeError):
        instance["x"] = 1.0
    with pytest.raises(KeyError, match="x, y, z"):
        instance["w"]
    assert isinstance(instance, Instance) and '"z"' not in instance.text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Real(1, 0), "needs low < high"),
        (lambda: Real(0, 1, log=True), "low > 0"),
        (lambda: Real(0, 1, simple=(2.0,)), "simple must lie"),
        (lambda: Real(float("nan"), 1), "finite numbers"),
        (lambda: Integer(1, 2.5), "finite numbers"),
        (lambda: Choice("abc"), "tuple of at least two"),
        (lambda: Choice((1, 1)), "different"),
        (lambda: Simplex(1), "at least 2"),
        (lambda: Simplex(2, floor=0.5), "floor"),
        (lambda: Spectrum(2, -1.0, 1.0), "low > 0"),
        (lambda: Many(1.0, at_most=2, count="n"), "of must be a parameter"),
        (lambda: Space(), "at least one parameter"),
        (lambda: Space(value=Real(0, 1)), "other than value"),
        (lambda: Space(x=1.0), "must be Real"),
        (lambda: Space(x=Many(Real(0, 1), at_most=2, count="n")), "must be an Integer"),
        (lambda: Space(n=Integer(1, 3), x=Many(Real(0, 1), at_most=2, count="n")), "at most 2"),
        (lambda: Space(x=Real(0, 1), derive=1), "derive must be a function"),
        (lambda: SPACES["names"].instance(kernel="matern", order=1, x=0.5), "gaussian, laplace"),
        (lambda: SPACES["names"].instance(kernel="laplace", order=1), "needs x"),
        (lambda: SPACES["names"].instance(kernel="laplace", order=1, x=0.5, y=1), "unknown parameter"),
        (lambda: SPACES["numbers"].instance(x=2.0, scale=1.0, dimension=2), r"in \[-1.0, 1.0\]"),
        (lambda: SPACES["numbers"].instance(x=0.0, scale=1.0, dimension=2.0), "whole number"),
        (lambda: SPACES["derived"].instance(x=0.1, y=0.1), "no instance"),
        (lambda: SPACES["numbers"].decode([0.5, 0.5]), "3 numbers"),
        (lambda: SPACES["numbers"].decode([0.5, 0.5, 2.0]), "3 numbers"),
    ],
)
def test_what_is_no_space_or_instance_is_refused_with_the_reason(make, message):
    with pytest.raises(UnifiedScoreError, match=message) as caught:
        make()
    assert isinstance(caught.value, InputError)

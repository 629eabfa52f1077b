"""The settings objects of estimators: values, short forms, and one of a user's own."""

import inspect
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.samplers import AbstractEstimator
from unifiedscore.samplers.estimators import ESTIMATORS, as_estimator

DATA = np.random.default_rng(0).normal(size=(80, 2)) * [1.0, 3.0] + [4.0, 0.0]
ALL = [
    us.Dense(),
    us.Near(),
    us.Near(1e-3),
    us.Neighbours(),
    us.Neighbours(80, 0),
    us.Neighbours(nearest=3, remainder=9),
]


def closed(estimator):
    noise = us.Noise("fixed", draws=2)
    rng = np.random.default_rng(1)
    return us.sample_closed_form(DATA, 12, n_steps=8, smoothing=0.4, noise=noise, estimator=estimator, rng=rng)


def matched(estimator):
    settings = dict(noise_level=0.4, smoothing=0.3, noise=us.Noise("fresh", draws=2), step=0.002, n_steps=6)
    return us.sample_moment_matched(DATA, 12, estimator=estimator, rng=np.random.default_rng(1), **settings)


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_an_estimator_is_a_value(estimator):
    assert eval(repr(estimator), vars(us)) == estimator
    assert pickle.loads(pickle.dumps(estimator)) == estimator and hash(estimator) == hash(
        eval(repr(estimator), vars(us))
    )
    assert as_estimator(estimator) is estimator
    assert all(isinstance(value, int | float | str) for value in estimator.settings.values())


@pytest.mark.parametrize("sampler", [closed, matched])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_each_name_is_the_short_form_of_the_defaults(sampler, name):
    short, full = sampler(name), sampler({"dense": us.Dense, "near": us.Near, "neighbours": us.Neighbours}[name]())
    np.testing.assert_array_equal(short.samples, full.samples)
    assert short.settings == full.settings and short.settings["estimator"] == name


@pytest.mark.parametrize("sampler", [closed, matched])
def test_the_settings_reach_the_computation(sampler):
    dense = sampler("dense").samples
    # Every point: exact. A loose tolerance: off by at most the share of the diameter, yet off. Few points: off by more.
    errors = [
        np.abs(sampler(e).samples - dense).max() for e in (us.Neighbours(80, 0), us.Near(0.3), us.Neighbours(1, 1))
    ]
    assert errors[0] < 1e-11 < errors[1] < errors[2]
    near = sampler(us.Near(1e-9))
    assert near.settings["tolerance"] == 1e-9 and "n_neighbours" not in near.settings


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: us.Near(0.0), "tolerance"),
        (lambda: us.Near(1.0), r"tolerance must lie in \(0, 1\)"),
        (lambda: us.Near("tiny"), "tolerance"),
        (lambda: us.Neighbours(0), "nearest"),
        (lambda: us.Neighbours(5, -1), "remainder"),
        (lambda: us.Neighbours(5.5), "nearest"),
        (lambda: closed(us.Neighbours(60, 21)), r"nearest \+ remainder must be at most the 80"),
        (lambda: closed("nearest"), "estimator"),
        (lambda: closed(us.Near), r"estimator must be Dense\(\)"),
        (lambda: matched(None), "estimator must be"),
    ],
)
def test_wrong_settings_are_refused_by_name(make, words):
    with pytest.raises(InputError, match=words):
        make()


@dataclass(frozen=True, slots=True)
class Halved(AbstractEstimator):
    """All points twice, half of them each time."""

    def prepare(self, data, *, rng):
        first, second = (us.Dense().prepare(us.Samples(data.points[part::2]), rng=rng) for part in (0, 1))

        class Mean:
            def __call__(self, queries, time):
                return (first(queries, time)[0] + second(queries, time)[0]) / 2, 1.0

            def smoothed(self, queries, noise, smoothing, time):
                parts = [one.smoothed(queries, noise, smoothing, time)[0] for one in (first, second)]
                return (parts[0] + parts[1]) / 2, 1.0

        return Mean()

    @property
    def settings(self):
        return {"estimator": "halved"}


@pytest.mark.parametrize("sampler", [closed, matched])
def test_an_estimator_of_ones_own_needs_two_methods(sampler):
    found = sampler(Halved())
    assert found.settings["estimator"] == "halved" and np.isfinite(found.samples).all()
    assert np.abs(found.samples - sampler("dense").samples).max() > 1e-6


def test_samplers_are_short():
    """Settings objects hold what belongs together."""
    assert len(inspect.signature(us.sample_closed_form).parameters) == 11
    assert len(inspect.signature(us.sample_moment_matched).parameters) == 14

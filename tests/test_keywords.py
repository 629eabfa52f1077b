"""Keyword-only arguments: one shape for every drift, and a warning that says what to write for an old call."""

import inspect
import pickle
import warnings

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore import fields, processes, samplers
from unifiedscore.keywords import keyword_only
from unifiedscore.samplers import ManifoldChain

X = np.array([[0.3, 1.2], [-1.1, 0.6]])
NOISE = np.array([[0.4, -0.1], [0.2, 0.3], [-1.0, 0.5]])
P, Q = us.GaussianMixture([[1.0, 0.0], [-0.5, 0.8]], 0.3), us.GaussianMixture([[0.0, 0.5]], 0.8)
K = us.Gaussian(0.8)
CHAIN = ManifoldChain(us.CenteredStiefel(4, 2), 0.1)
STATE = CHAIN.start(us.CenteredStiefel(4, 2).retract(np.arange(8.0).reshape(4, 2) ** 1.5), np.random.default_rng(0))
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in (fields, processes, samplers)
    for name in package.__all__
    if callable(getattr(package, name))
}

OLD = {
    "DivergenceDrift": (
        lambda: us.DivergenceDrift(K, P, Q, "hellinger")(X),
        lambda: us.DivergenceDrift(K, target=P, model=Q, divergence="hellinger")(X),
        r"DivergenceDrift\(kernel, target=..., model=..., divergence=...\)",
    ),
    "WitnessGradient": (
        lambda: us.WitnessGradient(K, P, Q)(X),
        lambda: us.WitnessGradient(K, target=P, model=Q)(X),
        r"WitnessGradient\(kernel, target=..., model=...\)",
    ),
    "WitnessGradient, target alone": (
        lambda: us.WitnessGradient(K, P, model=Q)(X),
        lambda: us.WitnessGradient(K, target=P, model=Q)(X),
        r"takes target by keyword; write WitnessGradient\(kernel, target=...\)",
    ),
    "SmoothedKLGradient": (
        lambda: us.SmoothedKLGradient(K, P, Q, 6, NOISE)(X),
        lambda: us.SmoothedKLGradient(K, target=P, model=Q, order=6, noise=NOISE)(X),
        r"SmoothedKLGradient\(kernel, target=..., model=..., order=..., noise=...\)",
    ),
    "BatchDriftTarget": (
        lambda: us.BatchDriftTarget(K, P, Q, X, 6)(X),
        lambda: us.BatchDriftTarget(K, target=P, model=Q, queries=X, order=6)(X),
        r"BatchDriftTarget\(kernel, target=..., model=..., queries=..., order=...\)",
    ),
    "SmoothedClosedFormScore": (
        lambda: us.SmoothedClosedFormScore(X, 0.5, 0.3, NOISE)(X),
        lambda: us.SmoothedClosedFormScore(X, 0.5, 0.3, noise=NOISE)(X),
        r"SmoothedClosedFormScore\(data, time, smoothing, noise=...\)",
    ),
    "ClosedFormVelocity": (
        lambda: us.ClosedFormVelocity(X, 0.5, 0.3, NOISE)(X),
        lambda: us.ClosedFormVelocity(X, 0.5, 0.3, noise=NOISE)(X),
        r"ClosedFormVelocity\(data, time, smoothing, noise=...\)",
    ),
    "Smoothed.evaluate": (
        lambda: us.Smoothed(us.KernelScore(K, P), 0.2, noise=NOISE).evaluate(X, NOISE[:2]),
        lambda: us.Smoothed(us.KernelScore(K, P), 0.2, noise=NOISE).evaluate(X, noise=NOISE[:2]),
        r"write evaluate\(x, noise=...\)",
    ),
    "ManifoldChain.advance_with": (
        lambda: CHAIN.advance_with(STATE, np.ones((4, 2)), np.eye(4, 2)).y,
        lambda: CHAIN.advance_with(STATE, np.ones((4, 2)), noise=np.eye(4, 2)).y,
        r"advance_with\(state, gradient, noise=...\)",
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_the_old_call_gives_the_same_numbers_and_names_the_new_one(name):
    old, new, message = OLD[name]
    with pytest.warns(DeprecationWarning, match=message) as caught:
        value = old()
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(value, new())


@pytest.mark.parametrize("name", PUBLIC)
def test_noise_is_keyword_only_and_every_drift_has_one_shape(name):
    parameters = inspect.signature(PUBLIC[name]).parameters
    if "noise" in parameters:
        assert parameters["noise"].kind is inspect.Parameter.KEYWORD_ONLY
    if {"target", "model"} <= parameters.keys():
        first, *rest = parameters.values()
        assert first.name in ("kernel", "kernels")
        assert [parameter.name for parameter in rest[:2]] == ["target", "model"]
        assert {parameter.kind for parameter in rest} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if inspect.isclass(value)])
def test_noise_is_keyword_only_in_public_methods(name):
    for key, method in vars(PUBLIC[name]).items():
        if inspect.isfunction(method) and not key.startswith("_"):
            parameters = inspect.signature(method).parameters
            assert "noise" not in parameters or parameters["noise"].kind is inspect.Parameter.KEYWORD_ONLY, key


def test_a_drift_is_still_a_plain_frozen_dataclass():
    field = us.WitnessGradient(K, target=P, model=Q)
    assert not hasattr(field, "__dict__")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(field))(X), field(X))


def test_wrong_calls_end_in_the_error_of_python():
    with pytest.raises(TypeError, match="positional argument"):
        us.WitnessGradient(K, P, Q, "hellinger")
    with pytest.raises(TypeError, match="positional argument"):
        us.WitnessGradient(K, P, target=P, model=Q)
    with pytest.raises(TypeError, match="missing"):
        us.WitnessGradient(K, target=P)
    with pytest.raises(TypeError, match="by keyword only"):
        keyword_only("kernel")(lambda kernel, *, target: None)


def test_a_call_by_keyword_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        us.BatchDriftTarget(K, target=P, model=Q, order=6)

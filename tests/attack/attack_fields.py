"""Calls of the fields."""

import numpy as np
from attack_arguments import (
    Argument,
    covariance,
    function,
    integer,
    kernel,
    kernels,
    measure,
    name,
    number,
    points,
    rng,
    time,
    vector,
    weights,
)
from attack_objects import FIELD, GAUSS, NO_OBJECT, NOISE, ZERO, Door, P, Q, S, X, Y, at

import unifiedscore as us

NOISES = points(NOISE).without("one coordinate more", "cube").also(wide=np.ones((4, 3)), deep=np.ones((2, 2, 2, 2)))
SAMPLES = measure(S, mixtures=False)
LAWS = measure(S, dimension=False)
LAMBDAS = {
    "wrong shape": lambda x, *_: np.ones(3),
    "nan": lambda x, *_: np.full(np.shape(x), np.nan),
    "text out": lambda x, *_: "abc",
    "None out": lambda x, *_: None,
    "complex out": lambda x, *_: np.asarray(x) + 1j,
    "ragged out": lambda x, *_: [[1.0], [1.0, 2.0]],
}


def difference(factory, made, **more):
    arguments = {"kernel": kernel(GAUSS), "target": measure(S), "model": measure(P.sample(6, np.random.default_rng(2)))}
    return [Door(factory.__name__, factory, arguments | more), *at(made)]


def doors():
    """One entry for each public name."""
    flat = {"data": SAMPLES}
    score = us.SmoothedScore(S, 0.5, 0.0)
    tilt = us.solve_tilt(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE))
    pair = {"kernel": kernel(GAUSS), "target": measure(S), "model": measure(P.sample(6, np.random.default_rng(2)))}
    both = {"kernel": kernel(GAUSS), "measure": measure(S, dimension=False)}
    return {
        "Barycenter": [
            Door("Barycenter", us.Barycenter, both | {"scale": number(0.5).without(*ZERO)}),
            *at(us.Barycenter(GAUSS, S)),
        ],
        "BatchDriftTarget": [
            Door("BatchDriftTarget", us.BatchDriftTarget, pair | {"order": integer(8, high=True)}),
            *at(us.BatchDriftTarget(GAUSS, target=S, model=Y)),
        ],
        "ClosedFormScore": [
            Door("ClosedFormScore", us.ClosedFormScore, {"data": LAWS, "time": time(0.5, one=False)}),
            *at(us.ClosedFormScore(S, 0.5)),
        ],
        "ClosedFormVelocity": [
            Door(
                "ClosedFormVelocity",
                us.ClosedFormVelocity,
                {"data": measure(S)}
                | {
                    "time": time(0.5, one=False),
                    "smoothing": number(0.1).without(*ZERO),
                    "noise": NOISES.also(text="fresh"),
                },
            ),
            *at(us.ClosedFormVelocity(S, 0.5)),
        ],
        "CorrectedMeanShift": [
            Door(
                "CorrectedMeanShift",
                us.CorrectedMeanShift,
                {"kernel": kernel(us.Gaussian(0.7)), "samples": measure(S, mixtures=False, dimension=False)},
            ),
            *at(us.CorrectedMeanShift(us.Gaussian(0.7), S)),
        ],
        "DivergenceDrift": [
            Door(
                "DivergenceDrift",
                us.DivergenceDrift,
                {
                    "kernel": kernel(GAUSS),
                    "target": measure(P),
                    "model": measure(Q),
                    "divergence": name("kl_model_target"),
                },
            ),
            *at(us.DivergenceDrift(GAUSS, target=P, model=Q)),
        ],
        "Drift": difference(us.Drift, us.Drift(GAUSS, target=S, model=P)),
        "KernelScore": [Door("KernelScore", us.KernelScore, both), *at(FIELD)],
        "MeanShift": [Door("MeanShift", us.MeanShift, both), *at(us.MeanShift(us.Laplace(0.4), P))],
        "MomentMatchedTilt": [
            Door(
                "MomentMatchedTilt",
                us.MomentMatchedTilt,
                {
                    "score": Argument(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), NO_OBJECT),
                    "tilt": Argument(tilt, NO_OBJECT),
                },
            ),
            *at(us.MomentMatchedTilt(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), tilt)),
        ],
        "MultiTemperatureDrift": [
            Door(
                "MultiTemperatureDrift",
                us.MultiTemperatureDrift,
                {
                    "kernels": kernels([GAUSS, us.Laplace(0.5)]),
                    "target": measure(S),
                    "model": measure(Y),
                    "reference": measure(Y, none=True, mixtures=False),
                    "weights": weights([1.0, 2.0]).without("zero", "negative"),
                },
            ),
            *at(us.MultiTemperatureDrift([GAUSS, us.Laplace(0.5)], target=S, model=Y)),
        ],
        "ScoreDifference": difference(us.ScoreDifference, us.ScoreDifference(GAUSS, target=S, model=P)),
        "SharpDrift": difference(us.SharpDrift, us.SharpDrift(GAUSS, target=S, model=P)),
        "SharpScore": [Door("SharpScore", us.SharpScore, both), *at(us.SharpScore(GAUSS, S))],
        "SinkhornDrift": difference(
            us.SinkhornDrift,
            us.SinkhornDrift(GAUSS, target=S, model=Y),
            tolerance=number(1e-8),
            max_iterations=integer(20_000),
        ),
        "Smoothed": [
            Door(
                "Smoothed",
                us.Smoothed,
                {
                    "field": Argument(FIELD, NO_OBJECT),
                    "smoothing": number(0.2).without(*ZERO),
                    "noise": NOISES.also(text="nonsense"),
                },
            ),
            *at(us.Smoothed(FIELD, 0.2, noise=NOISE)),
            Door(
                "Smoothed.evaluate",
                us.Smoothed(FIELD, 0.2, noise=NOISE).evaluate,
                {"x": points(X), "noise": NOISES.without("transposed")},
            ),
        ],
        "SmoothedClosedFormScore": [
            Door(
                "SmoothedClosedFormScore",
                us.SmoothedClosedFormScore,
                {"data": measure(S)}
                | {
                    "time": time(0.5, one=False),
                    "noise": NOISES.also(text="fresh"),
                    "smoothing": number(0.1).without(*ZERO),
                },
            ),
            *at(us.SmoothedClosedFormScore(S, 0.5, 0.1, noise=NOISE)),
        ],
        "SmoothedKLGradient": [
            Door(
                "SmoothedKLGradient",
                us.SmoothedKLGradient,
                {"kernel": kernel(GAUSS), "target": measure(P), "model": measure(Q), "order": integer(6, high=True)},
            ),
            *at(us.SmoothedKLGradient(GAUSS, target=P, model=Q, order=6)),
        ],
        "SmoothedScore": [
            Door(
                "SmoothedScore",
                us.SmoothedScore,
                flat
                | {
                    "noise_level": number(0.5),
                    "noise": NOISES.also(text="fresh"),
                    "smoothing": number(0.1).without(*ZERO),
                },
            ),
            *at(score),
            *at(us.SmoothedScore(us.Samples(X[:, :1]), 0.5, 0.2, noise="population"), dimension=1),
        ],
        "TimeField": [
            Door(
                "TimeField",
                lambda fields: us.TimeField(fields).at(0.5),
                {
                    "fields": function(lambda t: us.ClosedFormScore(S, t), outputs={"no field": lambda t: t}).without(
                        "no arguments"
                    )
                },
            ),
            Door(
                "TimeField(x, t)",
                us.TimeField(lambda t: us.ClosedFormScore(S, t)),
                {"x": points(X), "t": time(0.5)},
            ),
        ],
        "WitnessGradient": [
            Door("WitnessGradient", us.WitnessGradient, pair),
            *at(us.WitnessGradient(GAUSS, target=S, model=Y)),
        ],
        "as_field": [
            Door(
                "as_field",
                us.as_field,
                {"function": function(lambda x: -x).without("no arguments"), "dimension": integer(2)},
            ),
            Door(
                "as_field(f)(x)",
                lambda function: us.as_field(function, dimension=2)(X),
                {"function": Argument(lambda x: -x, LAMBDAS)},
            ),
            *at(us.as_field(lambda x: -x, dimension=2)),
        ],
        "batch_drift": [
            Door(
                "batch_drift",
                us.batch_drift,
                {
                    "kernel": kernel(GAUSS),
                    "queries": points(X),
                    "positives": points(Y),
                    "negatives": points(Y, none=True),
                    "self_terms": name("keep"),
                    "floor": number(0.1).without(*ZERO),
                },
            )
        ],
        "solve_tilt": [
            Door(
                "solve_tilt",
                us.solve_tilt,
                {
                    "score": Argument(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), NO_OBJECT),
                    "mean": vector([0.0, 0.0], none=True),
                    "covariance": covariance(np.eye(2) * 2, components=1, dimension=2, none=True)
                    .without("negative component", "too many numbers")
                    .also(singular=np.ones((2, 2)), zero=np.zeros((2, 2))),
                    "method": name("auto"),
                    "tolerance": number(1e-8),
                    "max_iterations": integer(50, low=0),
                    "mesh": number(0.2, none=True),
                },
            ),
            Door(
                "solve_tilt samples",
                lambda **g: us.solve_tilt(
                    us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE),
                    method="samples",
                    **({"n": 2000, "rng": np.random.default_rng(0), "tolerance": 1e-6} | g),
                ),
                {"n": integer(2000, high=True), "rng": rng()},
            ),
        ],
    }

"""Calls of the samplers."""

import warnings

import numpy as np
from attack_arguments import Argument, integer, kernel, measure, name, number, points, rng, time, vector
from attack_objects import GAUSS, NO_OBJECT, NOISE, ZERO, Door, S, X, Y

import unifiedscore as us

SAMPLES = measure(S, mixtures=False)
FRESH = us.Noise("fresh", draws=2)


def closed_form(**given):
    common = {"n_steps": 3, "smoothing": 0.1, "noise": FRESH, "estimator": "dense"}
    return us.sample_closed_form(**({"data": S, "n": 4, "rng": np.random.default_rng(0)} | common | given))


def moment_matched(**given):
    common = {"noise_level": 0.5, "smoothing": 0.1, "noise": FRESH, "step": 0.01, "n_steps": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return us.sample_moment_matched(
            **({"data": S, "n_particles": 8, "rng": np.random.default_rng(0)} | common | given)
        )


def sampler(call, own):
    return Door(
        call.__name__,
        call,
        own
        | {
            "data": SAMPLES,
            "n_steps": integer(3, high=False),
            "smoothing": number(0.1).without(*ZERO),
            "noise": Argument(FRESH, NO_OBJECT | {"policy": "fresh", "array of draws": NOISE, "class": us.Noise}),
            "rng": rng(),
            "estimator": name("dense").also(array=np.zeros(2), **{"class": us.Near}),
        },
    )


def doors():
    """One entry for each public name."""
    flow = us.DriftingFlow(GAUSS, S)
    stiefel = us.CenteredStiefel(6, 2)
    y = stiefel.sample(np.random.default_rng(0))
    return {
        "CenteredStiefel": [
            Door(
                "CenteredStiefel",
                us.CenteredStiefel,
                {"n_particles": integer(6).also(few=2), "dimension": integer(2).also(many=6)},
            ),
            Door(
                "CenteredStiefel.retract",
                stiefel.retract,
                {"y": points(y).also(short=y[:4]).without("cube"), "method": name("polar")},
            ),
            Door("CenteredStiefel.distance", stiefel.distance, {"y": points(y).also(short=y[:4]).without("cube")}),
            Door("CenteredStiefel.moment_errors", stiefel.moment_errors, {"y": points(y).without("cube")}),
            Door(
                "CenteredStiefel.project",
                stiefel.project,
                {"y": points(y).without("cube"), "g": points(y).without("cube")},
            ),
            Door(
                "CenteredStiefel.geodesic",
                stiefel.geodesic,
                {"y": points(y).without("cube"), "velocity": points(stiefel.project(y, X[:6])).without("cube")},
            ),
            Door(
                "CenteredStiefel.sample",
                stiefel.sample,
                {
                    "rng": rng(),
                    "systems": Argument(
                        (2,),
                        {
                            "text": "ab",
                            "negative": (-1,),
                            "float": (1.5,),
                            "None": None,
                            "number": 3,
                            "huge": (10**15,),
                            "nan": (np.nan,),
                            "nested": ((1,),),
                        },
                    ),
                },
            ),
        ],
        "DriftingFlow": [
            Door(
                "DriftingFlow",
                us.DriftingFlow,
                {
                    "kernel": kernel(GAUSS),
                    "target": measure(S, dimension=False),
                    "step": number(0.5),
                    "rule": name("drift"),
                    "self_terms": name("mask"),
                    "batch": integer(3, none=True),
                },
            ),
            Door("DriftingFlow.velocity", flow.velocity, {"x": points(X)}),
            Door("DriftingFlow.velocity", us.DriftingFlow(GAUSS, S, batch=4).velocity, {"x": points(X), "rng": rng()}),
            Door(
                "DriftingFlow.run",
                flow.run,
                {
                    "start": points(X).also(single=X[:1]),
                    "n_steps": integer(3, high=True),
                    "modes": points(X, none=True),
                    "bandwidths": vector([0.5, 0.4, 0.3], none=True).also(
                        negative=[0.5, -1.0, 0.3], zero=[0.5, 0.0, 0.3], short=[0.5]
                    ),
                },
            ),
        ],
        "sample_closed_form": [
            sampler(
                closed_form,
                {
                    "n": integer(4, high=True),
                    "start_time": time(0.0, one=False),
                    "spacing": name("time"),
                    "start": points(X[:4], none=True).also(few=X[:2]),
                },
            ),
        ],
        "Noise": [
            Door("Noise", us.Noise, {"policy": name("fresh"), "draws": integer(2)}),
            Door(
                "Noise",
                lambda given: closed_form(noise=us.Noise("fresh", given=given)),
                {
                    "given": Argument(
                        np.zeros((3, 4, 2, 2)),
                        points(NOISE, none=True).bad | {"short": np.ones((1, 4, 2, 2)), "wrong": np.ones((3, 4, 2, 3))},
                    )
                },
            ),
        ],
        "Dense": [Door("Dense", us.Dense, {})],
        "Near": [Door("Near", us.Near, {"tolerance": number(1e-8).also(one=1.0)})],
        "Neighbours": [Door("Neighbours", us.Neighbours, {"nearest": integer(3), "remainder": integer(3, low=0)})],
        "sample_moment_matched": [
            sampler(
                moment_matched,
                {
                    "n_particles": integer(8, high=True).also(few=2),
                    "noise_level": number(0.5),
                    "step": number(0.01),
                    "scheme": name("euler-maruyama"),
                    "retraction": name("qr"),
                    "target": name("data"),
                    "thin": integer(1, none=True),
                    "start": points(Y[:8], none=True).also(few=Y[:4]),
                },
            )
        ],
    }

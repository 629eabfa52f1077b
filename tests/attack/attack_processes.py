"""Calls of the tilted process and of rewards."""

import numpy as np
from attack_arguments import Argument, covariance, function, integer, name, number, points, rng, time, vector
from attack_objects import NO_OBJECT, ZERO, Door, P, S, X

import unifiedscore as us

LAMBDAS = {
    "wrong shape": lambda x, *_: np.ones(3),
    "nan": lambda x, *_: np.full(np.shape(x), np.nan),
    "text out": lambda x, *_: "abc",
    "None out": lambda x, *_: None,
    "complex out": lambda x, *_: np.asarray(x) + 1j,
    "ragged out": lambda x, *_: [[1.0], [1.0, 2.0]],
}
REWARD = us.QuadraticReward([1.0, 0.5], 0.2)
PROCESS = us.TiltedProcess(P, REWARD, "rectified_flow")
TIMES = np.linspace(0.1, 1.0, 6)
PATHS = us.simulate(PROCESS, 3, np.random.default_rng(0), times=TIMES, keep=True)
PROCESS_ARGUMENT = Argument(PROCESS, NO_OBJECT | {"class": us.TiltedProcess, "mixture": P})


def simulated(**given):
    return us.simulate(**({"process": PROCESS, "n": 3, "rng": np.random.default_rng(0), "times": TIMES} | given))


PARTS = ("alpha", "beta_squared", "alpha_rate", "beta_squared_rate")


def of_time(part):
    """A function of times, as a schedule of one's own takes it."""
    bad = {
        "None": None,
        "number": 1.0,
        "text": "t",
        "name": "alpha",
        "array": np.ones(3),
        "text out": lambda t: "abc",
        "None out": lambda t: None,
        "nan": lambda t: np.full(np.shape(t), np.nan),
        "complex out": lambda t: np.asarray(t) + 1j,
        "wrong shape": lambda t: np.ones(5),
        "another function": lambda t: np.asarray(t) + 2.0,
    }
    return Argument(getattr(us.Schedule("vp_cosine"), part), bad)


def doors():
    """One entry for each public name."""
    schedule = us.Schedule("vp_cosine")
    return {
        "CallableReward": [
            Door(
                "CallableReward",
                us.CallableReward,
                {
                    "function": function(lambda x: x.sum(1)).without("no arguments"),
                    "slope": function(lambda x: x * 0 + 1).without("no arguments"),
                    "size": integer(2),
                },
            ),
            Door(
                "CallableReward.value",
                lambda function: us.CallableReward(function, len, 2).value(X),
                {"function": Argument(lambda x: x.sum(1), LAMBDAS)},
            ),
            Door(
                "CallableReward.gradient",
                lambda slope: us.CallableReward(len, slope, 2).gradient(X),
                {"slope": Argument(lambda x: -x, LAMBDAS)},
            ),
            Door("CallableReward.value", us.CallableReward(lambda x: x.sum(1), lambda x: x, 2).value, {"x": points(X)}),
        ],
        "QuadraticReward": [
            Door(
                "QuadraticReward",
                us.QuadraticReward,
                {
                    "linear": vector([1.0, 2.0]).without("long"),
                    "quadratic": covariance(0.5, components=5, dimension=2).without(
                        "negative", "negative component", "indefinite"
                    ),
                },
            ),
            Door("QuadraticReward.value", REWARD.value, {"x": points(X)}),
            Door("QuadraticReward.gradient", REWARD.gradient, {"x": points(X)}),
        ],
        "Schedule": [
            Door("Schedule", us.Schedule, {"name": name("foellmer")}),
            Door("Schedule.from_functions", us.Schedule.from_functions, {part: of_time(part) for part in PARTS}),
        ]
        + [
            Door(
                f"Schedule.{part}",
                getattr(schedule, part),
                {
                    "t": time(0.5, zero=part in ("alpha", "beta", "snr", "variance")).without(
                        "list", "array", "empty", *(["one"] if part != "snr" else [])
                    )
                },
            )
            for part in ("alpha", "beta", "kappa", "eta", "sigma", "variance")
        ]
        + [
            Door(
                "Schedule.time_of_snr",
                schedule.time_of_snr,
                {"snr": number(1.0).without("list", "array", "true", "empty")},
            ),
            Door(
                "Schedule.variance",
                lambda data_variance: schedule.variance(0.5, data_variance),
                {
                    "data_variance": number(1.0).without(
                        "zero", "zero in single precision", "list", "array", "true", "empty"
                    )
                },
            ),
        ],
        "TiltedProcess": [
            Door(
                "TiltedProcess",
                us.TiltedProcess,
                {
                    "base": Argument(P, NO_OBJECT | {"samples": S, "padded": us.GaussianMixture([[1.0]], 1.0)}),
                    "reward": Argument(REWARD, NO_OBJECT | {"other dimension": us.QuadraticReward([1.0])}),
                    "schedule": name("foellmer"),
                },
            ),
            *[
                Door(f"TiltedProcess.{part}", getattr(PROCESS, part), {"x": points(X), "t": time(0.5)})
                for part in (
                    "base_score",
                    "tilted_score",
                    "score_difference",
                    "value",
                    "optimal_control",
                    "velocity",
                    "drift",
                    "drift_jacobian",
                )
            ],
            *[
                Door(f"TiltedProcess.{part}", getattr(PROCESS, part), {"t": time(0.5)})
                for part in (
                    "base_marginal",
                    "tilted_marginal",
                    "drift_rates",
                    "base_score_field",
                    "tilted_score_field",
                    "optimal_control_field",
                )
            ],
            Door(
                "TiltedProcess.drift",
                lambda sigma: PROCESS.drift(X, 0.5, sigma=sigma),
                {"sigma": number(0.3, none=True).without(*ZERO)},
            ),
            Door("TiltedProcess.noise", PROCESS.noise, {"data": points(X), "t": time(0.5), "rng": rng()}),
        ],
        "lean_adjoint": [
            Door(
                "lean_adjoint",
                us.lean_adjoint,
                {
                    "process": PROCESS_ARGUMENT,
                    "paths": Argument(
                        PATHS,
                        NO_OBJECT | {"no trajectory": us.simulate(PROCESS, 3, np.random.default_rng(0), times=TIMES)},
                    ),
                    "method": name("exponential"),
                },
            )
        ],
        "simulate": [
            Door(
                "simulate",
                simulated,
                {
                    "process": PROCESS_ARGUMENT,
                    "n": integer(3, high=True),
                    "rng": rng(),
                    "times": vector(TIMES)
                    .without("long")
                    .also(falling=TIMES[::-1], one=[0.5], beyond=[0.5, 1.5], zero=[0.0, 0.5], equal=[0.5, 0.5]),
                    "start": points(X[:3]).without("text").also(unknown="nonsense", few=X[:2], many=X[:5]),
                    "control": name("none").without("function"),
                },
            ),
            Door(
                "simulate control",
                lambda control: simulated(control=control),
                {"control": Argument(lambda x, t: 0 * x, LAMBDAS)},
            ),
            Door(
                "simulate sigma",
                lambda sigma: simulated(control="none", sigma=sigma),
                {
                    "sigma": Argument(
                        lambda t: 0.1,
                        {
                            "number": 3.0,
                            "text": "abc",
                            "negative": lambda t: -1.0,
                            "nan": lambda t: np.nan,
                            "array out": lambda t: np.ones(2),
                            "text out": lambda t: "a",
                            "None out": lambda t: None,
                            "complex out": lambda t: 1j,
                        },
                    )
                },
            ),
        ],
    }

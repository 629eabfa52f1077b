"""Every public name with its calls: which arguments they take, a valid value of each, and malformed ones."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from attack_arguments import (
    Argument,
    covariance,
    function,
    integer,
    kernel,
    measure,
    name,
    number,
    points,
    rng,
    time,
    vector,
    weights,
)  # fmt: skip

import unifiedscore as us
from unifiedscore import study as st

RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 2))
Y = RNG.normal(size=(9, 2))
P = us.GaussianMixture(RNG.normal(size=(3, 2)), 0.5)
Q = us.GaussianMixture(RNG.normal(size=(2, 2)), 0.7)
S = us.Samples(RNG.normal(size=(11, 2)))
GAUSS = us.Gaussian(0.7)
FIELD = us.KernelScore(GAUSS, S)


@dataclass(frozen=True)
class Door:
    """One call: `function(**arguments)`; every argument is spoilt in turn, the others stay valid."""

    label: str
    call: Callable
    arguments: Mapping[str, Argument]

    def good(self):
        return {argument: fresh(value.good) for argument, value in self.arguments.items()}

    def malformed(self):
        for argument, value in self.arguments.items():
            for what, bad in value.bad.items():
                yield argument, what, self.good() | {argument: bad}


def fresh(value):
    return np.random.default_rng(0) if isinstance(value, np.random.Generator) else value


def method(made, attribute):
    """A call of a method of an object that is made anew."""
    return lambda **given: getattr(made(), attribute)(**given)


def at(field, dimension=2):
    """The value, potential and Jacobian of a field at points."""
    good = np.ones((3, dimension)) * [[0.1], [0.5], [0.9]]
    doors = [Door(f"{type(field).__name__}(x)", lambda x: field(x), {"x": points(good)})]
    for part in ("potential", "jacobian"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = getattr(field, part)(good)
        if answer is not None:
            doors.append(Door(f"{type(field).__name__}.{part}", getattr(field, part), {"x": points(good)}))
    return doors


def difference(factory, made, **more):
    arguments = {"kernel": kernel(GAUSS), "target": measure(S), "model": measure(P.sample(6, np.random.default_rng(2)))}
    return [Door(factory.__name__, factory, arguments | more), *at(made)]


def of_kernel(factory, **shape):
    return [
        Door(factory.__name__, factory, {"bandwidth": number(0.7)} | shape),
        Door(f"{factory.__name__}.with_bandwidth", factory(0.7, **{k: v.good for k, v in shape.items()}).with_bandwidth,
             {"bandwidth": number(0.7)}),
    ]  # fmt: skip


def of_measure(made):
    x = {"x": points(X)}
    return [
        Door("mixture.log_density", made.log_density, x),
        Door("mixture.score", made.score, x),
        Door("mixture.sample", made.sample, {"n": integer(4, high=True), "rng": rng()}),
        Door("mixture.smoothed", made.smoothed, {"variance": number(0.3).without("zero", "zero in single precision")}),
        Door("mixture.scaled", made.scaled, {"factor": number(-0.5, low=-np.inf).without("true")}),
        Door("mixture.tilted", made.tilted, {"linear": vector([0.1, 0.2], none=True), "quadratic": covariance(
            0.2, components=3, dimension=2).without("negative component", "negative", "cube", "indefinite")}),
        Door("mixture.quadrature", made.quadrature, {"order": integer(4, high=True)}),
        Door("mixture.from_sklearn", made.from_sklearn, {"fitted": Argument(Fitted(), {"None": None, "text": "a",
             "class": Fitted, "array": X, "unfitted": object()})}),
    ]  # fmt: skip


class Fitted:
    """As sklearn leaves it."""

    def __init__(self):
        self.means_, self.covariances_ = np.zeros((2, 2)), np.ones((2, 2))
        self.weights_, self.covariance_type = np.ones(2) / 2, "diag"


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
NO_OBJECT = {"None": None, "text": "abc", "number": 3.0, "array": np.zeros((2, 2)), "mapping": {}, "object": object()}
PROCESS_ARGUMENT = Argument(PROCESS, NO_OBJECT | {"class": us.TiltedProcess, "mixture": P})
NOISE = np.random.default_rng(0).normal(size=(4, 2))
NOISES = points(NOISE).without("one coordinate more", "cube").also(wide=np.ones((4, 3)), deep=np.ones((2, 2, 2, 2)))
SAMPLES = measure(S, mixtures=False)
LAWS = measure(S, dimension=False)


def claim(**changes):
    return st.Claim(**({"id": "a.b", "statement": "s", "source": "t", "evidence": "monte_carlo", "variable": "y",
                        "test": st.Inside(0.0, 1.0), "control": st.Control("m", test=st.Inside(2.0, 3.0))} | changes))  # fmt: skip


GRID = st.Grid(seed=range(4))
STUDY = st.Study("demo", "A demonstration", GRID, lambda cell, rng: {"y": rng.normal()}, {"y": st.Variable("Value")},
                 [claim()])  # fmt: skip
DATA = xr.Dataset({"y": ("seed", np.linspace(0.4, 0.6, 4))}, {"seed": range(4)})
TEXT = {"None": None, "number": 3, "empty": "", "blank": "  ", "list": ["a"], "mapping": {}, "bytes": b"a"}


def simulated(**given):
    return us.simulate(**({"process": PROCESS, "n": 3, "rng": np.random.default_rng(0), "times": TIMES} | given))


def closed_form(**given):
    common = {"n_steps": 3, "smoothing": 0.1, "noise_draws": 2, "noise_policy": "fresh", "estimator": "dense"}
    return us.sample_closed_form(**({"data": S, "n_samples": 4, "rng": np.random.default_rng(0)} | common | given))


def moment_matched(**given):
    common = {"noise_level": 0.5, "smoothing": 0.1, "noise_draws": 2, "step": 0.01, "n_steps": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return us.sample_moment_matched(
            **({"data": S, "n_particles": 8, "rng": np.random.default_rng(0)} | common | given)
        )


def sampler(call, own):
    names = ("estimator", "noise_policy")
    return Door(call.__name__, call, own | {
        "data": SAMPLES, "n_steps": integer(3, high=False), "smoothing": number(0.1).without("zero", "zero in single precision"),
        "noise_draws": integer(2), "rng": rng(), "tolerance": number(1e-8), "n_neighbours": integer(3),
        "n_remainder": integer(3, low=0), **{n: name("dense" if n == "estimator" else "fresh") for n in names},
    })  # fmt: skip


def stored():
    """A folder of results, deleted at the end of the process."""
    import atexit
    import tempfile

    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    us.run(STUDY, out=folder.name)
    return folder.name


def run_in_memory(**given):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        if given.get("out") == "somewhere":
            given["out"] = folder
        return us.run(**({"study": STUDY, "out": folder} | given))


def doors():
    """The table: one entry for each public name."""
    flat = {"data": SAMPLES}
    score = us.SmoothedScore(S, 0.5, 0.0)
    tilt = us.solve_tilt(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE))
    flow = us.DriftingFlow(GAUSS, S)
    stiefel = us.CenteredStiefel(6, 2)
    y = stiefel.sample(np.random.default_rng(0))
    schedule = us.Schedule("vp_cosine")
    moments = us.posterior_moments(GAUSS, S, X)
    pair = {"kernel": kernel(GAUSS), "target": measure(S), "model": measure(P.sample(6, np.random.default_rng(2)))}
    both = {"kernel": kernel(GAUSS), "measure": measure(S, dimension=False)}
    return {
        "Gaussian": of_kernel(us.Gaussian),
        "Laplace": of_kernel(us.Laplace),
        "Matern": of_kernel(us.Matern, smoothness=number(1.5)),
        "RationalQuadratic": of_kernel(us.RationalQuadratic, exponent=number(1.0)),
        "StudentT": of_kernel(us.StudentT, degrees=number(3.0), dimension=integer(2)),
        "kernel_by_name": [
            Door("kernel_by_name", us.kernel_by_name, {"name": name("laplace"), "bandwidth": number(0.5)}),
            Door("kernel_by_name", lambda **g: us.kernel_by_name("student_t:3", 0.5, **g), {"dimension": integer(2)}),
            Door("kernel_by_name", lambda name: us.kernel_by_name(name, 0.5), {"name": Argument("matern:1.5", {
                "no number": "matern:x", "nan": "matern:nan", "no shape": "matern", "superfluous": "laplace:2",
                "negative": "matern:-1", "zero": "rational_quadratic:0", "infinite": "matern:inf", "twice": "matern:1:2",
                "huge": "matern:1e400", "no dimension": "student_t:3"})}),
        ],
        "GaussianMixture": [
            Door("GaussianMixture", us.GaussianMixture, {"means": points(np.eye(3, 2), dimension=False),
                 "covariance": covariance(0.5, components=3, dimension=2), "weights": weights([1.0, 2.0, 3.0])}),
            Door("GaussianMixture", lambda dimension: us.GaussianMixture(np.eye(3, 2), 1.0, dimension=dimension),
                 {"dimension": integer(5, none=True).also(small=1)}),
            *of_measure(P), *of_measure(us.GaussianMixture(X[:2], np.eye(2) * 0.3)),
        ],
        "Samples": [
            Door("Samples", us.Samples, {"points": points(X, dimension=False), "weights": weights(np.ones(7))}),
            Door("Samples.sample", S.sample, {"n": integer(3, high=True), "rng": rng()}),
        ],
        "load_measure": [
            Door("load_measure", us.load_measure, {"name": name("circle12")}),
            Door("load_measure", lambda **g: us.load_measure("two_moons", **({"n": 5, "rng": RNG} | g)),
                 {"n": integer(5, high=True), "rng": rng(), "noise": number(0.1).without("zero", "zero in single precision")}),
            Door("load_measure", lambda **g: us.load_measure("circle12", **g), {"radius": number(1.0), "angle": number(0.2, low=-np.inf).without("true")}),
        ],
        "load_pair": [
            Door("load_pair", lambda **g: us.load_pair(**({"dimension": 3} | g)), {"name": name("ring_mog"), "dimension": integer(3)}),
            Door("load_pair", lambda dimension: us.load_pair("raw_mog", dimension=dimension), {"dimension": integer(12).also(small=11)}),
            Door("load_pair", lambda **g: us.load_pair("two_moons", **({"n": 5, "rng": RNG} | g)),
                 {"n": integer(5, high=True), "rng": rng(), "model": name("same")}),
        ],
        "whiten": [Door("whiten", us.whiten, {"data": measure(S, mixtures=False, dimension=False)} | {"floor": number(1e-6, none=True).without("zero", "zero in single precision")}),
                   Door("Whitening.apply", us.whiten(S).apply, {"x": points(X)}),
                   Door("Whitening.restore", us.whiten(S).restore, {"x": points(X)})],
        "PosteriorMoments": [Door("PosteriorMoments", us.PosteriorMoments, {
            part: Argument(getattr(moments, part), {"None": None, "text": "abc", "ragged": [[1.0], [1.0, 2.0]],
                           "other length": np.ones((3, 2)), "object": object()}) for part in us.PosteriorMoments.__dataclass_fields__})],
        "posterior_moments": [Door(f"posterior_moments {type(m).__name__}", us.posterior_moments, {
            "kernel": kernel(GAUSS), "measure": measure(m), "x": points(X)}) for m in (S, P)] + [
            Door("posterior_moments", lambda exclude: us.posterior_moments(GAUSS, S, X, exclude=exclude), {"exclude": Argument(
                np.arange(7), {"short": np.arange(3), "beyond": np.full(7, 11), "negative": np.full(7, -2), "text": "abc",
                               "float": np.ones(7), "matrix": np.ones((7, 1), dtype=int), "object": object(), "mapping": {},
                               "nan": np.full(7, np.nan), "complex": 1j, "truth": np.ones(7, dtype=bool)})}),
            ],
        "Barycenter": [Door("Barycenter", us.Barycenter, both | {"scale": number(0.5).without("zero", "zero in single precision")}), *at(us.Barycenter(GAUSS, S))],
        "BatchDriftTarget": [Door("BatchDriftTarget", us.BatchDriftTarget, pair | {"order": integer(8, high=True)}),
                             *at(us.BatchDriftTarget(GAUSS, S, Y))],
        "ClosedFormScore": [Door("ClosedFormScore", us.ClosedFormScore, {"data": LAWS, "time": time(0.5, one=False)}),
                            *at(us.ClosedFormScore(S, 0.5))],
        "ClosedFormVelocity": [
            Door("ClosedFormVelocity", us.ClosedFormVelocity, {"data": measure(S)} | {"time": time(0.5, one=False),
                 "smoothing": number(0.1).without("zero", "zero in single precision"), "noise": NOISES.also(text="fresh")}),
            *at(us.ClosedFormVelocity(S, 0.5))],
        "CorrectedMeanShift": [Door("CorrectedMeanShift", us.CorrectedMeanShift, {"kernel": kernel(us.Gaussian(0.7)), "samples": measure(S, mixtures=False, dimension=False)}),
                               *at(us.CorrectedMeanShift(us.Gaussian(0.7), S))],
        "DivergenceDrift": [Door("DivergenceDrift", us.DivergenceDrift, {"kernel": kernel(GAUSS), "target": measure(P), "model": measure(Q),
                                 "divergence": name("kl_model_target")}), *at(us.DivergenceDrift(GAUSS, P, Q))],
        "Drift": difference(us.Drift, us.Drift(GAUSS, target=S, model=P)),
        "KernelScore": [Door("KernelScore", us.KernelScore, both), *at(FIELD)],
        "MeanShift": [Door("MeanShift", us.MeanShift, both), *at(us.MeanShift(us.Laplace(0.4), P))],
        "MomentMatchedTilt": [
            Door("MomentMatchedTilt", us.MomentMatchedTilt, {"score": Argument(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), NO_OBJECT),
                 "tilt": Argument(tilt, NO_OBJECT)}),
            *at(us.MomentMatchedTilt(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), tilt))],
        "ScoreDifference": difference(us.ScoreDifference, us.ScoreDifference(GAUSS, target=S, model=P)),
        "SharpDrift": difference(us.SharpDrift, us.SharpDrift(GAUSS, target=S, model=P)),
        "SharpScore": [Door("SharpScore", us.SharpScore, both), *at(us.SharpScore(GAUSS, S))],
        "SinkhornDrift": difference(us.SinkhornDrift, us.SinkhornDrift(GAUSS, target=S, model=Y), tolerance=number(1e-8),
                                    most=integer(20_000)),
        "Smoothed": [
            Door("Smoothed", us.Smoothed, {"field": Argument(FIELD, NO_OBJECT), "smoothing": number(0.2).without("zero", "zero in single precision"),
                 "noise": NOISES.also(text="nonsense")}),
            *at(us.Smoothed(FIELD, 0.2, noise=NOISE)),
            Door("Smoothed.evaluate", us.Smoothed(FIELD, 0.2, noise=NOISE).evaluate, {"x": points(X),
                 "noise": NOISES.without("transposed")}),
        ],
        "SmoothedClosedFormScore": [
            Door("SmoothedClosedFormScore", us.SmoothedClosedFormScore, {"data": measure(S)} | {"time": time(0.5, one=False), "noise": NOISES.also(text="fresh"),
                 "smoothing": number(0.1).without("zero", "zero in single precision")}),
            *at(us.SmoothedClosedFormScore(S, 0.5, 0.1, NOISE))],
        "SmoothedKLGradient": [Door("SmoothedKLGradient", us.SmoothedKLGradient, {"kernel": kernel(GAUSS), "target": measure(P), "model": measure(Q),
                                    "order": integer(6, high=True)}), *at(us.SmoothedKLGradient(GAUSS, P, Q, order=6))],
        "SmoothedScore": [
            Door("SmoothedScore", us.SmoothedScore, flat | {"noise_level": number(0.5), "noise": NOISES.also(text="fresh"),
                 "smoothing": number(0.1).without("zero", "zero in single precision")}),
            *at(score), *at(us.SmoothedScore(us.Samples(X[:, :1]), 0.5, 0.2, noise="population"), dimension=1)],
        "WitnessGradient": [Door("WitnessGradient", us.WitnessGradient, pair), *at(us.WitnessGradient(GAUSS, S, Y))],
        "as_field": [
            Door("as_field", us.as_field, {"function": function(lambda x: -x).without("no arguments"), "dimension": integer(2)}),
            Door("as_field(f)(x)", lambda function: us.as_field(function, dimension=2)(X), {"function": Argument(lambda x: -x, LAMBDAS)}),
            *at(us.as_field(lambda x: -x, dimension=2))],
        "batch_drift": [Door("batch_drift", us.batch_drift, {"kernel": kernel(GAUSS), "queries": points(X), "positives": points(Y),
                             "negatives": points(Y, none=True), "self_terms": name("keep"),
                             "floor": number(0.1).without("zero", "zero in single precision")})],
        "solve_tilt": [Door("solve_tilt", us.solve_tilt, {
            "score": Argument(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), NO_OBJECT),
            "mean": vector([0.0, 0.0], none=True), "covariance": covariance(np.eye(2) * 2, components=1, dimension=2, none=True).without(
                "negative component", "too many numbers").also(singular=np.ones((2, 2)), zero=np.zeros((2, 2))),
            "method": name("auto"), "tolerance": number(1e-8), "max_iterations": integer(50, low=0), "mesh": number(0.2, none=True)}),
            Door("solve_tilt samples", lambda **g: us.solve_tilt(us.SmoothedScore(us.Samples(X), 0.5, 0.2, noise=NOISE), method="samples",
                 **({"n_samples": 2000, "rng": np.random.default_rng(0), "tolerance": 1e-6} | g)),
                 {"n_samples": integer(2000, high=True), "rng": rng()})],
        "CallableReward": [
            Door("CallableReward", us.CallableReward, {"function": function(lambda x: x.sum(1)).without("no arguments"),
                 "slope": function(lambda x: x * 0 + 1).without("no arguments"), "size": integer(2)}),
            Door("CallableReward.value", lambda function: us.CallableReward(function, len, 2).value(X), {"function": Argument(lambda x: x.sum(1), LAMBDAS)}),
            Door("CallableReward.gradient", lambda slope: us.CallableReward(len, slope, 2).gradient(X), {"slope": Argument(lambda x: -x, LAMBDAS)}),
            Door("CallableReward.value", us.CallableReward(lambda x: x.sum(1), lambda x: x, 2).value, {"x": points(X)})],
        "QuadraticReward": [
            Door("QuadraticReward", us.QuadraticReward, {"linear": vector([1.0, 2.0]).without("long"), "quadratic": covariance(
                0.5, components=5, dimension=2).without("negative", "negative component", "indefinite")}),
            Door("QuadraticReward.value", REWARD.value, {"x": points(X)}),
            Door("QuadraticReward.gradient", REWARD.gradient, {"x": points(X)})],
        "Schedule": [Door("Schedule", us.Schedule, {"name": name("foellmer")})] + [
            Door(f"Schedule.{part}", getattr(schedule, part), {"t": time(0.5, zero=part in ("alpha", "beta", "snr", "variance")).without(
                "list", "array", "empty", *(["one"] if part != "snr" else []))}) for part in ("alpha", "beta", "kappa", "eta", "sigma", "variance")] + [
            Door("Schedule.time_of_snr", schedule.time_of_snr, {"snr": number(1.0).without("list", "array", "true", "empty")}),
            Door("Schedule.variance", lambda data_variance: schedule.variance(0.5, data_variance), {"data_variance": number(1.0).without(
                "zero", "zero in single precision", "list", "array", "true", "empty")})],
        "TiltedProcess": [
            Door("TiltedProcess", us.TiltedProcess, {"base": Argument(P, NO_OBJECT | {"samples": S, "padded": us.GaussianMixture([[1.0]], 1.0)}),
                 "reward": Argument(REWARD, NO_OBJECT | {"other dimension": us.QuadraticReward([1.0])}), "schedule": name("foellmer")}),
            *[Door(f"TiltedProcess.{part}", getattr(PROCESS, part), {"x": points(X), "t": time(0.5)}) for part in
              ("base_score", "tilted_score", "score_difference", "value", "optimal_control", "velocity", "drift", "drift_jacobian")],
            *[Door(f"TiltedProcess.{part}", getattr(PROCESS, part), {"t": time(0.5)}) for part in
              ("base_marginal", "tilted_marginal", "drift_rates", "base_score_field", "tilted_score_field", "optimal_control_field")],
            Door("TiltedProcess.drift", lambda sigma: PROCESS.drift(X, 0.5, sigma=sigma), {"sigma": number(0.3, none=True).without("zero", "zero in single precision")}),
            Door("TiltedProcess.noise", PROCESS.noise, {"data": points(X), "t": time(0.5), "rng": rng()})],
        "lean_adjoint": [Door("lean_adjoint", us.lean_adjoint, {"process": PROCESS_ARGUMENT, "paths": Argument(PATHS, NO_OBJECT | {
            "no trajectory": us.simulate(PROCESS, 3, np.random.default_rng(0), times=TIMES)}), "method": name("exponential")})],
        "simulate": [
            Door("simulate", simulated, {"process": PROCESS_ARGUMENT, "n": integer(3, high=True), "rng": rng(), "times": vector(TIMES).without(
                "long").also(falling=TIMES[::-1], one=[0.5], beyond=[0.5, 1.5], zero=[0.0, 0.5], equal=[0.5, 0.5]),
                "start": points(X[:3]).without("text").also(unknown="nonsense", few=X[:2], many=X[:5]), "control": name("none").without("function")}),
            Door("simulate control", lambda control: simulated(control=control), {"control": Argument(lambda x, t: 0 * x, LAMBDAS)}),
            Door("simulate sigma", lambda sigma: simulated(control="none", sigma=sigma), {"sigma": Argument(lambda t: 0.1, {
                "number": 3.0, "text": "abc", "negative": lambda t: -1.0, "nan": lambda t: np.nan, "array out": lambda t: np.ones(2),
                "text out": lambda t: "a", "None out": lambda t: None, "complex out": lambda t: 1j})})],
        "CenteredStiefel": [
            Door("CenteredStiefel", us.CenteredStiefel, {"n_particles": integer(6).also(few=2), "dimension": integer(2).also(many=6)}),
            Door("CenteredStiefel.retract", stiefel.retract, {"y": points(y).also(short=y[:4]).without("cube"), "method": name("polar")}),
            Door("CenteredStiefel.distance", stiefel.distance, {"y": points(y).also(short=y[:4]).without("cube")}),
            Door("CenteredStiefel.moment_errors", stiefel.moment_errors, {"y": points(y).without("cube")}),
            Door("CenteredStiefel.project", stiefel.project, {"y": points(y).without("cube"), "g": points(y).without("cube")}),
            Door("CenteredStiefel.geodesic", stiefel.geodesic, {"y": points(y).without("cube"), "velocity": points(stiefel.project(y, X[:6])).without("cube")}),
            Door("CenteredStiefel.sample", stiefel.sample, {"rng": rng(), "systems": Argument((2,), {"text": "ab", "negative": (-1,), "float": (1.5,),
                 "None": None, "number": 3, "huge": (10**15,), "nan": (np.nan,), "nested": ((1,),)})})],
        "DriftingFlow": [
            Door("DriftingFlow", us.DriftingFlow, {"kernel": kernel(GAUSS), "target": measure(S, dimension=False), "step": number(0.5), "rule": name("drift"),
                 "self_terms": name("mask"), "batch": integer(3, none=True)}),
            Door("DriftingFlow.velocity", flow.velocity, {"x": points(X)}),
            Door("DriftingFlow.velocity", us.DriftingFlow(GAUSS, S, batch=4).velocity, {"x": points(X), "rng": rng()}),
            Door("DriftingFlow.run", flow.run, {"start": points(X).also(single=X[:1]), "steps": integer(3, high=True), "modes": points(X, none=True),
                 "bandwidths": vector([0.5, 0.4, 0.3], none=True).also(negative=[0.5, -1.0, 0.3], zero=[0.5, 0.0, 0.3], short=[0.5])})],
        "sample_closed_form": [sampler(closed_form, {"n_samples": integer(4, high=True), "start_time": time(0.0, one=False), "spacing": name("time"),
                                       "start": points(X[:4], none=True).also(few=X[:2])}),
            Door("sample_closed_form", lambda noise: closed_form(noise=noise), {"noise": Argument(
                np.zeros((3, 4, 2, 2)), points(NOISE, none=True).bad | {"short": np.ones((1, 4, 2, 2)), "wrong": np.ones((3, 4, 2, 3))})})],
        "sample_moment_matched": [sampler(moment_matched, {"n_particles": integer(8, high=True).also(few=2), "noise_level": number(0.5),
                                          "step": number(0.01), "scheme": name("euler-maruyama"), "retraction": name("qr"), "target": name("data"),
                                          "thin": integer(1, none=True), "start": points(Y[:8], none=True).also(few=Y[:4])})],
        "judge": [Door("judge", us.judge, {"study": Argument(STUDY, NO_OBJECT | {"class": st.Study}), "dataset": Argument(
            DATA, NO_OBJECT | {"no seed": xr.Dataset({"y": 1.0}), "array": DATA["y"], "repeated": xr.concat([DATA, DATA], "seed")})})],
        "open_results": [Door("open_results", us.open_results, {"path": Argument(stored(), {"missing": "/nowhere/at/all", "file": __file__,
            "number": 3, "None": None, "list": ["a"], "NUL": "a\0b", "object": object(), "mapping": {}, "empty": ""})})],
        "run": [Door("run", run_in_memory, {"study": Argument(STUDY, NO_OBJECT | {"class": st.Study}), "profile": name("quick"), "rng_seed": integer(
            0, low=0), "threads": integer(1), "executor": Argument(None, {"text": "nonsense", "number": 3, "class": int, "mapping": {}}),
            "out": Argument("somewhere", {"empty": "", "number": 3, "None": None, "list": ["a"], "NUL": "a\0b", "file": __file__, "object": object()})})],
        "diagnose": [
            Door("diagnose", us.diagnose, {"target": measure(us.Samples(RNG.normal(size=(24, 2))), mixtures=False), "model": measure(us.Samples(RNG.normal(size=(24, 2))), mixtures=False),
                 "kernel": name("laplace"), "bandwidths": vector([0.5, 1.0], none=True).without("long", "matrix").also(
                     negative=[-1.0], zero=[0.0], nested=[[0.5]]), "queries": points(X, none=True), "seed": integer(0, low=0),
                 "max_samples": integer(100), "max_queries": integer(10), "folds": integer(10, low=2),
                 "field": Argument(None, {"text": "abc", "number": 3.0, "array": Y})})],
        "UnifiedScoreError": [],
        "testing": [
            Door("check_field", us.testing.check_field, {"field": Argument(FIELD, NO_OBJECT), "x": points(X)}),
            Door("check_kernel", us.testing.check_kernel, {"kernel": kernel(GAUSS).without("bandwidth")}),
            Door("parametrize_with_checks", us.testing.parametrize_with_checks, {"objects": Argument([FIELD], {
                "None": None, "number": 3, "nothing in it": [3], "text": "abc", "empty": [], "object": object()})})],
    } | {f"study.{entry}": made for entry, made in study_doors().items()}  # fmt: skip


def study_doors():
    """The objects of a study, and the tests."""
    ends = {"low": number(0.0, low=-np.inf).without("infinite", "minus infinite").also(above=9.0), "high": number(1.0, low=-np.inf).without(
        "infinite", "minus infinite").also(below=-9.0)}  # fmt: skip
    along = {"along": Argument("x", TEXT).without("blank")}
    text = Argument("word", TEXT)
    mapping = Argument({}, {"None": None, "text": "abc", "number": 3, "list": [1], "keys": {1: 2}})
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    y = 1 / x[:, None] + 0.01 * RNG.normal(size=(5, 4))
    tests = {"Inside": st.Inside(0.0, 1.0), "Rate": st.Rate(-2.0, 0.0, along="x"), "Limit": st.Limit(-1.0, 1.0, along="x", order=1),
             "Proportion": st.Proportion(0.0, 0.5, 10)}  # fmt: skip
    level = number(0.99, high=1.0)
    estimates = {}
    for test, made in tests.items():
        flat = test in ("Inside", "Proportion")
        data = np.array([0.1, 0.2, 0.3]) if flat else y
        arguments = {"level": level}
        arguments["y"] = Argument(data, {"None": None, "text": "abc", "object": object(), "ragged": [[1.0], [1.0, 2.0]], "mapping": {},
                                         "complex array": data + 1j, "cube": np.ones((2, 3, 4)), "text array": data.astype(str)})  # fmt: skip
        if not flat:
            arguments["x"] = Argument(x, {"text": "abc", "object": object(), "short": x[:3], "None": None, "complex array": x + 1j,
                                          "mapping": {}, "text array": x.astype(str), "matrix": np.ones((5, 2))})  # fmt: skip
        estimates[test] = [Door(f"{test}.estimate", made.estimate, arguments)]
    return {
        "Identity": [Door("Identity", st.Identity, {"c": number(2.0), "scale": text.without("blank")})],
        "Inside": [Door("Inside", st.Inside, ends | {"transform": name("log")}), *estimates["Inside"]],
        "Rate": [Door("Rate", st.Rate, ends | along | {"law": name("log"), "toward": name("zero")}), *estimates["Rate"]],
        "Limit": [Door("Limit", st.Limit, ends | along | {"order": number(1.0, low=-np.inf).also(zero=0.0)}), *estimates["Limit"]],
        "Proportion": [Door("Proportion", st.Proportion, {"low": ends["low"], "high": number(0.5, low=-np.inf).without("infinite", "minus infinite"),
                            "trials": integer(10)}), *estimates["Proportion"]],
        "Variable": [Door("Variable", st.Variable, {"long_name": text, "units": text.without("empty", "blank"), "symbol": text.without("empty", "blank"),
                          "error": text.without("None"), "dims": Argument(("k",), {"number": 3, "numbers": (1, 2), "None": None}),
                          "coords": mapping.without("keys")})],
        "Hypothesis": [Door("Hypothesis", st.Hypothesis, {"name": text, "variable": text} | ends)],
        "Control": [Door("Control", lambda **g: st.Control(**({"variable": "y"} | g)), {"mutation": text}),
                    Door("Control", lambda **g: st.Control("m", **g), {"variable": text.without("None")}),
                    Door("Control", lambda **g: st.Control("m", **g), {"where": Argument({"a": "b"}, mapping.without("None").bad | {"empty": {}})}),
                    Door("Control", lambda **g: st.Control("m", **g), {"test": Argument(st.Inside(0, 1), {"text": "abc", "class": st.Inside, "number": 3})})],
        "Claim": [Door("Claim", claim, {part: text for part in ("id", "statement", "source", "variable")} | {
            "evidence": name("monte_carlo").also(symbolic="symbolic"), "expect": name("supported"), "profile": name("quick"), "where": mapping, "minus": mapping,
            "test": Argument(st.Inside(0, 1), NO_OBJECT | {"class": st.Inside}), "control": Argument(st.Control("m", variable="z"), NO_OBJECT),
            "hypotheses": Argument((), {"number": 3, "text": "abc", "list": [1], "None": None}),
            "regime": Argument("", {"None": None, "number": 3, "list": ["a"]}), "finding": Argument("", {"None": None, "number": 3, "list": ["a"]})})],
        "Grid": [Door("Grid", lambda **g: st.Grid(**({"seed": range(3)} | g)), {
            "seed": Argument(range(3), {"text": "abc", "number": 3, "None": None, "empty": [], "nan": [np.nan], "twice": [1, 1], "mixed": [1, "a"],
                "mapping": {"a": 1}, "set": {1, 2}, "nested": [[1]], "matrix": np.ones((2, 2)), "complex": [1j], "truth": [True], "huge": [10**30],
                "objects": [object()], "NUL": ["a\0b"], "empty text": [""]}),
            "skip": Argument(None, {"text": "abc", "number": 3}), "paired": Argument((), {"unknown": ("other",), "seed": ("seed",), "number": 3, "numbers": (1,), "None": None})})],
        "Study": [Door("Study", lambda **g: st.Study(**({"name": "demo", "title": "t", "grid": GRID, "measure": len, "variables": {"y": st.Variable("V")}} | g)), {
            "name": text.also(blank_inside="a b", upper="Demo", path="../a"), "title": text, "grid": Argument(GRID, NO_OBJECT | {"class": st.Grid}),
            "measure": function(len).without("no arguments"), "variables": Argument({"y": st.Variable("V")}, NO_OBJECT | {"keys": {1: st.Variable("V")},
                "values": {"y": 3}, "taken": {"status": st.Variable("V")}, "axis": {"seed": st.Variable("V")}}),
            "claims": Argument((), {"text": "abc", "number": 3, "None": None, "list": [1], "mapping": {"a": 1}}),
            "profiles": Argument({}, {"text": "abc", "number": 3, "None": None, "unknown": {"tiny": {}}, "list": [1], "values": {"full": 3},
                                      "axis": {"full": {"other": [1]}}})})],
        "Derivation": [Door("Derivation", lambda **g: st.Derivation(**({"claim": "a", "residual": len, "control": len, "agrees": len} | g)), {
            "claim": text, **{part: function(len).without("no arguments") for part in ("residual", "control", "agrees")}, "agreement": number(1e3)})],
        "Cell": [], "judge": [], "judge_derivation": [Door("judge_derivation", st.judge_derivation, {
            "derivation": Argument(st.Derivation("a", lambda: 0, lambda: 1, lambda rng: 0.0), NO_OBJECT), "rng": rng()})],
        "open_results": [], "run": [],
    }  # fmt: skip

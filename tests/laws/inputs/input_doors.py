"""Every public door that takes an array: "package.Name.method(argument)", a good array, and a call with it alone."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

import unifiedscore as us
from unifiedscore import fields as fs
from unifiedscore import inference, learned, measures, metrics, posterior, processes, references, samplers
from unifiedscore import kernels as ks

RNG = np.random.default_rng(7)
X, Y, Z = RNG.normal(size=(5, 2)), RNG.normal(size=(8, 2)), RNG.normal(size=(20, 2))
NOISE = RNG.normal(size=(4, 2))
LINE = np.array([0.3, 1.1, 2.0])
TIMES = np.array([0.2, 0.5, 0.8])
INDEX = np.array([3, 0, 7, 1, 4])
WEIGHTS, QUERY_WEIGHTS = np.array([1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 3.0, 1.0]), np.array([1.0, 2.0, 0.5, 0.25, 1.0])
MATRIX = np.array([[0.7, 0.2], [0.2, 0.5]])
FOLDS = RNG.normal(size=(4, 5, 2)) + 1
GAUSS, LAPLACE = us.Gaussian(0.8), us.Laplace(0.6)
S = us.Samples(Y, WEIGHTS)
EQUAL = us.Samples(Y)
P = us.GaussianMixture(RNG.normal(size=(3, 2)), 0.5)
ONE = us.GaussianMixture([[0.5, 0.0]], 0.5)
FULL = us.GaussianMixture(RNG.normal(size=(3, 2)), MATRIX)
REWARD = us.QuadraticReward([1.0, 0.5], 0.2)
PROCESS, SINGLE = us.TiltedProcess(P, REWARD, "rectified_flow"), us.TiltedProcess(ONE, REWARD, "rectified_flow")
WIDE = us.GaussianMixture(RNG.normal(size=(2, 2)), 0.4, dimension=5).reduced()
WHITE = us.whiten(EQUAL)
STIEFEL = us.CenteredStiefel(8, 2)
ON = STIEFEL.sample(np.random.default_rng(0))
TANGENT = STIEFEL.project(ON, Y)
PATH = samplers.GaussianPath([[0.0, 0.0], [1.0, 0.5]], (1.0, 0.7))
ESCORTED = samplers.EscortedLangevin(PATH.path(), n_steps=3, diffusivity=0.5, escort=PATH.escort)
TILT = references.GaussianTilt(SINGLE)
FLOW = us.DriftingFlow(GAUSS, Y)
CHAIN = samplers.ManifoldChain(STIEFEL, 0.01)
SMOOTHED = us.SmoothedScore(us.Samples(Z), 0.5, 0.2, noise=NOISE)


def rng():
    return np.random.default_rng(3)


@dataclass(frozen=True)
class Door:
    """`call(value)` with the argument named last in `name`; `good` is a NumPy array that it takes."""

    name: str
    good: np.ndarray
    call: Callable

    @property
    def argument(self):
        return self.name.rpartition("(")[2].rstrip(")")


def of_field(name, field, x=X):
    """The value, the potential and the Jacobian of a field, where it has them."""
    doors = [Door(f"fields.{name}.__call__(x)", x, field)]
    for part in ("potential", "jacobian"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if getattr(field, part)(x) is not None:
                doors.append(Door(f"fields.{name}.{part}(x)", x, getattr(field, part)))
    return doors


def kernel_doors():
    made = [
        us.Gaussian(0.7),
        us.Laplace(0.7),
        us.Matern(0.7, 0.8),
        us.RationalQuadratic(0.7, 1.0),
        us.StudentT(0.7, 3.0, 2),
    ]
    for kernel in made:
        name = f"kernels.{type(kernel).__name__}"
        yield Door(f"{name}.log_profile(r)", LINE, kernel.log_profile)
        yield Door(f"{name}.inverse_weight(r)", LINE, kernel.inverse_weight)
        if not isinstance(kernel, us.Gaussian):
            yield Door(f"{name}.inverse_weight_density(t)", LINE, kernel.inverse_weight_density)
    pair = [us.Laplace(0.7), us.Laplace(2.0)]
    yield Door("kernels.KernelSum(weights)", np.array([1.0, 3.0]), lambda w: us.KernelSum(pair, w).log_profile(LINE))
    for part in ("log_profile", "inverse_weight"):
        made = us.KernelSum(pair)
        argument = "r"
        yield Door(f"kernels.KernelSum.{part}({argument})", LINE, getattr(made, part))
    for function in (ks.normalised_transform, ks.mode_rate):
        yield Door(f"kernels.{function.__name__}(frequency)", LINE, lambda f, g=function: g(LAPLACE, f, dimension=1))
    yield Door(
        "kernels.annealed_attenuation(frequency)",
        LINE,
        lambda f: ks.annealed_attenuation(GAUSS, f, dimension=1, start=2.0, end=0.1, rate=0.2),
    )


def measure_doors():
    yield Door("measures.Samples(points)", Y, lambda y: us.Samples(y).points)
    yield Door("measures.Samples(weights)", WEIGHTS, lambda w: us.Samples(Y, w).covariance_matrix)
    yield Door("measures.as_samples(value)", Y, lambda y: measures.as_samples(y).points)
    yield Door("measures.whiten(data)", Y, lambda y: us.whiten(y).data.points)
    yield Door("measures.Whitening.apply(x)", X, WHITE.apply)
    yield Door("measures.Whitening.restore(x)", X, WHITE.restore)
    yield Door("measures.GaussianMixture(means)", X, lambda m: us.GaussianMixture(m, 0.5).score(Y))
    for good in (np.array(0.5), np.array([0.5, 1.0, 0.2, 0.7, 0.4]), MATRIX, np.stack([MATRIX] * 5)):
        yield Door("measures.GaussianMixture(covariance)", good, lambda c: us.GaussianMixture(X, c).covariance_matrix)
    yield Door("measures.GaussianMixture(weights)", QUERY_WEIGHTS, lambda w: us.GaussianMixture(X, 0.5, w).mean)
    for name, mixture in (("isotropic", P), ("full", FULL)):
        yield Door("measures.GaussianMixture.log_density(x)", X, mixture.log_density)
        yield Door("measures.GaussianMixture.log_terms(x)", X, mixture.log_terms)
        yield Door("measures.GaussianMixture.score(x)", X, mixture.score)
        yield Door("measures.GaussianMixture.tilted(linear)", X[0], lambda v, m=mixture: m.tilted(v, 0.1).centers)
        for good in (np.array(0.2), MATRIX):
            yield Door(
                "measures.GaussianMixture.tilted(quadratic)",
                good,
                lambda q, m=mixture: m.tilted(X[0], q).covariance_matrix,
            )
        yield Door(
            "measures.GaussianMixture.quadrature(components)",
            np.array([0, 2]),
            lambda c, m=mixture: m.quadrature(3, components=c),
        )
        assert name
    yield Door("measures.GaussianMixture.reduced(span)", Z, lambda s: P.reduced(span=s).centers)
    inner = WIDE.project(RNG.normal(size=(5, 5)))
    yield Door("measures.ReducedMixture.project(points)", RNG.normal(size=(5, 5)), WIDE.project)
    yield Door("measures.ReducedMixture.log_density(x)", inner, WIDE.log_density)
    yield Door("measures.ReducedMixture.score(x)", inner, WIDE.score)
    yield Door(
        "measures.ReducedMixture.quadrature(components)", np.array([1]), lambda c: WIDE.quadrature(3, components=c)
    )


def temperature_doors():
    pair = [GAUSS, LAPLACE]
    make = us.MultiTemperatureDrift
    name = "fields.MultiTemperatureDrift"
    yield Door(f"{name}(target)", Y, lambda y: make(pair, target=y, model=Y + 1.0)(X))
    yield Door(f"{name}(model)", Y, lambda y: make(pair, target=Y + 1.0, model=y)(X))
    yield Door(f"{name}(reference)", X, lambda x: make(pair, target=S, model=Y, reference=x)(X))
    yield Door(f"{name}(weights)", np.array([1.0, 3.0]), lambda w: make(pair, target=S, model=Y + 1.0, weights=w)(X))
    yield from of_field("FieldSum", make([GAUSS, us.Gaussian(2.0)], target=S, model=Y + 1.0))
    made = make(pair, target=S, model=Y + 1.0)
    yield Door("fields.FieldSum(coefficients)", np.array([1.0, 3.0]), lambda c: type(made)(made.fields, c)(X))


def posterior_doors():
    for measure in (S, P):
        yield Door("posterior.posterior_moments(x)", X, lambda x, m=measure: us.posterior_moments(LAPLACE, m, x))
        yield Door("posterior.posterior_vectors(x)", X, lambda x, m=measure: posterior.posterior_vectors(LAPLACE, m, x))
        yield Door(
            "posterior.posterior_jacobian(x)", X, lambda x, m=measure: posterior.posterior_jacobian(LAPLACE, m, x)
        )
        yield Door(
            "posterior.posterior_field(x)", X, lambda x, m=measure: posterior.posterior_field(LAPLACE, m, x, "score")
        )
    for function in (us.posterior_moments, posterior.posterior_vectors):
        name = f"posterior.{function.__name__}"
        yield Door(f"{name}(measure)", Y, lambda y, f=function: f(LAPLACE, y, X))
        yield Door(f"{name}(exclude)", INDEX, lambda e, f=function: f(LAPLACE, S, X, exclude=e))
    field = posterior.posterior_field
    yield Door("posterior.posterior_field(measure)", Y, lambda y: field(LAPLACE, y, X, "mean_shift"))
    yield Door("posterior.posterior_field(exclude)", INDEX, lambda e: field(LAPLACE, S, X, "mean_shift", exclude=e))
    yield Door("posterior.posterior_jacobian(measure)", Y, lambda y: posterior.posterior_jacobian(LAPLACE, y, X))


def field_doors():
    pair = {"target": Z, "model": Y}
    factories = [
        (us.Drift, LAPLACE),
        (us.ScoreDifference, LAPLACE),
        (us.SharpDrift, GAUSS),
        (us.WitnessGradient, GAUSS),
        (us.SinkhornDrift, GAUSS),
        (us.BatchDriftTarget, GAUSS),
    ]
    for factory, kernel in factories:
        name = factory.__name__
        for argument in ("model", "target"):
            yield Door(
                f"fields.{name}({argument})",
                pair[argument],
                lambda v, f=factory, k=kernel, a=argument: f(k, **(pair | {a: v}))(X),
            )
        made = factory(kernel, **pair)
        yield from of_field(type(made).__name__, made)
    yield Door(
        "fields.BatchDriftTarget(queries)", X, lambda x: us.BatchDriftTarget(GAUSS, target=Z, model=Y, queries=x)(X)
    )
    yield Door("fields.BatchDriftTarget.parts(x)", X, us.BatchDriftTarget(GAUSS, target=Z, model=Y).parts)
    for factory in (us.Barycenter, us.KernelScore, us.MeanShift, us.SharpScore):
        yield Door(f"fields.{factory.__name__}(measure)", Y, lambda y, f=factory: f(GAUSS, y)(X))
        yield from of_field(type(factory(GAUSS, S)).__name__, factory(GAUSS, S))
    yield Door("fields.CorrectedMeanShift(samples)", Y, lambda y: us.CorrectedMeanShift(GAUSS, y)(X))
    yield Door("fields.CorrectedMeanShift.weights(x)", X, us.CorrectedMeanShift(GAUSS, Y).weights)
    yield from of_field("CorrectedMeanShift", us.CorrectedMeanShift(GAUSS, Y))
    yield Door("fields.TimeField.__call__(x)", X, lambda x: us.TimeField(lambda t: us.ClosedFormScore(Y, t))(x, 0.4))
    yield from of_field("DivergenceDrift", us.DivergenceDrift(GAUSS, target=P, model=FULL))
    yield from of_field("SmoothedKLGradient", us.SmoothedKLGradient(GAUSS, target=P, model=ONE, order=6))
    yield from of_field("CallableField", us.as_field(lambda x: -x, dimension=2))
    yield from of_field("Attraction", fs.Attraction(us.MeanShift(GAUSS, S), 0.5, 2.0))
    for factory in (us.ClosedFormScore, us.ClosedFormVelocity):
        yield Door(f"fields.{factory.__name__}(data)", Y, lambda y, f=factory: f(y, 0.5)(X))
        yield from of_field(type(factory(Y, 0.5)).__name__, factory(Y, 0.5))
    yield Door("fields.ClosedFormVelocity(noise)", NOISE, lambda e: us.ClosedFormVelocity(Y, 0.5, 0.1, noise=e)(X))
    smoothed = us.SmoothedClosedFormScore
    yield Door("fields.SmoothedClosedFormScore(data)", Y, lambda y: smoothed(y, 0.5, 0.1, noise=NOISE)(X))
    yield Door("fields.SmoothedClosedFormScore(noise)", NOISE, lambda e: smoothed(Y, 0.5, 0.1, noise=e)(X))
    yield Door("fields.SmoothedScore(data)", Y, lambda y: us.SmoothedScore(y, 0.5, 0.1, noise=NOISE)(X))
    yield Door("fields.SmoothedScore(noise)", NOISE, lambda e: us.SmoothedScore(Y, 0.5, 0.1, noise=e)(X))
    field = us.Smoothed(us.KernelScore(GAUSS, S), 0.2, noise=NOISE)
    yield Door("fields.Smoothed(noise)", NOISE, lambda e: us.Smoothed(us.KernelScore(GAUSS, S), 0.2, noise=e)(X))
    yield Door("fields.Smoothed.evaluate(x)", X, lambda x: field.evaluate(x, noise=NOISE))
    for good in (NOISE, RNG.normal(size=(5, 3, 2))):
        yield Door("fields.Smoothed.evaluate(noise)", good, lambda e: field.evaluate(X, noise=e))
    yield from of_field("Smoothed", field)
    tilt = us.solve_tilt(SMOOTHED)
    yield Door("fields.solve_tilt(mean)", X[0] / 4, lambda m: us.solve_tilt(SMOOTHED, mean=m).linear)
    wide = 2 * MATRIX
    yield Door("fields.solve_tilt(covariance)", wide, lambda c: us.solve_tilt(SMOOTHED, covariance=c).quadratic)
    matched = us.MomentMatchedTilt(SMOOTHED, tilt)
    yield from of_field("MomentMatchedTilt", matched)
    population = fs.PopulationScore(Y, 0.5, 0.3)
    yield Door("fields.PopulationScore(data)", Y, lambda y: fs.PopulationScore(y, 0.5, 0.3)(X))
    yield Door("fields.PopulationScore.potential_on(axes)", LINE, lambda a: population.potential_on(a, LINE))
    yield from of_field("PopulationScore", population)
    for argument, good in {"queries": X, "positives": Z, "negatives": Y}.items():
        good_ones = {"queries": X, "positives": Z, "negatives": Y}
        yield Door(
            f"fields.batch_drift({argument})",
            good,
            lambda v, a=argument, g=good_ones: us.batch_drift(GAUSS, **(g | {a: v})),
        )
    yield Door("metrics.feature_scale(x)", X, lambda x: metrics.feature_scale(x, Y))
    yield Door("metrics.feature_scale(y)", Y, lambda y: metrics.feature_scale(X, y))
    yield Door("metrics.drift_scale(drift)", X, metrics.drift_scale)
    yield Door("fields.sharp_scale(measure)", Y, lambda y: fs.sharp_scale(GAUSS, y, X))
    yield Door("fields.sharp_scale(x)", X, lambda x: fs.sharp_scale(GAUSS, Y, x))
    yield Door("fields.sinkhorn_scaling(first)", Y, lambda y: fs.sinkhorn_scaling(GAUSS, as_law(y), us.Samples(Z)))
    yield Door("fields.sinkhorn_scaling(second)", Y, lambda y: fs.sinkhorn_scaling(GAUSS, us.Samples(Z), as_law(y)))


def as_law(y):
    return measures.as_samples(y, "first, second")


def metric_doors():
    for name in ("cosine", "global_cosine", "mean_cosine", "mean_product"):
        function = getattr(metrics, name)
        yield Door(f"metrics.{name}(first)", X, lambda a, f=function: f(a, Y[:5]))
        yield Door(f"metrics.{name}(second)", X, lambda a, f=function: f(Y[:5], a))
        if name != "cosine":
            yield Door(f"metrics.{name}(weights)", QUERY_WEIGHTS, lambda w, f=function: f(X, Y[:5], w))
    for name in ("best_scale", "best_relative_error", "relative_error"):
        function, scale = getattr(metrics, name), (0.7,) if name == "relative_error" else ()
        yield Door(f"metrics.{name}(drift)", X, lambda a, f=function, s=scale: f(a, Y[:5], *s))
        yield Door(f"metrics.{name}(score)", X, lambda a, f=function, s=scale: f(Y[:5], a, *s))
        yield Door(f"metrics.{name}(weights)", QUERY_WEIGHTS, lambda w, f=function, s=scale: f(X, Y[:5], *s, w))
    for good in (np.array(0.4), QUERY_WEIGHTS):
        yield Door("metrics.relative_error(scale)", good, lambda s: metrics.relative_error(X, Y[:5], s))
    for name in ("cross_fitted_cosine", "replicated_cosines"):
        function = getattr(metrics, name)
        yield Door(f"metrics.{name}(drift)", FOLDS, lambda a, f=function: f(a, FOLDS[::-1]))
        yield Door(f"metrics.{name}(score)", FOLDS, lambda a, f=function: f(FOLDS[::-1], a))
        yield Door(f"metrics.{name}(weights)", QUERY_WEIGHTS, lambda w, f=function: f(FOLDS, FOLDS[::-1], w))
    for name in ("duplicate_rate", "nearest_training_distance"):
        function, extra = getattr(metrics, name), {"tolerance": 0.5} if name == "duplicate_rate" else {}
        yield Door(f"metrics.{name}(samples)", X, lambda a, f=function, e=extra: f(a, Y, **e))
        yield Door(f"metrics.{name}(training)", Y, lambda a, f=function, e=extra: f(X, a, **e))
    yield Door("metrics.recall(samples)", X, lambda a: metrics.recall(a, Y, k=2))
    yield Door("metrics.recall(reference)", Y, lambda a: metrics.recall(X, a, k=2))
    modes = np.array([0, 1, 1, 0, 2, 1, 0, 2])
    yield Door("metrics.mode_coverage(samples)", X, lambda a: metrics.mode_coverage(a, Y, modes))
    yield Door("metrics.mode_coverage(reference)", Y, lambda a: metrics.mode_coverage(X, a, modes))
    yield Door("metrics.mode_coverage(modes)", modes, lambda a: metrics.mode_coverage(X, Y, a))
    for name, extra in (
        ("unbiased_mmd2", {"bandwidths": LINE}),
        ("wasserstein2", {}),
        ("sliced_wasserstein2", {"n_directions": 5}),
        ("sinkhorn_divergence", {"epsilon": 1.0}),
    ):
        function = getattr(metrics, name)
        more = lambda n=name, e=extra: e | ({"rng": rng()} if "sliced" in n else {})  # noqa: E731
        yield Door(f"metrics.{name}(x)", X, lambda a, f=function, m=more: f(a, Y, **m()))
        yield Door(f"metrics.{name}(y)", Y, lambda a, f=function, m=more: f(X, a, **m()))
    yield Door("metrics.unbiased_mmd2(bandwidths)", LINE, lambda h: metrics.unbiased_mmd2(X, Y, bandwidths=h))


def process_doors():
    schedule = us.Schedule("vp_cosine")
    both = "alpha beta_squared eta kappa variance".split()
    parts = ["beta", "sigma", "snr", *both, *(f"{part}_rate" for part in ("alpha", "beta_squared", "variance"))]
    for part in parts:
        yield Door(f"processes.Schedule.{part}(t)", TIMES, getattr(schedule, part))
    yield Door("processes.Schedule.time_of_snr(snr)", LINE, schedule.time_of_snr)
    for part in ("variance", "variance_rate"):
        yield Door(f"processes.Schedule.{part}(data_variance)", LINE, lambda v, p=part: getattr(schedule, p)(0.5, v))
    yield Door("processes.gaussian_factor(t)", TIMES, lambda t: processes.gaussian_factor("vp_cosine", t, 0.5))
    yield Door("processes.logconcave_factor(t)", TIMES, lambda t: processes.logconcave_factor("vp_cosine", t, 0.5))
    yield Door("processes.mixture_factor(t)", TIMES, lambda t: processes.mixture_factor("vp_cosine", t, 0.5, 0.4))
    adjoint = RNG.normal(size=(3, 5, 2))
    yield Door("processes.adjoint_energy(adjoint)", adjoint, lambda a: processes.adjoint_energy(schedule, TIMES, a))
    yield Door("processes.adjoint_energy(times)", TIMES, lambda t: processes.adjoint_energy(schedule, t, adjoint))
    for part in (
        "base_score",
        "tilted_score",
        "score_difference",
        "value",
        "optimal_control",
        "velocity",
        "drift",
        "drift_jacobian",
    ):
        yield Door(f"processes.TiltedProcess.{part}(x)", X, lambda x, p=part: getattr(PROCESS, p)(x, 0.5))
    yield Door("processes.TiltedProcess.noise(data)", X, lambda y: PROCESS.noise(y, 0.5, rng()))
    yield Door("processes.ProcessField.__call__(x)", X, PROCESS.base_score_field(0.5))
    yield Door("processes.ProcessField.jacobian(x)", X, PROCESS.base_score_field(0.5).jacobian)
    target = processes.conditional_target(PROCESS)
    yield Door("processes.RegressionTarget.__call__(x)", X, lambda x: target(x, Y[:5], 0.5))
    yield Door("processes.RegressionTarget.__call__(data)", X, lambda y: target(Y[:5], y, 0.5))
    yield Door("processes.RegressionTarget.conditional_mean(x)", X, lambda x: target.conditional_mean(x, 0.5))
    yield Door("processes.RegressionTarget.conditional_variance(x)", X, lambda x: target.conditional_variance(x, 0.5))
    yield Door("processes.QuadraticReward(linear)", X[0], lambda v: us.QuadraticReward(v, 0.5).value(X))
    for good in (np.array(0.5), MATRIX):
        yield Door("processes.QuadraticReward(quadratic)", good, lambda q: us.QuadraticReward(X[0], q).value(X))
    custom = us.CallableReward(lambda x: x.sum(1), lambda x: 0 * x + 1, 2)
    for name, reward in (("QuadraticReward", REWARD), ("CallableReward", custom)):
        yield Door(f"processes.{name}.value(x)", X, reward.value)
        yield Door(f"processes.{name}.gradient(x)", X, reward.gradient)
    run = lambda **given: us.simulate(PROCESS, 5, rng(), **({"times": TIMES} | given)).points  # noqa: E731
    yield Door("processes.simulate(times)", TIMES, lambda t: run(times=t))
    yield Door("processes.simulate(start)", X, lambda x: run(start=x))


def learned_doors():
    for name, of in {
        "mean_preconditioner": lambda **laws: learned.mean_preconditioner(GAUSS, **laws),
        "matched_kernel": lambda **laws: learned.matched_kernel(GAUSS, us.Laplace(1.0), **laws).bandwidth,
    }.items():
        yield Door(f"learned.{name}(target)", Y, lambda y, f=of: f(target=y, model=Z))
        yield Door(f"learned.{name}(model)", Y, lambda y, f=of: f(target=Z, model=y))
    at = learned.Preconditioning(0.4, scale=0.8)
    yield Door("learned.Preconditioning.input(x)", X, at.input)
    for part in ("denoiser", "velocity", "score"):
        function = getattr(at, part)
        yield Door(f"learned.Preconditioning.{part}(x)", X, lambda x, f=function: f(x, Y[:5]))
        yield Door(f"learned.Preconditioning.{part}(values)", X, lambda v, f=function: f(Y[:5], v))
    yield Door("learned.Preconditioning.target(x)", X, lambda x: at.target(x, Y[:5]))
    yield Door("learned.Preconditioning.target(data)", X, lambda y: at.target(Y[:5], y))
    made = {
        "ScoreSmoothedDenoiser": lambda y: learned.ScoreSmoothedDenoiser(y, 0.5, 0.2, noise=NOISE),
        "WiderKernelDenoiser": lambda y: learned.WiderKernelDenoiser(y, 0.5, 1.5),
        "DensitySmoothedDenoiser": lambda y: learned.DensitySmoothedDenoiser(y, 0.5, 0.2),
        "GaussianDenoiser": lambda y: learned.GaussianDenoiser(y, 0.5),
    }
    for name, make in made.items():
        yield Door(f"learned.{name}(data)", Y, lambda y, m=make: m(y)(X))
        if name in ("DensitySmoothedDenoiser", "GaussianDenoiser"):
            for part in ("__call__", "potential", "jacobian"):
                yield Door(f"learned.{name}.{part}(x)", X, getattr(make(Y), part))
    smooth = learned.ScoreSmoothedDenoiser
    yield Door("learned.ScoreSmoothedDenoiser(noise)", NOISE, lambda e: smooth(Y, 0.5, 0.2, noise=e)(X))
    yield from _fit_doors()
    yield Door("learned.copy_rate(samples)", X, lambda a: learned.copy_rate(a, Y))
    yield Door("learned.copy_rate(training)", Y, lambda a: learned.copy_rate(X, a))
    yield Door("learned.hybrid_weight(first)", X, lambda a: learned.hybrid_weight(a, Y[:5], Z[:5]).weight)
    yield Door("learned.hybrid_weight(second)", X, lambda a: learned.hybrid_weight(Y[:5], a, Z[:5]).weight)
    yield Door("learned.hybrid_weight(data)", X, lambda a: learned.hybrid_weight(Y[:5], Z[:5], a).weight)
    split = lambda v, t, e: learned.split_error(v, truth=t, empirical=e).to_truth  # noqa: E731
    yield Door("learned.split_error(values)", X, lambda a: split(a, Y[:5], Z[:5]))
    yield Door("learned.split_error(truth)", X, lambda a: split(Y[:5], a, Z[:5]))
    yield Door("learned.split_error(empirical)", X, lambda a: split(Y[:5], Z[:5], a))
    yield Door("learned.memorisation_step(steps)", LINE, lambda a: learned.memorisation_step(a, [0.1, 0.3, 0.8]))
    yield Door("learned.memorisation_step(shares)", LINE, lambda a: learned.memorisation_step([1.0, 5.0, 9.0], a))
    yield Door("learned.loss_weight(level)", LINE, lambda h: learned.loss_weight("edm", h))
    yield Door("learned.output_factor(t)", TIMES, lambda t: learned.output_factor("vp_cosine", "denoiser", t))
    yield Door("learned.gradient_flow_gains(spectrum)", LINE, lambda k: learned.gradient_flow_gains(k, 0.7))
    fit = lambda g, c, k: learned.fit_filter(g, c, k).smoothing  # noqa: E731
    yield Door("learned.fit_filter(gains)", LINE, lambda a: fit(a, LINE, LINE))
    yield Door("learned.fit_filter(coefficients)", LINE, lambda a: fit(LINE[::-1] / 3, a, LINE))
    yield Door("learned.fit_filter(frequencies)", LINE, lambda a: fit(LINE[::-1] / 3, LINE, a))
    levels = np.array([2.0, 0.5, 0.0])
    sample = lambda x, h: learned.sample_denoiser(lambda z, s: z / (1 + s**2), x, levels=h)  # noqa: E731
    yield Door("learned.sample_denoiser(start)", X, lambda x: sample(x, levels))
    yield Door("learned.sample_denoiser(levels)", levels, lambda h: sample(X, h))
    yield Door("learned.gaussian_sampling_gain(levels)", levels, lambda h: learned.gaussian_sampling_gain(h, scale=0.7))


def _fit_doors():
    values = np.tanh(X)
    given = {"values": values, "data": Y, "queries": X, "noise": NOISE}
    fit = lambda **v: learned.fit_family(**(given | v), family="score", level=0.6).share  # noqa: E731
    describe = lambda **v: learned.describe_denoiser(np.tanh, **(given | v), level=0.6).deviation  # noqa: E731
    del given["values"]
    for name, good in given.items():
        yield Door(f"learned.fit_family({name})", good, lambda a, n=name: fit(**{"values": values, n: a}))
        yield Door(f"learned.describe_denoiser({name})", good, lambda a, n=name: describe(**{n: a}))
    yield Door("learned.fit_family(values)", values, lambda a: fit(values=a))
    yield Door("learned.noisy_queries(data)", Y, lambda y: learned.noisy_queries(y, 3, rng(), level=0.2))


def sampler_doors():
    work = RNG.normal(size=9)
    for name in ("effective_sample_size", "log_mean_exp"):
        yield Door(f"samplers.{name}(log_weights)", work, getattr(samplers, name))
    yield Door("samplers.weighted_mean(values)", Z[:9], lambda v: samplers.weighted_mean(v, work))
    yield Door("samplers.weighted_mean(log_weights)", work, lambda w: samplers.weighted_mean(Z[:9], w))
    yield Door("samplers.jarzynski(work)", work, samplers.jarzynski)
    yield Door("samplers.cmcd_losses(work)", work, lambda w: samplers.cmcd_losses(w, free_energy=0.1))
    yield Door("samplers.bennett(forward_work)", work, lambda w: samplers.bennett(w, work))
    yield Door("samplers.bennett(backward_work)", work, lambda w: samplers.bennett(work, w))
    edges = np.array([-1.0, 0.0, 1.0])
    given = {"forward_work": work, "backward_work": work[::-1].copy(), "edges": edges}
    for argument, good in given.items():
        yield Door(
            f"samplers.crooks_histogram({argument})",
            good,
            lambda v, a=argument: samplers.crooks_histogram(**(given | {a: v}), free_energy=0.1),
        )
    yield Door("samplers.GaussianPath(means)", X[:2], lambda m: samplers.GaussianPath(m, (1.0, 0.5)).means)
    yield Door("samplers.GaussianPath.escort(x)", X, lambda x: PATH.escort(x, 0.5))
    yield Door("samplers.GaussianPath.escort_divergence(x)", X, lambda x: PATH.escort_divergence(x, 0.5))
    for part in ("velocity", "correction", "divergence"):
        yield Door(f"references.GaussianTilt.{part}(x)", X, lambda x, p=part: getattr(TILT, p)(x, 0.5))
    for part in ("forward_drift", "backward_drift"):
        yield Door(f"samplers.EscortedLangevin.{part}(x)", X, lambda x, p=part: getattr(ESCORTED, p)(x, 0.5))
    yield Door("samplers.EscortedLangevin.work_of(trajectory)", RNG.normal(size=(4, 5, 2)), ESCORTED.work_of)
    residual = {"correction": TILT.correction, "divergence": TILT.divergence, "log_normalizer_rate": 0.1}
    yield Door("samplers.nets_residual(x)", X, lambda x: samplers.nets_residual(SINGLE, x, 0.5, **residual))
    for part in ("retract", "distance", "moment_errors"):
        yield Door(f"samplers.CenteredStiefel.{part}(y)", Y, getattr(STIEFEL, part))
    yield Door("samplers.CenteredStiefel.project(y)", ON, lambda y: STIEFEL.project(y, Y))
    yield Door("samplers.CenteredStiefel.project(g)", Y, lambda g: STIEFEL.project(ON, g))
    yield Door("samplers.CenteredStiefel.geodesic(y)", ON, lambda y: STIEFEL.geodesic(y, TANGENT, TANGENT))
    yield Door("samplers.CenteredStiefel.geodesic(velocity)", TANGENT, lambda v: STIEFEL.geodesic(ON, v, TANGENT))
    yield Door("samplers.CenteredStiefel.geodesic(carried)", TANGENT, lambda v: STIEFEL.geodesic(ON, TANGENT, v))
    yield Door("samplers.ManifoldChain.start(y)", ON, lambda y: CHAIN.start(y, rng()))
    state = CHAIN.start(ON, rng())
    yield Door("samplers.ManifoldChain.advance_with(gradient)", Y, lambda g: CHAIN.advance_with(state, g, noise=Y))
    yield Door("samplers.ManifoldChain.advance_with(noise)", Y, lambda e: CHAIN.advance_with(state, Y, noise=e))
    yield Door("samplers.DriftingFlow(target)", Y, lambda y: us.DriftingFlow(GAUSS, y).velocity(X))
    yield Door("samplers.DriftingFlow.velocity(x)", X, FLOW.velocity)
    yield Door("samplers.DriftingFlow.run(start)", X, lambda x: FLOW.run(x, n_steps=3).particles)
    yield Door("samplers.DriftingFlow.run(modes)", Z[:3], lambda m: FLOW.run(X, n_steps=3, modes=m).mode_masses)
    yield Door("samplers.DriftingFlow.run(bandwidths)", LINE, lambda h: FLOW.run(X, n_steps=3, bandwidths=h).particles)
    for estimator in (us.Dense(), us.Near(), us.Neighbours(2, 2)):
        name, prepare = f"samplers.{type(estimator).__name__}.prepare(data)", estimator.prepare
        yield Door(name, Y, lambda y, prepare=prepare: prepare(y, rng=rng())(X, 0.5)[0])
    yield Door("samplers.sample_closed_form(data)", Y, lambda y: closed(data=y))
    yield Door("samplers.sample_closed_form(start)", X, lambda x: closed(start=x))
    tuples = RNG.normal(size=(3, 5, 2, 2))
    for package in ("fields", "samplers"):
        yield Door(f"{package}.Noise(given)", tuples, lambda e: us.Noise("fresh", given=e).given)
    yield Door("samplers.sample_closed_form(noise)", tuples, lambda e: closed(noise=us.Noise("fresh", given=e)))
    yield Door("samplers.sample_moment_matched(data)", Z, lambda y: matched(data=y))
    yield Door("samplers.sample_moment_matched(start)", Y, lambda x: matched(start=x))
    steps = RNG.normal(size=(2, 8, 2, 2))
    yield Door("samplers.sample_moment_matched(noise)", steps, lambda e: matched(noise=us.Noise("fresh", given=e)))


def closed(**given):
    common = {"data": Y, "n": 5, "n_steps": 3, "smoothing": 0.1, "noise": us.Noise("fresh", draws=2)}
    return us.sample_closed_form(**(common | given), rng=rng()).samples


def matched(**given):
    common = {
        "data": Z,
        "n_particles": 8,
        "noise_level": 0.5,
        "smoothing": 0.1,
        "noise": us.Noise("fresh", draws=2),
    }
    return us.sample_moment_matched(**(common | given), rng=rng(), step=0.01, n_steps=2).samples


def other_doors():
    yield Door(
        "kernels.ScaleMixture(weights)",
        LINE,
        lambda w: ks.ScaleMixture(None, (1.0, 2.0, 3.0), w).masses,
    )
    yield Door("references.marginal_density(r)", LINE, lambda r: references.marginal_density(r, 6, 2))
    yield Door("references.euler_contraction(step)", LINE, lambda h: references.euler_contraction(8, 2, h))
    height, slope = (lambda z: (z**2).sum(-1)), (lambda z: 2 * z)
    yield Door("references.circle_law(mean)", X[0], lambda m: references.circle_law(height, m, MATRIX, cells=9))
    yield Door("references.circle_law(factor)", MATRIX, lambda f: references.circle_law(height, X[0], f, cells=9))
    yield Door("references.transposed_law(mean)", X[0], lambda m: references.transposed_law(slope, m, MATRIX, cells=9))
    yield Door(
        "references.transposed_law(factor)", MATRIX, lambda f: references.transposed_law(slope, X[0], f, cells=9)
    )
    yield Door("references.triangles(mean)", X[0], lambda m: references.triangles(height, height, m, MATRIX, nodes=9))
    yield Door("references.triangles(factor)", MATRIX, lambda f: references.triangles(height, height, X[0], f, nodes=9))
    seeds = np.array([0.2, 0.4, 0.3, 0.5])
    inside, share = inference.Inside(0.0, 1.0), inference.Proportion(0.0, 0.9, trials=10)
    yield Door("inference.Inside.estimate(y)", seeds, lambda y: inside.estimate(y, level=0.9).value)
    yield Door(
        "inference.Inside.estimate(error)", seeds / 9, lambda e: inside.estimate(seeds, error=e, level=0.9).value
    )
    yield Door("inference.Proportion.estimate(y)", seeds, lambda y: share.estimate(y, level=0.9).value)
    said = lambda *values, **more: us.testing.assert_claim(*values, **more).estimate.value  # noqa: E731
    yield Door("testing.assert_claim(values)", seeds, lambda y: said(y, inside))
    yield Door("testing.assert_claim(error)", seeds / 9, lambda e: said(seeds, inside, error=e))
    axis = np.array([1.0, 2.0, 4.0, 8.0])
    rate = inference.Rate(-1.5, -0.5, along="x")
    yield Door("testing.assert_claim(x)", axis, lambda x: said(1 / axis, rate, x=x, error=axis * 1e-9))
    yield Door("testing.check_field(x)", X, lambda x: us.testing.check_field(us.MeanShift(GAUSS, S), x))
    p, q = np.random.default_rng(0).normal(size=(2, 60, 2)) + np.array([[[0.5]], [[0.0]]])
    asked = {"target": p, "model": q, "queries": X[:5].repeat(3, axis=0) + Y[:3].repeat(5, axis=0)}
    answer = lambda **given: us.diagnose(**(asked | {"bandwidths": 1.0} | given)).drift_energy.values  # noqa: E731
    for argument in asked:
        yield Door(f"diagnosis.diagnose({argument})", asked[argument], lambda v, a=argument: answer(**{a: v}))
    yield Door("diagnosis.diagnose(field)", asked["queries"], lambda f: answer(field=f))
    yield Door("diagnosis.diagnose(bandwidths)", np.array([0.5, 2.0]), lambda h: answer(bandwidths=h))


def doors():
    groups = (
        kernel_doors,
        temperature_doors,
        measure_doors,
        posterior_doors,
        field_doors,
        metric_doors,
        process_doors,
        sampler_doors,
        learned_doors,
        other_doors,
    )
    return [door for group in groups for door in group()]


def leaves(result):
    """The arrays and numbers of an answer, whatever holds them."""
    if is_dataclass(result):
        result = tuple(getattr(result, field.name) for field in fields(result))
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in leaves(part)]
    return [result] if isinstance(result, np.ndarray | float | int) else []

"""Targets of a mixture, by quadrature and path by path: unbiased under p*, and their variances at both ends."""

from dataclasses import replace

import numpy as np

import unifiedscore as us
from unifiedscore.processes import (
    SCHEDULES,
    adjoint_target,
    conditional_target,
    loss_floor,
    novel_target,
    target_target,
)
from unifiedscore.processes.conditional import mixture_rule, score_and_hessian
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Limit, Study, Variable

BASE, REWARD = us.GaussianMixture([[-1.5], [1.5]], 0.36), us.QuadraticReward([0.8], 0.3)
GAUSSIAN = us.GaussianMixture([[0.3]], 1.69)
GAP = [0.05, 0.025, 0.0125, 0.00625]
X = np.linspace(-3, 3, 13)[:, None]
TAU = 1.6


def measure(cell, rng):
    h, name = cell["gap"], cell["schedule"]
    process = us.TiltedProcess(BASE, REWARD, name)
    csm, tsm, nsm = conditional_target(process), target_target(process), novel_target(process, variance=TAU**2)
    black_box = us.TiltedProcess(BASE, us.CallableReward(REWARD.value, REWARD.gradient, 1), name)
    schedule, worst = process.schedule, lambda a: float(np.abs(a).max())
    x, w = mixture_rule(process.target)
    score, hessian = score_and_hessian(process.target, x)
    fisher, curvature = w @ score[:, 0] ** 2, w @ hessian[:, 0, 0] ** 2
    data = process.target.sample(50, rng)
    state, _ = process.noise(data, h, rng)
    share = schedule.beta_squared(h) / schedule.variance(h, TAU**2)
    parts = nsm(state, data, h), csm(state, data, h), tsm(state, data, h)
    gaussian = us.TiltedProcess(GAUSSIAN, us.QuadraticReward([0.7], 0.5), name)
    linear = us.TiltedProcess(GAUSSIAN, us.QuadraticReward([0.7]), name)
    own = novel_target(gaussian, variance=1.69)(state, data, h)
    adjoint = gaussian.base_score(state, h) + adjoint_target(gaussian)(state, data, h)
    mixed = process.base_score(state, h) + schedule.alpha(h) * 2.61 / schedule.variance(
        h, 2.61
    ) * process.reward.gradient(data)
    mean = tsm.conditional_mean(X, h)
    law = process.tilted_marginal(h)
    at, mass = mixture_rule(law, spacing=0.25)
    model = process.base_score(at, h)  # a wrong model: the base score
    loss = mass @ (csm.conditional_variance(at, h) + (model - csm.conditional_mean(at, h))[:, 0] ** 2)
    bias = mass @ (model - process.tilted_score(at, h))[:, 0] ** 2
    direct = mass @ second_moment(csm, at, h, model)
    tail = {"tsm_rate": tsm.expected_variance(h) * schedule.alpha(h) ** 2 / fisher}
    late = 1 - h
    tail |= {
        "csm_rate": csm.expected_variance(late) * schedule.beta_squared(late),
        "tsm_end": tsm.expected_variance(late) / schedule.beta_squared(late) / curvature,
        "csm_start": csm.expected_variance(h) * schedule.beta_squared(h),
    }
    largest = max(1 / schedule.alpha(h), 1 / schedule.beta_squared(h)) * 10
    return (
        tail
        | {f"{key}_error": 1e-9 for key in tail}
        | {
            "variate": worst(parts[0] - share * parts[1] - (1 - share) * parts[2]),
            "variate_wrong": worst(
                parts[0] - schedule.beta_squared(h) * parts[1] - (1 - schedule.beta_squared(h)) * parts[2]
            ),
            "adjoint": worst(own - adjoint),
            "adjoint_mixture": worst(novel_target(process, variance=2.61)(state, data, h) - mixed),
            "linear_variance": adjoint_target(linear).expected_variance(h),
            "quadratic_variance": adjoint_target(gaussian).expected_variance(h),
            "unbiased": worst(mean - process.tilted_score(X, h)),
            "unbiased_error": 1e-10 * largest,
            "biased": worst(replace(tsm, law=BASE).conditional_mean(X, h) - process.tilted_score(X, h)),
            "biased_error": 1e-10 * largest,
            "control": worst(black_box.score_difference(X, h) - process.score_difference(X, h)),
            "control_error": 1e-10 * largest,
            "control_unnoised": worst(
                black_box.score_difference(X, h) - process.target.score(X) + process.base_score(X, h)
            ),
            "control_unnoised_error": 1e-10 * largest,
            "decomposition": direct / loss - 1,
            "decomposition_error": 1e-11,
            "decomposition_cross": direct / (loss + bias) - 1,
            "decomposition_cross_error": 1e-11,
            "curvature": worst(curvature_gap(process, h)),
            "curvature_error": 1e-7 / schedule.variance(h, 0.36),
            "curvature_own": worst(curvature_gap(process, h) - between(process, h)),
            "curvature_own_error": 1e-7 / schedule.variance(h, 0.36),
            "scale": largest / 10,
        }
    )


def curvature_gap(process, t):
    """Derivative of the score: code against differences."""
    law = process.base_marginal(t)
    step = 1e-2 * np.sqrt(law.variances[0])
    slope = lambda k: law.score(X + k * step)[:, 0]
    numerical = (8 * (slope(1) - slope(-1)) - slope(2) + slope(-2)) / (12 * step)
    return score_and_hessian(law, X)[1][:, 0, 0] - numerical


def between(process, t):
    """alpha^2 Var(mean | x) / Gamma^2, the part of the curvature that makes the base not log-concave."""
    law = process.base_marginal(t)
    return score_and_hessian(law, X)[1][:, 0, 0] + 1 / law.variances[0]


def second_moment(target, x, t, model):
    """E |model - T|^2 given x from the nodes of the conditional law, with no split into bias and variance."""
    from unifiedscore.processes.conditional import conditional_law

    nodes, weights = conditional_law(target.law, target.schedule, x, t).nodes()
    values = target(np.repeat(x, nodes.shape[1], axis=0), nodes.reshape(-1, 1), t).reshape(nodes.shape[:2])
    return np.sum(weights * (model - values) ** 2, axis=1)


def bounds(cell, rng):
    """Novel floor of the mixture against (tau^2/2) E|grad log g|^2, schedule-free."""
    tau = cell["deviation"]
    process = us.TiltedProcess(BASE, REWARD, "rectified_flow")
    target = novel_target(process, variance=tau**2)
    x, w = mixture_rule(process.target)
    energy = w @ (process.target.score(x)[:, 0] + x[:, 0] / tau**2) ** 2
    floors = [loss_floor(target, low=1e-3, high=1 - 1e-3, order=order) for order in (4, 6)]
    ratio = floors[1] / (tau**2 / 2 * energy)
    error = abs(floors[1] / floors[0] - 1) * ratio + 1e-4
    diverging = loss_floor(target_target(process), low=1e-3, high=1 - 1e-3, order=4) / (tau**2 / 2 * energy)
    return {
        "ratio": ratio,
        "ratio_error": error,
        "ratio_small": 4 * ratio,
        "ratio_small_error": 4 * error,
        "ratio_target": diverging,
        "ratio_target_error": 1e-3 * diverging,
    }


EARLY, RF = {"schedule": ["rectified_flow", "vp_cosine"]}, {"schedule": "rectified_flow"}


def limit(low, high):
    return Limit(low, high, along="gap", order=-1)


rates = dict(id="tilting.target_rates", source="derived here", evidence="quadrature")
exact = dict(source="derived here", evidence="exact")
studies = [
    Study(
        name="tilting_targets",
        title="Regression targets over a mixture",
        grid=Grid(schedule=list(SCHEDULES), gap=GAP),
        measure=measure,
        variables={
            "tsm_rate": Variable("alpha^2 variance of the target score over the Fisher information, t = gap"),
            "csm_rate": Variable("beta^2 variance of the conditional target, t = 1 - gap"),
            "tsm_end": Variable("Variance of the target score over beta^2 E|Hess log p*|^2, t = 1 - gap"),
            "csm_start": Variable("beta^2 variance of the conditional target, t = gap"),
            "variate": Variable("Largest |NSM - gamma CSM - (1 - gamma) TSM|"),
            "variate_wrong": Variable("The same with gamma = beta^2"),
            "adjoint": Variable("Largest |s - a - NSM| over a Gaussian base"),
            "adjoint_mixture": Variable("The same for the mixture with a Gaussian adjoint of its variance"),
            "linear_variance": Variable("Adjoint variance, linear reward"),
            "quadratic_variance": Variable("Adjoint variance, q = 0.5"),
            "unbiased": Variable("Largest |E[T|x] - s*| under p*"),
            "biased": Variable("The same under p_1"),
            "control": Variable("Largest gap between posterior quadrature and s* - s"),
            "control_unnoised": Variable("The same with the score of p* itself"),
            "decomposition": Variable("Loss over bias plus variance, minus 1"),
            "decomposition_cross": Variable("The same with the bias counted twice"),
            "curvature": Variable("Largest gap between the derivative of the score and its closed form"),
            "curvature_own": Variable("The same without the variance of the component means"),
            "scale": Variable("Largest target"),
        },
        claims=[
            Claim(
                **rates,
                regime="target_start",
                variable="tsm_rate",
                where=EARLY,
                statement="as t -> 0 the target-score variance is I(p*)/alpha^2",
                test=limit(0.99, 1.01),
                control=Control("the conditional target diverges there", variable="csm_start"),
            ),
            Claim(
                **rates,
                regime="conditional_end",
                variable="csm_rate",
                where=RF,
                statement="as t -> 1 the conditional variance is d/beta^2",
                test=limit(0.99, 1.01),
                control=Control("the conditional variance at the other end", variable="csm_start"),
            ),
            Claim(
                **rates,
                regime="target_end",
                variable="tsm_end",
                where=RF,
                statement="as t -> 1 the target-score variance is beta^2 E|Hess log p*|^2",
                test=limit(0.97, 1.03),
                control=Control("the target score diverges there", test=limit(9.7, 10.3)),
            ),
            Claim(
                id="tilting.nsm_control_variate",
                **exact,
                variable="variate",
                statement="NSM = gamma CSM + (1 - gamma) TSM path by path over a mixture",
                test=Identity(c=50, scale="scale"),
                control=Control("gamma = beta^2 with tau = 1.6", variable="variate_wrong"),
            ),
            Claim(
                id="tilting.am_equals_nsm_gaussian",
                **exact,
                variable="adjoint",
                statement="base score minus lean adjoint is the NSM target with the base as reference",
                test=Identity(c=100, scale="scale"),
                control=Control("a mixture base", variable="adjoint_mixture"),
            ),
            Claim(
                id="tilting.linear_reward_zero_variance",
                **exact,
                variable="linear_variance",
                statement="the adjoint target of a linear reward has no variance over a Gaussian base",
                test=Identity(c=100, scale="scale"),
                control=Control("q = 0.5", variable="quadratic_variance"),
            ),
            Claim(
                id="tilting.unbiased_targets",
                source="related work: De Bortoli et al. 2024, arXiv 2402.08667",
                evidence="quadrature",
                variable="unbiased",
                statement="the target score has conditional mean s* under p*",
                test=Inside(-1e-5, 1e-5),
                control=Control("samples from p_1", variable="biased"),
            ),
            Claim(
                id="tilting.value_score_identity",
                source="related work: Domingo-Enrich et al. 2024, arXiv 2409.08861",
                evidence="quadrature",
                variable="control",
                statement="-grad V by posterior quadrature is the difference of the two scores, mixture",
                test=Inside(-1e-5, 1e-5),
                control=Control("score of p* without renoising", variable="control_unnoised"),
            ),
            Claim(
                id="tilting.mixture_family",
                source="derived here",
                evidence="quadrature",
                variable="curvature",
                statement="the score of a noised mixture has slope -1/Gamma + alpha^2 Var(mean | x)/Gamma^2",
                test=Inside(-1e-4, 1e-4),
                control=Control("Var(mean | x) dropped", variable="curvature_own"),
            ),
            Claim(
                id="tilting.bias_variance",
                source="Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229",
                evidence="quadrature",
                variable="decomposition",
                statement="the regression loss of any model is its bias plus the conditional variance",
                test=Inside(-1e-9, 1e-9),
                control=Control("the bias counted twice", variable="decomposition_cross"),
            ),
        ],
    ),
    Study(
        name="tilting_bounds",
        title="Finite floor of the novel target and its bound",
        grid=Grid(deviation=[1.0, 1.6]),
        measure=bounds,
        variables={
            "ratio": Variable("Novel floor over its bound"),
            "ratio_small": Variable("The same with tau^2/8"),
            "ratio_target": Variable("The target-score floor in its place"),
        },
        claims=[
            Claim(
                id="tilting.nsm_finite",
                regime=f"tau_{tau:g}",
                source="finiteness: arXiv 2605.00229; constant derived here",
                evidence="quadrature",
                variable="ratio",
                where={"deviation": tau},
                statement="the KL-weighted novel floor is finite, at most (tau^2/2) E|grad log g|^2",
                test=Inside(0.0, 1.0),
                control=Control(*wrong),
            )
            for tau, wrong in ((1.0, ("the target score", "ratio_target")), (1.6, ("tau^2/8", "ratio_small")))
        ],
    ),
]

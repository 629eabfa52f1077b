"""Error of the rate forms against the step size, by recursion: no sampling, with and without the exact escort."""

import numpy as np

import unifiedscore as us
from unifiedscore.references import GaussianTilt, chain_of_fields, log_expectation
from unifiedscore.samplers import GaussianPath
from unifiedscore.study import Claim, Control, Grid, Limit, Rate, Study, Variable, known

PATH = GaussianPath([[0.0], [2.0]], (1.0, 0.5))
ANNEALED = PATH.path()
PROCESS = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5), "rectified_flow")
TILT = GaussianTilt(PROCESS)
STEPS = [100, 200, 400, 800]


def annealing_value(steps, share, divergence=True):
    """E exp(-W_h) over Z_1/Z_0 for a share of the exact escort, epsilon = 1."""
    slope = ANNEALED.gradient

    def rate(x, t):
        work = ANNEALED.time_derivative(x, t) + share * np.sum(PATH.escort(x, t) * slope(x, t), axis=1)
        return divergence * share * PATH.escort_divergence(x, t) - work

    chain = chain_of_fields(lambda x, t: share * PATH.escort(x, t) - slope(x, t), rate, n_steps=steps, diffusivity=1.0)
    return np.exp(log_expectation(chain, mean=0.0, variance=1.0)) / 0.5


def tilting_value(steps, share, *, divergence=True):
    """E exp(A_h) over Z for a share of the exact correction, epsilon = 1/2."""
    reward, variance_of = PROCESS.reward, PROCESS.schedule.variance

    def parts(x, t):
        score = -(x - 0.3 * t) / variance_of(t, 1.69)
        return TILT.velocity(x, t), score + t * reward.gradient(x)

    def drift(x, t):
        return parts(x, t)[0] + share * TILT.correction(x, t) + 0.5 * parts(x, t)[1]

    def rate(x, t):
        velocity, slope = parts(x, t)
        flow = reward.value(x) + t * np.sum(velocity * reward.gradient(x), axis=1)
        return flow + share * (np.sum(TILT.correction(x, t) * slope, axis=1) + divergence * TILT.divergence(x, t))

    chain = chain_of_fields(drift, rate, n_steps=steps, diffusivity=0.5)
    law = PROCESS.base_marginal(0.0)
    log_value = log_expectation(chain, mean=float(law.mean[0]), variance=float(law.variances[0]))
    return np.exp(log_value - PROCESS.log_normalizer)


def measure(cell, rng):
    steps, share = cell["steps"], cell["share"]
    values = {"annealing": annealing_value(steps, share) - 1, "tilting": tilting_value(steps, share) - 1}
    if share:
        values["annealing_no_divergence"] = annealing_value(steps, share, divergence=False) - 1
        values["tilting_no_divergence"] = tilting_value(steps, share, divergence=False) - 1
    else:  # no escort, no divergence
        values |= {"annealing_no_divergence": values["annealing"], "tilting_no_divergence": values["tilting"]}
    # The left Riemann sum is off by -h/2 [(log Z)'(1) - (log Z)'(0)].
    riemann = -0.5 * (TILT.log_normalizer_rate(1.0) - TILT.log_normalizer_rate(0.0))
    constant = values["tilting"] * steps / riemann if share == 1 else np.nan
    # Rounding of a logarithm that is a sum over the steps.
    sizes = known({name: abs(value) for name, value in values.items()}, 1e-15 * steps)
    return sizes | {"constant": known(constant, 1e-12 * steps)}


def claims():
    for name, source in (
        ("annealing", "related work: Albergo, Vanden-Eijnden 2024, arXiv 2410.02711"),
        ("tilting", "existence stated by arXiv 2605.00229; formulas derived here"),
    ):
        for share, regime in ((0.0, "no_escort"), (1.0, "exact_escort")):
            wrong = (
                Control("rate -2", test=Rate(-2.05, -1.95, along="steps"))
                if share == 0
                else Control("the divergence of the escort omitted", variable=f"{name}_no_divergence")
            )
            yield Claim("tilting.escorted_jarzynski" if name == "annealing" else "tilting.tilted_jarzynski",
                        f"The work of {name} in rate form has an error of order h.",
                        source, "quadrature", name, Rate(-1.05, -0.95, along="steps"),
                        regime=regime, where={"share": share}, control=wrong)  # fmt: skip


study = Study(
    name="tilting_step_size", title="Work in rate form: error against step size",
    grid=Grid(share=[0.0, 1.0], steps=STEPS), measure=measure,
    variables={
        "annealing": Variable("Relative error of E exp(-W_h)"),
        "annealing_no_divergence": Variable("Relative error of E exp(-W_h) without div e in the work"),
        "tilting": Variable("Relative error of E exp(A_h)"),
        "tilting_no_divergence": Variable("Relative error of E exp(A_h) without div c in the weight"),
        "constant": Variable("Error of the exact correction times K, over its predicted constant"),
    },
    claims=[
        *claims(),
        Claim("tilting.nets_residual_zero",
              "With the exact correction the error of E exp(A_h) is that of a left Riemann sum of (log Z)'.",
              "derived here", "quadrature", "constant", Limit(0.999, 1.001, along="steps", order=1),
              regime="constant", where={"share": 1.0},
              control=Control("twice the constant", test=Limit(1.999, 2.001, along="steps", order=1))),
    ],
)  # fmt: skip

"""Laplace drift against its kernel-score difference as dimension grows [arXiv 2603.07514].

The theorem is about the *absolute* squared error, O(1/d). This study stores it beside the relative error, the best
relative error, the cosine and the field's own energy, for population values (quadrature, d up to 2^20) and for the
ways of estimating two fields from samples: the same samples for both (shared noise), independent samples, and
cross-fitting from four. Bandwidth tau = taubar d^a; what holds depends on a and on which moments of the laws agree.
"""

import numpy as np
from _alignment import REPLICATES, estimated, population, theory

import unifiedscore as us
from unifiedscore.study import (
    Claim,
    Control,
    Grid,
    Hypothesis,
    Inside,
    Limit,
    Proportion,
    Rate,
    Study,
    Theorem,
    Variable,
)

SCALE = {-0.5: 4.0, 0.0: 1.0, 0.5: 0.3}
LAWS = ["ring_mog", "ring_mog_shifted", "raw_mog", "ring_mog_norms", "ring_mog_wide", "crossed"]
RANGE = {
    ("ring_mog", 0.5): (4, 2**20), ("ring_mog", 0.0): (4, 2**20), ("ring_mog", -0.5): (4, 2**20),
    ("ring_mog_shifted", 0.5): (4, 2**20), ("ring_mog_shifted", -0.5): (1024, 2**20), ("raw_mog", 0.5): (256, 2**20),
    ("ring_mog_norms", 0.5): (1024, 65536), ("ring_mog_wide", 0.5): (4096, 2**20), ("crossed", 0.5): (4096, 2**20),
}  # fmt: skip
SAMPLES, FEW, QUERIES = 1000, 100, 100
DIMENSIONS = [4**k for k in range(1, 11)]


def skip(cell):
    name, d, population_values = cell["dataset"], cell["dimension"], cell["estimator"] == "population"
    if population_values:
        low, high = RANGE.get((name, cell["bandwidth_exponent"]), (1, 0))
        return cell["seed"] > 0 or not low <= d <= high
    if cell["bandwidth_exponent"] != 0.5 or d > 1024 or name not in ("ring_mog", "image_patches"):
        return True
    if name == "image_patches":
        return cell["estimator"] != "same_sample" or d not in (16, 64, 256)
    return cell["estimator"] == "few_samples" and d not in (16, 256, 1024)


def measure(cell, rng):
    d, estimator = cell["dimension"], cell["estimator"]
    bandwidth = SCALE[cell["bandwidth_exponent"]] * d ** cell["bandwidth_exponent"]
    if estimator == "population":
        return population(cell["dataset"], d, bandwidth)
    first, second, queries, *more = rng.spawn(3 + 2 * REPLICATES)
    streams = {"same_sample": [first], "split_sample": [first, second], "few_samples": [first, second, *more]}
    streams = streams.get(estimator, [first, second, *more[: REPLICATES - 2]])
    size, estimator = (FEW, "cross_fitted") if estimator == "few_samples" else (SAMPLES, estimator)
    if cell["dataset"] == "image_patches":
        kernel, draws, x, scale = patches(d, len(streams), queries)
    else:
        p, q = us.load_pair(cell["dataset"], dimension=d)
        kernel, x = us.Laplace(bandwidth), q.sample(QUERIES, queries)
        draws = [(p.sample(size, stream), q.sample(size, stream)) for stream in streams]
        scale = theory(p.reduced(), q.reduced(), kernel)["scale"]
    return estimated(kernel, draws, x, estimator, scale=scale)


def patches(d, count, rng):
    """Patches of two photographs, each without its mean brightness: disjoint random subsets as independent draws."""
    laws = us.load_pair("image_patches", dimension=d, n=REPLICATES * SAMPLES + QUERIES, rng=rng)
    p, q = (law.points - law.points.mean(1, keepdims=True) for law in laws)
    rho = np.sqrt((p**2).sum(1).mean() + (q**2).sum(1).mean())
    kernel = us.Laplace(0.2 * rho)  # a bandwidth of practice
    draws = [tuple(law[i * SAMPLES : (i + 1) * SAMPLES] for law in (p, q)) for i in range(count)]
    return kernel, draws, q[REPLICATES * SAMPLES :], rho * kernel.bandwidth


POPULATION = {"estimator": "population", "seed": 0}
LARGE = {"dimension": slice(4096, None)}
NORMS = Hypothesis("d times the relative difference of the mean squared norms", "norm_gap", high=50.0)
PAPER = "Lai et al. 2026, arXiv 2603.07514 (abstract; absolute error reported as Theorems 4-6)"


def at(dataset, a, **more):
    return POPULATION | LARGE | {"dataset": dataset, "bandwidth_exponent": a} | more


def rate(low, high):
    return Rate(low, high, along="dimension")


def limit(value, half, order=1):
    return Limit(value - half, value + half, along="dimension", order=order)


def shared(estimator, dimension, dataset="ring_mog"):
    return {"dataset": dataset, "estimator": estimator, "dimension": dimension, "bandwidth_exponent": 0.5}


COLD = Control("bandwidth ~ d^-1/2", where={"bandwidth_exponent": -0.5})
ONE = "the norm of one law taken for the typical distance"
absolute = Theorem("drift.highdim_absolute", None, PAPER, "quadrature", "absolute", rate(-1.05, -0.95))
relative = Theorem("drift.highdim_relative", None, PAPER, "quadrature", "relative", rate(-1.05, -0.95))
constant = Theorem("drift.relative_error_limit", None, "derived here", "quadrature", "relative", hypotheses=(NORMS,))
flat = Theorem("drift.flat_kernel_constant", None, "derived here", "quadrature", "flat_ratio", hypotheses=(NORMS,))
noise = Theorem("drift.shared_noise", None, "derived here (noise of both fields is nearly proportional)", "monte_carlo",
                "cosine", Inside(0.05, np.inf), minus=POPULATION)  # fmt: skip

study = Study(
    name="laplace_alignment", title="Laplace drift against its score as dimension grows",
    grid=Grid(dataset=[*LAWS, "image_patches"],
              estimator=["population", "same_sample", "split_sample", "cross_fitted", "few_samples"],
              dimension=DIMENSIONS[1:], bandwidth_exponent=list(SCALE), seed=range(16),
              skip=skip, paired=("estimator", "bandwidth_exponent")),
    measure=measure, profiles={"standard": {"dimension": DIMENSIONS, "seed": range(64)},
                                "full": {"dimension": DIMENSIONS, "seed": range(256)}},
    variables={
        "energy": Variable("Energy of the drift", symbol="E|D|^2"),
        "push": Variable("Mean of the first coordinate of the drift under the model", symbol="E D_1"),
        "absolute": Variable("Absolute squared distance of the drift to C_th times the score difference",
                             symbol="E|D - C S|^2"),
        "relative": Variable("Squared distance of the drift to C_th times the score difference, over its energy",
                             symbol="E|D - C S|^2 / E|D|^2"),
        "relative_one": Variable("Squared distance of the drift to R tau, instead of rho tau, times the score "
                                 "difference, over its energy"),
        "relative_best": Variable("Relative squared distance of the drift to the best multiple of the score "
                                  "difference", symbol="1 - gcos^2"),
        "relative_scaled": Variable("Dimension times the relative squared distance of the drift to C_th times the "
                                    "score difference", symbol="d rel"),
        "relative_scaled_one": Variable("Dimension times the relative squared distance of the drift to R tau times "
                                        "the score difference"),
        "flat_ratio": Variable("Relative squared distance of the drift to C_th times the score difference over tau^2",
                               units="1/length^2", symbol="rel/tau^2"),
        "flat_ratio_one": Variable("Relative squared distance of the drift to R tau times the score difference over "
                                   "tau^2", units="1/length^2"),
        "scale_ratio": Variable("Least-squares scale over theory scale", symbol="C*/C_th"),
        "cosine": Variable("Cosine between drift and score difference", symbol="gcos"),
        "refused": Variable("Whether the cross-fitted cosine is refused"),
        "mean_cosine": Variable("Mean of the pointwise cosine between drift and score difference",
                                symbol="E cos(D, S)"),
        "scale": Variable("Theory scale C = rho tau", symbol="C_th"),
        "norm_ratio": Variable("Mean squared norm of the target over that of the model"),
        "norm_gap": Variable("d times the relative difference of the mean squared norms of target and model"),
    },
    claims=[
        absolute.claim(regime="a=1/2, equal means", where=at("ring_mog", 0.5), hypotheses=(NORMS,), control=COLD,
                       statement="Between rings with equal means the absolute squared error E|drift - C score "
                                 "difference|^2 falls like 1/d at bandwidth ~ d^1/2."),
        absolute.claim(regime="a=1/2, mean shift", where=at("ring_mog_shifted", 0.5), hypotheses=(NORMS,), control=COLD,
                       statement="Between a ring and its translation the absolute squared error E|drift - C score "
                                 "difference|^2 falls like 1/d at bandwidth ~ d^1/2."),
        absolute.claim(regime="a=-1/2", where=at("ring_mog", -0.5), hypotheses=(NORMS,), expect="refuted",
                       statement="Between rings with equal means the absolute squared error E|drift - C score "
                                 "difference|^2 falls like 1/d at bandwidth ~ d^-1/2 (it tends to a constant)."),
        absolute.claim(regime="a=1/2, norms differ", where=at("ring_mog_norms", 0.5, dimension=slice(1024, None)),
                       expect="refuted",
                       statement="Between rings of variances .25 and .36, whose norms differ, the absolute squared "
                                 "error E|drift - C score difference|^2 falls like 1/d at bandwidth ~ d^1/2 (it grows "
                                 "like d)."),
        relative.claim(regime="mean shift", where=at("ring_mog_shifted", 0.5), hypotheses=(NORMS,),
                       control=Control("rings with equal means", where={"dataset": "ring_mog"}),
                       statement="Between a ring and its translation the squared error relative to the drift's own "
                                 "energy falls like 1/d at bandwidth ~ d^1/2."),
        relative.claim(regime="equal means", where=at("ring_mog", 0.5), hypotheses=(NORMS,), expect="refuted",
                       statement="Between rings with equal means the squared error relative to the drift's own energy "
                                 "falls like 1/d at bandwidth ~ d^1/2 (it grows like d)."),
        constant.claim(regime="mean shift, a=1/2, times d", variable="relative_scaled",
                       where=at("ring_mog_shifted", 0.5), test=limit(5.125, 0.01),
                       control=Control(ONE, variable="relative_scaled_one"),
                       statement="Between a ring and its translation by 1 d times the relative error tends to 5.125 = "
                                 "(1 + 4 Var x_1)/8s^2 + 1/8 at bandwidth ~ d^1/2 (s = .5, Var x_1 = 4.75)."),
        constant.claim(regime="mean shift, a=-1/2", where=at("ring_mog_shifted", -0.5), test=limit(0.0048372, 2e-5),
                       control=Control("bandwidth ~ d^1/2", where={"bandwidth_exponent": 0.5}),
                       statement="Between a ring and its translation the relative error tends to 0.00484 = "
                                 "(1 - 1/.934973)^2 at bandwidth ~ d^-1/2."),
        constant.claim(regime="equal traces, a=1/2", where=at("crossed", 0.5), test=limit(0.18, 1e-3),
                       control=Control("traces differ: rings", where={"dataset": "ring_mog"}),
                       statement="Between two modes on one axis and two on another, of equal means and traces, the "
                                 "relative error tends to (tau/rho)^2 = .18 at bandwidth .3 d^1/2."),
        Claim("drift.highdim_relative_equal_means",
              "Between rings with equal means and different traces the relative error grows like d at bandwidth ~ "
              "d^1/2.",
              "derived here", "quadrature", "relative", rate(0.95, 1.05),
              regime="a=1/2: grows like d", where=at("ring_mog", 0.5), hypotheses=(NORMS,),
              control=Control("means differ", where={"dataset": "ring_mog_shifted"})),
        *(
            flat.claim(regime=regime, where=at(name, a), test=limit(value, 5e-4, order),
                       control=Control(ONE, variable="flat_ratio_one"),
                       statement="Between rings with equal means the relative error over tau^2 tends to (tr dSigma)^2/"
                                 f"(8 E|dSigma x|^2) = {text} at bandwidth ~ d^{a:g}; radii {radii}.")
            for regime, name, a, value, order, text, radii in (
                ("a=1/2", "ring_mog", 0.5, 2 / 27, 1, "2/27", "3 and 2.5, std .5"),
                ("a=0", "ring_mog", 0.0, 2 / 27, 0.5, "2/27", "3 and 2.5, std .5"),
                ("a=1/2, other rings", "ring_mog_wide", 0.5, 0.5 / 3.23, 1, ".1548", "3 and 1.5, std .7"),
            )
        ),
        Claim("drift.mean_push",
              "Between a ring and its translation by 1 along the first axis the mean drift under the model tends to "
              "-1 along it at bandwidth ~ d^1/2.",
              "derived here (flat kernel)", "quadrature", "push", limit(-1.0, 1e-3), where=at("ring_mog_shifted", 0.5),
              control=Control("bandwidth ~ d^-1/2", where={"bandwidth_exponent": -0.5})),
        Claim("drift.raw_mog_limit",
              "For the raw mixture with centres of norm ~ sqrt d the relative error tends to 0.1080604, not to 0, at "
              "bandwidth .3 d^1/2.",
              "derived here (the paper's raw MoG is not specified)", "quadrature", "relative", limit(0.1080604, 1e-3),
              where=at("raw_mog", 0.5), control=Control(ONE, variable="relative_one")),
        *(
            noise.claim(regime=f"d={d}, equal means", where=shared("same_sample", [d]), test=Inside(least, np.inf),
                        statement=f"Between rings with equal means in {d} dimensions, with both fields from the same "
                                  f"1000 samples, the cosine exceeds its population value by more than {words}.",
                        control=Control("fields from independent samples", where={"estimator": "split_sample"}))
            for d, least, words in ((256, 0.05, ".05"), (1024, 0.3, ".3"))
        ),
        noise.claim(regime="d=16, equal means", where=shared("same_sample", [16]), test=Inside(-0.02, 0.0),
                    statement="Between rings with equal means in 16 dimensions, with both fields from the same 1000 "
                              "samples, the cosine lies below its population value, by less than .02.",
                    control=Control("256 dimensions", where={"dimension": [256]})),
        Claim("drift.patches_misaligned",
              "On patches of two photographs without their mean brightness, 16 to 256 pixels, bandwidth .2 rho, drift "
              "and score difference of the same 1000 samples have a cosine below .7, shared noise included.",
              "found here", "monte_carlo", "cosine", Inside(-1.0, 0.7),
              where=shared("same_sample", [16, 64, 256], "image_patches"),
              control=Control("rings with equal means", where={"dataset": "ring_mog"})),
        Claim("drift.cross_fitting",
              "Between rings with equal means in 16 dimensions the cosine cross-fitted from four draws of 1000 samples "
              "agrees with its population value, that of the plain split does not.",
              "derived here", "monte_carlo", "cosine", Inside(-0.03, 0.03), regime="d=16, equal means",
              minus=POPULATION, where=shared("cross_fitted", [16]),
              control=Control("independent samples without cross-fitting", where={"estimator": "split_sample"})),
        Claim("drift.cross_fitting_refuses",
              "Between rings with equal means in 256 and 1024 dimensions the cross-fitted cosine of ten draws of 100 "
              "samples is refused, because noise hides the fields: shared noise alone would show .99.",
              "derived here", "monte_carlo", "refused", Proportion(0.5, 1.0, trials=1),
              where=shared("few_samples", [256, 1024]),
              control=Control("16 dimensions", where={"dimension": [16]})),
    ],
)  # fmt: skip

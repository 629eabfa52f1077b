"""Loss floors and gradient moments of the regression targets against the time cut-off, three schedules.

"Infinite variance" must name the weight and the time sampling. Gaussian family N(0.3, 1.69) with r = 0.7x - 0.25x^2,
whose conditional variances are closed forms, integrated over [t_c, 1 - t_c]; two quadrature orders give the error.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.processes import (
    SCHEDULES,
    best_sampling_moment,
    conditional_target,
    gaussian_factor,
    integrate_time,
    loss_floor,
    novel_target,
    target_target,
)
from unifiedscore.study import Claim, Control, Grid, Inside, Limit, Rate, Study, Variable

BASE, REWARD = us.GaussianMixture([[0.3]], 1.69), us.QuadraticReward([0.7], 0.5)
CUTOFFS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
STAR = 1 / (1 / 1.69 + 0.5)
FLOOR = 0.1162603612537547


def measure(cell, rng):
    name, cut = cell["schedule"], cell["cutoff"]
    process = us.TiltedProcess(BASE, REWARD, name)
    csm, tsm, nsm = conditional_target(process), target_target(process), novel_target(process, variance=1.69)
    schedule, span = process.schedule, {"low": cut, "high": 1 - cut}
    # One number line: the same signal-to-noise range for all schedules.
    clock = dict(zip(("low", "high"), (schedule.time_of_snr(v) for v in (1e-2, 1e2)), strict=True))
    wide = {"low": 1e-12, "high": 1 - 1e-9}
    snr = schedule.snr(np.array([cut, 1 - cut]))
    information = 0.5 * np.log1p(snr * STAR)
    integrals = {
        "csm_floor": lambda o: loss_floor(csm, **span, order=o),
        "tsm_floor": lambda o: loss_floor(tsm, **span, order=o),
        "csm_gradient": lambda o: loss_floor(csm, **span, power=2, order=o),
        "nsm_gradient": lambda o: loss_floor(nsm, **span, power=2, order=o),
        "csm_best": lambda o: best_sampling_moment(csm, **span, order=o),
        "tsm_best": lambda o: best_sampling_moment(tsm, **span, order=o),
        "csm_clock": lambda o: loss_floor(csm, **clock, order=o),
        "csm_clock_unweighted": lambda o: loss_floor(csm, **clock, power=0, order=o),
        "nsm_floor": lambda o: loss_floor(nsm, **wide, order=o),
        "nsm_floor_squared": lambda o: loss_floor(nsm, **wide, power=2, order=o),
        "adjoint_energy": lambda o: integrate_time(
            lambda t: schedule.eta(t) * gaussian_factor(name, t, 1.69) ** 2, **wide, order=o
        ),
        "path_divergence": lambda o: integrate_time(lambda t: schedule.eta(t) * gap(process, t), **wide, order=o),
        "path_divergence_squared": lambda o: integrate_time(
            lambda t: schedule.eta(t) ** 2 * gap(process, t), **wide, order=o
        ),
    }
    out = {}
    for key, integral in integrals.items():
        if key not in ALWAYS and cut != CUTOFFS[0]:
            continue
        coarse, fine = (integral(o) for o in ((9, 12) if key.startswith("path") else (6, 9)))
        out |= {key: fine, f"{key}_error": abs(fine - coarse) + 1e-10 * abs(fine)}
    absent = {key: np.nan for key in integrals if key not in out}
    scaled = {
        "tsm_prefactor": out["tsm_floor"] * 2 * STAR * schedule.snr(cut),
        "csm_information": out["csm_floor"] / (information[1] - information[0]),
        "csm_information_doubled": out["csm_floor"] / (information[1] - information[0]) / 2,
        "csm_gradient_ratio": out["csm_gradient"] / (np.pi / 2) / np.sqrt(STAR) / (np.pi / 2 if "vp" in name else 1),
        **curves(process, (csm, tsm, nsm), cut),
        "atoms_floor": atoms_floor(schedule.snr(cut), schedule.snr(1 - cut)),
    }
    errors = {
        "tsm_prefactor_error": out["tsm_floor_error"] / out["tsm_floor"] * scaled["tsm_prefactor"],
        "csm_information_error": out["csm_floor_error"] / out["csm_floor"],
        "csm_information_doubled_error": out["csm_floor_error"] / out["csm_floor"],
        "csm_gradient_ratio_error": out["csm_gradient_error"] / out["csm_gradient"],
        "atoms_floor_error": 1e-9,
    }
    return out | absent | {f"{key}_error": np.nan for key in absent} | scaled | errors


ALWAYS = {"csm_floor", "tsm_floor", "csm_gradient", "nsm_gradient", "csm_best", "tsm_best"}


TIME = np.linspace(0.02, 0.98, 49)


def curves(process, targets, cut):
    """Variance of each target against time: for the figure, once a schedule."""
    names = ("csm_variance", "tsm_variance", "nsm_variance")
    if cut != CUTOFFS[0]:
        return {name: np.full(TIME.size, np.nan) for name in names}
    return {n: np.array([g.expected_variance(t) for t in TIME]) for n, g in zip(names, targets, strict=True)}


def gap(process, t):
    """E |s* - s|^2 under p*_t: an affine function of a Gaussian."""
    law = process.tilted_marginal(t)
    x = law.mean + np.sqrt(law.variances[0]) * np.array([[-1.0], [1.0]])  # exact for squares of affine functions
    return float(np.mean(process.score_difference(x, t) ** 2))


def atoms_floor(low, high):
    """KL-weighted floor of the conditional target for two atoms at -1, 1: half the integral of Var(X_1 | snr)."""
    y = np.linspace(-9, 9, 181)
    w = np.exp(-(y**2) / 2)
    w /= w.sum()

    def variance(snr):  # E sech^2 under sqrt(snr) + y
        return w @ (1 / np.cosh(np.minimum(snr + np.sqrt(snr) * y, 300)) ** 2)

    u, v = np.polynomial.legendre.leggauss(400)
    first, last = np.log(low), np.log(min(high, 1e4))
    logs = (first + last) / 2 + (last - first) / 2 * u
    return float((last - first) / 2 * np.sum(v * np.exp(logs) * [variance(np.exp(s)) for s in logs]) / 2)


FLOW = {"schedule": ["rectified_flow", "vp_cosine"]}
FOELLMER = {"schedule": "foellmer"}
RF, ONCE = {"schedule": "rectified_flow"}, {"cutoff": CUTOFFS[0]}
PAPER = "Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229; rate derived here"


def rate(low, high, law="power"):
    return Rate(low, high, along="cutoff", law=law, toward="zero")


def limit(low, high):
    return Limit(low, high, along="cutoff", order=-1)


tsm = dict(id="tilting.tsm_kl_infinite", source=PAPER, evidence="quadrature", variable="tsm_floor")
csm = dict(id="tilting.csm_kl_infinite", source=PAPER, evidence="quadrature", variable="csm_floor")
caveat = dict(id="tilting.csm_gradient_caveat", source="refines the paper; derived here", evidence="quadrature")
infinite = dict(
    id="tilting.csm_gradient_infinite",
    source="Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229, without its qualification",
    statement="with uniform times the second moment of the conditional target's gradient diverges",
    evidence="quadrature",
    variable="csm_gradient",
    test=rate(-np.inf, -0.02, "log"),
)
sampling = dict(id="tilting.time_sampling", source="derived here", evidence="quadrature")
study = Study(
    name="tilting_floors",
    title="Which variances are infinite, under which weight and schedule",
    grid=Grid(schedule=list(SCHEDULES), cutoff=CUTOFFS),
    measure=measure,
    variables={
        "csm_floor": Variable("KL-weighted floor, conditional target"),
        "tsm_floor": Variable("KL-weighted floor, target score"),
        "csm_gradient": Variable("Gradient second moment at uniform times, conditional target"),
        "nsm_gradient": Variable("Gradient second moment at uniform times, novel target"),
        "csm_best": Variable("Gradient second moment at the best times, conditional target"),
        "tsm_best": Variable("Gradient second moment at the best times, target score"),
        "csm_clock": Variable("Conditional floor over snr in [0.01, 100]"),
        "csm_clock_unweighted": Variable("The same without the weight eta"),
        "nsm_floor": Variable("KL-weighted floor of the novel and adjoint targets"),
        "nsm_floor_squared": Variable("The same with weight eta^2"),
        "adjoint_energy": Variable("Integral of eta (alpha nu^2/Gamma)^2"),
        "path_divergence": Variable("Integral of eta E|s* - s|^2"),
        "path_divergence_squared": Variable("The same with weight eta^2"),
        "tsm_prefactor": Variable("Target-score floor over 1/(2 v* snr(t_c))"),
        "csm_information": Variable("Conditional floor over the mutual information"),
        "csm_information_doubled": Variable("The same with factor 1 for 1/2"),
        "csm_gradient_ratio": Variable("Conditional gradient moment over its predicted limit"),
        "atoms_floor": Variable("Conditional floor of two atoms"),
        "csm_variance": Variable("Variance of the conditional target", dims=("time",), coords={"time": TIME}),
        "tsm_variance": Variable("Variance of the target score", dims=("time",), coords={"time": TIME}),
        "nsm_variance": Variable("Variance of the novel and adjoint targets", dims=("time",), coords={"time": TIME}),
    },
    claims=[
        Claim(
            **tsm,
            regime="flow_vp",
            where=FLOW,
            statement="the KL-weighted target-score floor diverges like t_c^-2",
            test=rate(-2.02, -1.98),
            control=Control("logarithmic growth", test=rate(-0.2, -0.02)),
        ),
        Claim(
            **tsm,
            regime="foellmer",
            where=FOELLMER,
            statement="the KL-weighted target-score floor diverges like t_c^-1",
            test=rate(-1.02, -0.98),
            control=Control("rate -2 of the other schedules", test=rate(-2.02, -1.98)),
        ),
        Claim(
            **(tsm | {"variable": "tsm_prefactor"}),
            regime="prefactor",
            statement="the divergence of the target-score floor has prefactor 1/(2 v* snr(t_c))",
            test=limit(0.98, 1.02),
            control=Control("prefactor 1/snr(t_c)", test=limit(1.96, 2.04)),
        ),
        Claim(
            **csm,
            regime="flow_vp",
            where=FLOW,
            statement="the KL-weighted conditional floor grows like log(1/t_c)",
            test=rate(-1.02, -0.98, "log"),
            control=Control("a power law", test=rate(-1.02, -0.98)),
        ),
        Claim(
            **csm,
            regime="foellmer",
            where=FOELLMER,
            statement="the KL-weighted conditional floor grows like log(1/t_c)/2",
            test=rate(-0.52, -0.48, "log"),
            control=Control("slope 1 of the other schedules", test=rate(-1.02, -0.98, "log")),
        ),
        Claim(
            **(csm | {"variable": "atoms_floor"}),
            regime="atoms",
            where=RF,
            statement="the KL-weighted conditional floor of an empirical target grows like log(1/t_c)",
            test=rate(-1.02, -0.98, "log"),
            expect="refuted",
        ),
        Claim(
            id="tilting.csm_floor_mutual_information",
            regime="gaussian",
            source="derived here (I-MMSE)",
            evidence="quadrature",
            variable="csm_information",
            where={"cutoff": [1e-2, 1e-3, 1e-4]},
            statement="the KL-weighted conditional floor is the mutual information of data and noisy state",
            test=Inside(1 - 1e-6, 1 + 1e-6),
            control=Control("factor 1 for 1/2", variable="csm_information_doubled"),
        ),
        Claim(
            id="tilting.csm_floor_mutual_information",
            regime="atoms",
            source="derived here",
            evidence="quadrature",
            variable="atoms_floor",
            where=RF | {"cutoff": 1e-5},
            statement="for two atoms it is log 2",
            test=Inside(np.log(2) - 1e-6, np.log(2) + 1e-6),
            control=Control("log 4", test=Inside(np.log(4) - 1e-6, np.log(4) + 1e-6)),
        ),
        Claim(
            id="tilting.snr_clock",
            source="derived here",
            evidence="quadrature",
            variable="csm_clock",
            where=ONCE | FLOW,
            minus=FOELLMER,
            statement="KL-weighted floors over one range of signal-to-noise ratios agree across schedules",
            test=Inside(-1e-6, 1e-6),
            control=Control("weight 1", variable="csm_clock_unweighted"),
        ),
        Claim(
            **infinite,
            regime="foellmer",
            where=FOELLMER,
            control=Control("the novel target in its place", variable="nsm_gradient"),
        ),
        Claim(**infinite, regime="rectified_flow", where=RF, expect="refuted"),
        Claim(
            **caveat,
            regime="flow_vp",
            variable="csm_gradient_ratio",
            where=FLOW,
            statement="with uniform times the conditional gradient moment is (pi/2) nu* or (pi/2)^2 nu* (cosine)",
            test=limit(1 - 1e-4, 1 + 1e-4),
            control=Control("pi nu*", test=limit(2 - 1e-4, 2 + 1e-4)),
        ),
        Claim(
            **sampling,
            regime="target",
            variable="tsm_best",
            where=FLOW,
            statement="the best time sampling leaves the target-score gradient moment diverging like t_c^-2",
            test=rate(-2.02, -1.98),
            control=Control("importance sampling in time cures it", test=rate(-0.05, 0.05)),
        ),
        Claim(
            **sampling,
            regime="conditional",
            variable="csm_best",
            where=RF,
            statement="the best time sampling gives the conditional target a finite gradient moment, 1.486663",
            test=limit(1.48665, 1.48668),
            control=Control("the value at uniform times", variable="csm_gradient"),
        ),
        Claim(
            id="tilting.schedule_free_floor",
            regime="floor",
            source="derived here",
            evidence="quadrature",
            variable="nsm_floor",
            where=ONCE,
            statement="the floor of the novel and adjoint targets is one number for all schedules",
            test=Inside(FLOOR - 1e-7, FLOOR + 1e-7),
            control=Control("weight eta^2", variable="nsm_floor_squared"),
        ),
        Claim(
            id="tilting.schedule_free_floor",
            regime="adjoint",
            source="derived here",
            evidence="quadrature",
            variable="adjoint_energy",
            where=ONCE,
            statement="the energy of the lean adjoint factor is nu^2/2 for all schedules",
            test=Inside(0.845 - 1e-7, 0.845 + 1e-7),
            control=Control("nu^2", test=Inside(1.69 - 1e-7, 1.69 + 1e-7)),
        ),
        Claim(
            id="tilting.kl_weight",
            source="derived here (standard)",
            evidence="quadrature",
            variable="path_divergence",
            where=ONCE,
            statement="the eta-weighted score gap integrates to KL(p* | p_1) for every schedule",
            test=Inside(0.15233360104088 - 1e-8, 0.15233360104088 + 1e-8),
            control=Control("weight eta^2", variable="path_divergence_squared"),
        ),
    ],
)

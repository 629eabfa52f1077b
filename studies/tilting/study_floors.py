"""Loss floors and gradient moments of the regression targets against the time cut-off, three schedules.

"Infinite variance" must name the weight and the time sampling. Gaussian family N(0.3, 1.69) with r = 0.7x - 0.25x^2,
whose conditional variances are closed forms, integrated over [t_c, 1 - t_c]; two quadrature orders give the error. For
mixtures and atoms see `study_mixture_floors`. CSM, TSM and NSM are the conditional, the target-score and the novel
target; over this base NSM is the adjoint target. v* is the variance of the tilted law, nu* its square root.
"""

import numpy as np
from _laws import GAUSSIAN, GAUSSIAN_REWARD

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
from unifiedscore.study import (
    Claim,
    Control,
    Grid,
    Inside,
    Limit,
    Rate,
    Study,
    Theorem,
    Variable,
    combine,
    known,
    two_rules,
)  # fmt: skip

CUTOFFS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
STAR = 1 / (1 / 1.69 + 0.5)
FLOOR, DIVERGENCE = 0.1162603612537547, 0.15233360104088
TIME = np.linspace(0.02, 0.98, 49)
WIDE = {"low": 1e-12, "high": 1 - 1e-9}


def setting(cell):
    """The process and its conditional, target-score and novel targets."""
    process = us.TiltedProcess(GAUSSIAN, GAUSSIAN_REWARD, cell["schedule"])
    return process, conditional_target(process), target_target(process), novel_target(process, variance=1.69)


def truncated(cell, rng):
    """Floors and gradient moments over [t_c, 1 - t_c], and their leading terms in units of what is predicted."""
    process, csm, tsm, nsm = setting(cell)
    cut, schedule, name = cell["cutoff"], process.schedule, cell["schedule"]
    span = {"low": cut, "high": 1 - cut}

    def by_order(order):
        return {
            "csm_floor": loss_floor(csm, **span, order=order),
            "tsm_floor": loss_floor(tsm, **span, order=order),
            "csm_gradient": loss_floor(csm, **span, power=2, order=order),
            "nsm_gradient": loss_floor(nsm, **span, power=2, order=order),
            "csm_best": best_sampling_moment(csm, **span, order=order),
            "tsm_best": best_sampling_moment(tsm, **span, order=order),
        }

    found = two_rules(by_order(5), by_order(7), relative=1e-10)
    floor, target, gradient = found["csm_floor"], found["tsm_floor"], found["csm_gradient"]
    low, high = 0.5 * np.log1p(schedule.snr(np.array([cut, 1 - cut])) * STAR)  # mutual information with the state
    prefactor = target.value * 2 * STAR * schedule.snr(cut)
    limit = gradient.value / (np.pi / 2) / np.sqrt(STAR) / (np.pi / 2 if "vp" in name else 1)
    return found | {
        "tsm_prefactor": known(prefactor, target.error / target.value * prefactor),
        "tsm_prefactor_base": known(prefactor * 1.69 / STAR, target.error / target.value * prefactor * 1.69 / STAR),
        "csm_information": known(floor.value / (high - low), floor.error / floor.value),
        "csm_information_doubled": known(floor.value / (high - low) / 2, floor.error / floor.value),
        "csm_gradient_ratio": known(limit, gradient.error / gradient.value),
        "csm_gradient_base": known(limit * np.sqrt(STAR / 1.69), gradient.error / gradient.value),
    }


def complete(cell, rng):
    """Integrals that need no cut-off; at the first one alone."""
    process, csm, _, nsm = setting(cell)
    schedule = process.schedule
    eta, factor = schedule.eta, lambda t: gaussian_factor(cell["schedule"], t, 1.69)
    # One number line: the same signal-to-noise range for all schedules.
    clock = {"low": schedule.time_of_snr(1e-2), "high": schedule.time_of_snr(1e2)}
    over_all_times = lambda f: lambda order: integrate_time(f, **WIDE, order=order)
    integrals = {
        "csm_clock": lambda order: loss_floor(csm, **clock, order=order),
        "csm_clock_unweighted": lambda order: loss_floor(csm, **clock, power=0, order=order),
        "nsm_floor": lambda order: loss_floor(nsm, **WIDE, order=order),
        "nsm_floor_squared": lambda order: loss_floor(nsm, **WIDE, power=2, order=order),
        "adjoint_energy": over_all_times(lambda t: eta(t) * factor(t) ** 2),
        "adjoint_energy_squared": over_all_times(lambda t: (eta(t) * factor(t)) ** 2),
        "path_divergence": over_all_times(lambda t: eta(t) * score_gap(process, t)),
        "path_divergence_squared": over_all_times(lambda t: eta(t) ** 2 * score_gap(process, t)),
    }
    if cell["cutoff"] != CUTOFFS[0]:
        return dict.fromkeys(integrals, known(np.nan, np.nan))
    orders = {name: (9, 12) if name.startswith("path") else (6, 9) for name in integrals}
    return {name: two_rules(f(orders[name][0]), f(orders[name][1]), relative=1e-10) for name, f in integrals.items()}


def score_gap(process, t):
    """E |s* - s|^2 under p*_t: an affine function of a Gaussian."""
    law = process.tilted_marginal(t)
    x = law.mean + np.sqrt(law.variances[0]) * np.array([[-1.0], [1.0]])  # exact for squares of affine functions
    return float(np.mean(process.score_difference(x, t) ** 2))


def curves(cell, rng):
    """Variance of each target against time: for the figure, once a schedule."""
    targets = dict(zip(("csm_variance", "tsm_variance", "nsm_variance"), setting(cell)[1:], strict=True))
    if cell["cutoff"] != CUTOFFS[0]:
        return dict.fromkeys(targets, np.full(TIME.size, np.nan))
    return {name: np.array([target.expected_variance(t) for t in TIME]) for name, target in targets.items()}


FLOW, FOELLMER = {"schedule": ["rectified_flow", "vp_cosine"]}, {"schedule": "foellmer"}
RF, ONCE = {"schedule": "rectified_flow"}, {"cutoff": CUTOFFS[0]}
HERE, PAPER = "derived here", "Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229"
OVER_TIME = {"dims": ("time",), "coords": {"time": TIME}}


def rate(low, high, law="power"):
    return Rate(low, high, along="cutoff", law=law, toward="zero")


def limit(low, high):
    return Limit(low, high, along="cutoff", order=-1)


def near(value, width):
    return Inside(value - width, value + width)


tsm = Theorem("tilting.tsm_kl_infinite", None, f"{PAPER}; rate derived here", "quadrature", "tsm_floor")
csm = Theorem("tilting.csm_kl_infinite", None, f"{PAPER}; rate derived here", "quadrature", "csm_floor")
information = Theorem("tilting.csm_floor_mutual_information", evidence="quadrature")
infinite = Theorem(
    "tilting.csm_gradient_infinite",
    "At uniform times the second moment of the conditional target's gradient diverges, for a Gaussian target.",
    f"{PAPER}, without its qualification", "quadrature", "csm_gradient", rate(-np.inf, -0.02, "log"),
)  # fmt: skip
sampling = Theorem("tilting.time_sampling", source=HERE, evidence="quadrature")
schedule_free = Theorem("tilting.schedule_free_floor", source=HERE, evidence="quadrature", where=ONCE)
study = Study(
    name="tilting_floors", title="Which variances are infinite, under which weight and schedule",
    grid=Grid(schedule=list(SCHEDULES), cutoff=CUTOFFS),
    measure=combine(truncated, complete, curves),
    variables={
        "csm_floor": Variable("KL-weighted floor, conditional target"),
        "tsm_floor": Variable("KL-weighted floor, target score"),
        "csm_gradient": Variable("Gradient second moment at uniform times, conditional target"),
        "nsm_gradient": Variable("Gradient second moment at uniform times, novel target"),
        "csm_best": Variable("Gradient second moment at the best times, conditional target"),
        "tsm_best": Variable("Gradient second moment at the best times, target score"),
        "csm_clock": Variable("KL-weighted floor over snr in [0.01, 100], conditional target"),
        "csm_clock_unweighted": Variable("Floor with weight 1 over snr in [0.01, 100], conditional target"),
        "nsm_floor": Variable("KL-weighted floor of the novel and adjoint targets"),
        "nsm_floor_squared": Variable("Floor of the novel and adjoint targets with weight eta^2"),
        "adjoint_energy": Variable("Integral of eta (alpha nu^2/Gamma)^2"),
        "adjoint_energy_squared": Variable("Integral of eta^2 (alpha nu^2/Gamma)^2"),
        "path_divergence": Variable("Integral of eta E|s* - s|^2"),
        "path_divergence_squared": Variable("Integral of eta^2 E|s* - s|^2"),
        "tsm_prefactor": Variable("KL-weighted floor of the target score over 1/(2 v* snr(t_c))"),
        "tsm_prefactor_base": Variable("KL-weighted floor of the target score over 1/(2 v snr(t_c)), v of the base"),
        "csm_information": Variable("KL-weighted floor of the conditional target over the mutual information"),
        "csm_information_doubled": Variable("KL-weighted floor of the conditional target over twice the mutual "
                                            "information"),
        "csm_gradient_ratio": Variable("Gradient second moment of the conditional target over its predicted limit"),
        "csm_gradient_base": Variable("Gradient second moment of the conditional target over its predicted limit with "
                                      "the deviation of the base"),
        "csm_variance": Variable("Variance of the conditional target", **OVER_TIME),
        "tsm_variance": Variable("Variance of the target score", **OVER_TIME),
        "nsm_variance": Variable("Variance of the novel and adjoint targets", **OVER_TIME),
    },
    claims=[
        tsm.claim(regime="flow_vp", where=FLOW, test=rate(-2.02, -1.98),
                  statement="For a Gaussian target, rectified flow and cosine VP, the KL-weighted target-score floor "
                            "diverges like t_c^-2.",
                  control=Control("the Foellmer process", where=FOELLMER)),
        tsm.claim(regime="foellmer", where=FOELLMER, test=rate(-1.02, -0.98),
                  statement="For a Gaussian target and the Foellmer process the KL-weighted target-score floor "
                            "diverges like t_c^-1.",
                  control=Control("the other schedules", where=FLOW)),
        tsm.claim(regime="prefactor", variable="tsm_prefactor", test=limit(0.98, 1.02),
                  statement="For a Gaussian target the divergence of the KL-weighted target-score floor has the "
                            "prefactor 1/(2 v* snr(t_c)) in all three schedules.",
                  control=Control("the variance of the base for that of the tilted law",
                                  variable="tsm_prefactor_base")),
        csm.claim(regime="flow_vp", where=FLOW, test=rate(-1.02, -0.98, "log"),
                  statement="For a Gaussian target, rectified flow and cosine VP, the KL-weighted conditional floor "
                            "grows like log(1/t_c).",
                  control=Control("the Foellmer process", where=FOELLMER)),
        csm.claim(regime="foellmer", where=FOELLMER, test=rate(-0.52, -0.48, "log"),
                  statement="For a Gaussian target and the Foellmer process the KL-weighted conditional floor grows "
                            "like log(1/t_c)/2.",
                  control=Control("the other schedules", where=FLOW)),
        information.claim(regime="gaussian", source="derived here (I-MMSE)", variable="csm_information",
                          where={"cutoff": [1e-2, 1e-3, 1e-4]}, test=near(1, 1e-6),
                          statement="For a Gaussian target the KL-weighted conditional floor is the mutual "
                                    "information of data and noisy state.",
                          control=Control("factor 1 for 1/2", variable="csm_information_doubled")),
        Claim("tilting.snr_clock",
              "For a Gaussian target the KL-weighted conditional floors over one range of signal-to-noise ratios agree "
              "across schedules.",
              HERE, "quadrature", "csm_clock", Inside(-1e-6, 1e-6), where={**ONCE, **FLOW}, minus=FOELLMER,
              control=Control("weight 1", variable="csm_clock_unweighted")),
        infinite.claim(regime="foellmer", where=FOELLMER,
                       control=Control("the novel target in its place", variable="nsm_gradient")),
        infinite.claim(regime="rectified_flow", where=RF, expect="refuted"),
        Claim("tilting.csm_gradient_caveat",
              "At uniform times and for a Gaussian target of deviation nu* the conditional gradient moment is (pi/2) "
              "nu* for rectified flow, (pi/2)^2 nu* for cosine VP.",
              "refines the paper; derived here", "quadrature", "csm_gradient_ratio", limit(1 - 1e-4, 1 + 1e-4),
              regime="flow_vp", where=FLOW,
              control=Control("the deviation of the base for that of the tilted law", variable="csm_gradient_base")),
        sampling.claim(regime="target", variable="tsm_best", where=FLOW, test=rate(-2.02, -1.98),
                       statement="At the best times the target-score gradient moment of a Gaussian target still "
                                 "diverges like t_c^-2, in rectified flow and cosine VP.",
                       control=Control("the Foellmer process, log^2", where=FOELLMER)),
        sampling.claim(regime="conditional", variable="csm_best", where=RF, test=limit(1.48665, 1.48668),
                       statement="At the best times of rectified flow the conditional target has a finite gradient "
                                 "moment, 1.486663 for N(0.804, 0.916).",
                       control=Control("the value at uniform times", variable="csm_gradient")),
        schedule_free.claim(regime="floor", variable="nsm_floor", test=near(FLOOR, 1e-7),
                            statement="Over a Gaussian base the floor of the novel target, which is that of the "
                                      "adjoint target, is one number for all schedules.",
                            control=Control("weight eta^2", variable="nsm_floor_squared")),
        schedule_free.claim(regime="adjoint", variable="adjoint_energy", test=near(0.845, 1e-7),
                            statement="Over a Gaussian base the energy of the lean adjoint factor is nu^2/2 for all "
                                      "schedules.",
                            control=Control("weight eta^2", variable="adjoint_energy_squared")),
        Claim("tilting.kl_weight",
              "Over a Gaussian base the eta-weighted score gap integrates to KL(p* | p_1) for every schedule.",
              "derived here (standard)", "quadrature", "path_divergence", near(DIVERGENCE, 1e-8), where=ONCE,
              control=Control("weight eta^2", variable="path_divergence_squared")),
    ],
)  # fmt: skip

"""The conditional floor of mixtures and of atoms, and the path divergence between mixtures.

The KL-weighted floor of the conditional target is a mutual information: it grows like d log(1/t_c) for every law with a
density, and stops at the entropy of the masses for atoms. Tilted laws: two unequal modes on the line, three in the
plane with full covariances; atoms: two of equal, three of unequal mass.
"""

from dataclasses import replace

import numpy as np
from _laws import PLANE, PLANE_REWARD, REWARD, UNEQUAL, divergence

import unifiedscore as us
from unifiedscore.processes import SCHEDULES, conditional_target, integrate_time, loss_floor
from unifiedscore.study import Control, Grid, Inside, Rate, Study, Theorem, Variable, combine, known, two_rules

CUTOFFS = [1e-2, 1e-3, 1e-4, 1e-5]
BASES = {"modes": (UNEQUAL, REWARD), "plane": (PLANE, PLANE_REWARD)}
ATOMS = {
    "two_atoms": us.GaussianMixture([[-1.0], [1.0]], 0.0),
    "three_atoms": us.GaussianMixture([[-1.0], [0.4], [2.0]], 0.0, weights=[0.5, 0.3, 0.2]),
}


def conditional_floors(cell, rng):
    """The floor over [t_c, 1 - t_c] in units of the dimension, of the entropy of the masses, and of the information."""
    name, cut = cell["law"], cell["cutoff"]
    base, reward = BASES.get(name, BASES["modes"])
    target = conditional_target(us.TiltedProcess(base, reward, cell["schedule"]))
    if name in ATOMS:
        target = replace(target, law=ATOMS[name])
    orders = (8, 12) if name in ATOMS else (4, 6)
    floor = two_rules(*(loss_floor(target, low=cut, high=1 - cut, order=order) for order in orders), relative=1e-10)
    units = {"floor": target.law.dimension}
    if name in ATOMS:
        masses = target.law.weights
        units |= {"over_entropy": -masses @ np.log(masses), "over_count": np.log(len(masses))}
    if name == "modes":
        ends = target.schedule.snr(np.array([cut, 1 - cut]))
        units |= {"over_information": information(target.law, ends), "over_information_base": information(base, ends)}
    names = ("floor", "over_entropy", "over_count", "over_information", "over_information_base")
    return {n: known(floor.value / units.get(n, np.nan), floor.error / units.get(n, np.nan)) for n in names}


def information(law, ends):
    """I(X_1; sqrt(snr) X_1 + noise) between two ratios: a difference of differential entropies on the line."""
    entropies = []
    for snr in ends:
        noisy = law.scaled(np.sqrt(snr)).smoothed(1.0)
        y = np.linspace(-9, 9, 4001) * np.sqrt(noisy.covariance_matrix[0, 0]) + noisy.mean[0]
        log_p = noisy.log_density(y[:, None])
        entropies.append(-np.sum(np.exp(log_p) * log_p) * (y[1] - y[0]))
    return entropies[1] - entropies[0]


def path_divergence(cell, rng):
    """int eta E|s* - s|^2 dt over KL(p* | p_1), with weight eta and with eta^2."""
    process = us.TiltedProcess(*BASES["modes"], cell["schedule"])
    if cell["cutoff"] != CUTOFFS[0] or cell["law"] != "modes":
        return dict.fromkeys(("divergence", "divergence_squared"), known(np.nan, np.nan))
    eta, clock = process.schedule.eta, process.schedule.time_of_snr(np.array([1e-7, 1e7]))

    def gap(t):
        law = process.tilted_marginal(t)
        x = np.linspace(-9, 9, 361)[:, None] * np.sqrt(law.covariance_matrix[0, 0]) + law.mean
        weights = np.exp(law.log_density(x)) * (x[1, 0] - x[0, 0])
        return float(weights @ process.score_difference(x, t)[:, 0] ** 2)

    def ratio(power, order):
        return integrate_time(lambda t: eta(t) ** power * gap(t), *clock, order=order) / divergence(process)

    rules = [{"divergence": ratio(1, order), "divergence_squared": ratio(2, order)} for order in (6, 9)]
    return two_rules(*rules, relative=1e-8)


def skip(cell):
    if cell["law"] != "modes" and cell["schedule"] != "rectified_flow":
        return "the plane and the atoms are measured for rectified flow, the modes on the line for all schedules"
    return ""


FLOW, FOELLMER = {"schedule": ["rectified_flow", "vp_cosine"]}, {"schedule": "foellmer"}
RF = {"schedule": "rectified_flow"}
HERE = "derived here"
grows = Theorem(
    "tilting.csm_kl_infinite", None, "arXiv 2605.00229; rate derived here", "quadrature", "floor",
    Rate(-1.02, -0.98, along="cutoff", law="log", toward="zero"),
)  # fmt: skip
information_of = Theorem(
    "tilting.csm_floor_mutual_information", None, HERE, "quadrature", test=Inside(1 - 1e-4, 1 + 1e-4)
)
weight = Theorem("tilting.kl_weight", None, "derived here (standard)", "quadrature")
study = Study(
    name="tilting_mixture_floors", title="Conditional floor of mixtures and atoms",
    grid=Grid(law=[*BASES, *ATOMS], schedule=list(SCHEDULES), cutoff=CUTOFFS, skip=skip),
    measure=combine(conditional_floors, path_divergence),
    variables={
        "floor": Variable("KL-weighted floor of the conditional target over the dimension"),
        "over_entropy": Variable("KL-weighted floor of the conditional target over the entropy of the masses"),
        "over_count": Variable("KL-weighted floor of the conditional target over the logarithm of the number of atoms"),
        "over_information": Variable("KL-weighted floor of the conditional target over the mutual information"),
        "over_information_base": Variable("KL-weighted floor of the conditional target over the mutual information of "
                                          "the base"),
        "divergence": Variable("Integral of eta E|s* - s|^2 over KL(p* | p_1)"),
        "divergence_squared": Variable("Integral of eta^2 E|s* - s|^2 over KL(p* | p_1)"),
    },
    claims=[
        grows.claim(regime="modes", where={"law": "modes", **FLOW},
                    statement="For two unequal modes, rectified flow and cosine VP, the KL-weighted conditional floor "
                              "grows like log(1/t_c).",
                    control=Control("the Foellmer process", where=FOELLMER)),
        grows.claim(regime="plane", where={"law": "plane", **RF},
                    statement="For three unequal modes in the plane the KL-weighted conditional floor grows like "
                              "d log(1/t_c), rectified flow.",
                    control=Control("two atoms", where={"law": "two_atoms"})),
        grows.claim(regime="atoms", where={"law": ["two_atoms", "three_atoms"], **RF}, expect="refuted",
                    statement="For an empirical target of two or three atoms the KL-weighted conditional floor grows "
                              "like log(1/t_c)."),
        information_of.claim(regime="modes", variable="over_information", where={"law": "modes"},
                             statement="For two unequal modes the KL-weighted conditional floor is the mutual "
                                       "information of data and noisy state, in all three schedules.",
                             control=Control("the information of the base", variable="over_information_base")),
        information_of.claim(regime="atoms", variable="over_entropy",
                             where={"law": ["two_atoms", "three_atoms"], **RF, "cutoff": 1e-5},
                             statement="For two equal atoms the KL-weighted conditional floor is log 2, for atoms of "
                                       "mass .5, .3 and .2 the entropy of the masses.",
                             control=Control("the logarithm of the number of atoms", variable="over_count")),
        weight.claim(regime="modes", variable="divergence", where={"law": "modes", "cutoff": CUTOFFS[0]},
                     test=Inside(1 - 1e-5, 1 + 1e-5),
                     statement="Over two unequal modes the eta-weighted score gap integrates to KL(p* | p_1) = E* r - "
                               "log Z for every schedule.",
                     control=Control("weight eta^2", variable="divergence_squared")),
    ],
)  # fmt: skip

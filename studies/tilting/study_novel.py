"""The novel target over mixtures: a finite floor below its bound, the same in every schedule.

NSM is the novel regression target, g = p* / N(0, tau^2), over two equal or two unequal modes. Over a Gaussian base with
itself as reference the floor is that of the adjoint target (`study_floors`), over modes it is not (`study_energy`).
"""

from _laws import REWARD, SYMMETRIC, UNEQUAL

import unifiedscore as us
from unifiedscore.processes import SCHEDULES, loss_floor, novel_target
from unifiedscore.processes.conditional import mixture_rule
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, known, two_rules

BASES = {"equal_modes": SYMMETRIC, "unequal_modes": UNEQUAL}


def bounds(cell, rng):
    """Novel floor of the mixture against (tau^2/2) E|grad log g|^2, schedule-free."""
    tau, process = cell["deviation"], us.TiltedProcess(BASES[cell["base"]], REWARD, "rectified_flow")
    x, w = mixture_rule(process.target)
    energies = {
        "ratio": w @ (process.target.score(x)[:, 0] + x[:, 0] / tau**2) ** 2,
        "ratio_reward": w @ process.reward.gradient(x)[:, 0] ** 2,
    }
    floor = lambda order: loss_floor(novel_target(process, variance=tau**2), low=1e-3, high=1 - 1e-3, order=order)
    coarse, fine = floor(3), floor(5)
    error = abs(fine - coarse) + 1e-4 * fine
    return {name: known(fine / (tau**2 / 2 * e), error / (tau**2 / 2 * e)) for name, e in energies.items()}


def novel(cell, rng):
    """The floor of the novel target over unequal modes, the reference of the base's variance."""
    target = novel_target(
        us.TiltedProcess(UNEQUAL, REWARD, cell["schedule"]), variance=float(UNEQUAL.covariance_matrix[0, 0])
    )
    clock = {"low": target.schedule.time_of_snr(1e-4), "high": target.schedule.time_of_snr(1e4)}
    powers = {"novel": 1.0, "novel_squared": 2.0}
    by_order = lambda order: {name: loss_floor(target, **clock, power=p, order=order) for name, p in powers.items()}
    return two_rules(by_order(5), by_order(7), relative=1e-9)


studies = [
    Study(
        name="tilting_bounds", title="Finite floor of the novel target and its bound",
        grid=Grid(base=list(BASES), deviation=[1.0, 1.6]), measure=bounds,
        variables={
            "ratio": Variable("KL-weighted floor of NSM over its bound (tau^2/2) E|grad log g|^2"),
            "ratio_reward": Variable("KL-weighted floor of NSM over (tau^2/2) E|grad r|^2"),
        },
        claims=[
            Claim("tilting.nsm_finite",
                  f"Over two equal or unequal modes the KL-weighted floor of the novel target, tau = {tau:g}, is "
                  "finite, at most (tau^2/2) E|grad log g|^2.",
                  "finiteness: arXiv 2605.00229; constant derived here", "quadrature", "ratio", Inside(0.0, 1.0),
                  sharpness="ratio",
                  regime=f"tau_{tau:g}", where={"deviation": tau},
                  control=Control("the gradient of the reward for that of log g", variable="ratio_reward"))
            for tau in (1.0, 1.6)
        ],
    ),
    Study(
        name="tilting_novel_floor", title="Floor of the novel target over unequal modes",
        grid=Grid(schedule=list(SCHEDULES)), measure=novel,
        variables={
            "novel": Variable("KL-weighted floor of the novel target over unequal modes"),
            "novel_squared": Variable("Floor of the novel target with weight eta^2 over unequal modes"),
        },
        claims=[
            Claim("tilting.schedule_free_floor",
                  "Over two unequal modes the floor of the novel target (0.5094 for the reference of the base's "
                  "variance) does not depend on the schedule.",
                  "derived here", "quadrature", "novel", Inside(-1e-6, 1e-6), regime="mixture_novel",
                  where={"schedule": ["rectified_flow", "vp_cosine"]}, minus={"schedule": "foellmer"},
                  control=Control("weight eta^2", variable="novel_squared")),
        ],
    ),
]  # fmt: skip

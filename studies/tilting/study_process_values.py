"""A tilted process against its definition: potentials and Jacobians of its fields, its flow, its noise and its mean.

Slopes are central differences of fourth order; the flow is compared with the density that it transports.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

BASE = us.GaussianMixture(
    [[-1.0, 0.3], [0.9, -0.5]],
    [[[0.5, 0.2], [0.2, 0.4]], [[0.3, -0.1], [-0.1, 0.8]]],
    weights=[0.6, 0.4],
)
REWARD = us.QuadraticReward([0.8, -0.4], 0.5)
STEP, QUERIES, DRAWS = 1e-3, 40, 20_000
FIELDS = {
    "base": ("base_score_field", "score of the base"),
    "tilted": ("tilted_score_field", "score of the tilted law"),
    "control": ("optimal_control_field", "optimal control"),
}


def slope(f, x):
    """Derivatives of f (n, ...) along each axis, last, by central differences of fourth order."""
    columns = []
    for axis in STEP * np.eye(2):
        near, wide = f(x + axis) - f(x - axis), f(x + 2 * axis) - f(x - 2 * axis)
        columns.append((8 * near - wide) / (12 * STEP))
    return np.stack(columns, axis=-1)


def distance(value, other):
    return float(np.abs(value - other).max() / np.abs(other).max())


def of_field(process, name, t, rng):
    """Distances of slopes of the potential to the field, and of slopes of the field to its Jacobian."""
    field = getattr(process, FIELDS[name][0])(t)
    x = rng.standard_normal((QUERIES, 2))
    value, jacobian = field(x), field.jacobian(x)
    rise, bend = slope(field.potential, x), slope(field, x)
    return {"potential": distance(rise, value), "potential_down": distance(-rise, value),
            "jacobian": distance(jacobian, bend), "jacobian_half": distance(jacobian / 2, bend)}  # fmt: skip


def flow(process, t, rng):
    """The velocity in the continuity equation: d log p/dt + v.grad log p + div v = 0."""
    x = rng.standard_normal((QUERIES, 2))
    log_density = lambda time: process.base_marginal(time).log_density(x)
    near, wide = (log_density(t + k * STEP) - log_density(t - k * STEP) for k in (1, 2))
    rate = (8 * near - wide) / (12 * STEP)
    field = lambda y: process.velocity(y, t)
    carried = (field(x) * process.base_score(x, t)).sum(1)
    divergence = np.einsum("nii->n", slope(field, x))
    size = np.abs(rate).max()
    return {"flow": float(np.abs(rate + carried + divergence).max() / size),
            "flow_twice": float(np.abs(rate + 2 * carried + 2 * divergence).max() / size)}  # fmt: skip


def noised(process, t, rng):
    """Distance of the covariance of noised data to alpha^2 Cov + beta^2, over the size of that."""
    data = BASE.sample(DRAWS, rng)
    x = process.noise(data, t, rng)[0]
    alpha, beta2 = float(process.schedule.alpha(t)), float(process.schedule.beta_squared(t))
    found, spread = np.cov(x.T), alpha**2 * BASE.covariance_matrix
    ends = {"noised": spread + beta2 * np.eye(2), "noised_squared": spread + beta2**2 * np.eye(2)}
    # The worst direction: the whole matrix counts.
    return {name: np.linalg.norm(found - end, 2) / np.linalg.norm(end, 2) for name, end in ends.items()}


def started(process, t, rng):
    """Where simulated paths start, from the mean of the base (0) to that of the tilted law (1)."""
    laws = {"base": process.base_marginal(t), "tilted": process.tilted_marginal(t)}
    way = laws["tilted"].mean - laws["base"].mean
    first = {
        law: us.simulate(process, DRAWS, rng, times=[t, t + 1e-3], start=law, keep=True).trajectory[0] for law in laws
    }
    return {f"start_{law}": (x.mean(0) - laws["base"].mean) @ way / (way @ way) for law, x in first.items()}


def stepped(schedule, t, rng):
    """A simulated step without noise over round components of unequal width, against the drift of the process."""
    process = us.TiltedProcess(us.GaussianMixture(BASE.means, [0.3, 2.0], BASE.weights), REWARD, schedule)
    start, h = rng.standard_normal((QUERIES, 2)), 0.1
    run = {"times": [t, t + h], "control": "none", "sigma": lambda t: 0.0, "start": start}
    moved = us.simulate(process, QUERIES, rng, **run).points - start
    drift = h * process.drift(start, t, sigma=0.0)
    return {"step": distance(moved, drift), "step_twice": distance(moved, 2 * drift)}


def measure(cell, rng):
    process, t = us.TiltedProcess(BASE, REWARD, cell["schedule"]), 0.6
    first, second, third, fourth, last = rng.spawn(5)
    out = dict.fromkeys(VARIABLES, np.nan) | noised(process, t, third) | started(process, t, fourth)
    if cell["seed"] == 0:
        # Differences: h^4 of the fifth derivative, and rounding over h.
        out |= known(of_field(process, cell["field"], t, first) | flow(process, t, second), 1e-8)
        out |= known(stepped(cell["schedule"], t, last), 1e-12)
    return out


VARIABLES = {
    "potential": Variable("Largest relative distance of the slope of the potential to the field"),
    "potential_down": Variable("Largest relative distance of minus the slope of the potential to the field"),
    "jacobian": Variable("Largest relative distance of the Jacobian to the slopes of the field"),
    "jacobian_half": Variable("Largest relative distance of half of the Jacobian to the slopes of the field"),
    "flow": Variable("Largest residual of the continuity equation over the rate of the log density"),
    "flow_twice": Variable("Largest residual of the continuity equation with twice the velocity"),
    "noised": Variable("Distance of the covariance of noised data to alpha^2 Cov + beta^2, relative"),
    "step": Variable("Largest relative distance of a simulated step without noise to the drift"),
    "step_twice": Variable("Largest relative distance of a simulated step without noise to twice the drift"),
    "start_base": Variable("Mean of simulated starts from the base, from that of the base (0) to the tilted one (1)"),
    "start_tilted": Variable("Mean of simulated starts from the tilted law, from that of the base (0) to its own (1)"),
    "noised_squared": Variable("Distance of the covariance of noised data to alpha^2 Cov + beta^4, relative"),
}
REGIME = "over two unequal modes in the plane with a quadratic reward, rectified flow and cosine VP, t = .6"
defined = Theorem("tilting.process_values", None, "derived here", "quadrature", test=Inside(-1.0, 1e-6))
study = Study(
    name="tilting_process_values", title="A tilted process against its definition",
    grid=Grid(schedule=["rectified_flow", "vp_cosine"], field=list(FIELDS), seed=range(16)),
    measure=measure, variables=VARIABLES,
    claims=[
        claim
        for name, (_, words) in FIELDS.items()
        for claim in (
            defined.claim(regime=f"potential, {name}", variable="potential", where={"field": name, "seed": 0},
                          statement=f"The {words} is the gradient of its potential, {REGIME}.",
                          control=Control("the potential with the other sign", variable="potential_down")),
            defined.claim(regime=f"Jacobian, {name}", variable="jacobian", where={"field": name, "seed": 0},
                          statement=f"The Jacobian of the {words} is that of differences, {REGIME}.",
                          control=Control("half of the Jacobian", variable="jacobian_half")),
        )
    ] + [
        defined.claim(regime="flow", variable="flow", where={"field": "base", "seed": 0},
                      statement=f"The velocity of the probability flow transports the density of the base, {REGIME}.",
                      control=Control("twice the velocity", variable="flow_twice")),
        defined.claim(regime="noise", evidence="monte_carlo", variable="noised", where={"field": "base"},
                      test=Inside(-0.1, 0.02),
                      statement="20,000 noised data have the covariance alpha^2 Cov + beta^2 within 2 % of its largest "
                                "eigenvalue, over two unequal modes in the plane, rectified flow and cosine VP, t = "
                                ".6.",
                      control=Control("beta^2 times the noise", variable="noised_squared")),
        defined.claim(regime="step", variable="step", where={"field": "base", "seed": 0},
                      statement="A simulated step without noise moves by the drift of the process, over two round "
                                "components of unequal width in the plane, rectified flow and cosine VP, t = .6.",
                      control=Control("twice the drift", variable="step_twice")),
        defined.claim(regime="start, base", evidence="monte_carlo", variable="start_base", where={"field": "base"},
                      test=Inside(-0.05, 0.05),
                      statement="Simulated paths that start from the base have its mean at t = .6, within 5 % of the "
                                "way to that of the tilted law.",
                      control=Control("paths that start from the tilted law", variable="start_tilted")),
    ],
)  # fmt: skip

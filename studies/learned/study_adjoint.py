"""Full and lean adjoint at the optimum: equal means, and variances whose order depends on the sign of the curvature.

Foellmer schedule over N(0, 1) with r = -q x^2/2, where the optimal control is u = -q x/(1 + q (1 - t)): adjoints are
linear in the noise of the steps, so that unit impulses through the public code give their exact variances. The full
adjoint is that of the cost; less its martingale it is deterministic.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.learned import full_adjoint
from unifiedscore.processes import Paths
from unifiedscore.processes.conditional import score_and_hessian
from unifiedscore.study import Control, Grid, Identity, Inside, Study, Theorem, Variable, two_rules

BASE = us.GaussianMixture([[0.0]], 1.0)
BEFORE = 1e-9  # the lean adjoint is asked for just after time 0


def gain(q):
    return lambda t: q / (1 + q * (1 - t))


def impulses(q, times):
    """Paths of the optimal control from 0, each driven by one unit of the noise of one step: (K + 1, K, 1)."""
    steps = np.diff(times)
    states, noise = np.zeros((len(times), len(steps), 1)), np.diag(np.sqrt(steps))
    for k, h in enumerate(steps):
        states[k + 1, :, 0] = (1 - h * gain(q)(times[k])) * states[k, :, 0] + noise[k]
    return Paths(times, states[-1], np.zeros(len(steps)), states)


def variances(q, n_steps):
    """Var of the adjoints at the start, and of the full one with its martingale."""
    times = np.append(BEFORE, np.linspace(0, 1, n_steps + 1)[1:])
    process = us.TiltedProcess(BASE, us.QuadraticReward([0.0], q), "foellmer")
    run, k = impulses(q, times), gain(q)
    settings = {
        "control": lambda x, t: -k(t) * x,
        "control_jacobian": lambda x, t: np.full((len(x), 1, 1), -k(t)),
    }
    lean = us.lean_adjoint(process, run)[0]
    full, rest = (full_adjoint(process, run, **settings, martingale=m)[0] for m in (False, True))
    # Impulses: the variance of a linear function of independent normals is the sum of its squared coefficients.
    return {"lean": np.sum(lean**2), "full": np.sum(full**2), "rest": np.sum(rest**2)}


def linear(cell, rng):
    q = cell["curvature"]
    coarse, middle, fine = (variances(q, n) for n in (40, 80, 160))
    # Euler paths: an error of first order, which 2 b - a removes.
    rules = []
    for a, b in ((coarse, middle), (middle, fine)):
        lean, full = (2 * b[name] - a[name] for name in ("lean", "full"))
        rules.append(
            {
                "ratio": full / lean * (1 + q),
                "ratio_lean": 1 + q,  # the lean adjoint in place of the full one
                "lean": lean * (1 + q) / q**2,
                "lean_full": full * (1 + q) / q**2,
                "smaller": (full - lean) / q**2,
            }
        )
    return two_rules(*rules, rounding=1e-6) | {"rest": fine["rest"], "rest_full": fine["full"], "unit": 1.0}


LAW = us.GaussianMixture([[-0.8], [0.6]], 0.5, weights=[0.4, 0.6])
PROCESS = us.TiltedProcess(LAW, us.QuadraticReward([0.3], 0.8), "foellmer")
START, FIRST = 0.2, 0.1


def control_slope(x, t):
    """Derivative of sigma (s* - s); sigma = 1."""
    of = lambda law: score_and_hessian(law, x)[1]
    return of(PROCESS.tilted_marginal(t)) - of(PROCESS.base_marginal(t))


def backward(run, sign):
    """The lean adjoint with the Jacobian of the drift times a sign."""
    a = -PROCESS.reward.gradient(run.trajectory[-1])
    for k in range(len(run.times) - 2, -1, -1):
        h = run.times[k + 1] - run.times[k]
        a = np.exp(sign * h * PROCESS.drift_jacobian(run.trajectory[k], run.times[k])[:, :, 0]) * a
    return float(a.mean())


def sampled(cell, rng):
    """Means of the adjoints over paths from one state, minus the exact gradient of the value there."""
    start = np.full((600, 1), START)
    run = us.simulate(PROCESS, len(start), rng, times=np.linspace(FIRST, 1, 21), keep=True, start=start)
    full = full_adjoint(PROCESS, run, control=PROCESS.optimal_control, control_jacobian=control_slope)[0]
    exact = -PROCESS.score_difference(start[:1], FIRST)[0, 0]
    return {
        "full_gap": float(full.mean() - exact),
        "lean_gap": float(us.lean_adjoint(PROCESS, run)[0].mean() - exact),
        "sign_gap": backward(run, -1) - exact,
    }


orders = Theorem("learned.full_vs_lean", source="derived here; related work: Domingo-Enrich et al. 2024, arXiv "
                 "2409.08861")  # fmt: skip
REGIME = "under the optimal control of r = -q x^2/2 over N(0, 1), Foellmer, q = 2 and -.6"
study = Study(
    name="learned_adjoint", title="Variances of the full and the lean adjoint at the optimum",
    grid=Grid(curvature=[2.0, -0.6]), measure=linear,
    variables={
        "ratio": Variable("Variance of the full over that of the lean adjoint at t = 0, times 1 + q"),
        "ratio_lean": Variable("Variance of the lean over that of the lean adjoint at t = 0, times 1 + q"),
        "lean": Variable("Variance of the lean adjoint at t = 0 over q^2/(1 + q)"),
        "lean_full": Variable("Variance of the full adjoint at t = 0 over q^2/(1 + q)"),
        "smaller": Variable("Variance of the full minus that of the lean adjoint, over q^2"),
        "rest": Variable("Variance of the full adjoint with its martingale added"),
        "rest_full": Variable("Variance of the full adjoint without its martingale"),
        "unit": Variable("One"),
    },
    claims=[
        orders.claim(regime="ratio", evidence="quadrature", variable="ratio", test=Inside(0.99, 1.01),
                     statement=f"At t = 0 the full adjoint has 1/(1 + q) times the variance of the lean one {REGIME}.",
                     control=Control("the lean adjoint in place of the full one", variable="ratio_lean")),
        orders.claim(regime="lean", evidence="quadrature", variable="lean", test=Inside(0.99, 1.01),
                     statement=f"At t = 0 the lean adjoint has the variance q^2/(1 + q) {REGIME}.",
                     control=Control("the full adjoint", variable="lean_full")),
        orders.claim(regime="martingale", evidence="exact", variable="rest", test=Identity(c=10, scale="unit"),
                     statement=f"The full adjoint plus its martingale is deterministic given the state {REGIME}.",
                     control=Control("no martingale", variable="rest_full")),
        orders.claim(regime="concave", evidence="quadrature", variable="smaller", where={"curvature": 2.0},
                     test=Inside(0.0, np.inf), expect="refuted",
                     statement="The lean adjoint has the smaller variance at the optimum for a concave reward, q = 2."),
        orders.claim(regime="convex", evidence="quadrature", variable="smaller", where={"curvature": -0.6},
                     test=Inside(0.0, np.inf),
                     statement="The lean adjoint has the smaller variance at the optimum for a convex reward, "
                               "q = -.6.",
                     control=Control("a concave reward", where={"curvature": 2.0})),
    ],
)  # fmt: skip
means = Study(
    name="learned_adjoint_means", title="Means of the full and the lean adjoint at the optimum",
    grid=Grid(seed=range(16)), measure=sampled,
    variables={
        "full_gap": Variable("Mean of the full adjoint minus the gradient of the value"),
        "lean_gap": Variable("Mean of the lean adjoint minus the gradient of the value"),
        "sign_gap": Variable("Mean of the lean adjoint with -grad b minus the gradient of the value"),
    },
    claims=[
        orders.claim(regime=f"mean, {name}", evidence="monte_carlo", variable=f"{name}_gap", test=Inside(-0.05, 0.05),
                     statement=f"Over two unequal modes the {name} adjoint under the optimal control has the gradient "
                               "of the value function as its mean given the state, at t = .1.",
                     control=Control("the lean adjoint with -grad b", variable="sign_gap"))
        for name in ("full", "lean")
    ],
)  # fmt: skip

PLANE = us.TiltedProcess(
    us.GaussianMixture([[-0.8, 0.2], [0.6, -0.5]], 0.5, weights=[0.4, 0.6]), us.QuadraticReward([0.3, -0.7], 0.8),
    "rectified_flow",
)  # fmt: skip
TURNING = np.array([[0.3, 1.1], [-0.6, 0.2]])
SMALL = 1e-5


def turn(x, t):
    """A control with a Jacobian that is not symmetric: A x cos t."""
    return np.cos(t) * x @ TURNING.T


def cost_of(start, noise, times):
    """Cost of Euler paths under the turning control with given noise, and the paths."""
    x, cost, path = start, 0.0, [start]
    for k, h in enumerate(np.diff(times)):
        t = float(times[k])
        u, sigma = turn(x, t), float(PLANE.schedule.sigma(t))
        cost = cost + 0.5 * h * (u**2).sum(1)
        x = x + h * (PLANE.drift(x, t) + sigma * u) + np.sqrt(h) * sigma * noise[k]
        path.append(x)
    return cost - PLANE.reward.value(x), np.array(path)


def derivative(cell, rng):
    """The full adjoint under the turning control against central differences of the cost in the first state."""
    times = np.linspace(0.2, 0.95, cell["n_steps"] + 1)
    start, noise = rng.normal(size=(20, 2)), rng.normal(size=(cell["n_steps"], 20, 2))
    path = cost_of(start, noise, times)[1]
    run = Paths(times, path[-1], np.zeros(20), path)
    moved = lambda move: cost_of(start + move, noise, times)[0]
    exact = np.stack([moved(move) - moved(-move) for move in SMALL * np.eye(2)], axis=1) / (2 * SMALL)
    found = {}
    for name, matrix in (("derivative", TURNING), ("derivative_turned", TURNING.T)):
        slope = lambda x, t, m=matrix: np.broadcast_to(np.cos(t) * m, (len(x), 2, 2))
        adjoint = full_adjoint(PLANE, run, control=turn, control_jacobian=slope)[0]
        found[name] = float(np.abs(adjoint - exact).max() / np.abs(exact).max())
    return found


slopes = Study(
    name="learned_adjoint_plane", title="The full adjoint is the derivative of the cost",
    grid=Grid(n_steps=[8, 32]), measure=derivative,
    variables={
        "derivative": Variable("Largest relative distance of the full adjoint to differences of the cost"),
        "derivative_turned": Variable("Largest relative distance of the full adjoint with the transposed Jacobian "
                                      "of the control to differences of the cost"),
    },
    claims=[
        orders.claim(regime="derivative", evidence="exact", variable="derivative", test=Inside(-1.0, 1e-7),
                     statement="In the plane, under a control whose Jacobian is not symmetric, the full adjoint is the "
                               "derivative of the cost along each Euler path in its first state, to seven digits.",
                     control=Control("the Jacobian of the control transposed", variable="derivative_turned")),
    ],
)  # fmt: skip

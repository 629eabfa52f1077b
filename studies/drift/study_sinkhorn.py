"""The Sinkhorn drift: gradient of the entropic divergence for the quadratic cost, closed form between Gaussians."""

import numpy as np

import unifiedscore as us
from unifiedscore.fields import sinkhorn_scaling
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, known

N, STEP = 4, 2e-3
MP, MQ, SP, SQ = -0.5, 0.2, 1.3, 0.8
X = np.array([[-1.0], [0.0], [0.8]])


def entropic_cost(kernel, epsilon, first, second):
    """Dual value of OT_eps between uniform samples, from converged scalings."""
    s = sinkhorn_scaling(kernel, first, second, tolerance=1e-13)
    first_part = first.weights @ (s.log_first - np.log(first.weights))
    return epsilon * float(first_part + second.weights @ (s.log_second - np.log(second.weights)))


def loss(kernel, epsilon, x, target):
    q = us.Samples(x)
    return entropic_cost(kernel, epsilon, q, target) - 0.5 * entropic_cost(kernel, epsilon, q, q)


def gradient(kernel, epsilon, x, target):
    """Fourth-order central differences of the loss in every coordinate."""
    out = np.empty_like(x)
    for index in np.ndindex(x.shape):
        values = []
        for steps in (1, -1, 2, -2):
            moved = x.copy()
            moved[index] += steps * STEP
            values.append(loss(kernel, epsilon, moved, target))
        out[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * STEP)
    return out


def slope(epsilon, other):
    return (-epsilon + np.sqrt(epsilon**2 + 4 * SQ**2 * other**2)) / 2 / SQ**2


def measure(cell, rng):
    epsilon = cell["epsilon"]
    x, y = rng.standard_normal((N, 2)), us.Samples(rng.standard_normal((N + 1, 2)) + 0.5)
    out = {}
    for name, kernel in (("quadratic", us.Gaussian(np.sqrt(epsilon))), ("norm", us.Laplace(epsilon))):
        drift = us.SinkhornDrift(kernel, target=y, model=x, tolerance=1e-13)(x)
        out[f"gradient_{name}"] = float(np.abs(drift + N * gradient(kernel, epsilon, x, y)).max())
    laws = us.GaussianMixture([[MP]], SP**2), us.GaussianMixture([[MQ]], SQ**2)
    fields = [
        us.SinkhornDrift(us.Gaussian(np.sqrt(epsilon)), target=laws[0], model=laws[1], order=o)(X) for o in (32, 40)
    ]
    exact = lambda e: MP - MQ + (slope(e, SP) - slope(e, SQ)) * (X - MQ)
    error = float(np.abs(fields[1] - fields[0]).max())
    found = {
        "gaussian": float(np.abs(fields[1] - exact(epsilon)).max()),
        "gaussian_doubled": float(np.abs(fields[1] - exact(2 * epsilon)).max()),
        "slope": float((fields[1][2] - fields[1][0]).item() / 1.8),
    }
    return out | known(found, error)


study = Study(
    name="drift_sinkhorn", title="Sinkhorn drift: a gradient, and its closed form between Gaussians",
    grid=Grid(epsilon=[0.5, 1.0]), measure=measure,
    variables={
        "gradient_quadratic": Variable("Largest entry of V_S + n grad of the entropic divergence, quadratic cost"),
        "gradient_norm": Variable("Largest entry of V_S + n grad of the entropic divergence, cost |x - y|"),
        "gaussian": Variable("Largest distance of the Sinkhorn drift to its closed form between Gaussians"),
        "gaussian_doubled": Variable("Largest distance of the Sinkhorn drift to the closed form with epsilon doubled"),
        "slope": Variable("Slope of the Sinkhorn drift between Gaussians"),
    },
    claims=[
        Claim("drift.sinkhorn_gradient",
              "For the quadratic cost the Sinkhorn drift is V_S(x_i) = -n grad_i [OT_eps(q, p) - OT_eps(q, q)/2].",
              "He et al. 2026, arXiv 2603.12366 (stated); finite differences of the dual value here", "exact",
              "gradient_quadratic", Inside(-1.0, 1e-7), control=Control("the cost |x - y|", variable="gradient_norm")),
        Claim("drift.sinkhorn_gaussian",
              "Between one-dimensional Gaussians the Sinkhorn drift is linear with slope (c_qp - c_qq)/sigma_q^2.",
              "derived here", "quadrature", "gaussian", Inside(-1.0, 1e-5),
              control=Control("epsilon doubled", variable="gaussian_doubled")),
    ],
)  # fmt: skip

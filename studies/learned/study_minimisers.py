"""What denoising losses ask for: the linear and the empirical minimiser, their excess, weights and preconditioning."""

import numpy as np

import unifiedscore as us
from unifiedscore.learned import GaussianDenoiser, Preconditioning, loss_weight
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Theorem, Variable, combine, known

TIMES = [0.1, 0.37, 0.6, 0.9]
SCALE = 0.8


def normal(order):
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    return nodes, weights / weights.sum()


def ring(covariance, d):
    """Points whose mean is 0 and whose second moment is the covariance."""
    root = np.linalg.cholesky(covariance)
    points = np.sqrt(d) * np.concatenate([root.T, -root.T])
    return us.Samples(points)


def linear(cell, rng):
    """Gradient descent on the denoising loss of a linear map, against E1: minimiser, excess and decay."""
    t, d = cell["time"], 3
    b = rng.standard_normal((d, d))
    data = ring(b @ b.T / d + 0.3 * np.eye(d), d)
    sigma, h = data.covariance_matrix, (1 - t) / t
    noisy = t**2 * sigma + (1 - t) ** 2 * np.eye(d)
    # The public denoiser sees x/t: its slope over t is that of a map of x.
    own = GaussianDenoiser(data, h)(np.eye(d)).T / t
    values, vectors = np.linalg.eigh(sigma)
    root = (vectors * np.sqrt(values)) @ vectors.T
    gradient = lambda theta: 2 * (theta @ noisy - t * sigma)
    start = rng.standard_normal((d, d))
    theta, u, steps = start, 0.5, 400
    for _ in range(steps):  # Runge-Kutta steps of gradient flow on the loss itself
        k = -u / steps * gradient(theta)
        m = -u / steps * gradient(theta + k / 2)
        n = -u / steps * gradient(theta + m / 2)
        theta = theta + (k + 2 * m + 2 * n - u / steps * gradient(theta + n)) / 6
    lam, axes = np.linalg.eigh(noisy)
    decay = lambda rate: own + (start - own) @ (axes * np.exp(-rate * lam * u)) @ axes.T
    loss = lambda a: np.trace(a @ noisy @ a.T - 2 * t * a @ sigma + sigma)
    excess = np.sum(((start - own) @ (axes * np.sqrt(lam))) ** 2)
    gaps = {
        "stationary": np.abs(gradient(own)).max(),
        "stationary_root": np.abs(2 * (own @ noisy - t * root)).max(),
        "excess": abs(loss(start) - loss(own) - excess),
        "excess_twice": abs(loss(start) - loss(own) - np.sum(((start - own) @ (axes * lam)) ** 2)),
    }
    flow = {"decay": np.abs(theta - decay(2)).max(), "decay_once": np.abs(theta - decay(1)).max()}
    return gaps | known(flow, 1e-9) | {"linear_scale": 10 * (1 + np.abs(start).max()) ** 2 * np.abs(noisy).max() * d}


def empirical(cell, rng):
    """Loss of half the empirical denoiser of three weighted points, directly and as floor plus excess."""
    points, masses, t = np.array([[-1.0], [0.4], [1.3]]), np.array([0.5, 0.2, 0.3]), cell["time"]
    data, h = us.Samples(points, masses), (1 - t) / t
    nodes, weights = normal(200)
    x = (points + h * nodes).reshape(-1, 1)  # every pair (y, z)
    pairs, clean = np.outer(masses, weights).ravel(), np.repeat(points[:, 0], len(nodes))
    center = us.Barycenter(us.Gaussian(h), data)
    mean, floor = center(x)[:, 0], lambda level: pairs @ spread(points, masses, x, level)
    direct = pairs @ (0.5 * mean - clean) ** 2
    excess = pairs @ (0.5 * mean - mean) ** 2
    gaps = {"split": direct - floor(h) - excess, "split_level": direct - floor(2 * h) - excess}
    return known(gaps, 1e-9)


def spread(points, masses, x, level):
    """Posterior variance of the data, from the second moment written out."""
    logs = np.log(masses) - (x - points.T) ** 2 / (2 * level**2)
    share = np.exp(logs - logs.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    return share @ points[:, 0] ** 2 - (share @ points[:, 0]) ** 2


def weighting(cell, rng):
    """Each loss as it is trained, against its weight of the error of the denoiser at the same noise."""
    t = cell["time"]
    h, error = (1 - t) / t, 1.0
    density = t * (1 - t)  # |dt / d log h|
    vp_angle = np.arctan(1 / h)  # cosine VP: alpha = sin, h = cot of pi t/2
    vp_density = np.sin(2 * vp_angle) / np.pi
    losses = {
        "flow_matching": density * error / (1 - t) ** 2,
        "kl": density * (1 - t) / t * (t / (1 - t) ** 2) ** 2 * error,
        "noise_prediction": vp_density * np.tan(vp_angle) ** 2 * error,
    }
    edm_output = h * SCALE / np.hypot(h, SCALE)
    losses["log_uniform"] = error / edm_output**2
    ratios = {name: value / loss_weight(name, h, scale=SCALE) - 1 for name, value in losses.items()}
    wrong = losses["flow_matching"] / loss_weight("kl", h) - 1
    return {"weights": max(map(abs, ratios.values())), "weights_other": abs(wrong), "unit": 1.0}


def preconditioned(cell, rng):
    """Denoiser, velocity and score of one output F, by the coefficients and from the denoiser by their definitions."""
    t = cell["time"]
    at = Preconditioning(t, scale=SCALE)
    x, values = rng.standard_normal((20, 2)), rng.standard_normal((20, 2))
    denoised = at.denoiser(x, values)
    velocity, score = (denoised - x) / (1 - t), (t * denoised - x) / (1 - t) ** 2
    gaps = [np.abs(at.velocity(x, values) - velocity), np.abs(at.score(x, values) - score)]
    transposed = Preconditioning(1 - t, scale=SCALE)
    untrained = GaussianDenoiser(us.GaussianMixture([[0.0, 0.0]], SCALE**2), (1 - t) / t)(x / t)
    nodes, weights = normal(60)
    clean, noise = (grid.ravel()[:, None] for grid in np.meshgrid(SCALE * nodes, nodes))
    mass = np.outer(weights, weights).ravel()
    target = lambda at: mass @ at.target(t * clean + (1 - t) * noise, clean)[:, 0] ** 2
    targets = known({"target": target(at) - 1, "target_scale": target(Preconditioning(t, scale=2 * SCALE)) - 1}, 1e-12)
    return targets | {
        "fields": max(g.max() for g in gaps) * (1 - t) ** 2,
        "fields_other": np.abs(transposed.velocity(x, values) - velocity).max() * (1 - t) ** 2,
        "untrained": np.abs(at.denoiser(x, np.zeros_like(x)) - untrained).max(),
        "untrained_other": np.abs(denoised - untrained).max(),
    }


HERE, EDM = "derived here", "Karras et al. 2022, arXiv 2206.00364"
linear_net = Theorem("learned.linear_minimiser", source=HERE)
study = Study(
    name="learned_minimisers", title="Minimisers, excess, weights and preconditioning of denoising losses",
    grid=Grid(time=TIMES), measure=combine(linear, empirical, weighting, preconditioned),
    variables={
        "stationary": Variable("Gradient of the loss at the Gaussian denoiser"),
        "stationary_root": Variable("Gradient of the loss at the minimiser with the root of the covariance"),
        "excess": Variable("Loss minus its floor minus |(theta - theta_t) C_t^1/2|^2"),
        "excess_twice": Variable("Loss minus its floor minus |(theta - theta_t) C_t|^2"),
        "decay": Variable("Gradient flow against exp(-2 C_t u)"),
        "decay_once": Variable("Gradient flow against exp(-C_t u)"),
        "linear_scale": Variable("Size of the terms of the linear loss"),
        "split": Variable("Loss minus floor minus excess"),
        "split_level": Variable("Loss minus the floor of twice the noise minus excess"),
        "weights": Variable("Largest relative gap between a loss and its weight"),
        "weights_other": Variable("Relative gap between flow matching and the weight of the KL"),
        "unit": Variable("One"),
        "fields": Variable("Largest gap of velocity and score to their definitions, times (1 - t)^2"),
        "fields_other": Variable("Largest gap of the velocity with t and 1 - t exchanged, times (1 - t)^2"),
        "untrained": Variable("Largest gap between the denoiser at F = 0 and the Gaussian denoiser"),
        "untrained_other": Variable("Largest gap between the denoiser at a random F and the Gaussian denoiser"),
        "target": Variable("Variance of the target of F for Gaussian data, minus 1"),
        "target_scale": Variable("Variance of the target of F with twice the scale of the data, minus 1"),
    },
    claims=[
        linear_net.claim(regime="minimiser", evidence="exact", variable="stationary",
                         test=Identity(c=20, scale="linear_scale"),
                         statement="The denoising loss of a linear map of x_t is stationary at t Sigma (t^2 Sigma + "
                                   "(1-t)^2 I)^-1, the Gaussian denoiser of the second moments, in three dimensions.",
                         control=Control("the root of the covariance", variable="stationary_root")),
        linear_net.claim(regime="excess", evidence="exact", variable="excess",
                         test=Identity(c=20, scale="linear_scale"),
                         statement="The denoising loss of a linear map exceeds its floor by |(theta - theta_t) "
                                   "C_t^1/2|_F^2.",
                         control=Control("C_t in place of its root", variable="excess_twice")),
        linear_net.claim(regime="decay", evidence="quadrature", variable="decay", test=Inside(-np.inf, 1e-6),
                         statement="Gradient flow on the denoising loss of a linear map closes the gap to the "
                                   "minimiser as exp(-2 C_t u).",
                         control=Control("half the rate", variable="decay_once")),
        Claim("learned.excess_loss",
              "For a weighted empirical law E|D - y|^2 = E Var(y | x) + E|D - Dhat|^2, here for half the empirical "
              "denoiser of three points.",
              HERE, "quadrature", "split", Inside(-1e-8, 1e-8),
              control=Control("the floor of twice the noise", variable="split_level")),
        Claim("learned.loss_weights",
              "Flow matching, the KL-weighted score, noise prediction under cosine VP and the preconditioned loss are "
              "the squared error of the denoiser with the weights 1/h, 1/h^2, (2/pi)/(h(1+h^2)), (h^2+s^2)/(h s)^2.",
              HERE, "exact", "weights", Identity(c=20, scale="unit"),
              control=Control("the KL weight for flow matching", variable="weights_other")),
        *(Claim("learned.preconditioning", statement, EDM, "exact", variable, Identity(c=50, scale="unit"),
                regime=regime, control=Control(mutation, variable=wrong))
          for regime, statement, variable, mutation, wrong in (
              ("fields", "Velocity and score of a preconditioned network follow from its denoiser at t = .1 to .9.",
               "fields", "t and 1 - t exchanged", "fields_other"),
              ("untrained", "A preconditioned network whose output is 0 is the denoiser of N(0, s^2 I).", "untrained",
               "a random output", "untrained_other"))),
        Claim("learned.preconditioning",
              "For Gaussian data of the declared scale the target of a preconditioned network has variance 1.",
              EDM, "quadrature", "target", Inside(-1e-9, 1e-9), regime="target",
              control=Control("twice the scale of the data", variable="target_scale")),
    ],
)  # fmt: skip

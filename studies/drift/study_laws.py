"""Laws against their definitions: densities, scores, moments, tilts, draws, whitening, and posteriors far out.

Mixtures of three components of unequal weight and spread in three dimensions, isotropic and with full covariances.
Densities are added up component by component, tilts are integrated along axes, distances are taken pair by pair.
"""

import math

import numpy as np

import unifiedscore as us
from unifiedscore.measures.rules import normal_gamma
from unifiedscore.metrics import nearest_training_distance
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable

D, QUERIES, DRAWS = 3, 40, 20_000
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
MASSES = np.array([0.5, 0.2, 0.3])


def mixture(rng, *, full):
    """A mixture, its means and its covariance matrices."""
    means, variances = rng.standard_normal((3, D)), np.array([0.3, 0.8, 1.5])
    if not full:
        return us.GaussianMixture(means, variances, MASSES), means, variances[:, None, None] * np.eye(D)
    turns = np.linalg.qr(rng.standard_normal((3, D, D)))[0]
    covariances = np.einsum("mij,j,mkj->mik", turns, [0.2, 0.7, 2.0], turns)
    return us.GaussianMixture(means, covariances, MASSES), means, covariances


def log_terms(x, means, covariances, *, dimension=D):
    """Log of each weighted component density (n, m), with the determinant of so many dimensions."""
    gap = x[:, None] - means
    shape = np.einsum("nmi,mij,nmj->nm", gap, np.linalg.inv(covariances), gap)
    logdet = np.linalg.slogdet(covariances)[1] * dimension / D
    return np.log(MASSES) - 0.5 * (shape + logdet + D * np.log(2 * np.pi))


def density(rng):
    law, means, covariances = mixture(rng, full=False)
    x = law.sample(QUERIES, rng)
    right, slip = (np.logaddexp.reduce(log_terms(x, means, covariances, dimension=k), axis=1) for k in (D, 1))
    return law.log_density(x), right, slip


def score(rng):
    law, means, covariances = mixture(rng, full=False)
    x = law.sample(QUERIES, rng)
    terms = log_terms(x, means, covariances)
    share = np.exp(terms - np.logaddexp.reduce(terms, axis=1)[:, None])[:, :, None]
    gap, variances = means - x[:, None], covariances[:, :1, 0]
    return law.score(x), (share * gap / variances).sum(1), (share * gap).sum(1) / variances.mean()


def covariance(rng):
    law, means, covariances = mixture(rng, full=True)
    about = lambda center: np.einsum("m,mi,mj->ij", MASSES, means - center, means - center)
    within = np.einsum("m,mij->ij", MASSES, covariances)
    return law.covariance_matrix, within + about(MASSES @ means), within + about(means.mean(0))


def scaled(rng):
    law, _, _ = mixture(rng, full=True)
    return law.scaled(0.3).covariance_matrix, 0.09 * law.covariance_matrix, 0.3 * law.covariance_matrix


def tilt(rng, *, full):
    """log E exp(b.x - q|x|^2/2), component by component: a product of sums over 40 nodes along the axes of each."""
    law, means, covariances = mixture(rng, full=full)
    linear, q = rng.standard_normal(D), 0.7
    process = us.TiltedProcess(law, us.QuadraticReward(linear, q), "rectified_flow")
    total, slip = [], []
    for mean, matrix in zip(means, covariances, strict=True):
        values, axes = np.linalg.eigh(matrix)
        logs = []
        for value, axis in zip(values, axes.T, strict=True):
            y = mean @ axis + np.sqrt(value) * NODES
            logs.append(np.log(WEIGHTS @ np.exp((linear @ axis) * y - 0.5 * q * y**2)))
        total.append(sum(logs))
        slip.append(sum(logs) + 0.5 * np.log1p(q * values[1:]).sum())  # the determinant of one axis alone
    log_mean = lambda logs: np.logaddexp.reduce(np.log(MASSES) + logs)
    return process.log_normalizer, log_mean(total), log_mean(slip)


def sample_covariance(rng):
    points, mass = rng.standard_normal((QUERIES, D)), rng.uniform(0.1, 2.0, QUERIES)
    right, slip = (np.cov(points.T, aweights=w, bias=True) for w in (mass, np.ones(QUERIES)))
    return us.Samples(points, mass).covariance_matrix, right, slip


def whitened(rng):
    data = rng.standard_normal((400, D)) @ np.diag([0.2, 1.0, 5.0]) + 3.0
    map_ = us.whiten(data)
    there = map_.apply(data)
    return (
        np.vstack([np.cov(there.T, bias=True), map_.restore(there)]),
        np.vstack([np.eye(D), data]),
        np.vstack([np.cov(data.T, bias=True), data - data.mean(0)]),
    )


def distance(rng):
    training, samples = rng.standard_normal((60, D)), rng.standard_normal((QUERIES, D))
    right = np.array([min(np.linalg.norm(a - b) for b in training) for a in samples])
    return nearest_training_distance(samples, training), right, right / 2


def quadrature(rng):
    """Second moments of the model by the nodes of its reduction, in 64 dimensions."""
    law = us.load_pair("ring_mog", dimension=64)[1].reduced()
    x, w = law.quadrature(order=6)
    second = np.einsum("n,ni->i", w, x**2)
    # The last coordinate is the radius outside the span: its square is the sum over 64 - k axes.
    exact = np.append(np.diag(law.second_moment)[: x.shape[1] - 1], np.nan)
    exact[-1] = np.trace(law.second_moment) - exact[:-1].sum()
    return second, exact, exact * np.append(np.ones(len(exact) - 1), 0.5)


def far(rng):
    """Mean distances of the posterior at a million spreads from a mixture, under a Gaussian kernel."""
    law, means, covariances = mixture(rng, full=False)
    direction = rng.standard_normal((QUERIES, D))
    x = 1e6 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    # The widest component has all the mass there, and shrinks the way to it by tau^2/(tau^2 + s^2).
    wide = covariances[-1, 0, 0]
    away = np.linalg.norm(x - means[-1], axis=1)
    return us.posterior_moments(us.Gaussian(0.6), law, x).mean_distance, away * 0.36 / (0.36 + wide), away


def sparse_rule(rng):
    """E x_1^2 x_2^2 and E x_1^4 of normal axes by Smolyak's rule, in five dimensions."""
    x, w = normal_gamma(5, shape=None, order=6, sparse=True)
    found = np.array([w @ (x[:, 0] ** 2 * x[:, 1] ** 2), w @ x[:, 0] ** 4])
    return found, np.array([1.0, 3.0]), np.array([1.0, 3.0]) * np.abs(w).sum()


def counterpart(rng):
    """Covariance of the Gaussian points that stand against the spirals, over that of the spirals."""
    target, model = us.load_pair("spirals", n=DRAWS, rng=rng)
    spread = target.covariance_matrix
    return np.trace(model.covariance_matrix), np.trace(spread), np.trace(spread @ spread)


def mean_distance(rng):
    """E r at the centre of N(0, s^2 I) under a Gaussian kernel: that of a chi variable."""
    s2, tau2 = 1.3, 0.36
    law, spread = us.GaussianMixture(np.zeros((1, D)), s2), np.sqrt(s2 * tau2 / (s2 + tau2))
    found = us.posterior_moments(us.Gaussian(np.sqrt(tau2)), law, np.zeros((1, D))).mean_distance
    chi = np.sqrt(2) * math.gamma((D + 1) / 2) / math.gamma(D / 2)
    return found, np.array([spread * chi]), np.array([spread * chi * np.sqrt(np.pi)])


def drawn(rng, *, full):
    """Covariance of draws within components, along the right one and as a trace, of one law for all seeds."""
    law, means, covariances = mixture(np.random.default_rng(5), full=full)
    gap = law.sample(DRAWS, rng) - MASSES @ means
    between = np.einsum("m,mi,mj->ij", MASSES, means - MASSES @ means, means - MASSES @ means)
    found, within = gap.T @ gap / DRAWS - between, np.einsum("m,mij->ij", MASSES, covariances)
    if full:
        values, axes = np.linalg.eigh(covariances)
        turned = np.einsum("m,mji,mj,mjk->ik", MASSES, axes, values, axes)
        return np.sum(found * within), np.sum(within**2), np.sum(turned * within)
    squared = np.einsum("m,mij->ij", MASSES, covariances @ covariances)
    return np.trace(found), np.trace(within), np.trace(squared)


EXACT = {
    "density": (density, "log density of a mixture of unequal variances", "the determinants of one dimension"),
    "score": (score, "score of a mixture of unequal variances", "the mean variance for each"),
    "covariance": (covariance, "covariance of a mixture", "about the unweighted mean of the centres"),
    "scaled": (scaled, "covariance of a scaled mixture", "the factor for its square"),
    "tilt": (lambda rng: tilt(rng, full=False), "normaliser of a quadratic tilt of an isotropic mixture",
             "the determinant of one dimension"),
    "tilt, full": (lambda rng: tilt(rng, full=True), "normaliser of a quadratic tilt of a mixture with full "
                   "covariances", "the determinant of one dimension"),
    "weighted covariance": (sample_covariance, "covariance of a weighted sample", "equal weights"),
    "whitening": (whitened, "unit covariance of a whitened sample, and its way back,", "the sample as it was"),
    "nearest": (distance, "distance of a sample to its nearest training point", "half of it"),
    "quadrature": (quadrature, "second moments of a ring of mixtures by its quadrature in 64 dimensions",
                   "half of the radius outside of the span"),
    "sparse rule": (sparse_rule, "fourth moments of five normal axes by the sparse rule",
                    "weights without their signs"),
    "mean distance": (mean_distance, "mean distance of a Gaussian kernel's posterior at the centre of a Gaussian law",
                      "a factor sqrt(pi) more"),
    "far": (far, "mean distance of a Gaussian kernel's posterior a million spreads away", "no shrinkage"),
}  # fmt: skip
DRAWN = {
    "draws": (
        lambda rng: drawn(rng, full=False),
        "trace of the covariance of draws of an isotropic mixture",
        "variances squared",
    ),
    "draws, full": (
        lambda rng: drawn(rng, full=True),
        "covariance of draws of a mixture with full covariances",
        "transposed eigenvectors",
    ),
    "counterpart": (
        counterpart,
        "trace of the covariance of the Gaussian points that stand against the spirals",
        "the square of the covariance",
    ),
}


def measure(cell, rng):
    if cell["law"] in DRAWN:
        value, right, slip = DRAWN[cell["law"]][0](rng)
        return {"gap": np.nan, "gap_slip": np.nan, "ratio": value / right, "ratio_slip": value / slip}
    value, right, slip = EXACT[cell["law"]][0](rng)
    gap = lambda other: float(np.abs(value - other).max() / np.abs(other).max())
    return {"gap": gap(right), "gap_slip": gap(slip), "ratio": np.nan, "ratio_slip": np.nan}


def skip(cell):
    return "an exact value needs one draw" if cell["law"] in EXACT and cell["seed"] else ""


exact = Theorem("drift.laws", None, "found here (definitions, written out)", "exact", "gap", Inside(-1.0, 1e-10))
study = Study(
    name="drift_laws", title="Laws against their definitions",
    grid=Grid(law=[*EXACT, *DRAWN], seed=range(16), skip=skip), measure=measure,
    variables={
        "gap": Variable("Largest distance to the definition, over the largest value"),
        "gap_slip": Variable("Largest distance to what a slip of the formula gives, over the largest value"),
        "ratio": Variable("Moment of draws over its value"),
        "ratio_slip": Variable("Moment of draws over what a slip of the code would have"),
    },
    claims=[
        exact.claim(regime=law, where={"law": law, "seed": 0}, control=Control(slip, variable="gap_slip"),
                    statement=f"The {words} is its definition to ten digits, in three dimensions."
                    if law not in ("quadrature", "sparse rule") else f"The {words} are those of the law to ten digits.")
        for law, (_, words, slip) in EXACT.items()
    ] + [
        exact.claim(regime=law, evidence="monte_carlo", variable="ratio", where={"law": law}, test=Inside(0.98, 1.02),
                    statement=f"The {words} is that of the law, within 2 %.",
                    control=Control(slip, variable="ratio_slip"))
        for law, (_, words, slip) in DRAWN.items()
    ],
)  # fmt: skip

"""Pairs (target, model) that single out one condition of the high-dimensional theorems."""

import numpy as np

import unifiedscore as us


def student_radii(degrees, count):
    """Variances and weights of the Gaussians whose mixture is nearly a multivariate t: Gauss rule for its mixing law.

    A t variable is a normal one over sqrt(chi^2_degrees/degrees).
    """
    from scipy.special import roots_genlaguerre

    nodes, weights = roots_genlaguerre(count, degrees / 2 - 1)
    return degrees / (2 * nodes), weights / weights.sum()


def spread(law, variances, weights):
    """Every component of a law as a mixture of Gaussians around one centre, its variance times each of `variances`."""
    count = len(variances)
    return us.GaussianMixture(
        np.repeat(law.centers, count, axis=0),
        np.outer(law.variances, variances).ravel(),
        np.outer(law.weights, weights).ravel(),
        dimension=law.dimension,
    )


SPREADS = {"shells": (np.array([0.5, 1.5]), np.array([0.5, 0.5])), "student_t": student_radii(3, 5)}


def pair(name, d):
    """Target, model and the components of the model that stand for all of it under the symmetry of the pair.

    crossed: two modes on one axis against two on another, of equal means and traces. ring_mog_wide: rings of five
    modes, radii 3 and 1.5, std .7. five_six: rings of six and of five modes, whose means and covariances are equal.
    shells, student_t: rings whose modes have two or five radii, so that norms do not concentrate. The others are named
    pairs of the package. `None` stands for all components.
    """
    if name == "five_six":
        six, five = (us.load_pair("ring_mog", dimension=d, modes=modes)[0] for modes in (6, 5))
        return six, five, None  # a reflection is all that two rings of six and of five modes share
    if name == "crossed":
        laws = [[[2.0, 0.0], [-2.0, 0.0]], [[0.0, 2.0], [0.0, -2.0]]]
        return *(us.GaussianMixture(centers, 0.25, dimension=d) for centers in laws), [0]
    if name == "ring_mog_wide":
        return *us.load_pair("ring_mog", dimension=d, modes=5, std=0.7, model_radius=1.5), [0]
    if name in SPREADS:
        target, model = (spread(law, *SPREADS[name]) for law in us.load_pair("ring_mog", dimension=d))
        return target, model, list(range(len(SPREADS[name][0])))
    target, model = us.load_pair(name, dimension=d)
    return target, model, None if name == "ring_mog_shifted" else [0]


def conditions(target, model):
    """What the theorems assume, of two reduced mixtures: equal norms, norms that concentrate, moments that differ."""
    norms, spreads = [], []
    for law in (target, model):
        x, w = law.quadrature(order=4)  # exact for the fourth power
        square = (x**2).sum(1)
        norms.append(float(w @ square))
        spreads.append(float(w @ (square - w @ square) ** 2))
    d, radius, k = model.ambient_dimension, np.mean(norms), model.active_dimension
    first, second = (law.second_moment[:k, :k] for law in (target, model))
    means = np.linalg.norm(target.weights @ target.centers - model.weights @ model.centers)
    return {
        "norm_ratio": norms[0] / norms[1],
        "norm_gap": abs(d * (norms[0] / norms[1] - 1)),
        "norm_spread": d * max(spreads) / radius**2,
        "moment_gap": float(
            (means + np.linalg.norm(first - second) / np.sqrt(np.trace(second))) / np.sqrt(np.trace(second))
        ),
    }

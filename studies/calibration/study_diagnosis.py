"""Does `us.diagnose` say what is there? Its numbers against others' on samples whose drift can be written down.

The second route is plain NumPy: distances, weights and their means of every query, and central differences of the drift
that they make. The laws are Gaussians in three dimensions, apart or equal; the concentration is that of sixty points in
three hundred dimensions, for which the products of a point with itself would count five.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

BANDWIDTH, FOLDS, QUERIES = 0.6, 5, 60
WIDE, FEW = 300, 60
SIZE = 300


def posterior(samples, x):
    """Posterior mean and mean distance of the Laplace kernel, written down."""
    distance = np.linalg.norm(x[:, None] - samples, axis=2)
    weights = np.exp(-(distance - distance.min(1, keepdims=True)) / BANDWIDTH)
    weights /= weights.sum(1, keepdims=True)
    return weights @ samples, (weights * distance).sum(1)


def drift(target, model, x):
    """The drift from model to target, written down: x itself cancels."""
    return posterior(target, x)[0] - posterior(model, x)[0]


def curl_share(target, model, x, step=1e-5):
    """Energy of the antisymmetric part of the Jacobian over that of the Jacobian, by central differences."""
    sides = [drift(target, model, x + step * e) - drift(target, model, x - step * e) for e in np.eye(x.shape[1])]
    jacobian = np.stack(sides, axis=2) / (2 * step)
    turning = (jacobian - jacobian.swapaxes(1, 2)) / 2
    return (turning**2).sum() / (jacobian**2).sum()


def concentration(points, origin):
    """d times the mean squared product of two points over the squared mean norm, with and without equal points."""
    gram = (points - origin) @ (points - origin).T
    norms, size = np.diag(gram), len(gram)
    unit = points.shape[1] / norms.mean() ** 2
    return unit * (gram**2).sum() / size**2, unit * ((gram**2).sum() - (norms**2).sum()) / (size * (size - 1))


def measure(cell, rng):
    shift = 0.7 if cell["laws"] == "apart" else 0.0
    target = rng.normal(size=(SIZE, 3)) * (1.3 if shift else 1.0) + shift
    model, x = rng.normal(size=(SIZE, 3)), rng.normal(size=(QUERIES, 3))
    seed = int(rng.integers(2**31))
    found = us.diagnose(target, model, kernel="laplace", bandwidths=[BANDWIDTH], queries=x, folds=FOLDS, seed=seed)
    alpha = BANDWIDTH * (posterior(target, x)[1] + posterior(model, x)[1]).mean() / 2
    energy = (drift(target, model, x) ** 2).sum(1).mean()
    one_sided = ((posterior(target, x)[0] - x) ** 2).sum(1).mean()
    share = float(found.curl_share[0]) / curl_share(target, model, x)
    noise = float(found.noise_energy[0]) / energy
    wide = [rng.normal(size=(FEW, WIDE)) for _ in range(2)]
    at = rng.normal(size=(10, WIDE))
    kappa = us.diagnose(*wide, kernel="laplace", bandwidths=[5.0], queries=at, seed=seed).kappa.values[0]
    both, distinct = concentration(wide[0], (wide[0].mean(0) + wide[1].mean(0)) / 2)
    return {
        "energy": float(found.drift_energy[0]) / energy - 1,
        "energy_of_one": float(found.drift_energy[0]) / one_sided - 1,
        "bandwidth": float(found.effective_bandwidth[0]) / np.sqrt(alpha) - 1,
        "bandwidth_squared": float(found.effective_bandwidth[0]) / alpha - 1,
        "curl": share - 1,
        "curl_doubled": 2 * share - 1,
        "noise": noise,
        "noise_of_a_fold": FOLDS * noise,
        "kappa": kappa / distinct - 1,
        "kappa_all": kappa / both - 1,
    }


APART, EQUAL = {"laws": "apart"}, {"laws": "equal"}
HERE = "derived here, from the definitions"


def claim(name, statement, variable, test, wrong, mutation, where):
    return Claim(f"calibration.diagnosed_{name}", statement, HERE, "monte_carlo", variable, test, where=where,
                 control=Control(mutation, variable=wrong))  # fmt: skip


ROUNDING = Inside(-1e-9, 1e-9)
study = Study(
    name="calibration_diagnosis", title="What diagnose says, and what is there",
    grid=Grid(laws=["apart", "equal"], seed=range(16)), measure=measure,
    variables={
        "energy": Variable("Relative difference of the stated energy of the drift to that written down"),
        "energy_of_one": Variable("Relative difference of the stated energy of the drift to that of one mean shift"),
        "bandwidth": Variable("Relative difference of the stated effective bandwidth to that written down"),
        "bandwidth_squared": Variable("Relative difference of the stated effective bandwidth to its square"),
        "curl": Variable("Relative difference of the stated curl share to that of central differences"),
        "curl_doubled": Variable("Relative difference of twice the stated curl share to that of central differences"),
        "noise": Variable("Stated energy of the noise over the energy of the drift"),
        "noise_of_a_fold": Variable("Stated energy of the noise of one fold over the energy of the drift"),
        "kappa": Variable("Relative difference of the stated concentration to that over pairs of different points"),
        "kappa_all": Variable("Relative difference of the stated concentration to that over all pairs of points"),
    },
    claims=[
        claim("energy",
              "The energy of the drift that diagnose states is that of the drift written down, for Gaussian samples in "
              "three dimensions.",
              "energy", ROUNDING, "energy_of_one", "the mean shift of the target alone", APART),
        claim("bandwidth",
              "The effective bandwidth of a Laplace kernel is the root of bandwidth times mean posterior distance, for "
              "Gaussian samples in three dimensions.",
              "bandwidth", ROUNDING, "bandwidth_squared", "its square", APART),
        claim("curl",
              "The curl share that diagnose states is within a quarter of that of central differences, on average, "
              "for Laplace drifts between Gaussian samples in three dimensions.",
              "curl", Inside(-0.25, 0.25), "curl_doubled", "twice the antisymmetric energy", APART),
        claim("noise",
              "Between samples of one law the drift is noise: the noise energy that diagnose states is within a "
              "factor 2 of the energy of that drift, on average.",
              "noise", Inside(0.5, 2.0), "noise_of_a_fold", "the noise of one fold of five", EQUAL),
        claim("concentration",
              "The concentration that diagnose states leaves out the products of a point with itself.",
              "kappa", ROUNDING, "kappa_all", "all pairs", EQUAL),
    ],
)  # fmt: skip

"""Potentials and Jacobians of fields against differences of what they are the slopes of, over samples and mixtures.

Fourteen fields in the plane, of kernels with and without a cusp; samples have unequal weights. Queries keep a tenth
away from every sample: a Laplace kernel has no derivatives there, and differences need the next ones.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.samplers import DriftingFlow
from unifiedscore.study import Control, Grid, Inside, Study, Theorem, Variable, known

STEP, QUERIES = 1e-3, 30
DRAW = np.random.default_rng(3)
SAMPLES = us.Samples(DRAW.standard_normal((60, 2)), DRAW.uniform(0.2, 2.0, 60))
OTHER = us.Samples(DRAW.standard_normal((50, 2)) + 0.7)
LAW = us.GaussianMixture([[-1.0, 0.4], [1.2, -0.3]], [0.5, 0.2], weights=[0.7, 0.3])
TURNED = us.GaussianMixture([[-1.0, 0.4], [1.2, -0.3]], [[[0.5, 0.3], [0.3, 0.4]], [[0.3, -0.2], [-0.2, 0.8]]])
GAUSSIAN, LAPLACE = us.Gaussian(0.8), us.Laplace(0.8)
PAIR = {"target": SAMPLES, "model": OTHER}
FIELDS = {
    "mean shift, Gaussian, samples": us.MeanShift(GAUSSIAN, SAMPLES),
    "mean shift, Laplace, samples": us.MeanShift(LAPLACE, SAMPLES),
    "mean shift, Gaussian, mixture": us.MeanShift(GAUSSIAN, LAW),
    "mean shift, Laplace, mixture": us.MeanShift(LAPLACE, LAW),
    "mean shift, Laplace, full covariances": us.MeanShift(LAPLACE, TURNED),
    "score, Laplace, samples": us.KernelScore(LAPLACE, SAMPLES),
    "score, Gaussian, mixture": us.KernelScore(GAUSSIAN, LAW),
    "score difference, Laplace": us.ScoreDifference(LAPLACE, **PAIR),
    "drift, Gaussian": us.Drift(GAUSSIAN, **PAIR),
    "drift, Laplace": us.Drift(LAPLACE, **PAIR),
    "barycenter": us.Barycenter(GAUSSIAN, SAMPLES, scale=0.7),
    "closed-form velocity": us.ClosedFormVelocity(SAMPLES, 0.6, 0.3, noise=[[0.3, -1.0], [0.8, 0.2]]),
    "witness, Gaussian": us.WitnessGradient(GAUSSIAN, **PAIR),
    "Hellinger drift, Gaussian": us.DivergenceDrift(GAUSSIAN, divergence="hellinger", **PAIR),
}


def queries(rng, n):
    """Points (n, 2) that keep a tenth away from all samples."""
    x = 1.5 * rng.standard_normal((20 * n, 2))
    near = [np.linalg.norm(x[:, None] - law.points, axis=2).min(1) for law in (SAMPLES, OTHER)]
    return x[np.minimum(*near) > 0.1][:n]


def slope(f, x):
    """Derivatives of f (n, ...) along each axis, last, by central differences of fourth order."""
    columns = []
    for axis in STEP * np.eye(2):
        near, wide = f(x + axis) - f(x - axis), f(x + 2 * axis) - f(x - 2 * axis)
        columns.append((8 * near - wide) / (12 * STEP))
    return np.stack(columns, axis=-1)


def curl_of_flow(rng):
    """Root mean square antisymmetric part that a flow reports, to that of the drift of the other particles."""
    x = queries(rng, 12)
    found = DriftingFlow(LAPLACE, SAMPLES).run(x, n_steps=1).curl[0]
    total = 0.0
    for i, query in enumerate(x):
        bend = slope(us.Drift(LAPLACE, target=SAMPLES, model=np.delete(x, i, axis=0)), query[None])[0]
        total += np.linalg.norm((bend - bend.T) / 2) ** 2
    exact = np.sqrt(total / len(x))
    return known({"curl": found / exact - 1, "curl_whole": found / exact / np.sqrt(2) - 1}, 1e-7)


def measure(cell, rng):
    if cell["field"] == FLOW:
        return dict.fromkeys(("potential", "potential_twice", "jacobian", "jacobian_half"), np.nan) | curl_of_flow(rng)
    field, x = FIELDS[cell["field"]], queries(rng, QUERIES)
    distance = lambda value, other: float(np.abs(value - other).max() / np.abs(other).max())
    out = dict.fromkeys(("curl", "curl_whole", "potential", "potential_twice", "jacobian", "jacobian_half"), np.nan)
    if cell["field"] in WITH_POTENTIAL:
        rise, value = slope(field.potential, x), field(x)
        out |= {"potential": distance(rise, value), "potential_twice": distance(2 * rise, value)}
    if cell["field"] in WITH_JACOBIAN:
        bend, jacobian = slope(field, x), field.jacobian(x)
        out |= {"jacobian": distance(jacobian, bend), "jacobian_half": distance(jacobian / 2, bend)}
    # Differences: h^4 of the fifth derivative at samples away, and rounding over h.
    return known(out, 1e-7)


NO_POTENTIAL = (
    "mean shift, Laplace, samples",
    "mean shift, Laplace, mixture",
    "mean shift, Laplace, full covariances",
    "drift, Laplace",
)
NO_JACOBIAN = ("score, Laplace, samples", "score difference, Laplace", "witness, Gaussian", "Hellinger drift, Gaussian")
FLOW = "flow"
WITH_POTENTIAL = [name for name in FIELDS if name not in NO_POTENTIAL]
WITH_JACOBIAN = [name for name in FIELDS if name not in NO_JACOBIAN]
slopes = Theorem("drift.slopes", None, "found here (differences)", "quadrature", test=Inside(-1.0, 1e-5))
study = Study(
    name="drift_slopes", title="Potentials and Jacobians of fields against differences",
    grid=Grid(field=[*FIELDS, FLOW]), measure=measure,
    variables={
        "potential": Variable("Largest relative distance of the slope of the potential to the field"),
        "potential_twice": Variable("Largest relative distance of twice the slope of the potential to the field"),
        "curl": Variable("Curl that a drifting flow reports over that of differences of its drift, minus 1"),
        "curl_whole": Variable("Curl that a drifting flow reports over sqrt(2) times that of differences, minus 1"),
        "jacobian": Variable("Largest relative distance of the Jacobian to differences of the field"),
        "jacobian_half": Variable("Largest relative distance of half of the Jacobian to differences of the field"),
    },
    claims=[
        slopes.claim(regime="potentials", variable="potential", where={"field": WITH_POTENTIAL},
                     statement=f"Each of {len(WITH_POTENTIAL)} fields in the plane that state a potential is its "
                               "gradient.",
                     control=Control("twice the potential", variable="potential_twice")),
        slopes.claim(regime="Jacobians", variable="jacobian", where={"field": WITH_JACOBIAN},
                     statement=f"Each of {len(WITH_JACOBIAN)} fields in the plane that state a Jacobian has that of "
                               "differences.",
                     control=Control("half of the Jacobian", variable="jacobian_half")),
        slopes.claim(regime="curl of a flow", variable="curl", where={"field": FLOW}, test=Inside(-1e-5, 1e-5),
                     statement="The curl that a Laplace flow in the plane reports is the root mean square "
                               "antisymmetric Jacobian of each particle's drift by the others.",
                     control=Control("both halves of the antisymmetric part", variable="curl_whole")),
    ],
)  # fmt: skip

"""Every drift under one interface on one problem in the plane: direction, size and curl of what is trained."""

import numpy as np

import unifiedscore as us
from unifiedscore.fields import sinkhorn_scaling
from unifiedscore.measures.nodes import as_nodes
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Theorem, Variable, known

AXIS, STEP = np.linspace(-4.5, 4.5, 25), 3e-4
KERNELS = {"gaussian": us.Gaussian(1.0), "laplace": us.Laplace(1.0)}
ORDER, TOLERANCE = 5, 1e-9
COARSE = np.stack(np.meshgrid(np.linspace(-4.0, 4.0, 5), np.linspace(-4.0, 4.0, 5)), -1).reshape(-1, 2)
P, Q = us.load_pair("ring_mog", dimension=2)
NEAR = us.GaussianMixture(P.means + np.array([0.1, 0.0]), 0.25)


def field(name, q=Q, *, p=P):
    """The field called `name` from the model q to p, at bandwidth 1."""
    kind, _, kernel = name.partition(":")
    kernel = KERNELS[kernel or "gaussian"]
    laws = {"target": p, "model": q}
    if kind in ("drift", "score", "sharp"):
        return {"drift": us.Drift, "score": us.ScoreDifference, "sharp": us.SharpDrift}[kind](kernel, **laws)
    if kind == "batch":
        return us.BatchDriftTarget(kernel, **laws, order=6)
    if kind == "sinkhorn":
        return us.SinkhornDrift(kernel, **laws, order=ORDER, tolerance=TOLERANCE)
    if kind == "witness":
        return us.WitnessGradient(kernel, **laws)
    if kind == "kl_flow":
        return us.SmoothedKLGradient(kernel, **laws, order=8)
    return us.DivergenceDrift(kernel, **laws, divergence=kind)


def along(value, weights):
    """Cosine between a field and the position under the model, on the coarse grid."""
    product = weights @ np.sum(value * COARSE, 1)
    return float(product / np.sqrt((weights @ np.sum(value**2, 1)) * (weights @ np.sum(COARSE**2, 1))))


def iterations(name):
    """Sweeps over the kernel matrix: one a value, two where columns are summed first, or until a plan has converged."""
    kind, _, kernel = name.partition(":")
    if kind != "sinkhorn":
        return {"batch": 2, "kl_flow": 8**2}.get(kind, 1)  # the flow averages scores over 8 x 8 nodes around a point
    first, second = (as_nodes(law, "law", ORDER) for law in (Q, P))
    return sinkhorn_scaling(KERNELS[kernel], first, second, tolerance=TOLERANCE).iterations


NAMES = [
    "drift:gaussian",
    "drift:laplace",
    "score:laplace",
    "sharp:laplace",
    "batch:gaussian",
    "batch:laplace",
    "sinkhorn:gaussian",
    "sinkhorn:laplace",
    "kl_target_model:gaussian",
    "chi2_model_target:gaussian",
    "witness:laplace",
    "kl_flow:gaussian",
]
GRADIENTS = [n for n in NAMES if n not in ("drift:laplace", "batch:gaussian", "batch:laplace", "sinkhorn:laplace")]


def curl(f, x):
    """Antisymmetric part dF_2/dx_1 - dF_1/dx_2 by central differences, and the size of the Jacobian."""
    columns = [(f(x + STEP * axis) - f(x - STEP * axis)) / (2 * STEP) for axis in np.eye(2)]
    jacobian = np.stack(columns, axis=-1)
    return jacobian[:, 1, 0] - jacobian[:, 0, 1], np.linalg.norm(jacobian, axis=(1, 2))


def measure(cell, rng):
    f = field(cell["field"])
    x = np.stack(np.meshgrid(AXIS, AXIS), -1).reshape(-1, 2)
    value, (turn, size) = f(x), curl(f, x)
    shape = (len(AXIS), len(AXIS))
    weight = np.exp(Q.log_density(x))
    reference = field("drift:gaussian")(x)
    product = weight @ np.sum(value * reference, 1)
    weights = np.exp(Q.log_density(COARSE))
    outward = [along(g(COARSE), weights) for g in (f, field(cell["field"], P, p=Q))]
    sizes = [np.abs(field(cell["field"], q)(COARSE)).max() for q in (P, NEAR, Q)]
    return {
        "field_x": value[:, 0].reshape(shape),
        "field_y": value[:, 1].reshape(shape),
        "curl": turn.reshape(shape),
        # h^2/6 of the third derivative is 2e-8 at unit scale, quadrature noise of 1e-12 over h less.
        "curl_share": known(float(np.abs(turn).max() / size.max()), 1e-7),
        **known({"outward": outward[0], "outward_reversed": outward[1]}, 1e-8),
        "energy": float(weight @ np.sum(value**2, 1) / weight.sum()),
        "alignment": float(product / np.sqrt((weight @ np.sum(value**2, 1)) * (weight @ np.sum(reference**2, 1)))),
        # Plans converged to 1e-9 in L1, of points within 5 of the origin; rounding is below that.
        "at_target": known(float(sizes[0] / sizes[2]), 1e-8),
        "near_target": known(float(sizes[1] / sizes[2]), 1e-8),
        "iterations": iterations(cell["field"]),
    }


grid = {"dims": ("row", "column"), "coords": {"row": AXIS, "column": AXIS}}
conservative = Theorem(
    "drift.variants_conservative", None, "derived here", "quadrature", "curl_share", Inside(-1.0, 1e-5)
)
study = Study(
    name="drift_zoo", title="The drifts side by side in the plane",
    grid=Grid(field=NAMES), measure=measure,
    variables={
        "field_x": Variable("First component of the field", **grid),
        "field_y": Variable("Second component of the field", **grid),
        "curl": Variable("Curl of the field", symbol="d_1 F_2 - d_2 F_1", **grid),
        "curl_share": Variable("Largest curl over the largest Jacobian"),
        "outward": Variable("Cosine between the field and the position under the model"),
        "outward_reversed": Variable("Cosine between the field with target and model exchanged and the position under "
                                     "the model"),
        "energy": Variable("Mean squared length of the field under the model"),
        "alignment": Variable("Global cosine between the field and the Gaussian drift"),
        "at_target": Variable("Largest length of the field where the model is the target, over that of the problem"),
        "near_target": Variable("Largest length of the field where the model is the target moved by .1, over that of "
                                "the problem"),
        "iterations": Variable("Sweeps over the kernel matrix per value of the field"),
    },
    claims=[
        Claim("drift.variants_equilibrium", "Each of the twelve drifts vanishes where the model is the target.",
              "Deng et al. 2026, arXiv 2602.04770, Proposition 3.1; the other fields derived here", "quadrature",
              "at_target", Inside(-1.0, 1e-6),
              control=Control("the target moved by a tenth of the bandwidth", variable="near_target")),
        Claim("drift.variants_outward",
              "Each of the twelve drifts pushes a ring of radius 2.5 outwards to its target, a ring of radius 3.",
              "derived here", "quadrature", "outward", Inside(0.02, 1.0),
              control=Control("target and model exchanged", variable="outward_reversed")),
        conservative.claim(regime="gradients", where={"field": GRADIENTS},
                           statement="Gaussian, sharp, Sinkhorn (quadratic), f-divergence, witness and KL-flow drifts "
                                     "are curl-free.",
                           control=Control("the Laplace drift", where={"field": "drift:laplace"})),
        conservative.claim(regime="Algorithm 2", where={"field": ["batch:gaussian", "batch:laplace"]},
                           expect="refuted", statement="The population field of Algorithm 2 is curl-free."),
        conservative.claim(regime="Laplace", where={"field": ["drift:laplace", "sinkhorn:laplace"]}, expect="refuted",
                           statement="Drifts of the cost |x - y| are curl-free."),
    ],
)  # fmt: skip

"""Every drift under one interface on one problem in the plane: direction, size and curl of what is trained."""

import numpy as np

import unifiedscore as us
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

AXIS, STEP = np.linspace(-4.5, 4.5, 25), 3e-4
KERNELS = {"gaussian": us.Gaussian(1.0), "laplace": us.Laplace(1.0)}
P, Q = us.load_pair("ring_mog", dimension=2)


def field(name):
    """The field called `name`, at bandwidth 1."""
    kind, _, kernel = name.partition(":")
    kernel = KERNELS[kernel or "gaussian"]
    laws = {"target": P, "model": Q}
    if kind in ("drift", "sharp"):
        return {"drift": us.Drift, "sharp": us.SharpDrift}[kind](kernel, **laws)
    if kind == "batch":
        return us.BatchDriftTarget(kernel, P, Q, order=6)
    if kind == "sinkhorn":
        return us.SinkhornDrift(kernel, **laws, order=5, tolerance=1e-9)
    if kind == "witness":
        return us.WitnessGradient(kernel, P, Q)
    if kind == "kl_flow":
        return us.SmoothedKLGradient(kernel, P, Q, order=8)
    return us.DivergenceDrift(kernel, P, Q, kind)


NAMES = [
    "drift:gaussian",
    "drift:laplace",
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
    return {
        "field_x": value[:, 0].reshape(shape),
        "field_y": value[:, 1].reshape(shape),
        "curl": turn.reshape(shape),
        "curl_share": float(np.abs(turn).max() / size.max()),
        # h^2/6 of the third derivative is 2e-8 at unit scale, quadrature noise of 1e-12 over h less.
        "curl_share_error": 1e-7,
        "energy": float(weight @ np.sum(value**2, 1) / weight.sum()),
    }


grid = {"dims": ("row", "column"), "coords": {"row": AXIS, "column": AXIS}}
conservative = dict(
    id="drift.variants_conservative",
    evidence="quadrature",
    variable="curl_share",
    test=Inside(-1.0, 1e-5),
    source="derived here",
)
study = Study(
    name="drift_zoo",
    title="The drifts side by side in the plane",
    grid=Grid(field=NAMES),
    measure=measure,
    variables={
        "field_x": Variable("Field, first component", **grid),
        "field_y": Variable("Field, second component", **grid),
        "curl": Variable("Curl of the field", symbol="d_1 F_2 - d_2 F_1", **grid),
        "curl_share": Variable("Largest curl over the largest Jacobian"),
        "energy": Variable("Mean squared length under the model"),
    },
    claims=[
        Claim(
            **conservative,
            regime="gradients",
            where={"field": GRADIENTS},
            statement="Gaussian, sharp, Sinkhorn (quadratic), f-divergence, witness and KL-flow drifts are curl-free",
            control=Control("the Laplace drift", where={"field": "drift:laplace"}),
        ),
        Claim(
            **conservative,
            regime="Algorithm 2",
            where={"field": ["batch:gaussian", "batch:laplace"]},
            statement="the population field of Algorithm 2 is curl-free",
            expect="refuted",
        ),
        Claim(
            **conservative,
            regime="Laplace",
            where={"field": ["drift:laplace", "sinkhorn:laplace"]},
            statement="drifts of the cost |x - y| are curl-free",
            expect="refuted",
        ),
    ],
)

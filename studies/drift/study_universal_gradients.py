"""The parameter gradients of drift and score losses, attacked: how far apart may they be for linear generators?

A generator x = A z + c of a few latent points meets the fields of few-point laws. The gradient of the drift loss is
-2 E J^T D, so that two fields D and C S give gradients that differ by 2 |E J^T (D - C S)|, at most
2 sqrt(E|J|^2 E|D - C S|^2) with the operator norm |J|^2 = |z|^2 + 1. The second route sums the definition in 40 digits.
"""

import math

import mpmath
import numpy as np

import unifiedscore as us
from unifiedscore.study import Choice, FalseVariant, Integer, Many, Real, Space, Study, Universal, Vector

KERNELS = {"gaussian": us.Gaussian, "laplace": us.Laplace}
COORDINATE = Real(-2, 2, simple=(0.0, 1.0, -1.0, 0.5))
space = Space(
    dimension=Integer(1, 3),
    latents=Integer(1, 4),
    points=Integer(2, 4),
    z=Many(Many(COORDINATE, at_most=3, count="dimension"), at_most=4, count="latents"),
    matrix=Vector(9, -2, 2),
    shift=Many(COORDINATE, at_most=3, count="dimension"),
    target=Many(Many(COORDINATE, at_most=3, count="dimension"), at_most=4, count="points"),
    kernel=Choice(tuple(KERNELS)),
    bandwidth=Real(0.3, 3.0, log=True, simple=(1.0,)),
    factor=Real(0.1, 10.0, log=True, simple=(1.0,)),
)


def generated(instance):
    """Latent points and what the generator makes of them."""
    d, z = instance["dimension"], np.array(instance["z"])
    matrix = np.array(instance["matrix"]).reshape(3, 3)[:d, :d]
    return z, z @ matrix.T + np.array(instance["shift"])


def ratio(z, gap):
    """|E J^T gap| / sqrt(E|J|^2 E|gap|^2): the blocks of J^T gap are gap z^T and gap."""
    blocks = np.einsum("nd,ne->de", gap, z) / len(z), gap.mean(0)
    norms = (z**2).sum(1) + 1
    return math.sqrt(sum(float((block**2).sum()) for block in blocks)) / math.sqrt(
        norms.mean() * (gap**2).sum(1).mean()
    )


def quantity(instance):
    z, x = generated(instance)
    fields = (field(KERNELS[instance["kernel"]](instance["bandwidth"]), target=us.Samples(np.array(instance["target"])),
                    model=us.Samples(x))(x) for field in (us.Drift, us.ScoreDifference))  # fmt: skip
    drift, score = fields
    gap = drift - instance["factor"] * score
    size = np.abs(drift).max() + instance["factor"] * np.abs(score).max() + np.abs(x).max()
    if np.sqrt((gap**2).sum(1).mean()) < 1e-6 * size:
        return {"value": math.nan, "error": 0.0}
    return {"value": ratio(z, gap), "error": 1e-9}


def second(instance):
    """The definition in 40 digits of mpmath"""
    with mpmath.workdps(40):
        z, x = generated(instance)
        tau, factor = mpmath.mpf(instance["bandwidth"]), mpmath.mpf(instance["factor"])

        def field(points, at):
            total, shift, score = mpmath.mpf(0), [mpmath.mpf(0)] * len(at), [mpmath.mpf(0)] * len(at)
            for row in points:
                vector = [mpmath.mpf(float(b)) - mpmath.mpf(float(a)) for a, b in zip(at, row, strict=True)]
                r = mpmath.sqrt(sum(v**2 for v in vector))
                gaussian = instance["kernel"] == "gaussian"
                weight = mpmath.exp(-(r**2) / (2 * tau**2)) if gaussian else mpmath.exp(-r / tau)
                b = 1 / tau**2 if gaussian else (1 / (tau * r) if r > 0 else mpmath.mpf(0))
                total += weight
                shift = [s + weight * v for s, v in zip(shift, vector, strict=True)]
                score = [s + weight * b * v for s, v in zip(score, vector, strict=True)]
            return [s / total for s in shift], [s / total for s in score]

        gaps = []
        for at in x:
            (v_p, s_p), (v_q, s_q) = field(np.array(instance["target"]), at), field(x, at)
            parts = zip(v_p, v_q, s_p, s_q, strict=True)
            gaps.append([vp - vq - factor * (sp - sq) for vp, vq, sp, sq in parts])
        scale = max(abs(g) for gap in gaps for g in gap) or mpmath.mpf(1)
        gap = np.array([[float(g / scale) for g in row] for row in gaps])
    return {"value": ratio(z, gap), "error": 1e-9}


# A single latent point that does not move anything but the shift: the field of errors is constant.
CONSTANT = space.instance(dimension=1, latents=1, points=2, z=((0.0,),), matrix=(0.0,) * 9, shift=(0.5,),
                          target=((1.0,), (-1.0,)), kernel="laplace", bandwidth=1.0, factor=1.0)  # fmt: skip
study = Study(
    name="universal_gradients", title="Gradients of drift and score losses of linear generators",
    universals=[
        Universal("universal.gradient_bound",
                  "For linear generators of 1 to 4 latent points in 1 to 3 dimensions with entries up to 2, targets of "
                  "2 to 4 points, Gaussian and Laplace kernels of bandwidths .3 to 3 and factors C from .1 to 10, the "
                  "gradients of the drift and the score loss differ by 2 sqrt(E|J|^2 E|D - C S|^2) at most, |J| the "
                  "operator norm.",
                  "derived here (Cauchy-Schwarz)", space, quantity, (-math.inf, 1.0), second,
                  FalseVariant("0.98 of the bound", region=(-math.inf, 0.98)), starts=(CONSTANT,),
                  sharpness=(0.98, 1.001)),
    ],
)  # fmt: skip

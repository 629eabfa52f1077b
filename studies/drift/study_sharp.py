"""The sharp kernel: every mean shift is a positive multiple of a score, and the sharp drift is a gradient.

Route one: mean shift by the engine; route two: score and normaliser of the sharp kernel, another kernel altogether.
Curl by complex steps of plain sums, free of any formula for the Jacobian.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.fields import sharp_scale
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Variable

KERNELS = ["gaussian", "laplace", "matern:0.8", "matern:1.5", "rational_quadratic:1.5", "student_t:3"]
QUERIES, SAMPLES = 6, 50


def jacobian(field, query):
    """J_ij = dF_i/dx_j by complex steps of 1e-30."""
    columns = []
    for j in range(len(query)):
        x = query.astype(complex)
        x[j] += 1e-30j
        columns.append(field(x).imag / 1e-30)
    return np.stack(columns, axis=1)


def sums(kernel, points):
    """Mean shift, and the same displacements over Z# instead of Z, at one complex point."""
    sharp = kernel.sharp()

    def parts(x):
        gap = points - x
        r = np.sqrt((gap**2).sum(1))
        k = np.exp(kernel.log_profile(r))
        return k @ gap, k.sum(), np.exp(sharp.log_scale + sharp.kernel.log_profile(r)).sum()

    return (lambda x: parts(x)[0] / parts(x)[1]), (lambda x: parts(x)[0] / parts(x)[2])


def curl_share(field, x):
    matrices = [jacobian(field, query) for query in x]
    return max(float(np.linalg.norm(j - j.T) / 2 / np.linalg.norm(j)) for j in matrices)


def measure(cell, rng):
    d = cell["dimension"]
    target, model = rng.standard_normal((SAMPLES, d)), 0.5 + rng.standard_normal((SAMPLES, d))
    x = rng.standard_normal((QUERIES, d))
    kernel = us.kernel_by_name(cell["kernel"], 0.4 * np.sqrt(2 * d), dimension=d)
    shift = us.MeanShift(kernel, target)(x)
    score = us.SharpScore(kernel, target)(x)
    scale = sharp_scale(kernel, target, x)[:, None]
    norm = lambda v: float(np.linalg.norm(v, axis=1).max())
    log_z = posterior_moments(kernel, target, x).log_normalizer
    fields = [sums(kernel, points) for points in (target, model)]
    drift, sharp = (lambda z, i=i: fields[0][i](z) - fields[1][i](z) for i in (0, 1))
    return {
        "identity": norm(shift - scale * score),
        # The kernel in place of its own sharp kernel: score and scale of k.
        "identity_own": norm(shift - us.KernelScore(kernel, target)(x)),
        "scale": (norm(shift) + norm(x) + norm(target)) * (1 + float(np.abs(log_z).max())),
        "curl_sharp": curl_share(sharp, x),
        "curl_drift": curl_share(drift, x),
    }


study = Study(
    name="drift_sharp", title="Sharp kernels: a positive multiple of a score",
    grid=Grid(dimension=[1, 2, 4, 8, 16], kernel=KERNELS, paired=("kernel",)), measure=measure,
    variables={
        "identity": Variable("Largest norm of V - (Z#/Z) grad log Z#", symbol="|V - lambda s#|"),
        "identity_own": Variable("Largest norm of V - grad log Z, the kernel in place of its sharp kernel"),
        "scale": Variable("Size of the largest term times its conditioning"),
        "curl_sharp": Variable("Largest antisymmetric share of the Jacobian of the sharp drift"),
        "curl_drift": Variable("Largest antisymmetric share of the Jacobian of the drift"),
    },
    claims=[
        Claim("drift.sharp_kernel", "The mean shift is Z#/Z times the score of the sharp kernel.",
              "derived here; Franz et al. 2026, arXiv 2604.06333; Balasubramanian 2026, arXiv 2605.22795", "exact",
              "identity", Identity(c=1e3, scale="scale"),
              control=Control("the kernel in place of its sharp kernel", variable="identity_own")),
        Claim("drift.sharp_conservative", "The sharp drift grad log(Z#_p/Z#_q) has no curl for any radial kernel.",
              "Franz et al. 2026, arXiv 2604.06333 (abstract); that it vanishes only at p = q is not tested", "exact",
              "curl_sharp", Inside(-1.0, 1e-10), where={"dimension": [2, 4, 8, 16], "kernel": KERNELS[1:]},
              control=Control("the drift itself", variable="curl_drift")),
    ],
)  # fmt: skip

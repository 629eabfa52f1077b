"""The curl of the mean shift: antisym(grad V) = -(V s^T - s V^T)/2, and only the Gaussian kernel has none.

Route one: the closed form from V and s. Route two: a complex-step derivative of a plain-NumPy mean shift, exact to
rounding and free of any formula for the Jacobian.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Theorem, Variable

KERNELS = ["gaussian", "laplace", "matern:1.5", "matern:0.8", "rational_quadratic:0.5", "student_t:3"]
QUERIES, SAMPLES = 8, 60


def jacobian(kernel, points, query):
    """J_ij = dV_i/dx_j by complex steps of 1e-30: no subtraction, no truncation."""
    d = len(query)
    columns = []
    for j in range(d):
        x = query.astype(complex)
        x[j] += 1e-30j
        gap = points - x
        log_weight = kernel.log_profile(np.sqrt((gap**2).sum(1)))
        pi = np.exp(log_weight - log_weight.real.max())
        columns.append((pi @ gap / pi.sum()).imag / 1e-30)
    return np.stack(columns, axis=1)


def measure(cell, rng):
    d = cell["dimension"]
    points, x = rng.standard_normal((SAMPLES, d)), rng.standard_normal((QUERIES, d))
    kernel = us.kernel_by_name(cell["kernel"], 0.4 * np.sqrt(2 * d), dimension=d)
    moments = posterior_moments(kernel, points, x)
    outer = moments.mean_shift[:, :, None] * moments.score[:, None, :]
    predicted = -(outer - outer.transpose(0, 2, 1)) / 2
    exact = np.stack([jacobian(kernel, points, query) for query in x])
    curl = (exact - exact.transpose(0, 2, 1)) / 2
    size = np.linalg.norm(moments.mean_shift, axis=1) * np.linalg.norm(moments.score, axis=1)
    norm = lambda a: np.linalg.norm(a, axis=(1, 2))
    return {
        "identity": float(norm(curl - predicted).max()),
        "identity_without_half": float(norm(curl - 2 * predicted).max()),
        "norm_identity": float(np.abs(norm(curl) - moments.curl_norm).max()),
        "norm_identity_whole": float(np.abs(norm(curl) - np.sqrt(2) * moments.curl_norm).max()),
        # The Jacobian itself is of size one and its antisymmetric part is what is left of it.
        "scale": float((np.sqrt(d) + norm(exact) + size).max()),
        "curl_share": float((norm(curl) / norm(exact)).max()),
    }


uniqueness = Theorem("drift.gaussian_unique_conservative",
                     "The mean shift of the kernel of this regime is curl-free on every sample in dimension 2 to 16.",
                     "Franz et al. 2026, arXiv 2604.06333 (abstract); proof for two atoms derived here", "exact",
                     "curl_share", Inside(-1e-12, 1e-12))  # fmt: skip
PLANE = {"dimension": [2, 4, 8, 16]}

study = Study(
    name="curl", title="Where the drift is not a gradient",
    grid=Grid(dimension=[2, 4, 8, 16], kernel=KERNELS, paired=("kernel",)), measure=measure,
    variables={
        "identity": Variable("Largest Frobenius norm of antisym(grad V) + (V s^T - s V^T)/2"),
        "identity_without_half": Variable("Largest Frobenius norm of antisym(grad V) + (V s^T - s V^T)"),
        "norm_identity": Variable("Largest difference between the curl norm of the engine and that of the derivative"),
        "norm_identity_whole": Variable("Largest difference between root 2 times the curl norm of the engine and that "
                                        "of the derivative"),
        "scale": Variable("Size of the largest term"),
        "curl_share": Variable("Largest antisymmetric share of the Jacobian", symbol="|A|/|J|"),
    },
    claims=[
        Claim("drift.curl_identity", "The antisymmetric part of the Jacobian of V is -(V s^T - s V^T)/2.",
              "derived here (radial kernels)", "exact", "identity", Identity(c=1e3, scale="scale"),
              where={"kernel": KERNELS[1:]},
              control=Control("the factor 1/2 is dropped", variable="identity_without_half")),
        Claim("drift.curl_norm",
              "The antisymmetric part of the Jacobian of V has the Frobenius norm |V||s||sin(V, s)|/sqrt 2.",
              "derived here (radial kernels)", "exact", "norm_identity", Identity(c=1e3, scale="scale"),
              where={"kernel": KERNELS[1:]},
              control=Control("the factor 1/sqrt 2 is dropped", variable="norm_identity_whole")),
        uniqueness.claim(regime="gaussian", where=PLANE | {"kernel": "gaussian"},
                         control=Control("Laplace kernel", where={"kernel": "laplace"})),
        uniqueness.claim(regime="laplace", where=PLANE | {"kernel": "laplace"}, expect="refuted"),
        uniqueness.claim(regime="matern", where=PLANE | {"kernel": "matern:1.5"}, expect="refuted"),
    ],
)  # fmt: skip

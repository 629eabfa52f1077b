"""V = alpha s + Cov_pi(1/b, b (y - x)) for every radial kernel, by two routes, d = 1 ... 4096.

Route one: the streamed sums of the engine (V, s, alpha). Route two: explicit posterior weights and a two-pass centred
covariance, from the kernel's own profile. With delta := V - alpha s the identity would be algebra and test nothing.
"""

import numpy as np

import unifiedscore as us
from unifiedscore.posterior import posterior_moments
from unifiedscore.study import Claim, Control, Grid, Identity, Inside, Study, Theorem, Variable

DIMENSIONS = [4**k for k in range(7)]
KERNELS = ["gaussian", "laplace", "matern:0.8", "matern:1.5", "rational_quadratic:0.5", "student_t:3"]
RADIAL = KERNELS[1:]
QUERIES, SAMPLES = 12, 400


def skip(cell):
    d = cell["dimension"]
    return (cell["data"] == "digits" and d != 64) or (cell["data"] == "image_patches" and d == 1)


def load(data, d, rng):
    if data == "digits":
        points = us.load_measure("digits").points[:SAMPLES] / 4.0
    elif data == "image_patches":
        points = us.load_measure("image_patches", patch=int(np.sqrt(d)), n=SAMPLES).points
    else:
        points = rng.standard_normal((SAMPLES, d)) * rng.uniform(0.5, 1.5, d)
    # Queries off the samples: at r = 0 the Laplace direction is undefined and the claim is not about it.
    return points, points[:QUERIES] + 0.2 * points.std() * rng.standard_normal((QUERIES, d))


def two_pass(kernel, points, x):
    """Posterior weights, then centred covariances, query by query."""
    rows = []
    for query in x:
        gap = points - query
        r = np.linalg.norm(gap, axis=1)
        log_weight = kernel.log_profile(r)
        pi = np.exp(log_weight - log_weight.max())
        pi /= pi.sum()
        w = kernel.inverse_weight(r)
        pull = gap / w[:, None]
        delta = (pi * (w - pi @ w)) @ (pull - pi @ pull)
        unit = gap / r[:, None]
        spread = np.sqrt(pi @ (r - pi @ r) ** 2)
        bound = spread * np.sqrt(max(0.0, 1 - np.sum((pi @ unit) ** 2)))
        active = log_weight[pi > 1e-16]
        rootless = spread * max(0.0, 1 - np.sum((pi @ unit) ** 2))
        harmonic = 1 / (pi @ (1 / w)), 1 / np.mean(1 / w)
        rows.append((delta, pi @ w, *harmonic, bound, rootless, float(active.max() - active.min())))
    return [np.array(column) for column in zip(*rows, strict=True)]


def measure(cell, rng):
    d = cell["dimension"]
    points, x = load(cell["data"], d, rng)
    distance = float(np.median(np.linalg.norm(points[:QUERIES] - points[QUERIES : 2 * QUERIES], axis=1)))
    kernel = us.kernel_by_name(cell["kernel"], 0.3 * distance, dimension=d)
    moments = posterior_moments(kernel, points, x)
    delta, alpha, harmonic, equal, _, _, log_range = two_pass(kernel, points, x)
    # Between two samples the bound is an equality.
    bounds = [(r[0], r[4], r[5]) for r in (two_pass(kernel, points, x), two_pass(kernel, points[:2], x))]
    norm = lambda v: np.linalg.norm(v, axis=1)
    terms = norm(moments.mean_shift) + alpha * norm(moments.score) + norm(points).max() + norm(x)
    # Posteriors that rest on one sample have no covariance to compare.
    active = moments.effective_samples > 1.5
    share = norm(delta) / norm(moments.mean_shift)
    first = lambda v: float(np.max(v))
    over = lambda size, bound: float(np.max(size / np.where(bound > 0, bound, np.inf)))
    return {
        "decomposition": first(norm(moments.mean_shift - alpha[:, None] * moments.score - delta)),
        "without_residual": first(norm(moments.mean_shift - alpha[:, None] * moments.score)),
        "scale": first(terms) * (1.0 + first(log_range)),
        "residual_share": first(share[active]) if active.any() else np.nan,
        "bound_ratio": max(over(norm(d), bound) for d, bound, _ in bounds),
        "bound_ratio_rootless": max(over(norm(d), rootless) for d, _, rootless in bounds),
        "harmonic_ratio": first(harmonic / alpha),
        "harmonic_ratio_equal": first(equal / alpha),
    }


def each_kernel():
    for kernel in RADIAL:
        yield Claim("drift.radial_decomposition",
                    "For a radial kernel V = alpha s + Cov_pi(1/b, b (y - x)), on synthetic and real data.",
                    "Lai et al. 2026, arXiv 2603.07514 (form stated; proof derived here)", "exact", "decomposition",
                    Identity(c=100, scale="scale"),
                    regime=kernel, where={"kernel": kernel, "data": ["samples", "digits", "image_patches"]},
                    control=Control("the covariance residual is left out", variable="without_residual"))  # fmt: skip


no_residual = Theorem("drift.gaussian_no_residual",
                      "The covariance residual of the kernel of this regime vanishes on every sample.",
                      "derived here (radial "
                      "decomposition)", "exact", "residual_share", Inside(-1e-9, 1e-9))  # fmt: skip
MIDDLE = {"data": "samples", "dimension": [4, 16, 64, 256]}

study = Study(
    name="radial_decomposition", title="Mean shift = preconditioned score + covariance residual",
    grid=Grid(data=["samples", "digits", "image_patches"], dimension=DIMENSIONS, kernel=KERNELS, skip=skip,
              paired=("kernel",)),
    measure=measure,
    variables={
        "decomposition": Variable("Largest norm of V - alpha s - Cov(1/b, b(y-x))", symbol="|V - alpha s - delta|"),
        "without_residual": Variable("Largest norm of V - alpha s", symbol="|V - alpha s|"),
        "scale": Variable("Size of the largest term times its conditioning"),
        "residual_share": Variable("Largest share of the covariance residual in the mean shift", symbol="|delta|/|V|"),
        "bound_ratio": Variable("Largest |delta| over sd(r) sqrt(1 - |E u|^2)"),
        "bound_ratio_rootless": Variable("Largest |delta| over sd(r) (1 - |E u|^2), without the root"),
        "harmonic_ratio": Variable("Largest harmonic over arithmetic preconditioner", symbol="1/(E[b] E[1/b])"),
        "harmonic_ratio_equal": Variable("Largest harmonic preconditioner of equal weights over the arithmetic one"),
    },
    claims=[
        *each_kernel(),
        no_residual.claim(regime="gaussian", where=MIDDLE | {"kernel": "gaussian"},
                          control=Control("rational quadratic kernel", where={"kernel": "rational_quadratic:0.5"})),
        no_residual.claim(regime="laplace", where=MIDDLE | {"kernel": "laplace"}, expect="refuted"),
        Claim("drift.laplace_residual_bound",
              "For the Laplace kernel |delta| <= sd_pi(r) sqrt(1 - |E_pi u|^2), with equality between two samples.",
              "derived here (Cauchy-Schwarz)", "exact", "bound_ratio", Inside(-np.inf, 1 + 1e-9),
              sharpness="bound_ratio",
              where={"kernel": "laplace", "data": "samples", "dimension": [4, 16, 64]},
              control=Control("the root is left out", variable="bound_ratio_rootless")),
        Claim("drift.harmonic_preconditioner",
              "For Laplace, Matern and Student kernels on normal samples the harmonic preconditioner never exceeds the "
              "arithmetic one: 1/E_pi[b] <= E_pi[1/b].",
              "derived here (Jensen)", "exact", "harmonic_ratio", Inside(0, 1 + 1e-12),
              sharpness="harmonic_ratio",
              where=MIDDLE | {"kernel": ["laplace", "matern:1.5", "student_t:3"]},
              control=Control("the harmonic one under equal weights", variable="harmonic_ratio_equal")),
    ],
)  # fmt: skip

"""Float32 Gram distances: what an uncentred |x|^2 + |y|^2 - 2 x.y loses, against the estimate eps |x|^2/r^2."""

import numpy as np

from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

N, D, SPREAD = 64, 256, 0.1


def gram_error(x):
    """Largest relative error of squared float32 Gram distances, and the smallest true squared distance."""
    exact = np.array([np.sum((x - row) ** 2, 1) for row in x])
    single = x.astype(np.float32)
    norms = np.sum(single**2, 1, dtype=np.float32)
    gram = norms[:, None] + norms - 2 * single @ single.T
    true = np.array([np.sum((single.astype(float) - row) ** 2, 1) for row in single.astype(float)])
    off = ~np.eye(len(x), dtype=bool)
    return float(np.abs(gram[off] / true[off] - 1).max()), float(exact[off].min())


def measure(cell, rng):
    x = cell["offset"] + SPREAD * rng.standard_normal((N, D))
    error, smallest = gram_error(x)
    centred, _ = gram_error(x - x.mean(0))
    estimate = float(np.finfo(np.float32).eps * np.sum(x**2, 1).max() / smallest)
    return {"error": error, "error_ratio": error / estimate, "centred_ratio": centred / estimate}


study = Study(
    name="drift_numerics", title="What single precision leaves of a distance",
    grid=Grid(offset=[10.0, 30.0, 100.0]), measure=measure,
    variables={
        "error": Variable("Largest relative error of squared float32 Gram distances"),
        "error_ratio": Variable("Largest relative error of squared float32 Gram distances over eps |x|^2/r^2"),
        "centred_ratio": Variable("Largest relative error of squared float32 Gram distances of centred data over eps "
                                  "|x|^2/r^2"),
    },
    claims=[
        Claim("drift.gram_fp32", "Uncentred float32 Gram distances lose accuracy like eps |x|^2/r^2.",
              "found here in public implementations", "exact", "error_ratio", Inside(1 / 20, 20.0),
              control=Control("centred data", variable="centred_ratio"))
    ],
)  # fmt: skip

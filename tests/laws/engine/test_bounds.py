"""The compiled loops under bounds checking: nothing is read or written outside of an array.

Bounds checking is a mode of the compiler that has to be on before it starts, and code that is cached is not compiled
again: a process of its own, with a cache of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import numpy as np
import unifiedscore as us
from unifiedscore.posterior.nearfield import NearField
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.errors import NumericalError

rng = np.random.default_rng(0)
kernels = [us.Gaussian(1.0), us.Laplace(1.0), us.Matern(1.0, 0.8), us.Matern(1.0, 2.5), us.RationalQuadratic(1.0, 0.5)]
for d in (1, 2, 9):
    points, x = rng.normal(size=(1030, d)), rng.normal(size=(130, d))
    x[:3], points[5] = points[:3], 1e20
    weights = rng.random(1030)
    for kernel in kernels:
        function, parameters = kernel.compiled_tile()
        for square in (0.0, 5e-324, 1e-300, 1.0, 1e30, 1e45, 1e200, 1.7e308, np.inf):
            out = np.empty((1, 2)), np.empty((1, 2))
            function(np.full((1, 2), square), parameters, *out)
            assert not np.isnan(out).any() and (out[0] <= 1e-12).all() and (out[1] >= 0).all(), (kernel, square, out)
            single = np.empty((1, 2), np.float32), np.empty((1, 2), np.float32)
            with np.errstate(over="ignore", under="ignore"):
                function(np.full((1, 2), square, np.float32), parameters, *single)
            assert not np.isnan(single[0]).any() and (single[0] <= 1e-5).all(), (kernel, square, single)
        us.posterior_moments(kernel, us.Samples(points, weights), x, exclude=np.arange(130))
        half = [array.astype(np.float32) for array in (points, x)]
        half[0][5] = half[0][6]
        us.posterior_moments(kernel, us.Samples(half[0], weights), half[1], exclude=np.arange(130))
        us.posterior_moments(kernel.with_bandwidth(0.001), us.Samples(half[0], weights), half[1])
        for far in (1e20, 1e100, 1e200):
            try:
                us.MeanShift(kernel, points[:4])(np.full((1, d), far))
            except NumericalError:
                pass
    near = NeighbourMeans(points, nearest=3, remainder=4)
    near(x, bandwidth=0.5, rng=rng)
    if d < 8:
        for prune in (True, False):
            NearField(points).smoothed_means(x, rng.normal(size=(2, d)), 0.1, bandwidth=0.05, prune=prune)
law = us.GaussianMixture(rng.normal(size=(2, 2)), [0.5, 1.0])
for kernel in kernels:
    us.posterior_moments(kernel, law, rng.normal(size=(2, 2)))
print("within bounds")
"""


@pytest.mark.slow
def test_compiled_loops_stay_within_their_arrays(tmp_path):
    own = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "UNIFIEDSCORE_NUM_THREADS": "1"}
    environment = os.environ | own
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.strip() == "within bounds", done.stderr[-2000:]

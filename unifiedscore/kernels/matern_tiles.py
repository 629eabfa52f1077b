"""The compiled tiles of the Matern kernel: one for half-integer smoothness, one for all others."""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit

# The table is equidistant in log z: spacing, left end and number of nodes. Degree-7 interpolation of functions that
# vary on the scale 1 in log z leaves about 1e-13.
STEP, LEFT, SIZE = 1.0 / 32, -650.0, 22240


@njit(cache=True, nogil=True, error_model="numpy")
def half_integer_tile(squared, parameters, log_kernel, weight):
    """Smoothness n + 1/2 by reverse Bessel polynomials; the parameters are the bandwidth, n and log theta_n(0)."""
    rate = 1.0 / parameters[0]
    n = int(parameters[1])
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            z = rate * np.sqrt(squared[i, j])
            if z == np.inf:
                log_kernel[i, j] = -np.inf
                if weight.shape[0] > 0:
                    weight[i, j] = 0.0
            else:
                # theta_n = (2n-1) theta_{n-1} + z^2 theta_{n-2}, k = theta_n e^{-z}/theta_n(0), b = theta_{n-1}/theta_n
                # Scaled by (1+z) at every order, so that z = 1e150 does not overflow.
                before, now, scale = 0.0, 1.0, 0.0
                if n >= 1:
                    before, now, scale = 1.0 / (1.0 + z), 1.0, np.log1p(z)
                for k in range(2, n + 1):
                    fresh = ((2 * k - 1) * now + z * (z * before)) / (1.0 + z)
                    before, now = now / (1.0 + z), fresh
                    scale += np.log1p(z)
                log_kernel[i, j] = np.log(now) + scale - z - parameters[2]
                if weight.shape[0] > 0:
                    if n >= 1:
                        weight[i, j] = rate * rate * before / now
                    else:
                        weight[i, j] = rate * rate / z if z > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def table_tile(squared, parameters, log_kernel, weight):
    """Any smoothness by interpolation in log z.

    The parameters are the bandwidth, slope and offset of log(1/b) left of the table, then the tables of log k + z and
    of log(1/b), each of `SIZE` numbers.
    """
    rate = 1.0 / parameters[0]
    slope, offset = parameters[1], parameters[2]
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            z = rate * np.sqrt(squared[i, j])
            if z == np.inf:
                log_kernel[i, j] = -np.inf
                if weight.shape[0] > 0:
                    weight[i, j] = 0.0
                continue
            # Beyond the table both functions are powers of z, straight lines in log z.
            x = (np.log(z) - LEFT) / STEP if z > 0.0 else -1.0
            beyond = max(x - (SIZE - 1), 0.0)
            x -= beyond
            if x < 3.0:
                # k = 1 to rounding; b follows the leading power of z.
                log_kernel[i, j] = 0.0
                if weight.shape[0] > 0:
                    weight[i, j] = rate * rate * np.exp(offset - slope * np.log(z)) if z > 0 else 0.0
                    if z == 0.0 and slope == 0.0:
                        weight[i, j] = rate * rate * np.exp(offset)
            else:
                base = min(int(x) - 3, SIZE - 8)
                at = x - base
                profile, inverse = 0.0, 0.0
                for a in range(8):
                    basis = 1.0
                    for c in range(8):
                        if c != a:
                            basis *= (at - c) / (a - c)
                    profile += basis * parameters[3 + base + a]
                    inverse += basis * parameters[3 + SIZE + base + a]
                if beyond > 0.0:
                    profile += beyond * (parameters[2 + SIZE] - parameters[1 + SIZE])
                    inverse += beyond * (parameters[2 + 2 * SIZE] - parameters[1 + 2 * SIZE])
                log_kernel[i, j] = profile - z
                if weight.shape[0] > 0:
                    weight[i, j] = rate * rate * np.exp(-inverse)

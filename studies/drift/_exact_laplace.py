"""The Laplace posterior of a normal law on the line, in as many digits as asked for."""

import mpmath


def laplace_on_the_line(x, tau, *, mean=0.0, std=1.0, digits=40):
    """Normaliser, mean shift, score and preconditioner of N(mean, std^2) at x, from Z_+ + Z_-.

    With beta = std/tau and z = (x - mean)/std the two halves of the line give
    Z_+- = exp(beta^2/2 +- beta z) Phi(-+z - beta), and d/d beta brings down minus the distance.
    """
    with mpmath.workdps(digits):
        z, beta = (mpmath.mpf(float(x)) - mean) / std, mpmath.mpf(std) / mpmath.mpf(float(tau))
        phi = lambda t: mpmath.exp(-(t**2) / 2) / mpmath.sqrt(2 * mpmath.pi)
        value, slope = [], []
        for sign in (1, -1):
            factor = mpmath.exp(beta**2 / 2 + sign * beta * z)
            tail = mpmath.erfc((sign * z + beta) / mpmath.sqrt(2)) / 2
            value.append(factor * tail)
            slope.append((beta + sign * z) * factor * tail - factor * phi(sign * z + beta))
        total = value[0] + value[1]
        return {
            "log_normalizer": mpmath.log(total),
            "mean_shift": std * (slope[1] - slope[0]) / total,
            "score": beta * (value[0] - value[1]) / total / std,
            "preconditioner": -std * (slope[0] + slope[1]) / total * float(tau),
        }

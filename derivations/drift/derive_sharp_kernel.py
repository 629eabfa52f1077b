"""The sharp kernel, its table, and the Matern closure [derived here; the class is stated in arXiv 2604.24196]."""

import numpy as np
import sympy as sp
from _atoms import COORDINATES, MASSES, POINT, SQUARED, Profile, draw, mean_shift, normalizer

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

R, SCALE, NU, D = sp.symbols("r l nu D", positive=True)
BETA = sp.Symbol("beta", positive=True)
Z = R / SCALE
THIRD = sp.Rational(1, 3)

# name: (k, k#), Matern in the unnormalised form z^nu K_nu(z).
TABLE = {
    "gaussian": (sp.exp(-(R**2) / (2 * SCALE**2)), SCALE**2 * sp.exp(-(R**2) / (2 * SCALE**2))),
    "laplace": (sp.exp(-Z), SCALE * (R + SCALE) * sp.exp(-Z)),
    "matern_3_2": ((1 + Z) * sp.exp(-Z), (R**2 + 3 * R * SCALE + 3 * SCALE**2) * sp.exp(-Z)),
    "matern_5_2": (
        (1 + Z + THIRD * Z**2) * sp.exp(-Z),
        SCALE**2 * (THIRD * Z**3 + 2 * Z**2 + 5 * Z + 5) * sp.exp(-Z),
    ),
    "rational": ((1 + Z**2) ** (-BETA), SCALE**2 / (2 * (BETA - 1)) * (1 + Z**2) ** (1 - BETA)),
}
MATERN = Z**NU * sp.besselk(NU, Z)


def companion(raised=1):
    """The sharp Matern kernel, one order higher; `raised` = 0 is the mistake of keeping the order."""
    return SCALE**2 * Z ** (NU + raised) * sp.besselk(NU + raised, Z)


def lowered(expression):
    """Express K_(nu+1), K_(nu+2), ... by K_nu and K_(nu-1) through the recurrence, which is exact."""
    below, at = sp.besselk(NU - 1, Z), sp.besselk(NU, Z)
    orders = {}
    for n in range(3):
        order = NU + n
        before, now = (
            (below, at) if n == 0 else (orders.get(sp.besselk(order - 1, Z), at), orders[sp.besselk(order, Z)])
        )
        orders[sp.besselk(order + 1, Z)] = before + 2 * order / Z * now
    # Below: K_(nu-2) = K_nu - 2 (nu - 1)/z K_(nu-1).
    orders[sp.besselk(NU - 2, Z)] = at - 2 * (NU - 1) / Z * below
    return sp.expand(expression.xreplace(orders))


class Sharp(sp.Function):
    """k# as an undefined function whose derivative is -r k(r)."""

    nargs = 1

    def fdiff(self, argindex=1):
        return -self.args[0] * sp.exp(-Profile(self.args[0]))


def table_gaps():
    """d k#/dr + r k for every entry."""
    gaps = [sp.simplify(sp.diff(sharp, R) + R * kernel) for kernel, sharp in TABLE.values()]
    return [*gaps, sp.simplify(lowered(sp.diff(companion(), R) + R * MATERN))]


def gradient_gaps():
    """V - grad Z# / Z for three atoms and any profile."""
    sharp = sum(m * Sharp(sp.sqrt(s)) for m, s in zip(MASSES, SQUARED, strict=True))
    gradient = sp.Matrix([sp.diff(sharp, c) for c in POINT]) / normalizer()
    return (mean_shift() - gradient).applyfunc(lambda entry: sp.cancel(sp.together(entry)))


def closure_gap(constant=D + 2 * NU):
    """Laplacian of k# minus k#/l^2 - (D + 2 nu) k, radial in D dimensions."""
    sharp = companion()
    laplacian = sp.diff(sharp, R, 2) + (D - 1) / R * sp.diff(sharp, R)
    return sp.simplify(lowered(laplacian - sharp / SCALE**2 + constant * MATERN))


def agrees_sharp(rng):
    """The kernels' own sharp(), and the sharp score of three atoms against the gradient of log Z#."""
    length, beta, (x, atoms, masses) = 0.5 + rng.random(), 1.2 + rng.random(), draw(rng)
    r = np.linalg.norm(atoms - x, axis=1)
    kernels = {
        "gaussian": us.Gaussian(length),
        "laplace": us.Laplace(length),
        "matern_3_2": us.Matern(length, 1.5),
        "matern_5_2": us.Matern(length, 2.5),
        "rational": us.RationalQuadratic(length, beta),
    }
    worst = 0.0
    for name, kernel in kernels.items():
        expected = sp.lambdify([R, SCALE, BETA], TABLE[name][1], "numpy")(r, length, beta)
        entry = kernel.sharp()
        got = np.exp(entry.log_scale + entry.kernel.log_profile(r))
        worst = max(worst, float(np.abs(got / expected - 1).max()))
        total = sum(m * TABLE[name][1].subs(R, sp.sqrt(s)) for m, s in zip(MASSES, SQUARED, strict=True))
        gradient = sp.Matrix([sp.diff(sp.log(total), c) for c in POINT])
        values = sp.lambdify([SCALE, BETA, *COORDINATES], gradient, "numpy")
        expected = np.ravel(values(length, beta, *x, *atoms.ravel(), *masses))
        got = us.SharpScore(kernel, us.Samples(atoms, masses))(x[None])[0]
        worst = max(worst, float(np.abs(got - expected).max() * length))
    return worst / (np.finfo(float).eps * (1 + (r.max() / length) ** 2))


def agrees_closure(rng):
    """In the kernel's own functions the Laplacian of k# is k (r^2 b - D)."""
    from scipy.special import gamma

    length, nu, dimension = 0.5 + rng.random(), 0.6 + 2 * rng.random(), int(rng.integers(1, 9))
    r = length * (0.2 + 2 * rng.random(5))
    kernel = us.Matern(length, nu)
    entry = kernel.sharp()
    k = np.exp(kernel.log_profile(r))
    laplacian = k * (r**2 / kernel.inverse_weight(r) - dimension)
    closure = np.exp(entry.log_scale + entry.kernel.log_profile(r)) / length**2 - (dimension + 2 * nu) * k
    right = companion() / SCALE**2 - (D + 2 * NU) * MATERN
    expected = sp.lambdify([R, SCALE, NU, D], right, ["scipy", "numpy"])(r, length, nu, dimension)
    expected = expected * 2 ** (1 - nu) / gamma(nu)
    error = max(np.abs(laplacian - expected).max(), np.abs(closure - expected).max())
    return float(error / (np.finfo(float).eps * (dimension + 2 * nu + 9)))


derivations = [
    Derivation(
        claim="drift.sharp_kernel",
        residual=lambda: [*table_gaps(), *gradient_gaps()],
        control=lambda: sp.simplify(lowered(sp.diff(companion(raised=0), R) + R * MATERN)),
        agrees=agrees_sharp,
        mutation="the Matern kernel of the same order as its own sharp kernel",
        statement="With k#(r) the integral of t k(t) over (r, infinity) the mean shift is V = (Z#/Z) grad log Z#, for "
        "Gaussian, Laplace, Matern and rational quadratic kernels with the k# of the table.",
        source="derived here; sharp kernels in Franz et al. 2026, arXiv 2604.06333",
    ),
    Derivation(
        claim="drift.companion_closure",
        residual=closure_gap,
        control=lambda: closure_gap(constant=D + 2 * NU + 1),
        agrees=agrees_closure,
        mutation="constant D + 2 nu + 1",
        statement="The sharp Matern kernel obeys Laplacian k# = k#/l^2 - (D + 2 nu) k in every dimension.",
        source="Lee, Chun 2026, arXiv 2604.24196 (stated); derived here",
    ),
]

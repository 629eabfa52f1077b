"""Low-temperature constants in every dimension, for Laplace and for Matern of any smoothness [derived here].

To first order in a smooth density p(x + z) = p(x)(1 + <z, g>) with g = grad log p, and the odd moments of the kernel
vanish: V = E_k[z z^T] g and alpha = E_k[w], with E_k the average under the normalised kernel. What remains is radial:
E_k[z z^T] = E_k[r^2]/D I, and integrals of r^n k(r) over (0, infinity) for symbolic D.
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

R, TAU, SCALE, D, NU, ANGLE = sp.symbols("r tau l D nu theta", positive=True)
Z = R / SCALE


def angular_gap():
    """E cos^2 = 1/D on the sphere: (D cos^2 - 1) sin^(D-2) is a derivative, of cos sin^(D-1), zero at both ends."""
    sine, cosine = sp.sin(ANGLE), sp.cos(ANGLE)
    gap = sp.diff(cosine * sine ** (D - 1), ANGLE) - (D * cosine**2 - 1) * sine ** (D - 2)
    return sp.expand(sp.powsimp(sp.expand(gap / sine ** (D - 2))).subs(cosine**2, 1 - sine**2))


def radial_mean(function, kernel):
    """E_k of a function of r, integrated by SymPy in D dimensions."""

    def integral(factor):
        terms = sp.Add.make_args(sp.expand(factor * kernel))
        return sum(sp.integrate(sp.powsimp(R ** (D - 1) * term), (R, 0, sp.oo)) for term in terms)

    return sp.gammasimp(integral(function) / integral(sp.Integer(1)))


LAPLACE = sp.exp(-R / TAU)
MATERN_3_2 = (1 + Z) * sp.exp(-Z)


def laplace_gaps(constant=D + 1):
    """E_k r^2 / D = (D+1) tau^2; the score is g itself, E_k[b r^2] / D = 1; alpha = D tau^2."""
    return [
        radial_mean(R**2, LAPLACE) / D - constant * TAU**2,
        radial_mean(R / TAU, LAPLACE) / D - 1,
        radial_mean(TAU * R, LAPLACE) - D * TAU**2,
    ]


def matern_gap(constant=D + 2 * NU):
    """E_k r^2 / D = (D + 2 nu) l^2: (r^2 - D (D + 2 nu) l^2) r^(D-1) k is the derivative of -r^D (k# + D l^2 k).

    k = z^nu K_nu(z), k# = l^2 z^(nu+1) K_(nu+1)(z). Both are bounded at 0 and decay exponentially, so the primitive
    vanishes at both ends. Bessel functions of other orders are removed by the recurrence, no special value is used.
    """
    kernel = Z**NU * sp.besselk(NU, Z)
    companion = SCALE**2 * Z ** (NU + 1) * sp.besselk(NU + 1, Z)
    primitive = -(R**D) * (companion + D * SCALE**2 * kernel)
    gap = sp.diff(primitive, R) - (R**2 - D * constant * SCALE**2) * R ** (D - 1) * kernel
    below, at = sp.besselk(NU - 1, Z), sp.besselk(NU, Z)
    above = below + 2 * NU / Z * at
    orders = {sp.besselk(NU + 1, Z): above, sp.besselk(NU + 2, Z): at + 2 * (NU + 1) / Z * above}
    return sp.simplify(sp.expand(gap.xreplace(orders) / (R ** (D - 1) * Z**NU)))


def constant_gaps():
    return [angular_gap(), *laplace_gaps(), matern_gap()]


def residual_share(kernel, inverse_weight):
    """|delta| / |V| = 1 - E_k[w] / (E_k[r^2] / D), as V, s and delta are all multiples of g."""
    return sp.simplify(1 - D * radial_mean(inverse_weight, kernel) / radial_mean(R**2, kernel))


def share_gaps(laplace=1 / (D + 1)):
    """Laplace 1/(D+1) and Matern-3/2 (D+2)/((D+1)(D+3)): neither vanishes at fixed D."""
    return [
        sp.simplify(residual_share(LAPLACE, TAU * R) - laplace),
        sp.simplify(residual_share(MATERN_3_2, SCALE**2 * (1 + Z)) - (D + 2) / ((D + 1) * (D + 3))),
    ]


def population(kernel, rng):
    """Moments of N(0, I) at random points; at bandwidth 1e-8 the O(tau^2) term is below rounding."""
    dimension = int(rng.integers(1, 11))
    x = rng.normal(size=(4, dimension))
    law = us.GaussianMixture(np.zeros((1, dimension)), 1.0)
    return dimension, us.posterior_moments(kernel, law, x), -x


def agrees_constant(rng):
    bandwidth, smoothness = 1e-8, 0.6 + 2 * rng.random()
    entries = (
        (us.Laplace(bandwidth=bandwidth), lambda d: d + 1),
        (us.Matern(bandwidth=bandwidth, smoothness=smoothness), sp.lambdify(D, (D + 2 * NU).subs(NU, smoothness))),
    )
    worst = 0.0
    for kernel, constant in entries:
        dimension, moments, log_gradient = population(kernel, rng)
        worst = max(worst, np.abs(moments.mean_shift / (bandwidth**2 * constant(dimension) * log_gradient) - 1).max())
        worst = max(worst, np.abs(moments.score / log_gradient - 1).max())
    return float(worst / np.finfo(float).eps)


def agrees_share(rng):
    entries = (
        (us.Laplace(bandwidth=1e-8), residual_share(LAPLACE, TAU * R)),
        (us.Matern(bandwidth=1e-8, smoothness=1.5), residual_share(MATERN_3_2, SCALE**2 * (1 + Z))),
    )
    worst = 0.0
    for kernel, share in entries:
        dimension, moments, _ = population(kernel, rng)
        got = np.linalg.norm(moments.residual, axis=1) / np.linalg.norm(moments.mean_shift, axis=1)
        worst = max(worst, np.abs(got - sp.lambdify(D, share)(dimension)).max())
    return float(worst / np.finfo(float).eps)


derivations = [
    Derivation(
        claim="drift.low_temperature_constant",
        residual=constant_gaps,
        control=lambda: laplace_gaps(constant=D)[0],
        agrees=agrees_constant,
        mutation="constant D in place of D + 1",
        statement="As the bandwidth goes to 0 the mean shift tends to (D+1) tau^2 grad log p for the Laplace kernel "
        "and to (D + 2 nu) l^2 grad log p for a Matern kernel.",
        source="derived here; low-temperature accuracy is announced in Lai et al. 2026, arXiv 2603.07514v1",
    ),
    Derivation(
        claim="drift.low_temperature_residual",
        residual=share_gaps,
        control=lambda: share_gaps(laplace=sp.Integer(0))[0],
        agrees=agrees_share,
        mutation="a residual that vanishes at fixed D",
        statement="As the bandwidth goes to 0 the residual keeps the share |delta|/|V| = 1/(D+1) for the Laplace "
        "kernel and (D+2)/((D+1)(D+3)) for Matern-3/2, parallel to the score.",
        source="derived here",
    ),
]

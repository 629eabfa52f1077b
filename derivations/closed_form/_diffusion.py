"""Three points on a line under the closed-form posterior, with opaque exponentials; shared by derivations beside it.

The bandwidth h = 1 - t is a symbol of its own: identities at one time hold for every pair (t, h).
"""

import sympy as sp

T, H, SIGMA = sp.symbols("t h sigma", positive=True)
Z = sp.Symbol("z", real=True)
POINTS = sp.symbols("x0:3", real=True)
WEIGHTS = sp.symbols("w0:3", positive=True)  # exp(-(z - t x_i)^2 / 2 h^2)


def kernels(z=Z, t=T, h=H):
    return [sp.exp(-((z - t * x) ** 2) / (2 * h**2)) for x in POINTS]


def opaque(expression, z=Z, t=T, h=H, names=WEIGHTS):
    """Rename the exponentials at one query, so that a rational function is left."""
    return expression.xreplace(dict(zip(kernels(z, t, h), names, strict=True)))


def score(z=Z, t=T, h=H, names=WEIGHTS):
    """d/dz log rho_t, by differentiation, at a symbolic or shifted query."""
    density = sum(kernels(Z, t, h))
    return opaque(sp.diff(sp.log(density), Z).subs(Z, z), z, t, h, names)


def barycenter(names=WEIGHTS):
    return sum(w * x for w, x in zip(names, POINTS, strict=True)) / sum(names)


def zero(expression):
    """One fraction, common factors removed: exactly 0 for an identity of rational functions."""
    return sp.cancel(sp.together(expression))

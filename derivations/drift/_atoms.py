"""A law of three weighted atoms in the plane with symbolic positions and masses, shared by the derivations beside it.

Why this is a proof for every finite law in every dimension: the identities compare posterior averages with at most two
atoms in a product, and one pair (i, j) of coordinates meets the others only through the distances, on which the kernel
is arbitrary. Three atoms in the plane therefore contain every case.
"""

import sympy as sp

POINT = sp.symbols("x1 x2", real=True)
ATOMS = [sp.symbols(f"y{i}1 y{i}2", real=True) for i in range(3)]
MASSES = sp.symbols("m0:3", positive=True)
KERNELS = sp.symbols("k0:3", positive=True)  # k(r_i) = exp(-phi(r_i))
WEIGHTS = sp.symbols("b0:3", positive=True)  # b(r_i) = phi'(r_i) / r_i
COORDINATES = [*POINT, *(c for atom in ATOMS for c in atom), *MASSES]


class Slope(sp.Function):
    """phi', as an undefined function."""

    nargs = 1


class Profile(sp.Function):
    """phi, undefined but for its derivative being `Slope`."""

    nargs = 1

    def fdiff(self, argindex=1):
        return Slope(self.args[0])


SQUARED = [sum((a - c) ** 2 for a, c in zip(POINT, atom, strict=True)) for atom in ATOMS]
GENERIC = [sp.exp(-Profile(sp.sqrt(s))) for s in SQUARED]  # the kernel at each atom, profile undefined


def normalizer(kernels=GENERIC):
    """Z(x) = sum_i m_i k_i over as many atoms as there are kernels."""
    return sum(m * k for m, k in zip(MASSES, kernels, strict=False))


def posterior_mean(values, kernels=GENERIC):
    """E_pi of one value per atom."""
    terms = zip(MASSES, kernels, values, strict=False)
    return sum(m * k * v for m, k, v in terms) / normalizer(kernels)


def mean_shift(kernels=GENERIC):
    """V = E_pi[y - x], from its definition."""
    return sp.Matrix([posterior_mean([atom[j] - POINT[j] for atom in ATOMS], kernels) for j in (0, 1)])


def score(kernels=GENERIC):
    """s = grad log Z, by differentiation."""
    return sp.Matrix([sp.diff(sp.log(normalizer(kernels)), c) for c in POINT])


def opaque(expression, kernels=GENERIC):
    """Rename each kernel value k_i, and phi'(r_i) = b_i r_i, so that a rational function is left."""
    names = dict(zip(kernels, KERNELS, strict=False))
    names |= {Slope(sp.sqrt(s)): b * sp.sqrt(s) for s, b in zip(SQUARED, WEIGHTS, strict=True)}
    return expression.xreplace(names)


def reduced(matrix):
    """Every entry over one denominator, common factors removed: exactly 0 for an identity of rational functions."""
    return matrix.applyfunc(lambda entry: sp.cancel(sp.together(entry)))


def draw(rng):
    """Query (2,), atoms (3, 2) and masses (3,) in general position."""
    return rng.normal(size=2), rng.normal(size=(3, 2)), rng.dirichlet([1, 1, 1])

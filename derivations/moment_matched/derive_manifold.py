"""Particles with mean zero and covariance one: pull-back, projection, curvature, moments [derived here].

Three particles in the plane contain every case of the index algebra: the identities use nothing of Y but 1^T Y = 0 and
Y^T Y = P I. The triangle turns by an angle of cosine c and sine s, which are symbols of one relation, c^2 + s^2 = 1;
what is left modulo it is written with the rational parameter t = tan(theta/2).
"""

import warnings

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore import references
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
T = sp.Symbol("t", real=True)
COS, SIN = sp.symbols("c s", real=True)
ON_CIRCLE = {COS: (1 - T**2) / (1 + T**2), SIN: 2 * T / (1 + T**2)}
CORNERS = sp.Matrix([[sp.sqrt(sp.Rational(3, 2)), sp.sqrt(2) / 2], [-sp.sqrt(sp.Rational(3, 2)), sp.sqrt(2) / 2],
                     [0, -sp.sqrt(2)]])  # fmt: skip
TRIANGLE = CORNERS * sp.Matrix([[COS, -SIN], [SIN, COS]])
P, D = sp.symbols("P d", positive=True)


def generic(name, rows, columns):
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i}{j}", real=True))


G, H = generic("g", 3, 2), generic("h", 3, 2)
FACTOR = sp.Matrix([[sp.Symbol("l00", real=True), 0], [sp.Symbol("l10", real=True), sp.Symbol("l11", real=True)]])
MEAN = sp.Matrix([sp.symbols("m0 m1", real=True)])


def project(y, g):
    """C [G - Y sym(Y^T G / P)], the centring last."""
    inner = (y.T * g + g.T * y) / (2 * y.rows)
    whole = g - y * inner
    return (sp.eye(y.rows) - sp.ones(y.rows, y.rows) / y.rows) * whole


def reduced(matrix):
    """Normal forms modulo c^2 + s^2 = 1, which are zero only if the entries are, at a point of the circle."""
    remainders = (sp.rem(sp.expand(entry), COS**2 + SIN**2 - 1, COS) for entry in matrix)
    return [sp.expand(entry).subs(ON_CIRCLE) for entry in remainders]


def manifold(particles, dimension):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return us.CenteredStiefel(particles, dimension)


# 1. The pull-back.


class First(sp.Function):
    """dV/dz_1, undefined."""

    nargs = 2


class Second(sp.Function):
    """dV/dz_2, undefined."""

    nargs = 2


class Potential(sp.Function):
    """V(z_1, z_2), undefined but for its derivatives."""

    nargs = 2

    def fdiff(self, argindex=1):
        return (First if argindex == 1 else Second)(*self.args)


def pull_back_gap(*, potential=Potential, slopes=(First, Second), transpose=False):
    """dF/dY of F(Y) = sum_i V(mu + L y_i), minus G_Z L."""
    y = generic("y", 2, 2)
    z = sp.ones(2, 1) * MEAN + y * FACTOR.T
    energy = sum(potential(*z.row(i)) for i in range(2))
    force = sp.Matrix([[slope(*z.row(i)) for slope in slopes] for i in range(2)])
    pulled = force * (FACTOR.T if transpose else FACTOR)
    return [sp.expand(sp.diff(energy, y[i, j]) - pulled[i, j]) for i in range(2) for j in range(2)]


def pull_back_control():
    """With V = (z_1^4 + z_2^4)/4 a transposed factor is not the derivative."""
    quartic, slopes = lambda a, b: (a**4 + b**4) / 4, (lambda a, b: a**3, lambda a, b: b**3)
    return pull_back_gap(potential=quartic, slopes=slopes, transpose=True)[0]


def agrees_pull_back(rng):
    """Derivative of the energy of the library's score of two data points, by SymPy, against G_Z L from its field."""
    data, delta = rng.normal(size=(2, 2)), 0.8
    factor, mean, y = np.tril(rng.normal(size=(2, 2))), rng.normal(size=2), rng.normal(size=(3, 2))
    entries = sp.symbols("a b", real=True)
    z = [mean[k] + sum(float(factor[k, j]) * entries[j] for j in range(2)) for k in range(2)]
    energy = -sp.log(sum(sp.exp(-sum((z[k] - x[k]) ** 2 for k in range(2)) / (2 * delta**2)) for x in data.tolist()))
    slope = sp.lambdify(entries, [sp.diff(energy, entry) for entry in entries], "numpy")
    expected = np.array([slope(*row) for row in y])
    got = -us.SmoothedScore(data, delta, 0.0)(mean + y @ factor.T) @ factor
    return float(np.abs(got - expected).max() / (EPS * np.abs(factor).max() * np.abs(y @ factor.T).max() / delta**2))


# 2. The tangent projection.


def projection_gaps(*, symmetric=True):
    """Tangency of Pi(G), and orthogonality of G - Pi(G) to Pi(H)."""
    y = TRIANGLE
    if symmetric:
        g, h = project(y, G), project(y, H)
    else:
        g, h = (m - y * (y.T * m) / 3 for m in (G, H))
    tangency = y.T * g + g.T * y
    sums = sp.ones(1, 3) * g
    inner = sum((G - g).multiply_elementwise(h))
    return reduced([*tangency, *sums, inner])


def projection_control():
    """Subtracting Y Y^T G / P instead leaves the projection on another space: a rotation is no longer kept."""
    rotation = TRIANGLE * sp.Matrix([[0, 1], [-1, 0]])
    kept = rotation - TRIANGLE * (TRIANGLE.T * rotation) / 3
    return reduced(kept - rotation)


def agrees_projection(rng):
    y, g = manifold(3, 2).sample(rng), rng.normal(size=(3, 2))
    expression = sp.lambdify([list(G), list(generic("y", 3, 2))], project(generic("y", 3, 2), G), "numpy")
    return float(np.abs(manifold(3, 2).project(y, g) - expression(g.ravel(), y.ravel())).max() / (EPS * 10))


# 3. The curvature: drift -kappa Y of Brownian motion on the manifold.


def sum_of_squares(dimension, n):
    """Sum of V^T V over an orthonormal tangent basis at Y^T Y = I: n - d normal directions and the skew ones."""
    total = (n - dimension) * sp.eye(dimension)
    for a in range(dimension):
        for b in range(a + 1, dimension):
            skew = sp.zeros(dimension)
            skew[a, b], skew[b, a] = 1 / sp.sqrt(2), -1 / sp.sqrt(2)
            total += skew.T * skew
    return total


HALF = sp.Rational(1, 2)


def curvature_gaps(*, share=HALF):
    """Geodesics have Y'' = -Y Y'^T Y'; the Ito drift is half of twice its sum over the basis, over P."""
    gaps = []
    for d in (1, 2, 3, 4):
        kappa = 1 - (d + 3) * share / P
        gaps += list((sum_of_squares(d, P - 1) / P - kappa * sp.eye(d)).applyfunc(sp.simplify))
    return gaps


def agrees_curvature(rng):
    """The same sum over projected unit matrices of the library, and its contraction constant."""
    worst = 0.0
    for p, d in ((5, 2), (9, 3)):
        m = manifold(p, d)
        y = m.sample(rng)
        basis = np.eye(p * d).reshape(p * d, p, d)
        tangent = m.project(np.broadcast_to(y, basis.shape), basis)
        total = np.einsum("kia,kib->ab", tangent, tangent) / p
        kappa = float((1 - (D + 3) / (2 * P)).subs({P: p, D: d}))
        worst = max(worst, np.abs(total - kappa * np.eye(d)).max(), abs(references.contraction(p, d) - kappa))
    return float(worst / (10 * EPS))


# 4. Moments of one particle under the uniform law.


def moment_gaps(*, normal=False):
    """E y_a^4 and E|y|^4 from |y|^2/n ~ Beta(d/2, (n - d)/2), n = P - 1."""
    n = P - 1
    a, b = D / 2, (n - D) / 2
    second = sp.gamma(a + 2) * sp.gamma(a + b) / (sp.gamma(a) * sp.gamma(a + b + 2))
    radial = n**2 * sp.gammasimp(second)
    # E y_a^4 = 3 E|y|^4 / (d (d + 2)) for a direction that is uniform.
    fourth = 3 * radial / (D * (D + 2))
    target = sp.Integer(3) if normal else 3 * (P - 1) / (P + 1)
    first = n * sp.gammasimp(sp.gamma(a + 1) * sp.gamma(a + b) / (sp.gamma(a) * sp.gamma(a + b + 1)))
    return [sp.simplify(fourth - target), sp.simplify(first - D)]


def agrees_moments(rng):
    p = int(rng.integers(5, 60))
    expression = float((3 * (P - 1) / (P + 1)).subs(P, p))
    return float(abs(references.fourth_moment(p) / expression - 1) / EPS)


# 5. A quadratic potential exerts no projected force.


def quadratic_gaps(*, transpose=False):
    a, b, c = sp.symbols("a b c", real=True)
    matrix, slope = sp.Matrix([[a, b], [b, c]]), sp.Matrix([sp.symbols("s0 s1", real=True)])
    z = sp.ones(3, 1) * MEAN + TRIANGLE * FACTOR.T
    force = z * matrix + sp.ones(3, 1) * slope
    return reduced(project(TRIANGLE, force * (FACTOR.T if transpose else FACTOR)))


def agrees_quadratic(rng):
    m = manifold(7, 3)
    y, a, factor = m.sample(rng), rng.normal(size=(3, 3)), np.tril(rng.normal(size=(3, 3)))
    force = ((rng.normal(size=3) + y @ factor.T) @ (a + a.T) + rng.normal(size=3)) @ factor
    return float(np.abs(m.project(y, force)).max() / (EPS * np.abs(force).max() * 10))


derivations = [
    Derivation(
        claim="moment_matched.pullback",
        residual=pull_back_gap,
        control=pull_back_control,
        agrees=agrees_pull_back,
        mutation="G_Z L^T",
        statement="The gradient of sum_i V(mu + L y_i) in Y is G_Z L.",
        source="eq. 34 of Yao and Paulin 2026, arXiv 2605.14276",
    ),
    Derivation(
        claim="moment_matched.tangent_projection",
        residual=projection_gaps,
        control=lambda: projection_control()[1],
        agrees=agrees_projection,
        mutation="Y^T G instead of its symmetric part",
        statement="C [G - Y sym(Y^T G/P)] is the orthogonal projection on the tangent space.",
        source="derived here",
    ),
    Derivation(
        claim="moment_matched.finite_p_sde_kappa",
        residual=curvature_gaps,
        control=lambda: curvature_gaps(share=0)[0],
        agrees=agrees_curvature,
        mutation="kappa = 1, the value of many particles",
        statement="Brownian motion of generator Laplacian on the manifold has the Ito drift -kappa_P Y with "
        "kappa_P = 1 - (d + 3)/(2P).",
        source="name in arXiv 2605.14276; form and constant derived here",
    ),
    Derivation(
        claim="moment_matched.stiefel_marginal",
        residual=moment_gaps,
        control=lambda: moment_gaps(normal=True)[0],
        agrees=agrees_moments,
        mutation="the Gaussian value 3",
        statement="Under the uniform law one particle has E y_a^4 = 3 (P - 1)/(P + 1) in every dimension.",
        source="derived here",
    ),
    Derivation(
        claim="moment_matched.quadratic_potential",
        residual=quadratic_gaps,
        control=lambda: quadratic_gaps(transpose=True)[0],
        agrees=agrees_quadratic,
        mutation="G_Z L^T",
        statement="The projected force of a quadratic potential vanishes, so that any quadratic tilt drops out.",
        source="derived here",
    ),
]

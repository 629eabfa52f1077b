"""Stability of identification, attacked: how small a drift can be while the two laws are apart.

Two laws of the same few atoms on the line, in bandwidths. The quantity is the largest |drift| over their energy
distance, with the drift of the package; the second route sums in 40 digits over another grid. Two atoms at the distance
g have the sharp bound sqrt(g/2): where the posterior is even, it changes by at least the change of the masses. For more
atoms nothing is proved, and the bounds are halves or thirds of the smallest values that long searches found: they fall
with the number of atoms, and without a least gap they are zero. For the rational quadratic kernel it is not even known
whether the drift vanishes for equal laws alone, so its smallest value is what the search reports.
"""

import itertools
import math

import mpmath
import numpy as np

import unifiedscore as us
from unifiedscore.study import FalseVariant, Integer, Many, Real, Space, Study, Universal

MOST = 6
KERNELS = {
    "gaussian": (us.Gaussian(1.0), lambda r: mpmath.exp(-(r**2) / 2)),
    "laplace": (us.Laplace(1.0), lambda r: mpmath.exp(-r)),
    "rational": (us.RationalQuadratic(1.0, exponent=0.5), lambda r: 1 / mpmath.sqrt(1 + r**2)),
}
# Beyond the atoms, up to where the heaviest tail is flat.
OUTSIDE = np.concatenate([[0.0], np.geomspace(0.05, 1e4, 40)])
INSIDE = 24


def derive(instance):
    """Atoms, of which the first lies at the first gap, and the two laws; None where they are hardly apart."""
    p, q = (np.array(instance[name]) / sum(instance[name]) for name in ("first", "other"))
    if np.abs(p - q).sum() < 0.01:
        return None
    return {"atoms": tuple(np.cumsum(instance["gaps"]).tolist()), "p": tuple(p.tolist()), "q": tuple(q.tolist())}


MASS = Real(0.1, 1.0, log=True, simple=(1.0, 0.5, 0.1))
space = Space(
    derive=derive,
    points=Integer(2, MOST),
    gaps=Many(Real(0.4, 3.0, log=True, simple=(1.0, 0.5, 2.0, 3.0)), at_most=MOST, count="points"),
    first=Many(MASS, at_most=MOST, count="points"),
    other=Many(MASS, at_most=MOST, count="points"),
)


def energy_distance(atoms, p, q):
    """The root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|: on the line, of twice the integral of (P - Q)^2."""
    return math.sqrt(2 * float(np.cumsum(p - q)[:-1] ** 2 @ np.diff(atoms)))


def grid(atoms, inside):
    """Queries of which some are atoms, since a Laplace drift has its kinks there."""
    between = [np.linspace(a, b, inside, endpoint=False) for a, b in itertools.pairwise(atoms)]
    return np.concatenate([atoms[0] - OUTSIDE[::-1], *between, atoms[-1] + OUTSIDE])


def largest(drift, atoms, p, q):
    """The largest |drift| on a grid over the energy distance; the error is what a parabola does between queries."""
    size = np.abs(drift)
    between = size[len(OUTSIDE) :][: INSIDE * (len(atoms) - 1)]
    bend = np.abs(np.diff(between, 2)).max() / 8
    distance = energy_distance(atoms, p, q)
    scale = (1 + atoms[-1]) / distance
    return {"value": float(size.max()) / distance, "error": float(bend) / distance + 1e-13 * scale}


def quantity(name):
    def evaluate(instance):
        atoms, p, q = (np.array(instance[part]) for part in ("atoms", "p", "q"))
        target, model = (us.Samples(atoms[:, None], masses) for masses in (p, q))
        drift = us.Drift(KERNELS[name][0], target=target, model=model)
        return largest(drift(grid(atoms, INSIDE)[:, None])[:, 0], atoms, p, q)

    return evaluate


def compact(instance):
    """The same for the kernel (1 - r)^4 (1 + 4 r) of radius 1; a query that sees no atom is not moved."""
    atoms, p, q = (np.array(instance[part]) for part in ("atoms", "p", "q"))
    r = np.abs(grid(atoms, INSIDE)[:, None] - atoms)
    kernel = np.maximum(1 - r, 0.0) ** 4 * (1 + 4 * r)
    seen = (kernel > 0).any(1)
    first, other = ((kernel * law) @ atoms / np.where(seen, kernel @ law, 1.0) for law in (p, q))
    return largest(first - other, atoms, p, q)


def precise(profile):
    def evaluate(instance):
        """Sums over the atoms and energy distance by pairs of them in 40 digits of mpmath, on a finer grid"""
        with mpmath.workdps(40):
            atoms = [mpmath.mpf(y) for y in instance["atoms"]]
            p, q = ([mpmath.mpf(w) for w in instance[part]] for part in ("p", "q"))
            values = []
            for x in grid(np.array(instance["atoms"]), INSIDE + 12):
                k = [profile(abs(mpmath.mpf(x) - y)) for y in atoms]
                sums = [mpmath.fdot(k, law) for law in (p, q)]
                first, other = (
                    mpmath.fsum(w * f * y for w, f, y in zip(law, k, atoms, strict=True)) / (total or 1)
                    for law, total in zip((p, q), sums, strict=True)
                )
                values.append(float(abs(first - other)))
            gap = [a - b for a, b in zip(p, q, strict=True)]
            square = -mpmath.fsum(a * b * abs(y - z) for a, y in zip(gap, atoms, strict=True)
                                  for b, z in zip(gap, atoms, strict=True))  # fmt: skip
            distance = float(mpmath.sqrt(square))
        bend = float(np.abs(np.diff(values, 2)).max()) / 8
        return {"value": max(values) / distance, "error": bend / distance + 1e-13}

    return evaluate


def wendland(r):
    return (1 - r) ** 4 * (1 + 4 * r) if r < 1 else mpmath.mpf(0)


def claim(name, kernel, least, **more):
    return Universal(
        f"universal.stability_{name}",
        f"For all pairs of laws of the same 2 to {MOST} atoms on the line, .4 to 3 bandwidths apart, with masses in a "
        f"ratio of up to 10, the largest drift of a {kernel} kernel is at least {least:g} times their energy distance "
        "in bandwidths. No proof is known for more than two atoms.",
        "conjectured here", space, quantity(name), (least, math.inf), precise(KERNELS[name][1]),
        FalseVariant("a kernel of compact support, which is blind to the masses of atoms out of reach",
                     quantity=compact, second=precise(wendland)),
        starts=STARTS[name], **more,
    )  # fmt: skip


# Six atoms almost as near as they may be, and masses that alternate: what differential evolution found.
HARD = {
    "gaussian": ((1.0, 0.89, 0.41, 0.41, 0.48, 1.21), (0.364, 0.143, 0.478, 0.266, 0.427, 0.173),
                 (0.359, 0.255, 0.21, 0.5, 0.358, 0.176)),
    "laplace": ((1.0, 0.84, 0.44, 0.41, 0.41, 0.41), (0.121, 0.296, 0.556, 0.177, 0.599, 0.3),
                (0.115, 0.55, 0.164, 0.836, 0.234, 0.521)),
    "rational": ((1.0, 0.64, 0.5, 0.5, 0.4, 0.51), (0.131, 0.256, 0.109, 0.544, 0.154, 0.173),
                 (0.285, 0.125, 0.818, 0.141, 0.767, 0.185)),
}  # fmt: skip
STARTS = {
    name: (space.instance(points=6, gaps=gaps, first=first, other=other),)
    for name, (gaps, first, other) in HARD.items()
}
study = Study(
    name="universal_stability", title="Small drifts between laws that are apart",
    universals=[
        claim("gaussian", "Gaussian", 0.03, sharpness=(0.35, 1.0)),
        claim("laplace", "Laplace", 0.07, sharpness=(0.4, 1.0)),
        claim("rational", "rational quadratic (1/2)", 0.01, sharpness=(0.25, 1.0),
              finding="Whether its drift vanishes for equal laws alone is an open problem. The smallest drift that a "
                      "search of 2 to 6 atoms found is .03 bandwidths per unit of energy distance."),
    ],
)  # fmt: skip

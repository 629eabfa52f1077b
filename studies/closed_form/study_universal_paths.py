"""Claims about the closed-form velocity of any few points, attacked: expansion, descent of the energy along a path.

The quantity is what `ClosedFormVelocity` returns; the second route sums over the points in 40 digits.
"""

import math

import mpmath
import numpy as np

import unifiedscore as us
from unifiedscore.study import FalseVariant, Hypothesis, Integer, Many, Real, Space, Study, Universal

DERIVED, EPS = "derived here", float(np.finfo(float).eps)
COORDINATE = Real(-2, 2, simple=(0.0, 1.0, -1.0, 2.0, -2.0, 0.5))


def derive(instance):
    """Points moved to a sphere by a share of the way: 1 is equal norms, as the theorem on paths supposes."""
    points = np.array(instance["data"])
    norms = np.linalg.norm(points, axis=1)
    if norms.min() < 1e-3 or len({tuple(row) for row in points.tolist()}) < len(points):
        return None
    equal = points / norms[:, None]
    return {"moved": tuple(map(tuple, (instance["sphere"] * equal + (1 - instance["sphere"]) * points).tolist()))}


space = Space(
    derive=derive,
    points=Integer(2, 8),
    dimension=Integer(1, 3),
    draws=Integer(1, 3),
    data=Many(Many(COORDINATE, at_most=3, count="dimension"), at_most=8, count="points"),
    noise=Many(Many(COORDINATE, at_most=3, count="dimension"), at_most=3, count="draws"),
    z=Many(COORDINATE, at_most=3, count="dimension"),
    smoothing=Real(0.0, 1.0, simple=(0.0, 1.0, 0.5)),
    time=Real(0.05, 0.9, simple=(0.5, 0.9, 0.1)),
    eta=Real(0.02, 1.98, simple=(1.0, 0.5)),
    sphere=Real(0.0, 1.0, simple=(1.0, 0.0)),
)


def setting(instance, name="data"):
    points, noise = np.array(instance[name]), np.array(instance["noise"])
    return points, noise, np.array(instance["z"])[None]


def velocity(instance, time, name="data"):
    points, noise, _ = setting(instance, name)
    return us.ClosedFormVelocity(us.Samples(points), time, instance["smoothing"], noise=noise)


def barycenters(points, noise, z, smoothing, time):
    """Weights of the points for every draw of the noise, in the numbers that are given."""
    rows = []
    for shift in noise:
        logs = [
            -sum((c + smoothing * e - time * x) ** 2 for c, e, x in zip(z, shift, row, strict=True))
            / (2 * (1 - time) ** 2)
            for row in points
        ]
        terms = [mpmath.exp(value) for value in logs]
        rows.append([term / sum(terms) for term in terms])
    return rows


def numbers(instance, name="data"):
    return (
        [[mpmath.mpf(v) for v in row] for row in instance[name]],
        [[mpmath.mpf(v) for v in row] for row in instance["noise"]],
        [mpmath.mpf(v) for v in instance["z"]],
        mpmath.mpf(instance["smoothing"]),
    )


def precise(function):
    def evaluate(instance):
        with mpmath.workdps(40):
            return {"value": float(function(instance)), "error": 1e-12}

    evaluate.__doc__ = "sums over the points in 40 digits of mpmath"
    return evaluate


def diameter(points):
    return float(max(np.linalg.norm(a - b) for a in points for b in points))


def expansion(instance):
    """Top eigenvalue of the Jacobian of the barycenter over t R^2 / 4 (1-t)^2."""
    points, noise, z = setting(instance)
    time, smoothing = instance["time"], instance["smoothing"]
    jacobian = (1 - time) * velocity(instance, time).jacobian(z)[0] + np.eye(z.shape[1])
    bound = time * diameter(points) ** 2 / (4 * (1 - time) ** 2)
    # The package adds the identity to second moments of t x - z - s e over (1-t)^2 and divides by t: points close to
    # each other differ little in moments that are rounded by their own size.
    reach = max(float(((time * row - z - smoothing * noise) ** 2).sum(1).max()) for row in points)
    rounding = 64 * EPS * (1 + (1 + reach) / (1 - time) ** 2) / time
    return {"value": float(np.linalg.eigvalsh(jacobian).max() / bound), "error": 1e-9 + rounding / bound}


def exact_expansion(instance):
    points, noise, z, smoothing = numbers(instance)
    time, d = mpmath.mpf(instance["time"]), len(z)
    covariance = mpmath.zeros(d)
    for weights in barycenters(points, noise, z, smoothing, time):
        m = [sum(w * row[k] for w, row in zip(weights, points, strict=True)) for k in range(d)]
        for i in range(d):
            for j in range(d):
                covariance[i, j] += sum(
                    w * (row[i] - m[i]) * (row[j] - m[j]) for w, row in zip(weights, points, strict=True)
                ) / len(noise)
    radius = max(sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for p in points for q in points)
    return max(mpmath.eigsy(covariance, eigvals_only=True)) / (radius / 4)


def descent(wrong=False):
    """Guaranteed over actual drop of the energy in one step of size eta at a frozen time."""

    def evaluate(instance):
        _, _, z = setting(instance)
        time, eta = instance["time"], instance["eta"]
        field = velocity(instance, time)
        move = (1 - time) * field(z)
        drop = (1 - time) * float((field.potential(z + eta * move) - field.potential(z))[0])
        least = (eta if wrong else eta - eta**2 / 2) * float((move**2).sum())
        energy = (1 - time) * float(np.abs(field.potential(z)).max()) + float((z**2).sum()) + 8
        rounding = 64 * EPS * energy / time
        if least < 1e4 * rounding or drop <= 0:
            return {"value": math.nan, "error": 0.0}
        return {"value": least / drop, "error": least / drop * rounding / drop}

    return evaluate


def energy(points, noise, z, smoothing, time):
    """W_t(z) = |z|^2/2 - A_t(z)."""
    beta, total = (1 - time) ** 2 / time, 0
    for shift in noise:
        terms = [
            (
                sum(x * (c + smoothing * e) for x, c, e in zip(row, z, shift, strict=True))
                - time / 2 * sum(x**2 for x in row)
            )
            / beta
            for row in points
        ]
        top = max(terms)
        total += beta * (top + mpmath.log(sum(mpmath.exp(value - top) for value in terms) / len(points)))
    return sum(c**2 for c in z) / 2 - total / len(noise)


def exact_descent(wrong=False):
    def evaluate(instance):
        points, noise, z, smoothing = numbers(instance)
        time, eta = mpmath.mpf(instance["time"]), mpmath.mpf(instance["eta"])
        rows = barycenters(points, noise, z, smoothing, time)
        center = [
            sum(w * row[k] for weights in rows for w, row in zip(weights, points, strict=True)) / len(noise)
            for k in range(len(z))
        ]
        move = [c - v for c, v in zip(center, z, strict=True)]
        after = [v + eta * m for v, m in zip(z, move, strict=True)]
        drop = energy(points, noise, z, smoothing, time) - energy(points, noise, after, smoothing, time)
        return (eta if wrong else eta - eta**2 / 2) * sum(m**2 for m in move) / drop

    return evaluate


STEPS = 8


def rise(instance):
    """Largest increase of the energy, less t|x|^2/2, in six Euler steps of 1/8 from z at t = 1/8."""
    points, noise, z = setting(instance, "moved")
    smoothing, largest = instance["smoothing"], -math.inf
    square = (points**2).sum(1)

    def lyapunov(at, time):
        beta = (1 - time) ** 2 / time
        terms = ((at + smoothing * noise) @ points.T - time / 2 * square) / beta
        top = terms.max(1)
        mean = top + np.log(np.exp(terms - top[:, None]).mean(1))
        return float((at**2).sum() / 2 - beta * mean.mean() - time / 2 * square[0])

    for n in range(1, STEPS - 1):
        time, after = n / STEPS, (n + 1) / STEPS
        moved = z + velocity(instance, time, "moved")(z) / STEPS
        largest = max(largest, lyapunov(moved, after) - lyapunov(z, time))
        z = moved
    norms = np.sqrt(square)
    return {"value": largest, "error": 1e-12, "norm_gap": float(norms.max() / norms.min() - 1)}


def exact_rise(instance):
    points, noise, z, smoothing = numbers(instance, "moved")
    square, largest = sum(x**2 for x in points[0]), -mpmath.inf
    for n in range(1, STEPS - 1):
        time, after = mpmath.mpf(n) / STEPS, mpmath.mpf(n + 1) / STEPS
        rows = barycenters(points, noise, z, smoothing, time)
        center = [
            sum(w * row[k] for weights in rows for w, row in zip(weights, points, strict=True)) / len(noise)
            for k in range(len(z))
        ]
        moved = [v + (c - v) / (1 - time) / STEPS for v, c in zip(z, center, strict=True)]
        change = energy(points, noise, moved, smoothing, after) - energy(points, noise, z, smoothing, time)
        largest, z = max(largest, change - (after - time) / 2 * square), moved
    return largest


# A path of steps h rises by up to h/2 of the spread of the squared norms: 2e-9 of it made a rise of 6e-11. Norms that
# differ by no more than their rounding keep that below 1e-13, which the error of the quantity covers.
EQUAL = Hypothesis("equal norms of the points", "norm_gap", high=16 * EPS)


def on_the_line(points, z, smoothing=0.0, sphere=1.0):
    return space.instance(points=len(points), dimension=1, draws=1, data=tuple((x,) for x in points),
                          noise=((0.0,),), z=(z,), smoothing=smoothing, time=0.5, eta=1.0, sphere=sphere)  # fmt: skip


# Where equality is attained, and where the energy rises along a path between points of unequal norms.
STARTS = [on_the_line((-1.0, 1.0), 0.0), on_the_line((-1.0, 1.0), 0.5)]
CORNERS = [
    space.instance(points=3, dimension=2, draws=1, data=((1.0, 0.5), (-1.0, 0.5), (0.5, -1.0)),
                   noise=((0.0, 0.0),), z=(z, 0.5), smoothing=0.0, time=0.5, eta=1.0, sphere=1.0) for z in (0.5, 2.0)
]  # fmt: skip

SETTING = (
    "For all 2 to 8 distinct points in 1 to 3 dimensions, 1 to 3 draws of noise and states, with coordinates up to 2, "
    "smoothing up to 1 and times from .05 to .9, "
)
study = Study(
    name="universal_paths", title="The closed-form velocity of any few points",
    universals=[
        Universal("universal.lipschitz",
                  SETTING + "the top eigenvalue of the Jacobian of the smoothed barycenter is at most "
                  "t R^2 / 4 (1-t)^2, R the diameter of the points.",
                  DERIVED, space, expansion, (-math.inf, 1.0), precise(exact_expansion),
                  FalseVariant("0.98 of the bound", region=(-math.inf, 0.98)), starts=STARTS,
                  sharpness=(0.98, 1.001)),
        Universal("universal.descent",
                  SETTING + "and steps eta from .02 to 1.98 of fixed noise, the energy drops by at least "
                  "(eta - eta^2/2)|x - z|^2.",
                  DERIVED, space, descent(), (-math.inf, 1.0), precise(exact_descent()),
                  FalseVariant("eta for eta - eta^2/2", quantity=descent(wrong=True),
                               second=precise(exact_descent(wrong=True)))),
        Universal("universal.energy_monotone",
                  SETTING + "if the points have equal norms, the energy W_t - t|x|^2/2 never increases along "
                  "a path of six Euler steps of 1/8 from t = 1/8 with fixed noise.",
                  DERIVED, space, rise, (-math.inf, 0.0), precise(exact_rise),
                  FalseVariant("equal norms left out", drop=EQUAL.name), hypotheses=(EQUAL,), unit=1.0,
                  starts=[*STARTS, *CORNERS]),
    ],
)  # fmt: skip

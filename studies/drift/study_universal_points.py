"""Claims about kernel posteriors of any few weighted points, attacked: identities of the engine, and bounds.

The quantity is what the package returns, the second route the definition in 50 digits. The worst cases of rounding and
of ties belong to the space: bandwidths from 0.03 to 30, one to four dimensions, unequal weights.
"""

import math

import mpmath
import numpy as np

import unifiedscore as us
from unifiedscore.study import Choice, FalseVariant, Hypothesis, Integer, Many, Real, Space, Study, Universal

DERIVED, EPS = "derived here", float(np.finfo(float).eps)
KERNELS = {
    "gaussian": us.Gaussian,
    "laplace": us.Laplace,
    "matern": lambda tau: us.Matern(tau, smoothness=1.5),
    "rational": lambda tau: us.RationalQuadratic(tau, exponent=1.5),
}
# b = phi'(r)/r of exp(-phi), and exp(-phi), in units of the bandwidth.
PROFILES = {
    "gaussian": (lambda r: mpmath.exp(-(r**2) / 2), lambda r: mpmath.mpf(1)),
    "laplace": (lambda r: mpmath.exp(-r), lambda r: 1 / r),
    "matern": (lambda r: (1 + r) * mpmath.exp(-r), lambda r: 1 / (1 + r)),
    "rational": (lambda r: (1 + r**2) ** mpmath.mpf("-1.5"), lambda r: 3 / (1 + r**2)),
}

few = {
    "points": Integer(2, 6),
    "dimension": Integer(1, 4),
    "weights": Many(Real(0.01, 1.0, log=True), at_most=6, count="points"),
    "y": Many(
        Many(Real(-3, 3, simple=(0.0, 1.0, -1.0, 0.5, 2.0)), at_most=4, count="dimension"), at_most=6, count="points"
    ),
}
space = Space(
    **few,
    x=Many(Real(-3, 3, simple=(0.0, 1.0, -1.0, 0.5, 2.0)), at_most=4, count="dimension"),
    kernel=Choice(tuple(KERNELS)),
    bandwidth=Real(0.03, 30.0, log=True),
)


def arrays(instance):
    weights = np.array(instance["weights"])
    return np.array(instance["y"]), weights / weights.sum(), np.array(instance["x"])


def moments(instance):
    """Posterior of the package at the query."""
    y, weights, x = arrays(instance)
    return us.posterior_moments(KERNELS[instance["kernel"]](instance["bandwidth"]), us.Samples(y, weights), x[None])


def posterior(instance):
    """Weights, vectors, distances and b of the definition, in the precision of mpmath."""
    tau = mpmath.mpf(instance["bandwidth"])
    vectors = [
        [mpmath.mpf(a) - mpmath.mpf(b) for a, b in zip(row, instance["x"], strict=True)] for row in instance["y"]
    ]
    distances = [mpmath.sqrt(sum(v**2 for v in row)) for row in vectors]
    profile, b = PROFILES[instance["kernel"]]
    terms = [mpmath.mpf(w) * profile(r / tau) for w, r in zip(instance["weights"], distances, strict=True)]
    total = sum(terms)
    # At r = 0 the direction is 0, and so is what b multiplies.
    factors = [b(r / tau) / tau**2 if r > 0 or instance["kernel"] != "laplace" else mpmath.mpf(0) for r in distances]
    return [term / total for term in terms], vectors, distances, factors


def mean(weights, vectors):
    return [sum(w * row[k] for w, row in zip(weights, vectors, strict=True)) for k in range(len(vectors[0]))]


def scale(instance):
    """Size of the terms, with the rounding of the largest logarithm of an active weight."""
    y, weights, x = arrays(instance)
    r = np.linalg.norm(y - x, axis=1)
    logs = np.log(weights) - r / instance["bandwidth"] * (
        r / instance["bandwidth"] if instance["kernel"] == "gaussian" else 1
    )
    return (
        r.max()
        * (1 + np.abs(logs.max()) + np.abs(y).max() + np.abs(x).max())
        * (1 + r.max() / instance["bandwidth"] ** 2)
    )


def precise(function):
    """A route in 50 digits."""

    def evaluate(instance):
        with mpmath.workdps(50):
            return function(instance)

    evaluate.__doc__ = "the definition in 50 digits of mpmath"
    return evaluate


def tweedie(factor=1.0):
    def evaluate(instance):
        weights, vectors, _, _ = posterior({**instance, "kernel": "gaussian"})
        exact = np.array([float(v) for v in mean(weights, vectors)])
        tau = instance["bandwidth"]
        score = us.KernelScore(us.Gaussian(tau), us.Samples(*arrays(instance)[:2]))(arrays(instance)[2][None])[0]
        gap = float(np.abs(exact - factor * tau**2 * score).max())
        value = gap / (EPS * scale({**instance, "kernel": "gaussian"}))
        return {"value": value, "error": 1.0 + 1e-9 * value}

    return evaluate


def exact_tweedie(factor=1.0):
    """The same with the score of the definition, which is V/tau^2."""

    def evaluate(instance):
        alone = {**instance, "kernel": "gaussian"}
        weights, vectors, _, b = posterior(alone)
        score = mean(weights, [[f * v for v in row] for f, row in zip(b, vectors, strict=True)])
        square = factor * mpmath.mpf(instance["bandwidth"]) ** 2
        gap = max(abs(v - square * s) for v, s in zip(mean(weights, vectors), score, strict=True))
        value = float(gap) / (EPS * scale(alone))
        return {"value": value, "error": 1.0 + 1e-9 * value}

    return evaluate


def weights_of(kernel, instance):
    """Posterior weights in double precision, by logarithms, with the distances and the largest logarithm."""
    y, weights, x = arrays(instance)
    r = np.linalg.norm(y - x, axis=1)
    with np.errstate(under="ignore"):
        logs = np.log(weights) + kernel.log_profile(r)
        pi = np.exp(logs - logs.max())
    return pi / pi.sum(), r, float(np.abs(logs.max()))


def terms(instance):
    """Size of the terms of V = alpha s + delta, with their conditioning."""
    kernel = KERNELS[instance["kernel"]](instance["bandwidth"])
    pi, r, _ = weights_of(kernel, instance)
    b = kernel.inverse_weight(np.maximum(r, 1e-300)) ** -1.0
    return float(pi @ (1 / b) * (pi @ (b * r))) + scale(instance)


def decomposition(keep=1.0):
    """|V - alpha s - delta| of the package against the two-pass covariance of its definition."""

    def evaluate(instance):
        found, kernel = moments(instance), KERNELS[instance["kernel"]](instance["bandwidth"])
        pi, r, _ = weights_of(kernel, instance)
        y, _, x = arrays(instance)
        if r.min() == 0:
            return {"value": math.nan, "error": 0.0}
        b = kernel.inverse_weight(r) ** -1.0
        alpha, pushed = pi @ (1 / b), b[:, None] * (y - x)
        delta = (pi * (1 / b - alpha)) @ (pushed - pi @ pushed)
        gap = float(np.abs(found.mean_shift - found.preconditioner[:, None] * found.score - keep * delta).max())
        value = gap / (EPS * terms(instance))
        return {"value": value, "error": 1.0 + 1e-9 * value}

    return evaluate


def exact_decomposition(keep=1.0):
    """The same with delta = Cov(1/b, b (y - x)) by its definition."""

    def evaluate(instance):
        weights, vectors, _, b = posterior(instance)
        # At r = 0, where b of a Laplace kernel is infinite and set to 0 here, 1/b is 0 and so is the vector.
        inverse = [1 / factor if factor else mpmath.mpf(0) for factor in b]
        pushed = [[factor * v for v in row] for factor, row in zip(b, vectors, strict=True)]
        alpha = sum(w * i for w, i in zip(weights, inverse, strict=True))
        score, shift = mean(weights, pushed), mean(weights, vectors)
        centred = [w * (i - alpha) for w, i in zip(weights, inverse, strict=True)]
        delta = mean(centred, [[v - s for v, s in zip(row, score, strict=True)] for row in pushed])
        gaps = [v - alpha * s - keep * c for v, s, c in zip(shift, score, delta, strict=True)]
        value = float(max(map(abs, gaps))) / (EPS * terms(instance))
        return {"value": value, "error": 1.0 + 1e-9 * value}

    return evaluate


def harmonic(instance):
    """1/(E b E 1/b) with the preconditioner of the package: at most one by Jensen."""
    kernel = KERNELS[instance["kernel"]](instance["bandwidth"])
    pi, r, largest = weights_of(kernel, instance)
    if r.min() == 0:
        return {"value": math.nan, "error": 0.0, "ess": math.nan, "b_ratio": math.nan}
    b = kernel.inverse_weight(r) ** -1.0
    value = 1 / float(pi @ b * moments(instance).preconditioner[0])
    spread = float(b.max() / b.min())
    return {"value": value, "error": 64 * EPS * (1 + largest) * value, "ess": 1 / float(pi @ pi), "b_ratio": spread}


def exact_harmonic(instance):
    weights, _, distances, b = posterior(instance)
    if min(distances) == 0 and instance["kernel"] == "laplace":
        return {"value": math.nan, "error": 0.0}
    product = sum(w * f for w, f in zip(weights, b, strict=True)) * sum(w / f for w, f in zip(weights, b, strict=True))
    return {"value": float(1 / product), "error": 1e-15}


def residual_terms(weights, vectors, distances, root):
    """|Cov(r, u)|, and sd(r) sqrt(1 - |E u|^2), of unit vectors u."""
    units = [[v / r if r > 0 else 0 * v for v in row] for r, row in zip(distances, vectors, strict=True)]
    m, r = mean(weights, units), sum(w * d for w, d in zip(weights, distances, strict=True))
    variance = sum(w * (d - r) ** 2 for w, d in zip(weights, distances, strict=True))
    spread = sum(w * sum((a - b) ** 2 for a, b in zip(u, m, strict=True)) for w, u in zip(weights, units, strict=True))
    cov = mean(
        weights, [[(d - r) * (a - b) for a, b in zip(u, m, strict=True)] for d, u in zip(distances, units, strict=True)]
    )
    return root(sum(v**2 for v in cov)), root(variance * spread)


def laplace_bound(instance):
    y, weights, x = arrays(instance)
    kernel = us.Laplace(instance["bandwidth"])
    pi, r, largest = weights_of(kernel, instance)
    _, bound = residual_terms(pi.tolist(), (y - x).tolist(), r.tolist(), math.sqrt)
    delta = np.linalg.norm(us.posterior_moments(kernel, us.Samples(y, weights), x[None]).residual[0])
    rounding = 64 * EPS * r.max() * (1 + largest)
    if bound < 1e4 * rounding or r.min() == 0:
        return {"value": math.nan, "error": 0.0}
    return {"value": float(delta / bound), "error": float(4 * rounding / bound)}


def exact_laplace_bound(instance):
    weights, vectors, distances, _ = posterior({**instance, "kernel": "laplace"})
    delta, bound = residual_terms(weights, vectors, distances, mpmath.sqrt)
    return {"value": float(delta / bound) if bound else math.nan, "error": 1e-15}


common = Space(
    derive=lambda instance: {"scale": common_scale(instance)} if common_scale(instance) is not None else None,
    **few,
    others=Integer(1, 6),
    more=Many(Real(0.01, 1.0, log=True), at_most=6, count="others"),
    z=Many(
        Many(Real(-3, 3, simple=(0.0, 1.0, -1.0, 0.5, 2.0)), at_most=4, count="dimension"), at_most=6, count="others"
    ),
)


def second_moment(points, weights):
    return sum(w * sum(v**2 for v in row) for w, row in zip(weights, points, strict=True)) / sum(weights)


def common_scale(instance):
    """What the second law is multiplied by, so that both have one mean squared norm."""
    first, other = (second_moment(instance[a], instance[b]) for a, b in (("y", "weights"), ("z", "more")))
    return math.sqrt(first / other) if first > 1e-4 and other > 1e-4 else None


def concentration(power, root=math.sqrt, number=float):
    """E(S - rho)^power of S = |x - y| over its bound by moments of norms and inner products."""

    def evaluate(instance):
        first, second = (
            [[number(v) for v in row] for row in instance["y"]],
            [[number(v) for v in row] for row in instance["z"]],
        )
        p, q = ([number(w) / sum(map(number, instance[name])) for w in instance[name]] for name in ("weights", "more"))
        factor = root(second_moment(first, p) / second_moment(second, q))
        second = [[factor * v for v in row] for row in second]
        square = second_moment(first, p)
        rho = root(2 * square)
        norms = [
            sum(w * (sum(v**2 for v in row) - square) ** power for w, row in zip(weights, law, strict=True))
            for law, weights in ((first, p), (second, q))
        ]
        left, inner = 0, 0
        for a, row in zip(p, first, strict=True):
            for b, other in zip(q, second, strict=True):
                left += a * b * (root(sum((u - v) ** 2 for u, v in zip(row, other, strict=True))) - rho) ** power
                inner += a * b * sum(u * v for u, v in zip(row, other, strict=True)) ** power
        bound = (
            1.5 * (2 * max(norms) + 4 * inner) / square
            if power == 2
            else 6.75 * (2 * max(norms) + 16 * inner) / square**2
        )
        if bound < 1e-8 * square ** (power / 2):
            return {"value": math.nan, "error": 0.0}
        value = float(left / bound)
        return {"value": value, "error": 1e-12 * value + 1e-12 if number is float else 1e-15}

    evaluate.__doc__ = "sums over all pairs of points, in 50 digits where it is the second route"
    return evaluate


ESS = Hypothesis("effective samples", "ess", low=1.5)
SPREAD = Hypothesis("spread of b", "b_ratio", low=1.5)
POINTS = (
    "For all 2 to 6 points in 1 to 4 dimensions with weights in a ratio of up to 100 and coordinates up to 3, queries "
    "in their range and bandwidths from .03 to 30, "
)
FOUR = "for the Gaussian, the Laplace, a Matern (3/2) and a rational quadratic (3/2) kernel "
LAWS = (
    "For all independent laws of 1 to 6 points in 1 to 4 dimensions, with weights in a ratio of up to 100 and a common "
    "mean squared norm R^2, "
)
identity = {"source": DERIVED, "region": (-math.inf, 100.0), "clear": 1000.0, "evidence": "exact"}
bound = {"source": DERIVED, "region": (-math.inf, 1.0), "evidence": "exact"}

study = Study(
    name="universal_points", title="Kernel posteriors of any few weighted points",
    universals=[
        Universal("universal.gaussian_identity",
                  POINTS + "the mean shift of a Gaussian kernel is tau^2 times the kernel score.",
                  space=space, quantity=precise(tweedie()), second=precise(exact_tweedie()),
                  control=FalseVariant("2 tau^2 for tau^2", quantity=precise(tweedie(2.0)),
                                       second=precise(exact_tweedie(2.0))),
                  **identity),
        Universal("universal.radial_decomposition",
                  POINTS + FOUR + "V = alpha s + Cov(1/b, b (y - x)).",
                  space=space, quantity=decomposition(), second=precise(exact_decomposition()),
                  control=FalseVariant("the covariance left out", quantity=decomposition(0.0),
                                       second=precise(exact_decomposition(0.0))),
                  **identity),
        Universal("universal.harmonic_preconditioner",
                  POINTS + FOUR + "1/E b <= E 1/b.",
                  space=space, quantity=harmonic, second=precise(exact_harmonic), regular=(ESS, SPREAD),
                  control=FalseVariant("0.98 of the bound", region=(-math.inf, 0.98)), **bound),
        Universal("universal.laplace_residual_bound",
                  POINTS + "the Laplace residual is at most sd(r) sqrt(1 - |E u|^2).",
                  space=space, quantity=laplace_bound, second=precise(exact_laplace_bound), sharpness=(0.98, 1.001),
                  control=FalseVariant("0.98 of the bound", region=(-math.inf, 0.98)), **bound),
        Universal("universal.concentration_2",
                  LAWS + "the distance S satisfies E(S - rho)^2 <= "
                  "(3/2)(2 max Var|x|^2 + 4 E<x, y>^2)/R^2.",
                  space=common, quantity=concentration(2), second=precise(concentration(2, mpmath.sqrt, mpmath.mpf)),
                  control=FalseVariant("a constant of 0.3 for 3/2", region=(-math.inf, 0.2)), sharpness=(0.15, 0.6),
                  **bound),
        # The share of the bound that is found grows with the budget: 0.379 after 10 000 evaluations.
        Universal("universal.concentration_4",
                  LAWS + "the distance S satisfies E(S - rho)^4 <= "
                  "(27/4)(2 max E(|x|^2 - R^2)^4 + 16 E<x, y>^4)/R^4.",
                  space=common, quantity=concentration(4), second=precise(concentration(4, mpmath.sqrt, mpmath.mpf)),
                  control=FalseVariant("0.015 of the bound", region=(-math.inf, 0.015)), sharpness=(0.01, 0.6),
                  **bound),
    ],
)  # fmt: skip

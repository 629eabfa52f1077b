"""Claims about the lean adjoint over any modes on the line, and about loss floors under any schedule, attacked.

Along a path |a(t)|/|a(1)| is the exponential of the integral of the slope of the base drift. Its largest value over all
paths follows the steepest slope at each time, which the package's `drift_jacobian` gives on a mesh of states; the
second route is the largest posterior variance of the modes, in 25 digits.
"""

import math

import mpmath
import numpy as np

import unifiedscore as us
from unifiedscore.processes import SCHEDULES, conditional_target, logconcave_factor, loss_floor, mixture_factor
from unifiedscore.study import Choice, FalseVariant, Hypothesis, Integer, Many, Real, Space, Study, Universal

DERIVED = "derived here"
C3 = "described in reviews of arXiv 2605.00229 (Prop. 3.1); formula derived here"
space = Space(
    modes=Integer(2, 4),
    places=Many(Real(-1, 1, simple=(1.0, -1.0, 0.0, 0.5)), at_most=4, count="modes"),
    weights=Many(Real(0.05, 1.0, log=True, simple=(1.0, 0.5)), at_most=4, count="modes"),
    width=Real(0.25, 4.0, log=True, simple=(1.0, 0.5, 2.0)),
    schedule=Choice(SCHEDULES),
    time=Real(0.02, 0.98, simple=(0.5, 0.1, 0.02)),
    derive=lambda instance: {"radius": np.ptp(instance["places"]) / 2} if np.ptp(instance["places"]) > 0.05 else None,
)


def base_of(instance):
    """The law on the line: `places` are the modes, `width` their common standard deviation over the radius."""
    weights, places = np.array(instance["weights"]), np.array(instance["places"])
    middle = (places.max() + places.min()) / 2
    width = instance["width"] * instance["radius"]
    return us.GaussianMixture((places - middle)[:, None], width**2, weights=weights / weights.sum()), width**2


def peak(values, x, rounds=4):
    """The largest of values(x) over the states (time, pair, state), by time: each mesh is refined about its best state.

    Every number compared is a value that is attained. A parabola through three states is not bounded by anything where
    the modes of a pair are so close that a mesh around them is coarse for the others.
    """
    count = x.shape[-1]
    for _ in range(rounds):
        found = values(x)
        k = np.clip(found.argmax(-1), 1, count - 2)[..., None]
        left, right = (np.take_along_axis(x, k + step, -1) for step in (-1, 1))
        x = left + (right - left) * np.linspace(0, 1, count)
    return np.maximum(found.max(-1), values(x).max(-1)).max(-1)


def states(process, v, t, count):
    """Where the slope may be largest (time, pair, state): around the states to which two modes contribute alike."""
    means, logs = process.base.means[:, 0], np.log(process.base.weights)
    i, j = np.triu_indices(len(means), 1)
    gap, middle = means[i] - means[j], (means[i] + means[j]) / 2
    apart = np.abs(gap) > 1e-6 * np.ptp(means)
    gap, middle, tilt = gap[apart], middle[apart], (logs[j] - logs[i])[apart]
    alpha, gamma = np.asarray(process.schedule.alpha(t)), np.asarray(process.schedule.variance(t, v))
    width = (gamma / alpha)[:, None] / gap
    return (alpha[:, None] * middle + width * tilt)[..., None] + np.abs(width)[..., None] * np.linspace(-3, 3, count)


def panels(low):
    """Gauss-Legendre panels in log(t / (1 - t)) from `low` on, by two orders: times and weights."""
    first, last = math.log(low / (1 - low)), 17.0
    edges = np.linspace(first, last, math.ceil((last - first) / 2) + 1)
    for order in (5, 7):
        nodes, weights = np.polynomial.legendre.leggauss(order)
        half = np.diff(edges)[:, None] / 2
        t = 1 / (1 + np.exp(-(edges[:-1, None] + half * (1 + nodes))))
        yield t.ravel(), (half * weights * t * (1 - t)).ravel()


def posterior_variance(process, alpha, gamma, x):
    """Variance of the mode that a state (time, pair, state) belongs to."""
    means, shape = process.base.means[:, 0], (-1, 1, 1, 1)
    logs = np.log(process.base.weights) - (x[..., None] - alpha.reshape(shape) * means) ** 2 / (
        2 * gamma.reshape(shape)
    )
    pi = np.exp(logs - logs.max(-1, keepdims=True))
    pi /= pi.sum(-1, keepdims=True)
    return pi @ means**2 - (pi @ means) ** 2


def by_variance(process, v, t):
    """kappa - 2 eta / Gamma + 2 eta alpha^2 Var / Gamma^2, Var the largest posterior variance of the modes."""
    schedule = process.schedule
    alpha, gamma = np.asarray(schedule.alpha(t)), np.asarray(schedule.variance(t, v))
    variance = peak(lambda x: posterior_variance(process, alpha, gamma, x), states(process, v, t, 41))
    eta = np.asarray(schedule.eta(t))
    return np.asarray(schedule.kappa(t)) - 2 * eta / gamma + 2 * eta * (alpha / gamma) ** 2 * variance


def by_jacobian(process, v, t):
    """The largest slope of the base drift, as the package gives it."""

    def slopes(meshes):
        found = [process.drift_jacobian(x.reshape(-1, 1), s).reshape(x.shape) for x, s in zip(meshes, t, strict=True)]
        return np.array(found)

    return peak(slopes, states(process, v, t, 61))


def growth(instance, slope):
    """The largest |a(t)| / |a(1)| over all paths, with its error."""
    base, v = base_of(instance)
    process = us.TiltedProcess(base, us.QuadraticReward([0.0]), instance["schedule"])
    low, high = (float(w @ slope(process, v, t)) for t, w in panels(instance["time"]))
    end = float(np.abs(slope(process, v, np.array([1 - 1e-7])))[0]) * 4.2e-8  # beyond the last panel
    mesh = 2e-5 * (1 + instance["width"] ** -2)  # of the states, as the exponent enlarges it
    return math.exp(high), math.exp(high) * (abs(high - low) + end + mesh)


def bounded(factor, slope=by_variance):
    """The growth of the adjoint over a bound, which is `factor` of the instance and the variance of a mode."""

    def evaluate(instance):
        value, error = growth(instance, slope)
        if error > 1e-2 * value:
            return {"value": math.nan, "error": 0.0, "curvature": curvature(instance)}
        bound = factor(instance, base_of(instance)[1])
        return {"value": value / bound, "error": error / bound, "curvature": curvature(instance)}

    evaluate.__doc__ = "the slope of the base drift of the package" if slope is by_jacobian else None
    return evaluate


def curvature(instance):
    """Smallest eigenvalue of -Hess log p_1, in units of the variance of the law: positive where it is log-concave."""
    base, v = base_of(instance)
    process = us.TiltedProcess(base, us.QuadraticReward([0.0]), instance["schedule"])
    one = np.ones(1)
    largest = float(peak(lambda x: posterior_variance(process, one, v * one, x), states(process, v, one, 61))[0])
    return (1 / v - largest / v**2) * float(base.covariance_matrix[0, 0])


def mixture(scale=1.0):
    def factor(instance, v):
        return mixture_factor(instance["schedule"], instance["time"], v, math.sqrt(scale) * instance["radius"])

    return factor


def logconcave(*, variance=False):
    def factor(instance, v):
        mu = 1.0 if variance else max(curvature(instance), 1e-12)
        spread = float(base_of(instance)[0].covariance_matrix[0, 0])
        return logconcave_factor(instance["schedule"], instance["time"], mu / spread)

    return factor


def at_snr(instance):
    """Times of the same two signal-to-noise ratios under the instance's schedule."""
    schedule = us.Schedule(instance["schedule"])
    low = 10 ** instance["decades"]
    return schedule.time_of_snr(low), schedule.time_of_snr(low * 10 ** instance["span"])


floors = Space(
    mean=Real(-2, 2, simple=(0.0, 1.0)),
    variance=Real(0.1, 4.0, log=True, simple=(1.0,)),
    linear=Real(-2, 2, simple=(0.0, 1.0)),
    quadratic=Real(0.0, 3.0, simple=(0.0, 1.0)),
    schedule=Choice(("foellmer", "vp_cosine")),
    decades=Real(-3, 1, simple=(0.0, -1.0)),
    span=Real(0.2, 2.0, simple=(1.0, 2.0)),
)


def floor_ratio(factor=1.0):
    """The loss floor of the conditional target between two SNRs, over that of rectified flow, less 1."""

    def evaluate(instance):
        law = us.GaussianMixture([[instance["mean"]]], instance["variance"])
        reward = us.QuadraticReward([instance["linear"]], [[instance["quadratic"]]])

        def floors(name, *orders):
            low, high = at_snr({**instance, "schedule": name})
            target = conditional_target(us.TiltedProcess(law, reward, name))
            return [loss_floor(target, low=low, high=high, order=order) for order in orders]

        (coarse, fine), (other,) = floors(instance["schedule"], 5, 7), floors("rectified_flow", 7)
        return {"value": factor * fine / other - 1, "error": abs(fine - coarse) / other + 1e-12}

    return evaluate


def floor_by_hand(factor=1.0):
    def evaluate(instance):
        """The integral of beta^2 Var / 2 lambda over lambda itself in 30 digits, which names no schedule."""
        with mpmath.workdps(30):
            t_of = {name: at_snr({**instance, "schedule": name}) for name in (instance["schedule"], "rectified_flow")}
            v = 1 / (1 / mpmath.mpf(instance["variance"]) + instance["quadratic"])
            # The target -x_0/beta varies by alpha^2 Var(x_1)/beta^4, times eta dt = beta^2 dlambda / 2 lambda.
            integrand = lambda ratio: v / (1 + ratio * v) / 2
            ends = {name: [mpmath.mpf(float(us.Schedule(name).snr(t))) for t in times] for name, times in t_of.items()}
            floors = [mpmath.quad(integrand, pair) for pair in ends.values()]
            return {"value": float(factor * floors[0] / floors[1] - 1), "error": 1e-11}

    return evaluate


TWO = [space.instance(modes=2, places=(1.0, -1.0), weights=(1.0, w), width=width, schedule=name, time=0.1)
       for w, width, name in ((1.0, 1.0, "rectified_flow"), (0.2, 0.5, "vp_cosine"))]  # fmt: skip
# Between two modes a little wider than half their distance the law is just log-concave.
NEAR = [space.instance(modes=2, places=(1.0, -1.0), weights=(1.0, 1.0), width=width, schedule="rectified_flow",
                       time=0.02) for width in (1.05, 1.2)]  # fmt: skip
MODES = (
    "For 2 to 4 modes on the line with weights in a ratio of up to 20 and a common variance v, sqrt(v) from R/4 to 4 R "
    "of the radius R, under every schedule of the package, from a time in [.02, .98] and along every path, "
)
CONVEX = Hypothesis("strongly log-concave", "curvature", low=1e-6)
study = Study(
    name="universal_adjoint", title="The lean adjoint over any few modes, loss floors under any schedule",
    universals=[
        Universal("universal.adjoint_mixture",
                  MODES + "the lean adjoint obeys |a(t)| <= (alpha v/Gamma) exp(R^2 beta^2/(v Gamma)) |grad r|.",
                  C3, space, bounded(mixture()), (-math.inf, 1.0), bounded(mixture(), by_jacobian),
                  FalseVariant("R^2 lowered by 2 %", quantity=bounded(mixture(0.98)),
                               second=bounded(mixture(0.98), by_jacobian)), starts=TWO,
                  sharpness=(0.98, 1.001)),
        Universal("universal.adjoint_logconcave",
                  MODES + "if the law is strongly log-concave with constant mu, the lean adjoint obeys "
                  "|a(t)| <= alpha/(alpha^2 + mu beta^2) |grad r|.",
                  C3, space, bounded(logconcave()), (-math.inf, 1.0), bounded(logconcave(), by_jacobian),
                  FalseVariant("1/Var in place of mu", quantity=bounded(logconcave(variance=True)),
                               second=bounded(logconcave(variance=True), by_jacobian)),
                  hypotheses=(CONVEX,), starts=NEAR, sharpness=(0.98, 1.001)),
        Universal("universal.kl_floor",
                  "For Gaussian bases on the line with means up to 2 and variances .1 to 4, concave quadratic rewards "
                  "with coefficients up to 3 and two signal-to-noise ratios between .001 and 1000, the KL-weighted "
                  "loss floor of the conditional target is the same under the Foellmer, the VP cosine and the "
                  "rectified-flow schedule.",
                  DERIVED, floors, floor_ratio(), (-1e-9, 1e-9), floor_by_hand(),
                  FalseVariant("eta of one schedule raised by 2 %", quantity=floor_ratio(1.02),
                               second=floor_by_hand(1.02)), unit=1e-9),
    ],
)  # fmt: skip

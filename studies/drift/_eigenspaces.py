r"""Laplace fields of two Gaussians that share eigenspaces, in any dimension: one integral per query.

The Laplace kernel is a mixture of Gaussian ones, $e^{-r/\tau} = E_\omega e^{-r^2/2v}$ with $v = 2\tau^2\omega$,
$\omega\sim$ Gamma(1/2). In the eigenspace j of multiplicity $n_j$ the law has the eigenvalue $\lambda_j$, the query the
squared distance $z_j^2$ from its mean, and every field is a multiple of the vector to that mean: the mean shift by
$E[v/(v+\lambda_j)]$, the score by $E[1/(v+\lambda_j)]$, under weights

$$v^{1/2} e^{-v/2\tau^2} \prod_j (1+\lambda_j/v)^{-n_j/2} e^{-z_j^2/2(v+\lambda_j)}\,d\log v.$$

The preconditioner is $\tau E r = E v - \tau^2$. Queries are drawn from the model: chi-squared nodes in each eigenspace,
normal ones in the one coordinate in which the means differ.
"""

from dataclasses import dataclass

import numpy as np

import unifiedscore as us
from unifiedscore.measures.rules import gauss_gamma, gauss_hermite, tensor
from unifiedscore.posterior.quadrature import Geometry, integrate

COARSE, NODES, DEPTH = 289, 257, 44.0


@dataclass(frozen=True, slots=True)
class Pair:
    """N(shift e_1, diag target) and N(0, diag model) with eigenvalues in common eigenspaces; the first coordinate, if
    `shift` is not 0, is an eigenspace of its own."""

    target: np.ndarray
    model: np.ndarray
    multiplicity: np.ndarray
    tau: float
    shift: float = 0.0

    @property
    def traces(self):
        return float(self.multiplicity @ self.target), float(self.multiplicity @ self.model)

    @property
    def rho(self):
        """Root of the mean squared distance of a draw of each, up to their means."""
        return np.sqrt(sum(self.traces) + self.shift**2)

    def queries(self, order):
        """Signed distances (n, j) of draws of the model from its mean, and their weights."""
        rules = []
        for position, (value, count) in enumerate(zip(self.model, self.multiplicity, strict=True)):
            if position == 0 and self.shift:
                nodes, weights = gauss_hermite(order)
                rules.append((np.sqrt(value) * nodes, weights))
            else:
                nodes, weights = gauss_gamma(order, count / 2)
                rules.append((np.sqrt(2 * value * nodes), weights))
        return tensor(rules)

    def offsets(self, z):
        """Vectors from the queries to the mean of the target and to that of the model, in each eigenspace."""
        to_target = -z
        if self.shift:
            to_target = to_target + self.shift * (np.arange(z.shape[1]) == 0)
        return to_target, -z


def factors(eigenvalues, multiplicity, squared, tau):
    """E[v/(v+lambda)], E[1/(v+lambda)] (n, j) and E[v] - tau^2 (n,): the integral over log v, by two rules."""

    def log_weights(v):
        inverse = 1 / (v[:, None] + eigenvalues)
        common = 0.5 * np.log(v) - v / (2 * tau**2) - 0.5 * (np.log1p(eigenvalues / v[:, None]) @ multiplicity)
        return common - 0.5 * squared @ inverse.T, inverse

    middle = np.log(tau**2 + tau * np.sqrt(float(multiplicity @ eigenvalues) + squared.max(0).sum()))
    grid = np.linspace(middle - 12.0, middle + 6.0, COARSE)
    logs, _ = log_weights(np.exp(grid))
    seen = np.flatnonzero((logs > logs.max(1, keepdims=True) - DEPTH).any(0))
    v = np.exp(np.linspace(grid[max(seen[0] - 1, 0)], grid[min(seen[-1] + 1, COARSE - 1)], NODES))
    logs, inverse = log_weights(v)
    weights = np.exp(logs - logs.max(1, keepdims=True))
    found = []
    for step in (2, 1):
        w = weights[:, ::step] / weights[:, ::step].sum(1, keepdims=True)
        found.append(((w * v[::step]) @ inverse[::step], w @ inverse[::step], w @ v[::step] - tau**2))
    return found


def engine_factors(eigenvalues, multiplicity, squared, tau):
    """The same by the engine's quadrature: its own mixture of the Laplace kernel, its own windows and nodes."""

    def moments(bandwidth):
        geo = Geometry(
            (eigenvalues / bandwidth**2)[None],
            multiplicity[None].astype(float),
            squared[:, None] / bandwidth**2,
            np.zeros(1),
        )
        logs, inverse, heavy, error = integrate(us.Laplace(bandwidth), geo, None, with_r2=False)
        return logs[:, 0], inverse[:, 0], heavy[:, 0] / bandwidth**2, error[:, 0]

    # E r = tau^2 d log Z / d tau, by differences of fourth order.
    step = 1e-3
    logs = [moments(tau * (1 + k * step))[0] for k in (-2, -1, 1, 2)]
    slope = (logs[0] - 8 * logs[1] + 8 * logs[2] - logs[3]) / (12 * step * tau)
    _, shift, score, _ = moments(tau)
    return shift, score, tau**3 * slope


def product(first, second, weights):
    return float(weights @ (first * second).sum(1))


def summary(pair, order, route="own"):
    """Energies and errors of the Laplace drift by a rule of this order, for every rule of the inner integral."""
    z, w = pair.queries(order)
    to_target, to_model = pair.offsets(z)
    laws = (pair.target, to_target), (pair.model, to_model)
    if route == "own":
        both = [factors(values, pair.multiplicity, offset**2, pair.tau) for values, offset in laws]
        rules = [[law[rule] for law in both] for rule in (0, 1)]
    else:
        rules = [[engine_factors(values, pair.multiplicity, offset**2, pair.tau) for values, offset in laws]]
    return [_summary(pair, rule, laws, w) for rule in rules]


def _summary(pair, rule, laws, w):
    (shift_p, score_p, alpha_p), (shift_q, score_q, alpha_q) = rule
    (_, to_target), (_, to_model) = laws
    drift = shift_p * to_target - shift_q * to_model
    score = score_p * to_target - score_q * to_model
    energy, scale = product(drift, drift, w), pair.rho * pair.tau
    gap = drift - scale * score
    means = float(w @ alpha_p), float(w @ alpha_q)
    # What is lost where drifts of nearly equal laws are subtracted.
    rounding = 1e-28 * product(shift_p * to_target, shift_p * to_target, w)

    def matched(square_p, square_q):
        field = square_p / (square_p + pair.target) * to_target - square_q / (square_q + pair.model) * to_model
        return product(drift - field, drift - field, w) / energy

    if energy == 0:  # equal laws
        return dict.fromkeys(("energy", "absolute", "relative", "cosine", "matched", "matched_two", "noise"), np.nan)
    common = (means[0] + means[1]) / 2
    return {
        "energy": energy,
        "absolute": product(gap, gap, w),
        "relative": product(gap, gap, w) / energy,
        "cosine": product(drift, score, w) / np.sqrt(energy * product(score, score, w)),
        "matched": matched(common, common),
        "matched_two": matched(*means),
        "noise": np.sqrt(rounding / energy),
    }


ORDERS = {"own": (6, 8), "engine": (7, 10)}


def measured(pair, name, factor=1.0, *, route="own", orders=ORDERS):
    """`factor` times one entry of the summary, with the error of both rules; NaN where rounding would decide it."""
    coarse, fine = orders[route]
    if route == "own":
        (_, low), (half, high) = summary(pair, coarse), summary(pair, fine)
        error = abs(high[name] - low[name]) + abs(high[name] - half[name])
    else:
        (low,), (high,) = summary(pair, coarse, route), summary(pair, fine, route)
        error = abs(high[name] - low[name])
    value, noise = high[name], high["noise"]
    if not np.isfinite(value) or noise > 1e-2:
        return {"value": float("nan"), "error": 0.0}
    size = noise * np.sqrt(abs(value)) + noise**2 if name != "cosine" else noise
    floor = 1e-9 * abs(value) if route == "own" else 1e-6 * abs(value)
    return {"value": factor * value, "error": factor * (error + 4 * size + floor)}

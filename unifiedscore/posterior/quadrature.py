r"""One-dimensional integrals over the scales of a kernel: the expectations of Gaussians under it, in log space.

With $k(r) = \int e^{-s r^2} g(s)\,ds$, component m with eigenvalues $\lambda_j$ (multiplicity $n_j$) and squared
distances $z_j^2$ contributes

$$\Omega_m(s) = g(s)\,\pi_m \prod_j \eta_j^{-n_j/2} e^{-s z_j^2/\eta_j}, \qquad \eta_j = 1 + 2 s \lambda_j.$$

Each (query, component, peak of g) has a window and nodes of its own, found by zooming in on its peak: neither a narrow
peak far away nor the slow tail in low dimension escapes. The trapezoid rule on all nodes and on every other node gives
the error estimate. Before a kernel is used, its mixture is integrated to its profile: what the nodes miss shows there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.errors import NumericalError
from unifiedscore.posterior.radial import MixtureTable
from unifiedscore.posterior.scales import COARSE, Piece, pieces

# A node whose integrand is e^-44 (8e-20) of the peak cannot matter even when a thousand of them add up.
_DEPTH = 44.0
_ZOOM = 49
_TOLERANCE = 1e-11
_MOST_NODES = 6144
_JACOBIAN_NODES = 512


@dataclass(frozen=True, slots=True)
class Geometry:
    """Squared distances to the centres along each group of equal eigenvalues, in units of the bandwidth."""

    eigenvalues: np.ndarray  # (m, j)
    multiplicities: np.ndarray  # (m, j)
    squared: np.ndarray  # (n, m, j)
    log_weights: np.ndarray  # (m,)


@njit(cache=True, nogil=True, error_model="numpy")
def _log_gaussian(s, eigenvalues, multiplicities, squared, with_r2, out):
    """log of E_m[e^{-s r^2}], or of E_m[r^2 e^{-s r^2}], at s (n, m, k) into out."""
    for i in range(s.shape[0]):
        for m in range(s.shape[1]):
            for k in range(s.shape[2]):
                sk = s[i, m, k]
                total, r2 = 0.0, 0.0
                for j in range(eigenvalues.shape[1]):
                    eta = 1.0 + 2.0 * sk * eigenvalues[m, j]
                    # With d = 2^20 coordinates eta - 1 is of order 1/d, and its rounding counts d times.
                    precise = multiplicities[m, j] > 1000.0
                    log_eta = np.log1p(2.0 * sk * eigenvalues[m, j]) if precise else np.log(eta)
                    total -= 0.5 * multiplicities[m, j] * log_eta + sk * squared[i, m, j] / eta
                    r2 += multiplicities[m, j] * eigenvalues[m, j] / eta + squared[i, m, j] / eta**2
                # A component so far that its square is infinite has no weight, whatever r^2 says.
                out[i, m, k] = total + np.log(r2) if with_r2 and total > -np.inf else total


@njit(cache=True, nogil=True, error_model="numpy")
def _accumulate(log_value, s, eigenvalues, top, shift, score):
    """Sums over nodes of e^{log - top} times 1 (returned), 1/eta (shift) and 2s/eta (score), for the two rules.

    shift and score have shape (2, n, m, j): all nodes, then every other node with twice the weight.
    """
    total = np.zeros((2, s.shape[0], s.shape[1]))
    for i in range(s.shape[0]):
        for m in range(s.shape[1]):
            for k in range(s.shape[2]):
                value = np.exp(log_value[i, m, k] - top[i, m])
                twice = 2.0 * value if k % 2 == 0 else 0.0
                total[0, i, m] += value
                total[1, i, m] += twice
                for j in range(shift.shape[3]):
                    eta = 1.0 + 2.0 * s[i, m, k] * eigenvalues[m, j]
                    factor = 2.0 * s[i, m, k]
                    shift[0, i, m, j] += value / eta
                    shift[1, i, m, j] += twice / eta
                    score[0, i, m, j] += value * factor / eta
                    score[1, i, m, j] += twice * factor / eta
    return total


def integrate(kernel, geo: Geometry, mixture: MixtureTable | None, *, with_r2: bool):
    """Integrate over s, component by component: log of the integral, mean 1/eta and 2s/eta, relative error.

    The density over s is `mixture`, or that of the kernel itself.
    """
    parts = pieces(kernel.with_bandwidth(1.0))
    if mixture is not None:
        parts = (Piece(mixture, parts[0].atom, 0.0, COARSE),)
    results = [_integrate_piece(piece, geo, with_r2=with_r2) for piece in parts]
    if len(results) == 1:
        return results[0]
    logs, inverse, heavy, error = (np.stack(part) for part in zip(*results, strict=True))
    top = np.where(np.isfinite(logs.max(0)), logs.max(0), 0.0)
    share = np.exp(logs - top)
    total = share.sum(0)
    share /= np.where(total > 0, total, 1.0)
    # Each of the three integrals has its own errors: a piece of little mass may carry the score.
    errors = [(share * error).sum(0)]
    means = [(share[..., None] * values).sum(0) for values in (inverse, heavy)]
    for mean, values in zip(means, (inverse, heavy), strict=True):
        part = (share[..., None] * values * error[..., None]).sum(0)
        errors.append((part / np.where(mean > 0, mean, 1.0)).max(-1, initial=0.0))
    with np.errstate(divide="ignore"):
        return top + np.log(total), *means, np.max(errors, axis=0)


def _integrate_piece(piece: Piece, geo: Geometry, *, with_r2: bool):
    shape = geo.squared.shape
    if piece.log_density is None:
        log_value = np.empty((*shape[:2], 1))
        s = np.full_like(log_value, piece.atom)
        _log_gaussian(s, geo.eigenvalues, geo.multiplicities, geo.squared, with_r2, log_value)
        inverse = np.broadcast_to(1.0 / (1.0 + 2.0 * piece.atom * geo.eigenvalues), shape)
        return log_value[:, :, 0] + piece.log_weight, inverse, 2.0 * piece.atom * inverse, np.zeros(shape[:2])
    evaluate = _integrand(piece, geo, with_r2=with_r2)
    low, high = _window(evaluate, geo, piece.coarse, directions=not with_r2)
    grouped = (*shape[:2], 0 if with_r2 else shape[2])
    results = np.empty(shape[:2]), np.empty(grouped), np.empty(grouped), np.empty(shape[:2])
    rows, nodes = np.arange(shape[0]), 96
    while len(rows):
        parts = _trapezoid(evaluate, geo, rows, low[rows], high[rows], nodes, directions=not with_r2)
        for result, part in zip(results, parts, strict=True):
            result[rows] = part
        # More nodes do not help against the rounding of large logarithms.
        goal = np.maximum(_TOLERANCE, 8.0 * np.finfo(np.float64).eps * np.abs(parts[0]))
        rows = rows[(parts[3] > goal).any(1)] if nodes < _MOST_NODES else rows[:0]
        nodes *= 2
    return results


def _integrand(piece: Piece, geo: Geometry, *, with_r2):
    def evaluate(v, squared):
        s, out = piece.atom + np.exp(v), np.empty_like(v)
        _log_gaussian(s, geo.eigenvalues, geo.multiplicities, squared, with_r2, out)
        # The ends of the search lie hundreds of e-foldings out, where intermediate squares may overflow harmlessly.
        with np.errstate(over="ignore"):
            return s, out + piece.log_density(v)

    return evaluate


def _window(evaluate, geo: Geometry, coarse, *, directions) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends (n, m) of the interval of v = log s outside which the integrand is below e^-44 of its peak.

    With `directions` the integrand of the score, which carries 2s/eta and may peak much farther right, counts as well.
    """
    n, m, _ = geo.squared.shape
    v = np.broadcast_to(coarse, (n, m, len(coarse))).copy()
    smallest = geo.eigenvalues.min(1)[:, None]
    moving = geo.squared.sum(2)[:, :, None] > 0.0
    for _ in range(14):
        s, value = evaluate(v, geo.squared)
        active = value >= value.max(2, keepdims=True) - _DEPTH
        if directions:
            heavy = value + np.log(s / (1.0 + 2.0 * s * smallest))
            active |= moving & (heavy >= heavy.max(2, keepdims=True) - _DEPTH)
        first = np.maximum(active.argmax(2) - 1, 0)
        last = np.minimum(v.shape[2] - active[:, :, ::-1].argmax(2), v.shape[2] - 1)
        low = np.take_along_axis(v, first[:, :, None], 2)[:, :, 0]
        high = np.take_along_axis(v, last[:, :, None], 2)[:, :, 0]
        settled = (high - low) > 0.6 * (v[:, :, -1] - v[:, :, 0])
        v = low[:, :, None] + (high - low)[:, :, None] * np.linspace(0.0, 1.0, _ZOOM)
        if settled.all():
            break
    return low, high


def _trapezoid(evaluate, geo: Geometry, rows, low, high, nodes, *, directions):
    step = (high - low) / nodes
    v = low[:, :, None] + step[:, :, None] * np.arange(nodes + 1)
    squared = geo.squared[rows]
    s, log_value = evaluate(v, squared)
    top = log_value.max(2)
    top = np.where(np.isfinite(top), top, 0.0)
    shift, score = (np.zeros((2, *squared.shape[:2], squared.shape[2] * directions)) for _ in range(2))
    total = _accumulate(log_value, s, geo.eigenvalues, top, shift, score)
    # An integrand that vanishes identically (r = 0 under a point mass) integrates to 0 without error.
    safe = np.where(total == 0.0, 1.0, total)
    gaps = [np.abs(safe[1] / safe[0] - 1.0)]
    if directions:
        # At a centre the direction vanishes, and with it any error of its coefficient (infinite for a point mass).
        for sums in (shift, score):
            ratio = np.abs(sums[1] / np.where(sums[0] > 0, sums[0], 1.0) - 1.0)
            gaps.append(np.where(squared > 0.0, ratio, 0.0).max(2))
    error = np.where(total[0] == 0.0, 0.0, np.max(gaps, axis=0))
    with np.errstate(divide="ignore"):
        log_integral = top + np.log(total[0] * step)
    return log_integral, shift[0] / safe[0][..., None], score[0] / safe[0][..., None], error


def posterior_nodes(kernel, geo: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Nodes s and normalised posterior weights, both (n, m, k)."""
    parts = [_piece_nodes(piece, geo) for piece in pieces(kernel.with_bandwidth(1.0))]
    s, log_value = (np.concatenate(part, axis=2) for part in zip(*parts, strict=True))
    log_value = log_value + geo.log_weights[:, None]
    weight = np.exp(log_value - log_value.max((1, 2), keepdims=True))
    return s, weight / weight.sum((1, 2), keepdims=True)


def _piece_nodes(piece: Piece, geo: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and log-weights, (n, m, k), of one piece of the mixture."""
    if piece.log_density is None:
        s = np.full((*geo.squared.shape[:2], 1), piece.atom)
        log_value = np.empty_like(s)
        _log_gaussian(s, geo.eigenvalues, geo.multiplicities, geo.squared, False, log_value)
        return s, log_value + piece.log_weight
    evaluate = _integrand(piece, geo, with_r2=False)
    low, high = _window(evaluate, geo, piece.coarse, directions=True)
    nodes = _JACOBIAN_NODES
    while True:
        step = (high - low) / nodes
        v = low[:, :, None] + step[:, :, None] * np.arange(nodes + 1)
        s, log_value = evaluate(v, geo.squared)
        # Every other node must give the same integral of the score.
        heavy = np.exp(log_value + v - (log_value + v).max(2, keepdims=True))
        if nodes >= 8 * _JACOBIAN_NODES or np.abs(2 * heavy[:, :, ::2].sum(2) / heavy.sum(2) - 1).max() < 1e-10:
            return s, log_value + np.log(step)[:, :, None]
        nodes *= 2


def require_profile(kernel) -> None:
    """Refuse a kernel whose mixture does not integrate to its profile, as the nodes here see it."""
    if found := _profile_gap(kernel.with_bandwidth(1.0)):
        r, mixed, profile = found
        raise NumericalError(
            f"the scale mixture of {kernel!r} gives log k = {mixed:.10g} at r = {r * kernel.bandwidth:.3g}, its "
            f"profile {profile:.10g}: it describes another kernel, or its density over log s is not smooth "
            "(breaks off, or has peaks narrower than 0.01: pass those as atoms); mend it "
            "(unifiedscore.testing.check_kernel tests it), or use Samples"
        )


@lru_cache(maxsize=64)
def _profile_gap(kernel) -> tuple[float, float, float] | None:
    """The distance where mixture and profile of a unit kernel differ most, and both values; None if nowhere."""
    r = np.logspace(-3.0, 1.5, 10)
    geo = Geometry(np.zeros((1, 1)), np.ones((1, 1)), np.square(r)[:, None, None], np.zeros(1))
    log_part, *_ = integrate(kernel, geo, None, with_r2=False)
    expected = kernel.log_profile(r)
    gap = np.abs(log_part[:, 0] - expected) / (1.0 + np.abs(expected))
    worst = int(np.argmax(np.where(np.isnan(gap), np.inf, gap)))
    return None if gap[worst] <= 1e-8 else (float(r[worst]), float(log_part[worst, 0]), float(expected[worst]))

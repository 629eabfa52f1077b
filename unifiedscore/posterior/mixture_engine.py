r"""The kernel posterior of a Gaussian mixture: no sampling, one-dimensional integrals in log space.

With the terms $\Omega_m(s)$ of `quadrature`, $Z$, $ZV$ and $Zs$ are the integrals of $\Omega$,
$\Omega (c - x)/\eta$ and $2 s \Omega (c - x)/\eta$, summed over the components. The cost is free of the dimension for
isotropic covariances; full ones go through the eigenbasis of each component.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError, NumericalError
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import GaussianMixture, ReducedMixture
from unifiedscore.memory import rows_within
from unifiedscore.posterior.engine import AbstractEngine
from unifiedscore.posterior.quadrature import Geometry, integrate, posterior_nodes, require_profile
from unifiedscore.posterior.radial import RadialTerms, distance_terms, inverse_weight_terms
from unifiedscore.posterior.records import PosteriorMoments, PosteriorVectors

# A field whose two rules differ by more than this, and by more than the rounding of its logarithms, is no number.
_WORST = 1e-7


@final
@dataclass(frozen=True, slots=True)
class MixtureEngine(AbstractEngine):
    """The kernel posterior of a `GaussianMixture` or a `ReducedMixture`, for kernels that are Gaussian scale mixtures.

    Use when you need several quantities of one posterior; `posterior_moments` and its kin make one for each call.
    """

    kernel: AbstractKernel
    measure: GaussianMixture | ReducedMixture

    @property
    def has_jacobian(self) -> bool:
        return isinstance(self.measure, GaussianMixture)

    def moments(self, x, *, exclude=None) -> PosteriorMoments:
        kernel = self.kernel
        geometry, blocks, tau = self._prepare(x, exclude)
        distance, inverse = distance_terms(kernel), inverse_weight_terms(kernel)
        parts = []
        for rows in blocks(3):
            geo = geometry(rows)
            main, error, log_z, shift, score, typical = _directions(
                self.measure, kernel, geo, x[rows].astype(np.float64)
            )
            mean_r, error_r = _radial(kernel, geo, main, log_z, distance)
            alpha, error_w = _radial(kernel, geo, main, log_z, inverse)
            # So far out, ratios of integrals are noise of size eps |log Z|, and the distance is as good as constant.
            far = np.finfo(np.float64).eps * np.abs(log_z) > 1e-6
            mean_r = np.where(far, typical, mean_r)
            alpha = np.where(far, kernel.with_bandwidth(1.0).inverse_weight(typical), alpha)
            error = np.maximum(error, error_r + error_w)
            parts.append((log_z, shift * tau, score / tau, alpha * tau**2, mean_r * tau, error))
        log_z, shift, score, alpha, mean_r, error = (np.concatenate(p) for p in zip(*parts, strict=True))
        error = error + (0.0 if x.dtype == np.float64 else np.finfo(x.dtype).eps)
        values = (log_z, shift, score, alpha, mean_r, np.full(len(x), np.inf), error)
        return PosteriorMoments(*(value.astype(x.dtype) for value in values))

    def vectors(self, x, *, exclude=None) -> PosteriorVectors:
        geometry, blocks, tau = self._prepare(x, exclude)
        queries = x.astype(np.float64)
        parts = [_directions(self.measure, self.kernel, geometry(rows), queries[rows])[2:5] for rows in blocks(1)]
        log_z, shift, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        return PosteriorVectors(*(value.astype(x.dtype) for value in (shift * tau, score / tau, log_z)))

    def field(self, x, quantity, *, exclude=None) -> np.ndarray:
        return getattr(self.vectors(x, exclude=exclude), quantity)

    def spread(self, x) -> np.ndarray:
        """Given s, component m of y - x has mean (c - x)/eta and covariance Lambda/eta; the density of b k is 2s g."""
        measure, d = self.measure, x.shape[1]
        geometry, blocks, tau = self._prepare(x, None)
        parts = []
        for rows in blocks(d):
            geo, queries = geometry(rows), x[rows]
            s, weight = posterior_nodes(self.kernel, geo)
            total = np.zeros((len(queries), d, d))
            for m, c in enumerate(measure.centers):
                padded = np.zeros(d)
                padded[: len(c)] = c
                # (n, k, j): one eigenvalue for an isotropic component, d of them otherwise.
                inverse = 1.0 / (1.0 + 2.0 * s[:, m, :, None] * geo.eigenvalues[m])
                heavy = 2.0 * s[:, m] * weight[:, m]
                diagonal = np.einsum("nk,nkj->nj", heavy, inverse) * geo.eigenvalues[m]
                outer = np.einsum("nk,nki,nkj->nij", heavy, inverse, inverse)
                gap = (padded - queries) / tau
                if measure.variances is not None:
                    total += diagonal[:, :, None] * np.eye(d) + outer * gap[:, :, None] * gap[:, None, :]
                else:
                    u = measure.eigenvectors[m]
                    gap = gap @ u
                    inner = outer * gap[:, :, None] * gap[:, None, :] + diagonal[:, :, None] * np.eye(d)
                    total += u @ inner @ u.T
            parts.append(total)
        return np.concatenate(parts)

    def _prepare(self, x, exclude):
        """Return (rows -> geometry in bandwidth units, a splitter of the queries into blocks, the bandwidth)."""
        measure, kernel = self.measure, self.kernel
        if exclude is not None:
            raise InputError("exclude leaves out a sample; a population has none: pass exclude=None")
        if kernel.scale_mixture() is None:
            raise NumericalError(
                f"{kernel!r} has no Gaussian scale mixture, so its population posterior has no quadrature here; "
                "draw Samples from the mixture instead"
            )
        require_profile(kernel)
        tau = kernel.bandwidth
        with np.errstate(divide="ignore"):
            log_weights = np.log(measure.weights)
        if measure.variances is not None:
            eigenvalues = measure.variances[:, None] / tau**2
            ambient = measure.ambient_dimension if isinstance(measure, ReducedMixture) else measure.dimension
            multiplicities = np.full_like(eigenvalues, float(ambient))
        else:
            eigenvalues = np.maximum(measure.eigenvalues, 0.0) / tau**2
            multiplicities = np.ones_like(eigenvalues)

        def geometry(rows):
            squared = _squared(measure, x[rows].astype(np.float64)) / tau**2
            return Geometry(eigenvalues, multiplicities, squared, log_weights)

        def blocks(integrals):
            # A first trapezoid of some hundred nodes, for each component.
            size = rows_within(256 * integrals * len(log_weights) * max(1, eigenvalues.shape[1] // 8))
            return [slice(start, start + size) for start in range(0, len(x), size)]

        return geometry, blocks, tau


def _squared(measure, x) -> np.ndarray:
    """Squared distances to the centres: (n, m, 1), or along each eigenvector (n, m, d)."""
    if measure.variances is None:
        gaps = [((x - c) @ u) ** 2 for c, u in zip(measure.centers, measure.eigenvectors, strict=True)]
        return np.stack(gaps, axis=1)
    k = measure.centers.shape[1]
    rest = np.einsum("nd,nd->n", x[:, k:], x[:, k:])
    gaps = [((x[:, :k] - c) ** 2).sum(1) + rest for c in measure.centers]
    return np.stack(gaps, axis=1)[:, :, None]


def _directions(measure, kernel, geo: Geometry, x):
    """Return (per-component log Z, relative error, log Z, mean shift, score, typical distance), bandwidth units."""
    log_parts, shift, score, error = integrate(kernel, geo, None, with_r2=False)
    log_parts = log_parts + geo.log_weights
    top = log_parts.max(1, keepdims=True)
    share = np.exp(log_parts - top)
    log_z = top[:, 0] + np.log(share.sum(1))
    share /= share.sum(1, keepdims=True)
    error = (share * error).sum(1)
    rounding = np.finfo(np.float64).eps * np.maximum(1.0, np.abs(log_z))
    if not (resolved := error <= np.maximum(_WORST, 1e3 * rounding)).all():
        query = int(np.argmin(resolved))
        raise NumericalError(
            f"the integral over the scales of {kernel!r} is not resolved at query {query}: two rules differ by "
            f"{error[query]:.1e}; its density over log s has features that are too narrow or breaks off (pass narrow "
            "peaks as atoms), or use Samples"
        )
    error = error + rounding
    # E r^2 of a Gaussian with mean (c - x)/eta and covariance Lambda/eta, at the mean of 1/eta.
    square = (geo.multiplicities * geo.eigenvalues * shift + geo.squared * shift**2).sum(2)
    # A component without weight may be so far that its square is not a number.
    typical = np.sqrt(np.where(share > 0, share * square, 0.0).sum(1))
    return (
        log_parts,
        error,
        log_z,
        _combine(measure, kernel.bandwidth, share[:, :, None] * shift, x),
        _combine(measure, kernel.bandwidth, share[:, :, None] * score, x),
        typical,
    )


def _combine(measure, tau, coefficient, x) -> np.ndarray:
    """Return sum_m C_m (c_m - x) with C_m diagonal in the eigenbasis of component m."""
    if measure.variances is None:
        total = np.zeros_like(x)
        for m, (c, u) in enumerate(zip(measure.centers, measure.eigenvectors, strict=True)):
            total += (((c - x) / tau @ u) * coefficient[:, m]) @ u.T
        return total
    coefficient = coefficient[:, :, 0]
    total = -coefficient.sum(1, keepdims=True) * (x / tau)
    k = measure.centers.shape[1]
    # Differences component by component: a query near a centre keeps its digits.
    inner = np.zeros((len(x), k))
    for m, c in enumerate(measure.centers):
        inner += coefficient[:, m, None] * ((c - x[:, :k]) / tau)
    total[:, :k] = inner
    return total


def _radial(kernel, geo: Geometry, log_parts, log_z, terms: RadialTerms):
    """Return (E_pi h, relative error) for h = h_0 + h_1 r^2 + r^2 int sigma/(r^2 + t), in units of the bandwidth."""
    # A point mass at the query has r = 0 exactly; h_0 also stands for the mass of sigma below its lattice.
    atoms = (geo.squared.sum(2) == 0.0) & (geo.eigenvalues.max(1) == 0.0)
    coincident = np.where(atoms, np.exp(np.minimum(log_parts - log_z[:, None], 0.0)), 0.0).sum(1)
    value, error = terms.constant + (terms.at_zero - terms.constant) * coincident, np.zeros(len(log_z))
    integrals = [(terms.quadratic, None)] if terms.quadratic else []
    integrals += [(1.0, terms.mixture)] if terms.mixture is not None else []
    for factor, mixture in integrals:
        log_part, _, _, part_error = integrate(kernel, geo, mixture, with_r2=True)
        part = factor * np.exp(np.minimum(log_part + geo.log_weights - log_z[:, None], 700.0))
        value += part.sum(1)
        error += (part * part_error).sum(1)
    return value, error / np.where(value > 0, value, 1.0)

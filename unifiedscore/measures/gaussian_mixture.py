"""Gaussian mixtures: exact densities, scores and transforms, in any dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures import isotropic, rules
from unifiedscore.measures.arguments import read_array, read_number
from unifiedscore.measures.covariances import read_covariance
from unifiedscore.measures.reduced import ReducedMixture, reduce_isotropic, select_components
from unifiedscore.measures.samples import refuse_huge_matrix
from unifiedscore.measures.tilt import tilt_full, tilt_isotropic


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class GaussianMixture:
    r"""The law :math:`\sum_m w_m N(c_m, C_m)` on :math:`R^d`.

    Use when the law is known and population values should be exact, without sampling noise.

    Parameters
    ----------
    means : (m, k) array
        Centres, one a row. k = d unless `dimension` is given.
    covariance : float, (m,), (d, d) or (m, d, d) array
        A variance shared by all components, one variance a component, one matrix, or one a component.
        Variances, not standard deviations. Zero is legal and makes a point mass.
    weights : (m,) array, optional
        Non-negative, rescaled to sum 1. Equal by default.
    dimension : int, optional
        d >= k: the means are padded with zeros, and only (m, k) numbers are stored, so that d = 2^20 costs nothing.
        Needs isotropic covariances.

    Attributes
    ----------
    centers : (m, k) array
        The means without their padding.
    variances : (m,) array or None
        Isotropic variances; None for full covariances.
    eigenvalues, eigenvectors : (m, d) and (m, d, d) arrays or None
        Spectrum of full covariances, eigenvectors in columns; None for isotropic ones.
    weights : (m,) array
    log_normalizer : float
        log E exp(tilt) when made by `tilted`, 0 when built directly.
    is_padded : bool
        Whether `dimension` was given: the first k axes are then the span that `reduced` uses.

    Raises
    ------
    InputError
        For non-finite or wrongly shaped arrays, covariances that are not symmetric positive semi-definite, negative
        or all-zero weights, full covariances together with `dimension` > k.

    Examples
    --------
    >>> mixture = GaussianMixture([[-1.0], [1.0]], 0.25)
    >>> mixture.score([[0.0], [1.0]]).round(6)
    array([[ 0.      ],
           [-0.002683]])
    >>> mixture.smoothed(0.75).variances
    array([1., 1.])
    """

    centers: np.ndarray
    variances: np.ndarray | None
    eigenvalues: np.ndarray | None
    eigenvectors: np.ndarray | None
    weights: np.ndarray
    dimension: int
    log_normalizer: float
    is_padded: bool

    def __init__(self, means, covariance, weights=None, *, dimension: int | None = None):
        centers = validate.points(means, "means").astype(np.float64, copy=False)
        m, k = centers.shape
        d = k if dimension is None else validate.integer(dimension, "dimension", low=k)
        if d > k and len(shape := read_array(covariance, "covariance").shape) >= 2:
            raise InputError(
                f"covariance must be isotropic (a float or shape ({m},)) when dimension={d} pads means of length {k}; "
                f"got shape {shape}; write the means with all {d} coordinates to use full covariances"
            )
        variances, values, vectors = read_covariance(covariance, n_components=m, dimension=d)
        self._set(
            centers=centers,
            variances=variances,
            eigenvalues=values,
            eigenvectors=vectors,
            weights=validate.weights(weights, "weights", size=m),
            dimension=d,
            log_normalizer=0.0,
            is_padded=dimension is not None,
        )

    def _set(self, **parts) -> None:
        for name, value in parts.items():
            object.__setattr__(self, name, value)

    def _replace(self, **parts) -> GaussianMixture:
        """A copy with some parts replaced; the parts are known to be consistent."""
        names = ("centers", "variances", "eigenvalues", "eigenvectors", "weights", "dimension", "is_padded")
        new = object.__new__(GaussianMixture)
        new._set(**({name: getattr(self, name) for name in names} | {"log_normalizer": 0.0} | parts))
        return new

    @classmethod
    def from_sklearn(cls, fitted) -> GaussianMixture:
        """The law of a fitted `sklearn.mixture.GaussianMixture` of any covariance type, float32 or float64.

        Raises
        ------
        InputError
            When `fitted` has not been fitted or is not a Gaussian mixture. A `BayesianGaussianMixture` is a posterior
            over mixtures rather than one law; the error says how to take its posterior means.
        """
        if any(kind.__name__ == "BayesianGaussianMixture" for kind in type(fitted).__mro__):
            raise InputError(
                "fitted must be a sklearn.mixture.GaussianMixture; a BayesianGaussianMixture is a posterior over "
                "mixtures; for the mixture of its posterior means give GaussianMixture(fitted.means_, "
                "fitted.covariances_, fitted.weights_), with covariances of type 'full', 'tied' or 'spherical'"
            )
        missing = [a for a in ("means_", "weights_", "covariances_", "covariance_type") if not hasattr(fitted, a)]
        if missing:
            raise InputError(
                f"fitted must be a fitted sklearn.mixture.GaussianMixture; got {type(fitted).__name__} without "
                f"{', '.join(missing)}; call .fit(data) first"
            )
        covariance = validate.array(fitted.covariances_, "fitted.covariances_")
        if fitted.covariance_type == "diag":
            covariance = covariance[:, :, None] * np.eye(covariance.shape[1])
        return cls(fitted.means_, covariance, fitted.weights_)

    def __repr__(self) -> str:
        kind = "isotropic" if self.variances is not None else "full"
        return f"GaussianMixture(n_components={self.n_components}, dimension={self.dimension}, covariance={kind})"

    @property
    def n_components(self) -> int:
        """Number of components m."""
        return len(self.weights)

    @property
    def active_dimension(self) -> int:
        """Number k of stored coordinates of a centre."""
        return self.centers.shape[1]

    @property
    def means(self) -> np.ndarray:
        """Centres with their padding, (m, d): a d-long array, made when asked for."""
        if self.active_dimension == self.dimension:
            return self.centers
        return np.pad(self.centers, ((0, 0), (0, self.dimension - self.active_dimension)))

    @property
    def mean(self) -> np.ndarray:
        """E x, (d,)."""
        return np.pad(self.weights @ self.centers, (0, self.dimension - self.active_dimension))

    @property
    def covariance_matrix(self) -> np.ndarray:
        """Covariance of the whole law, (d, d).

        Raises
        ------
        InputError
            Above d = 20000, where `reduced` has the same information.
        """
        return self._moment(self.centers - self.weights @ self.centers, "covariance_matrix")

    @property
    def second_moment(self) -> np.ndarray:
        """E x x^T, (d, d).

        Raises
        ------
        InputError
            Above d = 20000, where `reduced` has the same information.
        """
        return self._moment(self.centers, "second_moment")

    def _moment(self, centers: np.ndarray, what: str) -> np.ndarray:
        refuse_huge_matrix(self.dimension, what, "use .reduced(), whose moments are small")
        moment = np.zeros((self.dimension, self.dimension))
        if self.variances is not None:
            np.fill_diagonal(moment, self.weights @ self.variances)
        else:
            for w, lam, u in zip(self.weights, self.eigenvalues, self.eigenvectors, strict=True):
                moment += w * (u * lam) @ u.T
        k = self.active_dimension
        moment[:k, :k] += centers.T @ (self.weights[:, None] * centers)
        return moment

    def log_density(self, x) -> np.ndarray:
        """Log-density at x (n, d), (n,); computed in float64, returned in the dtype of `x`.

        Raises
        ------
        InputError
            For points of another dimension, or when a component has a direction of zero variance.
        """
        x = validate.points(x, "x", dimension=self.dimension)
        return isotropic.log_sum_exp(self._log_terms(x.astype(np.float64, copy=False))).astype(x.dtype)

    def score(self, x) -> np.ndarray:
        r"""Score :math:`\nabla\log p(x)`, (n, d); computed in float64, returned in the dtype of `x`.

        Raises
        ------
        InputError
            For points of another dimension, or when a component has a direction of zero variance.
        """
        x = validate.points(x, "x", dimension=self.dimension)
        wide = x.astype(np.float64, copy=False)
        if self.variances is not None:
            k = self.active_dimension
            inner, rate = isotropic.score_parts(*self._split(wide), **self._parts)
            return np.concatenate([inner, -rate[:, None] * wide[:, k:]], axis=1).astype(x.dtype)
        terms = self._log_terms(wide)
        share = np.exp(terms - isotropic.log_sum_exp(terms)[:, None])
        score = np.zeros_like(wide)
        for m, (c, lam, u) in enumerate(zip(self.centers, self.eigenvalues, self.eigenvectors, strict=True)):
            score -= share[:, m, None] * (((wide - c) @ u / lam) @ u.T)
        return score.astype(x.dtype)

    def log_terms(self, x) -> np.ndarray:
        r"""Log-density of every component with its weight, :math:`\log(w_m N(x; c_m, C_m))`, (n, m) float64.

        Use when the posterior probabilities of the components are wanted: they are proportional to the exponentials.

        Raises
        ------
        InputError
            For points of another dimension, or when a component has a direction of zero variance.

        Examples
        --------
        >>> terms = GaussianMixture([[-1.0], [1.0]], 1.0).log_terms([[0.5]])
        >>> float((terms[0, 1] - terms[0, 0]).round(12))
        1.0
        """
        x = validate.points(x, "x", dimension=self.dimension)
        return self._log_terms(x.astype(np.float64, copy=False))

    def _log_terms(self, x: np.ndarray) -> np.ndarray:
        if self.variances is not None:
            return isotropic.log_terms(*self._split(x), **self._parts)
        isotropic.refuse_atoms(self.eigenvalues.min())
        logs = isotropic.safe_log(self.weights) - 0.5 * np.log(2 * np.pi * self.eigenvalues).sum(axis=1)
        terms = np.empty((len(x), self.n_components))
        with np.errstate(over="ignore"):
            for m, (c, lam, u) in enumerate(zip(self.centers, self.eigenvalues, self.eigenvectors, strict=True)):
                terms[:, m] = logs[m] - 0.5 * (((x - c) @ u) ** 2 / lam).sum(axis=1)
        return terms

    def _split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k = self.active_dimension
        with np.errstate(over="ignore"):
            return x[:, :k], np.einsum("nd,nd->n", x[:, k:], x[:, k:])

    @property
    def _parts(self) -> dict:
        names = ("centers", "variances", "weights", "dimension")
        return {name: getattr(self, name) for name in names}

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n points, (n, d) float64."""
        n = validate.count(n, "n", entries=self.dimension)
        rng = validate.generator(rng)
        label = rng.choice(self.n_components, size=n, p=self.weights)
        x = rng.standard_normal((n, self.dimension))
        if self.variances is not None:
            x *= np.sqrt(self.variances[label])[:, None]
        else:
            for m in np.unique(label):
                rows = label == m
                x[rows] = (x[rows] * np.sqrt(self.eigenvalues[m])) @ self.eigenvectors[m].T
        x[:, : self.active_dimension] += self.centers[label]
        return x

    def smoothed(self, variance: float) -> GaussianMixture:
        """The law of x + e with independent e ~ N(0, variance I)."""
        variance = validate.positive(variance, "variance", allow_zero=True)
        return self._spread(lambda spectrum: spectrum + variance)

    def scaled(self, factor: float) -> GaussianMixture:
        """The law of factor * x, any finite factor."""
        factor = read_number(factor, "factor")
        return self._spread(lambda spectrum: spectrum * factor**2)._replace(centers=self.centers * factor)

    def _spread(self, change) -> GaussianMixture:
        """Apply a function to the variances or to the eigenvalues."""
        if self.variances is not None:
            return self._replace(variances=change(self.variances))
        return self._replace(eigenvalues=change(self.eigenvalues))

    def tilted(self, linear, quadratic=0.0) -> GaussianMixture:
        r"""The law with density proportional to :math:`p(x) \exp(l^T x - x^T Q x / 2)`, again a mixture.

        Parameters
        ----------
        linear : (d,) array or None
            l; None means zero.
        quadratic : float or (d, d) symmetric array
            Q; a float q means q I. May be negative as long as every component stays integrable.

        Returns
        -------
        GaussianMixture
            Its `log_normalizer` is log E_p exp(l.x - x.Q x / 2).

        Raises
        ------
        InputError
            When precision + Q is not positive definite for some component.

        Examples
        --------
        >>> tilted = GaussianMixture([[0.0]], 1.0).tilted([1.0], 0.0)
        >>> float(tilted.centers[0, 0]), tilted.log_normalizer
        (1.0, 0.5)
        """
        d = self.dimension
        vector = np.zeros(d) if linear is None else read_array(linear, "linear")
        matrix = validate.real_array(quadratic, "quadratic")
        if vector.shape != (d,):
            raise InputError(f"linear must be None or have shape ({d},); got shape {vector.shape}")
        if matrix.shape not in ((), (d, d)):
            raise InputError(f"quadratic must be a number or have shape ({d}, {d}); got shape {matrix.shape}")
        try:
            with np.errstate(over="raise", invalid="raise"):
                return self._tilted(vector, matrix, quadratic)
        except FloatingPointError:
            raise InputError(
                "linear or quadratic is so large that the tilted law leaves the floats; rescale the law"
            ) from None

    def _tilted(self, vector: np.ndarray, matrix: np.ndarray, quadratic) -> GaussianMixture:
        d = self.dimension
        if self.variances is not None and matrix.ndim == 0:
            # A slope outside the stored axes moves the centres there: store as many axes as it needs.
            k = max(self.active_dimension, int(np.flatnonzero(vector).max(initial=-1)) + 1)
            centers = np.pad(self.centers, ((0, 0), (0, k - self.active_dimension)))
            centers, variances, factors = tilt_isotropic(
                centers, self.variances, vector[:k], float(matrix), dimension=d
            )
            parts = {"centers": centers, "variances": variances}
        else:
            refuse_huge_matrix(d, "a full quadratic tilt", "use a number for quadratic")
            matrix = (
                float(matrix) * np.eye(d)
                if matrix.ndim == 0
                else validate.symmetric(matrix, "quadratic", validate.resolution(quadratic, matrix))
            )
            values, vectors = self.spectrum
            centers, values, vectors, factors = tilt_full(self.means, values, vectors, vector, matrix)
            parts = {"centers": centers, "variances": None, "eigenvalues": values, "eigenvectors": vectors}
        logs = isotropic.safe_log(self.weights) + factors
        log_normalizer = float(isotropic.log_sum_exp(logs))
        weights = np.exp(logs - log_normalizer)
        return self._replace(weights=weights / weights.sum(), log_normalizer=log_normalizer, **parts)

    @property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        r"""Eigenvalues (m, d) and eigenvectors (m, d, d), in columns, of the covariance of every component.

        Use when full and isotropic covariances should go through the same formula: isotropic ones have the axes as
        eigenvectors, arrays of m d^2 numbers that are made when asked for.

        Examples
        --------
        >>> values, vectors = GaussianMixture([[0.0, 1.0]], 0.25).spectrum
        >>> values
        array([[0.25, 0.25]])
        """
        if self.variances is None:
            return self.eigenvalues, self.eigenvectors
        m, d = self.n_components, self.dimension
        return np.repeat(self.variances[:, None], d, axis=1), np.repeat(np.eye(d)[None], m, axis=0)

    def reduced(self, *, span=None) -> ReducedMixture:
        """The same law in in-span coordinates and the norm of the rest; isotropic covariances only.

        Parameters
        ----------
        span : (j, d) array, optional
            Rows whose span must hold every mean: give the means of two laws to let them share coordinates.
            By default the first k axes when the mixture was built with `dimension` (so both members of a library
            pair agree), otherwise the span of the means (all axes, unrotated, when they fill the space).

        Raises
        ------
        InputError
            For full covariances, or when a mean lies outside `span`.
        """
        if self.variances is None:
            raise InputError(
                "reduced() needs isotropic covariances (a float or one variance per component); this mixture has full "
                "covariance matrices, whose law is not a function of in-span coordinates and a norm"
            )
        if span is None and self.is_padded:
            outside = self.dimension - self.centers.shape[1]
            return ReducedMixture(self.centers, self.variances, self.weights, outside)
        return reduce_isotropic(self.means, self.variances, self.weights, span)

    def quadrature(self, order: int = 8, *, components=None) -> tuple[np.ndarray, np.ndarray]:
        """Nodes (N, d) and weights (N,) under this law: `order` Gauss-Hermite nodes an axis of each eigenbasis.

        Exact for polynomials of degree 2 order - 1 an axis. `components` as in `ReducedMixture.quadrature`.

        Raises
        ------
        InputError
            Above d = 3: use `reduced`, whose rule is free of the dimension.
        """
        order = validate.integer(order, "order", high=rules.MAX_ORDER)
        if self.dimension > 3:
            raise InputError(
                f"quadrature is a tensor rule for dimension 1 to 3; this mixture has dimension {self.dimension}; "
                "use .reduced().quadrature(order=...) (isotropic covariances) or .sample(n, rng)"
            )
        chosen, masses = select_components(components, self.weights)
        values, vectors = self.spectrum
        nodes, weights = rules.normal_gamma(self.dimension, shape=None, order=order, sparse=False)
        x = [self.means[m] + (nodes * np.sqrt(values[m])) @ vectors[m].T for m in chosen]
        return np.concatenate(x), (masses[:, None] * weights).ravel()

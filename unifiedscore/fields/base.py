"""What every transport field obeys."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class AbstractField(ABC):
    r"""A deterministic vector field $F: R^d \to R^d$, evaluated at many points at once.

    Use when you add a field of your own with a potential or a Jacobian; for a mere function see `as_field`.

    Laws
    ----
    * `field(x)` for (n, d) points returns (n, d) values in the dtype of `x` and leaves `x` as it is.
    * The value at a point does not depend on the other points of the batch.
    * `potential(x)`, if not None, has the field as its gradient: $F = +\nabla\,\mathrm{potential}$.
    * `jacobian(x)`, if not None, is $J_{ij} = \partial_j F_i$, (n, d, d); symmetric if `is_conservative`.

    `unifiedscore.testing.check_field` checks all of them. Fields are composed: a field class is abstract or final.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Dimension d of the space. Law: `field(x)` accepts exactly (n, d) arrays."""

    @property
    @abstractmethod
    def is_conservative(self) -> bool:
        """Whether the field is known to be a gradient. Law: if True, the curl vanishes everywhere."""

    @abstractmethod
    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the field at the points. Law: shape and dtype of `x`."""

    def potential(self, x: np.ndarray) -> np.ndarray | None:
        """Return a potential (n,) with field = +grad potential, or None where none is known."""
        return None

    def jacobian(self, x: np.ndarray) -> np.ndarray | None:
        """Return the Jacobian (n, d, d), or None where it is not implemented."""
        return None

"""Identity: a residual that is zero up to rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import Estimate, find_nonfinite, no_estimate, read_values
from unifiedscore.validate import positive, shown

_EPS = float(np.finfo(np.float64).eps)

REFUTE_FACTOR = 1000.0
"""Rounding is known to about three orders of magnitude: only beyond `1000 c eps scale` is a residual no rounding."""


@dataclass(frozen=True, slots=True)
class Identity(AbstractTest):
    """The worst residual is at most `c eps scale`.

    The statistic is max |residual| / (eps scale), eps = 2^-52, and the region [0, c]. It is supported up to `c`,
    refuted above `1000 c` and inconclusive between (rounding that `c` did not foresee, or a small error).

    It needs a second route: the two sides of the identity must be computed differently.

    Parameters
    ----------
    c : float
        From the claims table: how many roundings of size `eps scale` the computation may accumulate.
    scale : str
        Name of the stored variable holding the scale: the largest term, times the conditioning.

    Raises
    ------
    InputError
        If `c` is not a positive finite number or `scale` no name.

    Examples
    --------
    >>> Identity(c=100, scale="scale").estimate([1e-15, -2e-15], error=[1.0, 1.0], level=0.99).value < 10
    True
    """

    c: float
    scale: str

    statistic: ClassVar[str] = "worst residual"
    needs_exact_evidence: ClassVar[bool] = True

    def __post_init__(self):
        object.__setattr__(self, "c", positive(self.c, "Identity: c"))
        if not isinstance(self.scale, str) or not self.scale:
            raise InputError(f"Identity: scale must be the name of the variable that holds it; got {shown(self.scale)}")

    @property
    def low(self) -> float:
        """0: a residual has no sign here."""
        return 0.0

    @property
    def high(self) -> float:
        """`c`."""
        return self.c

    @property
    def scale_variable(self) -> str:
        """`scale`."""
        return self.scale

    def estimate(self, y, *, x=None, error=None, level: float = math.nan) -> Estimate:
        """The worst |y| / (eps scale); `error` holds the scale (scalar or like `y`). `x` and `level` are not used."""
        if error is None:
            raise InputError("Identity.estimate needs the scale of the residual; pass it as error=")
        residual, scale = np.abs(read_values(y, "y")), read_values(error, "error")
        if residual.size == 0:
            return no_estimate("there is no residual to test")
        reason = find_nonfinite(residual, "residuals") or find_nonfinite(scale, f"values of {self.scale}")
        if reason:
            return no_estimate(reason)
        if not (scale > 0).all():
            return no_estimate(f"the scale {self.scale} must be positive; its smallest value is {scale.min():.3g}")
        with np.errstate(over="ignore"):
            # In this order: eps times a scale of 1e-300 has no digits left.
            worst = float((residual / scale / _EPS).max())
        # The interval says how well rounding is known; the one decision rule then applies unchanged.
        return Estimate(worst, worst / REFUTE_FACTOR, worst, "numerical")

    def describe(self, estimate: Estimate, *, level: float, seeds: int) -> str:
        """The worst residual, and where it would be refuted."""
        beyond = f"refuted only beyond {REFUTE_FACTOR * self.c:.3g}"
        return f"the worst residual {estimate.value:.3g} eps scale ({beyond})"

    def undecided(self, narrow: Estimate, wide: Estimate, *, seeds: int, levels: tuple[float, float]) -> str:
        """Between `c` and `1000 c`: rounding that `c` did not foresee, or a small error."""
        return (
            f"rounding: the worst residual is {narrow.value:.3g} eps scale, above c = {self.c:.3g} "
            f"but below {REFUTE_FACTOR:.0f} c"
        )

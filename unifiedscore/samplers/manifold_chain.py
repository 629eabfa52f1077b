r"""Chains on `CenteredStiefel`: one step of every scheme, for any force and any number of independent systems.

They discretise $dY = -\Pi_Y(\nabla F)\,dt + \sqrt2\,\Pi_Y\circ dW$, whose invariant law is $e^{-F}$ times the uniform
one. Both published schemes are of first order in the step on a curved manifold. The third is of second order: it moves
along the geodesic and carries its noise by parallel transport; either change alone is not enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.keywords import keyword_only
from unifiedscore.samplers.stiefel import RETRACTIONS, CenteredStiefel

SCHEMES = ("leimkuhler-matthews", "euler-maruyama", "geodesic-leimkuhler-matthews")


@final
@dataclass(frozen=True, slots=True)
class ChainState:
    """Systems (..., P, d), and the noise (..., P, d) that a Leimkuhler-Matthews scheme carries (None otherwise).

    Use when you drive a `ManifoldChain` step by step and must keep what it carries.
    """

    y: np.ndarray
    carried: np.ndarray | None


@final
@dataclass(frozen=True, slots=True)
class ManifoldChain:
    r"""One scheme with its settings.

    Use when you need single steps on `CenteredStiefel` with a force of your own.

    * "euler-maruyama": $Y' = R(Y - h\,\Pi_Y(G) + \sqrt{2h}\,\Pi_Y(\xi))$.
    * "leimkuhler-matthews": $Y' = R(Y - h\,\Pi_Y(G) + \sqrt{h/2}\,\Pi_Y(\xi_k + \xi_{k+1}))$, the raw $\xi_{k+1}$ kept.
    * "geodesic-leimkuhler-matthews": $Y' = \mathrm{Exp}_Y(-h\,\Pi_Y(G) + \sqrt{h/2}\,(b_k + \Pi_Y\xi_{k+1}))$, where
      $b_{k+1}$ is $\Pi_Y\xi_{k+1}$ transported along that geodesic.

    Parameters
    ----------
    manifold : CenteredStiefel
    step : float
        h > 0.
    scheme, retraction : str
        `retraction` ("polar" or "qr") is not used by the geodesic scheme.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> chain = ManifoldChain(CenteredStiefel(5, 2), 0.01)
    >>> state = chain.start(chain.manifold.sample(rng, systems=(3,)), rng)
    >>> state = chain.advance(state, lambda y: y**3, rng)
    >>> state.y.shape, bool(chain.manifold.distance(state.y).max() < 1e-14)
    ((3, 5, 2), True)
    """

    manifold: CenteredStiefel
    step: float
    scheme: str = "leimkuhler-matthews"
    retraction: str = "polar"

    def __post_init__(self):
        object.__setattr__(self, "step", validate.positive(self.step, "step"))
        validate.known(self.scheme, "scheme", SCHEMES)
        validate.known(self.retraction, "retraction", RETRACTIONS)

    def start(self, y: np.ndarray, rng: np.random.Generator) -> ChainState:
        """The state at systems on the manifold, with the first noise drawn."""
        y = validate.real_array(y, "y")
        if self.scheme == "euler-maruyama":
            return ChainState(y, None)
        noise = rng.standard_normal(y.shape, dtype=y.dtype)
        return ChainState(y, self.manifold.project(y, noise) if self.scheme.startswith("geodesic") else noise)

    def advance(
        self, state: ChainState, force: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator
    ) -> ChainState:
        """One step; `force(y)` is the gradient of F in y, (..., P, d), not projected."""
        noise = rng.standard_normal(state.y.shape, dtype=state.y.dtype)
        return self.advance_with(state, force(state.y), noise=noise)

    @keyword_only("noise")
    def advance_with(self, state: ChainState, gradient: np.ndarray, *, noise: np.ndarray) -> ChainState:
        """One step with given gradient and noise."""
        gradient, noise = validate.real_array(gradient, "gradient"), validate.real_array(noise, "noise")
        y, h, project = state.y, self.step, self.manifold.project
        if self.scheme == "euler-maruyama":
            moved = y + project(y, np.sqrt(2 * h) * noise - h * gradient)
            return ChainState(self.manifold.retract(_like(moved, y), method=self.retraction), None)
        if self.scheme == "leimkuhler-matthews":
            moved = y + project(y, np.sqrt(h / 2) * (state.carried + noise) - h * gradient)
            return ChainState(self.manifold.retract(_like(moved, y), method=self.retraction), noise)
        fresh = project(y, noise)
        velocity = np.sqrt(h / 2) * (state.carried + fresh) - h * project(y, gradient)
        return ChainState(*(_like(part, y) for part in self.manifold.geodesic(y, velocity, fresh)))


def _like(value, y):
    return value.astype(y.dtype, copy=False)

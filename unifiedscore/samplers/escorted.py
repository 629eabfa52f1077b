r"""Escorted Langevin with explicit forward and backward kernels: work identities that hold exactly at every step size.

The kernels are :math:`F(x'|x) = N(x + hf_+(x, t_k), 2\varepsilon h)` and :math:`B(x|x') = N(x' - hf_-(x', t_{k+1}),
2\varepsilon h)`, the work :math:`W = U_1(x_K) - U_0(x_0) + \sum_k\log F_k/B_k`. Then for *any* drifts, however wrong,

.. math:: E_F[e^{-W}\varphi] = (Z_1/Z_0) E_B[\varphi], \qquad dP_F(W)/dP_B(W) = e^{W - \Delta F},

as long as the kernel that was simulated is the one in the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.samplers.annealing import AnnealingPath


@final
@dataclass(frozen=True, slots=True, eq=False)
class WorkSample:
    """Simulated paths with their work.

    Use when you read what an escorted simulation returned.

    Attributes
    ----------
    work : (n,) array
    points : (n, d) array
        The end of each path; of backward paths the start, their x_0.
    trajectory : (K + 1, n, d) array or None
        All states, in forward order of time, where asked for.
    """

    work: np.ndarray
    points: np.ndarray
    trajectory: np.ndarray | None


@final
@renamed(steps="n_steps")
@dataclass(frozen=True, slots=True, eq=False)
class EscortedLangevin:
    r"""Annealed Langevin dynamics along a path, pushed by an escort field.

    Use when work identities must hold exactly at a finite step size, whatever the escort.

    Parameters
    ----------
    path : AnnealingPath
    n_steps : int
        K; the step is h = 1/K.
    diffusivity : float
        epsilon > 0.
    escort : callable (x, t) -> (n, d), optional
        e; none by default. It may be wrong: identities stay exact, only the variance of the work suffers.
    forward, backward : callable (x, t) -> (n, d), optional
        f_+ and f_-, in place of :math:`e \mp \varepsilon\nabla U`.

    Raises
    ------
    InputError
        A diffusivity that is not positive (the kernels would have no density), or no samples of the end for backward
        paths.

    References
    ----------
    Vargas et al. 2023, arXiv 2307.01050; Albergo, Vanden-Eijnden 2024, arXiv 2410.02711.

    Examples
    --------
    >>> from unifiedscore.samplers import GaussianPath, jarzynski
    >>> sampler = EscortedLangevin(GaussianPath([[0.0], [0.5]], (1.0, 1.0)).path(), n_steps=5, diffusivity=0.5)
    >>> work = sampler.run_forward(20_000, np.random.default_rng(0)).work
    >>> abs(jarzynski(work)) < 0.02
    True
    """

    path: AnnealingPath
    n_steps: int
    diffusivity: float
    escort: Callable | None = field(default=None, repr=False)
    forward: Callable | None = field(default=None, repr=False)
    backward: Callable | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.path, AnnealingPath):
            raise InputError(
                f"path must be an AnnealingPath (GaussianPath(...).path() is one); got {validate.shown(self.path)}"
            )
        object.__setattr__(self, "n_steps", validate.integer(self.n_steps, "n_steps"))
        object.__setattr__(self, "diffusivity", validate.positive(self.diffusivity, "diffusivity"))
        for name in ("escort", "forward", "backward"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise InputError(f"{name} must be a function of (x, t) or None; got {getattr(self, name)!r}")

    def forward_drift(self, x, t) -> np.ndarray:
        """f_+ = e - epsilon grad U unless given."""
        x = validate.points(x, "x")
        return self.forward(x, t) if self.forward is not None else self._drift(x, t, -self.diffusivity)

    def backward_drift(self, x, t) -> np.ndarray:
        """f_- = e + epsilon grad U unless given."""
        x = validate.points(x, "x")
        return self.backward(x, t) if self.backward is not None else self._drift(x, t, self.diffusivity)

    def run_forward(self, n: int, rng: np.random.Generator, *, keep: bool = False) -> WorkSample:
        """Simulate n paths from pi_0 with the forward kernels."""
        x = self.path.sample_start(validate.integer(n, "n"), validate.generator(rng))
        h, K = 1 / self.n_steps, self.n_steps
        work = -self.path.potential(x, 0.0)
        states = [x]
        for k in range(K):
            move = h * self.forward_drift(x, k * h)
            after = x + move + np.sqrt(2 * self.diffusivity * h) * rng.standard_normal(x.shape)
            work += self._log_ratio(x, after, move, h * self.backward_drift(after, (k + 1) * h))
            x = after
            if keep:
                states.append(x)
        work += self.path.potential(x, 1.0)
        return WorkSample(work, x, np.stack(states) if keep else None)

    def run_backward(self, n: int, rng: np.random.Generator, *, keep: bool = False) -> WorkSample:
        """Simulate n paths from pi_1 with the backward kernels; the same functional W of the path."""
        if self.path.sample_end is None:
            raise InputError("backward paths start at the end of the path: give AnnealingPath a sample_end")
        x = self.path.sample_end(validate.integer(n, "n"), validate.generator(rng))
        h, K = 1 / self.n_steps, self.n_steps
        work = self.path.potential(x, 1.0)
        states = [x]
        for k in range(K - 1, -1, -1):
            move = h * self.backward_drift(x, (k + 1) * h)
            before = x - move + np.sqrt(2 * self.diffusivity * h) * rng.standard_normal(x.shape)
            work += self._log_ratio(before, x, h * self.forward_drift(before, k * h), move)
            x = before
            if keep:
                states.append(x)
        work -= self.path.potential(x, 0.0)
        return WorkSample(work, x, np.stack(states[::-1]) if keep else None)

    def work_of(self, trajectory) -> np.ndarray:
        """W of given paths (K + 1, n, d), whoever simulated them."""
        trajectory = validate.real_array(trajectory, "trajectory")
        if trajectory.ndim != 3 or len(trajectory) != self.n_steps + 1:
            raise InputError(f"trajectory must have shape ({self.n_steps + 1}, n, d); got {trajectory.shape}")
        h = 1 / self.n_steps
        work = self.path.potential(trajectory[-1], 1.0) - self.path.potential(trajectory[0], 0.0)
        for k, (x, after) in enumerate(pairwise(trajectory)):
            move, back = h * self.forward_drift(x, k * h), h * self.backward_drift(after, (k + 1) * h)
            work = work + self._log_ratio(x, after, move, back)
        return work

    def _drift(self, x, t, gain) -> np.ndarray:
        drift = gain * self.path.gradient(x, t)
        return drift if self.escort is None else drift + self.escort(x, t)

    def _log_ratio(self, x, after, move, back) -> np.ndarray:
        """log F(after | x) / B(x | after), from h f_+ and h f_-."""
        return gaussian_log_ratio(after - x, move, back, 4 * self.diffusivity / self.n_steps)


def gaussian_log_ratio(step, move, back, scale) -> np.ndarray:
    """(|step - back|^2 - |step - move|^2) / scale = (move - back).(2 step - move - back) / scale, (n,).

    The factored form has no difference of squares to cancel.
    """
    return np.einsum("nd,nd->n", move - back, 2 * step - move - back) / scale

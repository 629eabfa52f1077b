"""Particles that follow their own drift: explicit Euler, annealed bandwidths, policies for the self term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np

from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError
from unifiedscore.fields import SinkhornDrift, batch_drift
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import GaussianMixture, ReducedMixture, Samples, as_samples
from unifiedscore.posterior import posterior_field, posterior_moments
from unifiedscore.posterior.moments import as_posterior_measure
from unifiedscore.validate import choice, count, generator, integer, points, positive, real_array, shown

Rule = Literal["drift", "sharp", "batch", "sinkhorn"]
SelfTerms = Literal["mask", "keep", "independent"]


@dataclass(frozen=True, slots=True)
class DriftingPath:
    """What a drifting flow left behind.

    Use when you read what a `DriftingFlow` left behind.

    Attributes
    ----------
    particles : (n, d) array
        At the end: float32 where start and target are, or where the start is and the target is a mixture.
    time, bandwidth : (n_steps,) arrays
        At the start of each step.
    energy : (n_steps,) array
        Mean squared velocity, the value of the stop-gradient loss.
    curl : (n_steps,) array
        Root mean square Frobenius norm of the antisymmetric Jacobian of the plain drift at the particles.
    mode_masses : (n_steps + 1, modes) array
        Share of particles nearest to each mode, before every step and at the end; no columns without modes.
    trajectory : (n_steps + 1, n, d) array or None
        All states, where asked for.
    """

    particles: np.ndarray
    time: np.ndarray
    bandwidth: np.ndarray
    energy: np.ndarray
    curl: np.ndarray
    mode_masses: np.ndarray
    trajectory: np.ndarray | None = None


@renamed(steps="n_steps")
def exponential_schedule(start: float, end: float, *, n_steps: int) -> np.ndarray:
    r"""Return bandwidths $\sigma_0 e^{-rt}$ from `start` to `end`, (n_steps,): every resolved mode fades equally.

    Use when the bandwidth of a drifting flow should fall from coarse to fine at a constant relative rate.

    Examples
    --------
    >>> exponential_schedule(4.0, 1.0, n_steps=3)
    array([4., 2., 1.])
    """
    return np.geomspace(positive(start, "start"), positive(end, "end"), integer(n_steps, "n_steps"))


@final
@dataclass(frozen=True, slots=True)
class DriftingFlow:
    r"""The particle flow $x \leftarrow x + h\,\Delta(x)$ in which the particles themselves are the model.

    Use when you watch what a drift does to particles, without training a generator.

    Parameters
    ----------
    kernel : AbstractKernel
        Its bandwidth is used unless `bandwidths` is given.
    target : Samples, GaussianMixture or (m, d) array
    step : float
        Step length h in (0, 1] of the drift.
    rule : {"drift", "sharp", "batch", "sinkhorn"}
        $V_p - V_q$; the sharp drift times $k^\#(0)$, so that it too is a length; Algorithm 2 and Sinkhorn, which need
        samples as target.
    self_terms : {"mask", "keep", "independent"}
        Whether a particle meets itself among the negatives; "independent" compares every particle with the other half
        of the particles only. The Sinkhorn rule keeps it.
    batch : int, optional
        Positives drawn anew at each step; all of the target by default.
    tolerance : float
        L1 error of the marginals at which a Sinkhorn plan counts as converged.

    Raises
    ------
    InputError

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770; Turan, Ovsjanikov 2026, arXiv 2603.09936 (annealing).

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> from unifiedscore.samplers import DriftingFlow
    >>> flow = DriftingFlow(us.Gaussian(bandwidth=1.0), us.GaussianMixture([[0.0]], 1.0), step=0.5)
    >>> path = flow.run(np.linspace(3.0, 5.0, 20)[:, None], n_steps=60)
    >>> bool(abs(path.particles.mean()) < 1e-3)
    True
    """

    kernel: AbstractKernel
    target: object
    step: float = 0.5
    rule: Rule = "drift"
    self_terms: SelfTerms = "mask"
    batch: int | None = None
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", as_posterior_measure(self.kernel, self.target, "target"))
        object.__setattr__(self, "step", positive(self.step, "step"))
        object.__setattr__(self, "tolerance", positive(self.tolerance, "tolerance"))
        for name, allowed in (("rule", get_args(Rule)), ("self_terms", get_args(SelfTerms))):
            choice(getattr(self, name), name, allowed)
        if isinstance(self.target, ReducedMixture):
            raise InputError("target must be a law in the space of the particles; got a ReducedMixture")
        if self.rule == "sharp" and self.kernel.sharp() is None:
            raise InputError(f"rule 'sharp' needs a kernel with a finite sharp kernel; got {shown(self.kernel)}")
        if self.rule in ("batch", "sinkhorn") and isinstance(self.target, GaussianMixture) and self.batch is None:
            raise InputError(f"rule {self.rule!r} needs Samples as target; pass target.sample(n, rng), or batch=n")
        if self.rule in ("batch", "sinkhorn") and self.self_terms == "independent":
            raise InputError(f"self_terms 'independent' is for the rules 'drift' and 'sharp'; got rule {self.rule!r}")
        if self.batch is not None:
            object.__setattr__(self, "batch", integer(self.batch, "batch"))

    @renamed(steps="n_steps")
    def run(
        self, start, *, n_steps: int, bandwidths=None, modes=None, rng=None, trajectory: bool = False
    ) -> DriftingPath:
        """Move the particles and record what happens.

        Parameters
        ----------
        start : (n, d) array
        n_steps : int
        bandwidths : (n_steps,) array, optional
            Bandwidth of each step, as from `exponential_schedule`.
        modes : (k, d) array, optional
            Centres whose shares of the particles are recorded.
        rng : numpy.random.Generator, optional
            Needed with `batch`.
        trajectory : bool
            Whether to keep every state.

        Raises
        ------
        InputError
            Wrong shapes, fewer than two particles under a mask, a schedule of the wrong length, a missing generator.
        """
        x = self._state(start, "start")
        n_steps = count(n_steps, "n_steps")
        if len(x) < (4 if self.self_terms == "independent" else 2):
            raise InputError(f"start must hold two particles or more (four with 'independent'); got {len(x)}")
        widths = np.full(n_steps, self.kernel.bandwidth) if bandwidths is None else real_array(bandwidths, "bandwidths")
        if widths.shape != (n_steps,) or not (widths > 0).all():
            raise InputError(f"bandwidths must be {n_steps} positive numbers, one a step; got shape {widths.shape}")
        if self.batch is not None:
            generator(rng)
        centers = np.empty((0, x.shape[1])) if modes is None else points(modes, "modes", dimension=x.shape[1])
        energy, curl, masses = np.empty(n_steps), np.empty(n_steps), [_masses(x, centers)]
        states = [x] if trajectory else []
        for i, width in enumerate(widths):
            kernel = self.kernel.with_bandwidth(float(width))
            target = self._positives(x, rng)
            velocity = self._velocity(kernel, target, x)
            energy[i] = np.mean(np.sum(velocity.astype(np.float64, copy=False) ** 2, 1))
            curl[i] = _curl(kernel, target, x)
            x = x + self.step * velocity
            masses.append(_masses(x, centers))
            if trajectory:
                states.append(x)
        kept = np.array(states) if trajectory else None
        return DriftingPath(x, self.step * np.arange(n_steps), widths, energy, curl, np.array(masses), kept)

    def animate(self, start, *, n_steps: int, bandwidths=None, rng=None, **options):
        """Run the flow and return it as an animation; `options` as for `unifiedscore.plotting.animate`.

        Parameters
        ----------
        start, n_steps, bandwidths, rng
            As for `run`; at least one step.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            Write it with `.save("flow.webp", writer="pillow")`.
        """
        from unifiedscore.plotting import animate

        path = self.run(start, n_steps=n_steps, bandwidths=bandwidths, rng=rng, trajectory=True)
        if isinstance(self.target, Samples):
            options = {"target": self.target.points} | options
        return animate({"drift": path.trajectory}, **options)

    def velocity(self, x, *, rng=None) -> np.ndarray:
        """Return the velocity of every particle at `x`, (n, d): one step of `run` before its step length.

        Parameters
        ----------
        x : (n, d) array
        rng : numpy.random.Generator, optional
            Needed with `batch`.

        Raises
        ------
        InputError
            Wrong shapes, a particle alone that leaves itself out, a missing generator.
        """
        x = self._state(x, "x")
        if self.self_terms != "keep" and len(x) < 2:
            raise InputError(f"x must hold two particles or more with self_terms={self.self_terms!r}; got {len(x)}")
        return self._velocity(self.kernel, self._positives(x, rng), x)

    def _state(self, x, name) -> np.ndarray:
        """Particles in float32 where both they and the target are; a mixture is exact in either precision."""
        x = points(x, name, dimension=self.target.dimension)
        return x.astype(np.result_type(x, self.target.points), copy=False) if isinstance(self.target, Samples) else x

    def _positives(self, x, rng):
        """The target of a step, or a batch of it: the same draws whatever the precision."""
        if self.batch is None:
            return self.target
        return Samples(self.target.sample(self.batch, generator(rng)).astype(x.dtype, copy=False))

    def _velocity(self, kernel, target, x) -> np.ndarray:
        if self.rule == "batch":
            mode = {"mask": "mask", "keep": "keep"}[self.self_terms]
            return batch_drift(kernel, x, positives=target.points, self_terms=mode).drift
        if self.rule == "sinkhorn":
            return SinkhornDrift(kernel, target=target, model=x, tolerance=self.tolerance)(x)
        quantity, factor = "mean_shift", 1.0
        if self.rule == "sharp":
            sharp = kernel.sharp()
            kernel, quantity, factor = sharp.kernel, "score", float(np.exp(sharp.log_scale))
        pull = posterior_field(kernel, target, x, quantity)
        return factor * (pull - self._own(kernel, x, quantity))

    def _own(self, kernel, x, quantity) -> np.ndarray:
        """Field of the particles at the particles, under the policy for the self term."""
        if self.self_terms == "independent":
            half = np.arange(len(x)) % 2 == 0
            out = np.empty_like(x)
            out[half] = posterior_field(kernel, x[~half], x[half], quantity)
            out[~half] = posterior_field(kernel, x[half], x[~half], quantity)
            return out
        exclude = np.arange(len(x)) if self.self_terms == "mask" else None
        return posterior_field(kernel, as_samples(x), x, quantity, exclude=exclude)


def _masses(x, centers) -> np.ndarray:
    if len(centers) == 0:
        return np.empty(0)
    nearest = np.argmin(((x[:, None] - centers) ** 2).sum(2), axis=1)
    return np.bincount(nearest, minlength=len(centers)) / len(x)


def _curl(kernel, target, x) -> float:
    r"""Root mean square of $\lVert A_p - A_q \rVert_F$, $A = -(V s^\top - s V^\top)/2$, self terms left out."""
    if kernel.constant_weight or x.shape[1] == 1:
        return 0.0
    total = 0.0
    p = posterior_moments(kernel, target, x)
    q = posterior_moments(kernel, as_samples(x), x, exclude=np.arange(len(x)))
    # |sum of two antisymmetric outer products|^2 from inner products alone: no (n, d, d) array.
    total = _wedge(p, p) + _wedge(q, q) - 2 * _wedge(p, q)
    return float(np.sqrt(max(np.mean(total) / 2.0, 0.0)))


def _wedge(first, second) -> np.ndarray:
    """Inner product of V ^ s of two posteriors, (n,)."""
    dot = lambda a, b: np.einsum("nd,nd->n", a, b, dtype=np.float64)  # noqa: E731
    return dot(first.mean_shift, second.mean_shift) * dot(first.score, second.score) - dot(
        first.mean_shift, second.score
    ) * dot(first.score, second.mean_shift)

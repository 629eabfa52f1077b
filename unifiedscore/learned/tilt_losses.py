r"""Losses of a control, and its distance from the optimal one: :math:`\int\eta\,E|c - T|^2 dt` over a cut-off."""

from __future__ import annotations

import numpy as np
import torch

from unifiedscore.learned.adjoint import full_adjoint
from unifiedscore.learned.control import LearnedControl
from unifiedscore.learned.gradients import log_odds_rule, output_factor
from unifiedscore.learned.tilt_targets import (
    REGRESSIONS,
    base_moments,
    control_target,
    exact_difference,
    path_times,
    reweighted_base,
)
from unifiedscore.processes import TiltedProcess, lean_adjoint, simulate

_PROBES = 64  # states at each node of the rule over time
_PROPOSALS = 20_000  # points of the base that stand for the tilted law where that is no mixture
_LARGEST = 1e30  # of a control: what is larger comes from weights that diverge, and its squares will not be finite


class _EscapedError(Exception):
    """Paths under a control that has diverged."""


class ControlLoss:
    """One loss of a control: draws states, times and targets, and compares a network with them.

    `data` is what X_1 is drawn from, the tilted law or samples of it; `reference` the variance of the novel target.
    """

    def __init__(self, process: TiltedProcess, loss: str, data, *, cutoff: float, parametrisation: str,
                 path_steps: int, reference: float):  # fmt: skip
        self.process, self.name, self.data, self.cutoff = process, loss, data, cutoff
        self.parametrisation, self.reference = parametrisation, reference
        self.mean, self.variance = base_moments(process)
        self.times = path_times(cutoff, path_steps)
        self.weights = np.diff(self.times) / (1 - 2 * cutoff)

    def control(self, module) -> LearnedControl:
        """A frozen copy of a network as a control."""
        moments = {"mean": self.mean, "variance": self.variance}
        options = {"parametrisation": self.parametrisation, "cutoff": self.cutoff}
        return LearnedControl(module, self.process.schedule, **moments, **options)

    def __call__(self, network, batch: int, rng: np.random.Generator):
        """The loss of a stack of one network on a fresh batch, (1,)."""
        try:
            x, t, weight, target = self.draw(network, batch, rng)
        except _EscapedError:
            return torch.full((1,), torch.nan)
        return (weight * ((self.difference(network, x, t) - tensor(target)) ** 2).sum(-1)).sum(-1)

    def draw(self, network, batch: int, rng: np.random.Generator) -> tuple:
        """States (n, d), times (n,), weights (1, n) that hold eta and sum to a mean over time, and targets (n, d)."""
        if self.name in REGRESSIONS:
            t = self.cutoff + (1 - 2 * self.cutoff) * rng.random(batch)
            data = self.data.sample(batch, rng)
            noise = rng.standard_normal(data.shape)
            schedule = self.process.schedule
            x = np.asarray(schedule.alpha(t))[:, None] * data + np.asarray(schedule.beta(t))[:, None] * noise
            target = control_target(self.name, self.process, x, data, t, variance=self.reference)
            return x, t, tensor(np.asarray(schedule.eta(t)) / batch), target
        x, adjoint = self.paths(self.control(network.member(0)), batch, rng)
        steps, d = len(self.weights), self.process.dimension
        eta = np.asarray(self.process.schedule.eta(self.times[:-1]))
        weight = np.repeat(self.weights * eta / batch, batch)
        x, target = x[:steps].reshape(-1, d), -adjoint[:steps].reshape(-1, d)
        return x, np.repeat(self.times[:-1], batch), tensor(weight), target

    def paths(self, control: LearnedControl, batch: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """States and adjoints along paths under a control, both (K + 1, batch, d)."""

        def bounded(x, t):
            u = control(x, t)
            if np.abs(u).max() > _LARGEST:
                raise _EscapedError
            return u

        # A generator of its own: what `simulate` spawns is counted outside the state that a checkpoint keeps.
        rng = np.random.default_rng(rng.integers(2**32, size=4))
        paths = simulate(self.process, batch, rng, times=self.times, control=bounded, keep=True)
        if self.name == "lean_adjoint":
            return paths.trajectory, lean_adjoint(self.process, paths)
        options = {"control": control, "control_jacobian": control.jacobian}
        return paths.trajectory, full_adjoint(
            self.process, paths, **options, martingale=self.name == "martingale_adjoint"
        )

    def difference(self, network, x: np.ndarray, t: np.ndarray):
        """c of a stack of one network at states (n, d) and times (n,), (1, n, d), as `LearnedControl` has it."""
        schedule = self.process.schedule
        t = np.clip(t, self.cutoff, 1 - self.cutoff)
        alpha, beta = np.asarray(schedule.alpha(t)), np.asarray(schedule.beta(t))
        width = np.sqrt(np.asarray(schedule.variance(t, self.variance)))
        factor = output_factor(schedule, self.parametrisation, t, variance=self.variance)
        inputs = (x - alpha[:, None] * self.mean) / width[:, None]
        return tensor(factor)[..., None] * network(tensor(inputs), tensor(0.25 * np.log(beta / alpha)))


class PathDivergence:
    """The divergence of controlled paths from optimal ones, over the cut-off, at fixed states of the tilted law.

    Attributes
    ----------
    untrained : float
        That of no control.
    """

    def __init__(self, process: TiltedProcess, loss: ControlLoss):
        rng = np.random.default_rng(0)  # a fixed rule: numbers of different trainings compare
        t, w = log_odds_rule(loss.cutoff)
        self.t = np.repeat(t, _PROBES)
        law = process.target if process.target is not None else reweighted_base(process, _PROPOSALS, rng)
        data = law.sample(len(self.t), rng)
        alpha, beta = np.asarray(process.schedule.alpha(self.t)), np.asarray(process.schedule.beta(self.t))
        self.x = alpha[:, None] * data + beta[:, None] * rng.standard_normal(data.shape)
        self.exact = exact_difference(process, self.x, self.t)
        eta = np.asarray(process.schedule.eta(self.t))
        self.weight = (1 - 2 * loss.cutoff) * np.repeat(w, _PROBES) * eta / _PROBES
        self.untrained = float(self.weight @ np.sum(self.exact**2, axis=1))
        self.loss = loss

    def __call__(self, network) -> np.ndarray:
        """E int eta |c - (s* - s)|^2 dt of a stack of one network, (1,)."""
        with torch.no_grad():
            values = self.loss.difference(network, self.x, self.t).double().numpy()
        return ((values - self.exact) ** 2).sum(-1) @ self.weight


def tensor(array: np.ndarray):
    """An array as float32 with a leading axis of one network."""
    return torch.from_numpy(np.ascontiguousarray(array[None])).float()

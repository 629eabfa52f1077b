"""How noisy the gradient of a fine-tuning loss is for a network: parameter by parameter, at the optimum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.adjoint import full_adjoint
from unifiedscore.learned.control import LearnedControl
from unifiedscore.learned.gradients import output_factor
from unifiedscore.learned.tilt_targets import REGRESSIONS, TILT_LOSSES, base_moments, control_target, exact_difference
from unifiedscore.processes import TiltedProcess, lean_adjoint, simulate

_CHUNK = 1024  # gradients held at once
_NODES = 300  # times of a path: its Euler steps bias the variance by 3 %


@final
@dataclass(frozen=True, slots=True)
class GradientVariances:
    """Variances of the gradient of a loss, one for each cut-off.

    Use when you read what `control_gradient_variance` returned.

    Attributes
    ----------
    total : (k,) array
        Summed over the parameters of the network.
    median : (k,) array
        Of the median parameter.
    output : (k,) array
        Of the gradient with respect to the output of the network, summed over its coordinates, which is that of the
        biases of a last linear layer. It depends on the parametrisation alone; the others also on how the Jacobian of
        the network grows as time nears its ends.
    """

    total: np.ndarray
    median: np.ndarray = field(repr=False)
    output: np.ndarray = field(repr=False)


def control_gradient_variance(
    control: LearnedControl, process: TiltedProcess, *, loss: str, cutoffs, n: int, rng: np.random.Generator
) -> GradientVariances:
    r"""Estimate the variance of :math:`\nabla_\theta\,\eta|c_\theta - T|^2` at a time uniform on [cutoff, 1 - cutoff].

    Use when you ask whether a fine-tuning loss has gradients of finite variance with your network.

    At the optimum: the Jacobian is that of the network, c - T is the exact :math:`s^* - s` minus the target, and the
    paths of the losses along paths are steered by the optimal control. What is left is the noise of the target alone,

    .. math:: \mathrm{tr}\,\mathrm{Cov}\,g = 4E\,\eta^2j^2\,\mathrm{tr}(\partial_\theta F^T\,\mathrm{Cov}(T|x)\,
              \partial_\theta F),

    whose growth as the cut-off falls depends on what the network outputs. Times are drawn in their log odds and
    weighted, because the variance lives at the ends.

    Parameters
    ----------
    control : LearnedControl
        Whose module is a `torch.nn.Module`.
    process : TiltedProcess
        With a quadratic reward.
    loss : str
        One of `TILT_LOSSES`; the reference of "novel" has the variance of the base.
    cutoffs : (k,) array
        In (0, 1/2).
    n : int
        States, in all; of a loss along paths at least two paths of 300 states each.
    rng : numpy.random.Generator

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError
        A module without parameters, another dimension or schedule than that of the process, a reward whose tilted law
        is not a mixture, or a cut-off outside (0, 1/2).

    Examples
    --------
    >>> import torch, unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "rectified_flow")
    >>> class Linear(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = torch.nn.Parameter(torch.ones(1))
    ...     def forward(self, u, label):
    ...         return self.slope * u
    >>> control = LearnedControl(Linear(), "rectified_flow", mean=[0.0], variance=1.0)
    >>> found = control_gradient_variance(control, process, loss="novel", cutoffs=[0.1], n=100,
    ...                                   rng=np.random.default_rng(0))
    >>> bool(found.total[0] < 1e-20)  # a linear reward over a Gaussian has no noise
    True
    """
    torch = require_torch("gradients of a network")
    validate.instance(control, "control", LearnedControl)
    validate.instance(process, "process", TiltedProcess)
    validate.choice(loss, "loss", TILT_LOSSES)
    n, rng = validate.integer(n, "n"), validate.generator(rng)
    cutoffs = validate.real_array(cutoffs, "cutoffs").astype(np.float64)
    if cutoffs.ndim != 1 or not cutoffs.size or (cutoffs <= 0).any() or (cutoffs >= 0.5).any():
        raise InputError("cutoffs must be an array of numbers in (0, 1/2)")
    if process.target is None:
        raise InputError("gradients at the optimum need a QuadraticReward, whose tilted law is a mixture")
    if not isinstance(control.module, torch.nn.Module) or not list(control.module.parameters()):
        raise InputError("the module of control has no parameters to differentiate by")
    if control.dimension != process.dimension:
        raise InputError(
            f"control and process must have one dimension; got {control.dimension} and {process.dimension}"
        )
    if control.schedule != process.schedule:
        raise InputError(
            "control and process must have the same schedule; "
            f"got {validate.shown(control.schedule)} and {validate.shown(process.schedule)}"
        )
    x, t, weight, target = _draws(process, loss, float(cutoffs.min()), n, rng)
    schedule = process.schedule
    residual = exact_difference(process, x, t) - target
    gain = 2 * np.asarray(schedule.eta(t)) * output_factor(schedule, control.parametrisation, t,
                                                           variance=control.variance)  # fmt: skip
    alpha, beta = np.asarray(schedule.alpha(t)), np.asarray(schedule.beta(t))
    width = np.sqrt(np.asarray(schedule.variance(t, control.variance)))
    inputs = (x - alpha[:, None] * control.mean) / width[:, None]
    parameters = {name: value.detach() for name, value in control.module.named_parameters()}

    def scalar(parameters, u, label, vector):
        value = torch.func.functional_call(control.module, parameters, (u[None], label[None]))
        return (value[0] * vector).sum()

    derivative = torch.func.vmap(torch.func.grad(scalar), in_dims=(None, 0, 0, 0))
    outer = gain[:, None] * residual
    # The mean is 0 at the optimum: to take its estimate off would only add the noise of paths that share their states.
    variance = 0.0
    for start in range(0, len(t), _CHUNK):
        rows = slice(start, start + _CHUNK)
        parts = (inputs[rows], 0.25 * np.log(beta[rows] / alpha[rows]), outer[rows])
        slopes = derivative(parameters, *(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))
        g = torch.cat([part.flatten(1) for part in slopes.values()], 1).numpy()
        # The gradient by the output stands behind those by the parameters.
        g = np.concatenate([g, outer[rows]], axis=1)
        inside = (t[rows] >= cutoffs[:, None]) & (t[rows] <= 1 - cutoffs[:, None])
        w = weight[rows] * inside / (1 - 2 * cutoffs[:, None])
        variance = variance + w @ g**2
    inner, output = np.split(variance, [variance.shape[1] - process.dimension], axis=1)
    return GradientVariances(inner.sum(1), np.median(inner, axis=1), output.sum(1))


def _draws(process: TiltedProcess, loss: str, cutoff: float, n: int, rng) -> tuple:
    """States (N, d), times (N,), weights of a mean over time (N,) for the whole of [0, 1], and targets (N, d)."""
    schedule, reach = process.schedule, np.log((1 - cutoff) / cutoff)
    if loss in REGRESSIONS:
        # Stratified: one time in each of n cells of the log odds.
        t = 1 / (1 + np.exp(-reach * (2 * (np.arange(n) + rng.random(n)) / n - 1)))
        data = process.target.sample(n, rng)
        noise = rng.standard_normal(data.shape)
        x = np.asarray(schedule.alpha(t))[:, None] * data + np.asarray(schedule.beta(t))[:, None] * noise
        target = control_target(loss, process, x, data, t, variance=base_moments(process)[1])
        return x, t, 2 * reach / n * t * (1 - t), target
    count = max(n // _NODES, 2)
    t = 1 / (1 + np.exp(-np.linspace(-reach, reach, _NODES)))
    t[[0, -1]] = cutoff, 1 - cutoff
    paths = simulate(process, count, rng, times=np.append(t, 1.0), start="tilted", keep=True)
    if loss == "lean_adjoint":
        adjoint = lean_adjoint(process, paths)
    else:
        adjoint = full_adjoint(
            process,
            paths,
            control=process.optimal_control,
            control_jacobian=lambda x, t: process.optimal_control_field(t).jacobian(x),
            martingale=loss == "martingale_adjoint",
        )
    weight = np.full(_NODES, 2 * reach / (_NODES - 1))
    weight[[0, -1]] /= 2
    weight *= t * (1 - t) / count
    states, d = paths.trajectory[:-1], process.dimension
    return states.reshape(-1, d), np.repeat(t, count), np.repeat(weight, count), -adjoint[:-1].reshape(-1, d)

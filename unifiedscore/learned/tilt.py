"""Training of controls: one loop for all losses of exponential tilting, against the optimal control."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.checkpoint import TrainingState, digest
from unifiedscore.learned.control import LearnedControl, checked_cutoff
from unifiedscore.learned.gradients import PARAMETRISATIONS
from unifiedscore.learned.loop import WEIGHTS, Course, follow
from unifiedscore.learned.tilt_targets import ADJOINTS, TILT_LOSSES, base_moments
from unifiedscore.measures import Samples, as_samples
from unifiedscore.output import note
from unifiedscore.processes import TiltedProcess

CONTROL_FORMAT = "unifiedscore control 1"
_LARGEST_PATHS = 100_000


@final
@dataclass(frozen=True, slots=True, eq=False)
class ControlTraining:
    r"""A trained control, and how far its paths were from the optimal ones.

    Use when you read what `train_control` returned.

    Attributes
    ----------
    steps : (k,) array
        Steps at which the divergence was measured, with the last one.
    divergence : (k,) array
        :math:`KL(P^*|P^u) = \int\eta\,E|c - (s^* - s)|^2dt` over the cut-off, in nats, of the averaged weights: a mean
        over fixed random states of the tilted law, right to a few per cent. Ratios to `untrained` share the states.
    untrained : float
        The divergence of no control, which is that of the tilted law from the base: divide by it.
    networks : mapping
        The stacks "network" (the last weights) and "average", of one network each.
    model : mapping
        What builds a control from them, as it stands in a checkpoint.
    remedy : str
        What to change in the training, should it be worse than none.
    """

    steps: np.ndarray
    divergence: np.ndarray
    untrained: float
    networks: dict = field(repr=False)
    model: dict = field(repr=False)
    remedy: str = field(repr=False)

    @property
    def is_worse_than_none(self) -> bool:
        """Whether the control ended farther from the optimal one than no control is."""
        return bool(self.divergence[-1] > self.untrained)

    @property
    def advice(self) -> str:
        """What to change where the control is worse than none; empty where it is better."""
        if not self.is_worse_than_none:
            return ""
        return (
            f"after {self.steps[-1]:.0f} steps the control is worse than none: its paths diverge from optimal ones by "
            f"{self.divergence[-1]:.3g} nats, those without a control by {self.untrained:.3g}; {self.remedy}"
        )

    def control(self, *, weights: str = "average") -> LearnedControl:
        """A frozen copy of the network, with its averaged or its last weights."""
        validate.choice(weights, "weights", WEIGHTS)
        stack = self.networks["average" if weights == "average" else "network"]
        return as_control(stack.member(0), self.model)


def as_control(network, model: dict) -> LearnedControl:
    """The control of the network of a training."""
    options = {name: model[name] for name in ("mean", "variance", "parametrisation", "cutoff")}
    return LearnedControl(network, model["schedule"], **options)


def train_control(
    process: TiltedProcess,
    *,
    rng: np.random.Generator,
    n_steps: int,
    loss: str = "lean_adjoint",
    data=None,
    batch: int = 128,
    path_steps: int = 32,
    reference: float | None = None,
    parametrisation: str = "denoiser",
    cutoff: float = 0.02,
    width: int = 64,
    hidden: int = 2,
    learning_rate: float = 2e-3,
    decay: str = "none",
    average: float = 0.99,
    checkpoint: str | Path | None = None,
    every: int = 200,
    watch: Callable[[int, ControlTraining], None] | None = None,
) -> ControlTraining:
    r"""Train a network to be the control that tilts a base by a reward, with one of the losses in use.

    Use when you compare fine-tuning losses on a process whose optimal control is known.

    All losses are :math:`\int\eta\,E|c - T|^2dt` for :math:`c = s^* - s`, over times of [cutoff, 1 - cutoff], those
    along paths over [cutoff, 1] with c taken at 1 - cutoff beyond it. With :math:`X_1` from the tilted law, renoised,
    at uniform times:

    ==================  ==============================================================================================
    conditional         :math:`T = -(x - \alpha X_1)/\beta^2 - s`: denoising
    target              :math:`T = \nabla\log p^*(X_1)/\alpha - s`
    novel               the combination of both that is bounded at both ends of time, :math:`-s`
    exact               :math:`T = s^* - s`, which no user has: a loss without noise, for reference
    ==================  ==============================================================================================

    and without samples of the tilted law, along paths under the present control, which is not differentiated:

    ==================  ==============================================================================================
    lean_adjoint        :math:`T = -a`, a of `lean_adjoint`: adjoint matching
    full_adjoint        :math:`T = -a`, a of `full_adjoint`
    martingale_adjoint  the same with its martingale: at the optimum it is a function of the state alone
    ==================  ==============================================================================================

    Parameters
    ----------
    process : TiltedProcess
        With a reward that is not quadratic, in up to three dimensions. Every step costs a pass over all components of
        the base for each state, so this is meant for few dimensions and some hundred components.
    rng : numpy.random.Generator
    n_steps : int
        In all, those of a resumed checkpoint included. A checkpoint of more steps is returned as it is, with a note.
    loss : str
    data : Samples or (m, d) array, optional
        What takes the place of exact draws of the tilted law, such as `reweighted_base` points; needed where the
        reward is not quadratic, and not taken by the losses along paths.
    batch : int
        States of a step, each at a time of its own; paths of a step of the losses along paths.
    path_steps : int
        Steps of a path, all of which are used.
    reference : float, optional
        Variance of the reference of the loss "novel"; by default that of the base.
    parametrisation : {"score", "noise", "denoiser", "velocity"}
        What the network outputs, see `LearnedControl`: some losses have gradients of infinite variance under some.
    cutoff : float
        In (0, 1/2). State it with every number.
    width, hidden : int
        Units of a hidden layer, and hidden layers.
    learning_rate, decay, average, checkpoint, every
        As for `train_denoisers`.
    watch : callable (step, ControlTraining), optional
        Called after each measurement of the divergence.

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError, FileError
        Bad arguments; a checkpoint that is damaged, foreign, or of other settings.
    NumericalError
        The loss, the weights or the divergence are no longer finite; a checkpoint keeps the last state that was.

    Notes
    -----
    Small batches and coarse paths can make adjoint matching diverge although every number stays finite. A control that
    ends worse than none says so in a note and in its `advice`, with what to change.

    References
    ----------
    Domingo-Enrich, Du, Albergo 2026, arXiv 2605.00229; Domingo-Enrich et al. 2024, arXiv 2409.08861.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([1.0]), "rectified_flow")
    >>> trained = train_control(process, rng=np.random.default_rng(0), n_steps=3, width=8, batch=8)
    >>> trained.control()([[0.5]], 0.5).shape
    (1, 1)
    """
    torch = require_torch("training")
    validate.instance(process, "process", TiltedProcess)
    rng = validate.generator(rng)
    course = Course.checked(n_steps, every, learning_rate, decay, average, checkpoint, remedy="a larger cutoff")
    validate.choice(loss, "loss", TILT_LOSSES)
    validate.choice(parametrisation, "parametrisation", PARAMETRISATIONS)
    batch = validate.count(batch, "batch", entries=process.dimension)
    path_steps = validate.integer(path_steps, "path_steps", low=2, high=_LARGEST_PATHS)
    width, hidden = validate.integer(width, "width"), validate.integer(hidden, "hidden")
    cutoff, law = checked_cutoff(cutoff), _law(process, loss, data)

    from unifiedscore.learned.network import StackedMLP
    from unifiedscore.learned.tilt_losses import ControlLoss, PathDivergence

    mean, variance = base_moments(process)
    reference = variance if reference is None else validate.positive(reference, "reference")
    options = {"cutoff": cutoff, "parametrisation": parametrisation}
    compare = ControlLoss(process, loss, law, **options, path_steps=path_steps, reference=reference)
    divergence = PathDivergence(process, compare)
    if not 0.0 < divergence.untrained < np.inf:
        raise InputError(
            "the reward tilts the base by less, or by more, than floats can show: the paths of the base diverge from "
            f"optimal ones by {divergence.untrained:.3g} nats; rescale the reward"
        )
    network = StackedMLP([rng], process.dimension, width, hidden, False)
    optimizer = torch.optim.Adam(network.parameters(), lr=course.rate)
    schedule = process.schedule
    if schedule.functions is not None and course.path is not None:
        raise InputError("a checkpoint holds no functions: leave checkpoint out with a schedule of your own")
    model = {
        "schedule": schedule.name if schedule.functions is None else schedule,
        "mean": mean.tolist(),
        "variance": variance,
        **options,
        "torch": torch.__version__,
    }
    settings = {
        "process": f"{schedule.name} over {process.base!r} ({digest(divergence.x, divergence.exact)})",
        "loss": _described(loss, law, path_steps, reference),
        "network": f"{parametrisation}, width {width}, hidden {hidden}, cutoff {cutoff!r}",
        **course.settings,
        "batch": repr(batch),
    }
    remedy = _remedy(loss, batch, path_steps, course.rate)
    networks = {"network": network, "average": deepcopy(network)}
    state = TrainingState(CONTROL_FORMAT, settings, networks, optimizer, [rng], model)

    def result(steps: np.ndarray, excess: np.ndarray) -> ControlTraining:
        return ControlTraining(steps, excess[:, 0], divergence.untrained, networks, model, remedy)

    def seen(step: int, steps: np.ndarray, excess: np.ndarray) -> None:
        watch(step, result(steps, excess))

    trained = result(
        *follow(
            course,
            state,
            loss=lambda network: compare(network, batch, rng),
            excess=divergence,
            shown="path divergence",
            watch=None if watch is None else seen,
        )
    )
    if trained.is_worse_than_none:
        note(trained.advice)
    return trained


def _law(process: TiltedProcess, loss: str, data):
    """What X_1 is drawn from."""
    if loss in ADJOINTS:
        if data is not None:
            raise InputError(f"data must be left out with the loss {loss!r}, which draws its own paths")
        return None
    if data is None:
        if process.target is None:
            raise InputError(
                "the tilted law of a reward that is not quadratic cannot be drawn from; give data, such as "
                "reweighted_base(process, n, rng), or use the loss 'lean_adjoint'"
            )
        return process.target
    data = as_samples(data, "data")
    if data.dimension != process.dimension:
        raise InputError(f"data must have the dimension {process.dimension} of the process; got {data.dimension}")
    return data


def _remedy(loss: str, batch: int, path_steps: int, rate: float) -> str:
    """What to change in a training whose control is worse than none."""
    finer = [f"a larger batch than {batch}"]
    if loss in ADJOINTS:
        finer.append(f"more path_steps than {path_steps}")
    if loss == "target":  # gradients of infinite variance, whatever the network outputs
        finer.append("another loss than 'target'")
    finer.append(f"a smaller learning_rate than {rate:g}")
    return f"if the divergence still falls, train longer; else use {', '.join(finer[:-1])} or {finer[-1]}"


def _described(loss: str, law, path_steps: int, reference: float) -> str:
    """The loss and what it draws from, as a checkpoint names them."""
    if loss in ADJOINTS:
        return f"{loss} along {path_steps} steps"
    source = f"{law.size} points ({digest(law.points, law.weights)})" if isinstance(law, Samples) else "the tilted law"
    return f"{loss} of {source}" + (f", reference {reference!r}" if loss == "novel" else "")

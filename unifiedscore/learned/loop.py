"""The loop of every training with a stack of networks: steps, averages of the weights, measurements, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.atomic import make_folder
from unifiedscore.errors import FileError, InputError, NumericalError
from unifiedscore.extras import require_torch
from unifiedscore.learned.checkpoint import ADVICE, TrainingState, load_checkpoint, note_done, save_checkpoint
from unifiedscore.learned.interrupt import deferred_interrupt
from unifiedscore.learned.rate import checked_rate
from unifiedscore.samplers.progress import steps_with_progress

DECAYS = ("none", "cosine")
WEIGHTS = ("average", "last")


@final
@dataclass(frozen=True, slots=True)
class Course:
    """How long a training is, how it steps, and where it is kept; checked.

    Attributes
    ----------
    n_steps, every : int
        Steps in all, and between two measurements.
    rate : float
        Learning rate of Adam.
    decay : str
        Of the learning rate.
    average : float
        Decay of the average of the weights.
    path : Path or None
        Of the checkpoint.
    remedy : str
        What else helps a training that diverges, beside a smaller rate.
    """

    n_steps: int
    every: int
    rate: float
    decay: str
    average: float
    path: Path | None
    remedy: str

    @classmethod
    def checked(cls, n_steps, every, learning_rate, decay, average, checkpoint, *, remedy: str) -> Course:
        """The course of these arguments of a training."""
        share = validate.number(average, "average", low=0.0, high=1.0)
        if share == 1:
            raise InputError("average must lie in [0, 1); got 1.0")
        validate.choice(decay, "decay", DECAYS)
        return cls(
            validate.integer(n_steps, "n_steps"),
            validate.integer(every, "every"),
            checked_rate(learning_rate),
            decay,
            share,
            None if checkpoint is None else Path(checkpoint),
            remedy,
        )

    @property
    def settings(self) -> dict[str, str]:
        """What of it a resumed training must have in common with its checkpoint."""
        over = f", cosine over {self.n_steps} steps" if self.decay == "cosine" else ""
        return {"learning_rate": repr(self.rate) + over, "average": repr(self.average)}


def follow(
    course: Course,
    state: TrainingState,
    *,
    loss: Callable,
    excess: Callable,
    shown: str,
    watch: Callable[[int, np.ndarray, np.ndarray], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train the networks "network" of a state, and average them in "average", both in place.

    Parameters
    ----------
    course, state
        An existing checkpoint at the path of the course is resumed, bit for bit.
    loss : callable network -> (S,) tensor
        Of a fresh batch, one for each network of the stack.
    excess : callable network -> (S,) array
        What is measured and shown; never negative.
    shown : str
        What the progress calls it.
    watch : callable (step, steps, excess), optional
        Called after each measurement.

    Returns
    -------
    steps (k,), excess (k, S)
        Of the averaged weights.

    Raises
    ------
    InputError, FileError
        A checkpoint of other settings, damaged or foreign.
    NumericalError
        The loss, the weights or the excess are no longer finite.
    """
    torch = require_torch("training")
    network, averaged, members = state.networks["network"], state.networks["average"], len(state.rngs)
    path, done, history = course.path, 0, []
    if path is not None and path.exists():
        done, history = _resumed(path, state, members)
        note_done(path, done, course.n_steps)

    def refuse(what: str, values, step: int) -> None:
        """Stop unless the values, one for each network, are finite."""
        finite = np.isfinite(values)
        if not finite.all():
            kept = f"; {path} holds the last state that was saved" if path is not None and path.exists() else ""
            raise NumericalError(
                f"the {what} of network {int(np.argmin(finite))} is no longer finite at step {step}; use a smaller "
                f"learning_rate than {course.rate:g}, or {course.remedy}{kept}"
            )

    def measured(step: int) -> tuple[float, np.ndarray]:
        found = excess(averaged)
        # Of the last weights too, which an average hides: from them the training goes on.
        for values in (found, excess(network)):
            refuse(shown, values, step)
        return float(step), found

    with deferred_interrupt() as interrupted, deterministic(torch):
        before = measured(done)
        if path is not None:
            make_folder(path.parent)

        def progress() -> str:
            return f"training, {shown} {(history[-1] if history else before)[1].mean():.3g}"

        for _ in steps_with_progress(max(course.n_steps - done, 0), progress):
            if course.decay == "cosine":
                state.optimizer.param_groups[0]["lr"] = course.rate * 0.5 * (1 + cos(pi * done / course.n_steps))
            _step(state, loss, done, course.average, refuse)
            done += 1
            if done % course.every == 0:
                history.append(measured(done))
                if watch is not None:
                    watch(done, *_arrays(history, members))
            stopped = interrupted()
            if path is not None and (stopped or done % course.every == 0 or done == course.n_steps):
                if done % course.every:
                    measured(done)  # a state without a finite excess never takes the place of a good one
                steps, values = _arrays(history, members)
                save_checkpoint(path, state, {"done": done, "steps": steps, "excess": values})
            if stopped:
                raise KeyboardInterrupt
    return _arrays(history if history and history[-1][0] == done else [*history, measured(done)], members)


def _step(state: TrainingState, loss, done: int, share: float, refuse) -> None:
    """One update of the weights and of their average."""
    torch = require_torch("training")
    network, averaged = state.networks["network"], state.networks["average"]
    state.optimizer.zero_grad()
    losses = loss(network)
    refuse("loss", losses.detach().numpy(), done)
    # A sum: the gradient of one network does not depend on how many there are.
    losses.sum().backward()
    state.optimizer.step()
    # Early averages forget the start: the decay grows to its value over the first steps.
    share = min(share, (1 + done) / (10 + done)) if share else 0.0
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - share)
        for part in (network, averaged):
            largest = torch.stack([weight.abs().flatten(1).amax(1) for weight in part.parameters()]).amax(0)
            refuse("largest weight", largest.numpy(), done + 1)


def _resumed(path: Path, state: TrainingState, members: int) -> tuple[int, list]:
    """Steps done and the excess measured so far, of a checkpoint."""
    stored = load_checkpoint(path, state, {"done": (), "steps": (None,), "excess": (None, members)})
    done, steps = float(stored["done"]), stored["steps"]
    if done != int(done) or (np.diff(steps) <= 0).any() or (steps > done).any():
        raise FileError(f"{path} holds an unusable state: its steps are not those of a training; {ADVICE}")
    return int(done), list(zip(steps.tolist(), stored["excess"], strict=True))


def _arrays(history, members: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([step for step, _ in history]), np.array([e for _, e in history]).reshape(-1, members)


@contextmanager
def deterministic(torch) -> Iterator[None]:
    """Equal bits for equal seeds on one build: no algorithm that adds in an order of its own."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])

"""Training: a network pushed along a drift that is not differentiated."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np

from unifiedscore.atomic import make_folder
from unifiedscore.deprecation import renamed
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.extras import require_torch
from unifiedscore.learned.checkpoint import (
    TrainingState,
    digest,
    finite_weights,
    load_checkpoint,
    note_done,
    save_checkpoint,
)
from unifiedscore.learned.generators.generator import OneStepGenerator, new_generator
from unifiedscore.learned.generators.loss import drift_loss
from unifiedscore.learned.interrupt import deferred_interrupt
from unifiedscore.learned.rate import checked_rate
from unifiedscore.measures import Samples
from unifiedscore.metrics import drift_scale
from unifiedscore.samplers import DriftingFlow
from unifiedscore.samplers.progress import steps_with_progress
from unifiedscore.validate import generator, integer, positive, shown

FORMAT = "unifiedscore generator 2"


@renamed(steps="n_steps")
def train_generator(
    flow: DriftingFlow,
    *,
    n_steps: int,
    rng: np.random.Generator,
    start: OneStepGenerator | None = None,
    batch: int = 128,
    learning_rate: float = 2e-3,
    average: float = 0.99,
    normalise: bool = False,
    checkpoint: str | Path | None = None,
    every: int = 200,
    watch: Callable[[OneStepGenerator], None] | None = None,
) -> OneStepGenerator:
    r"""Train $x = f_\theta(e)$ on $E\lVert x - \mathrm{sg}(x + \Delta(x))\rVert^2$ with the batch itself as model.

    Use when you train a one-step generator with a drift; the field of the drift is not differentiated.

    Parameters
    ----------
    flow : DriftingFlow
        Names kernel, target, rule and self terms; its `batch` is the number of positives a step.
    n_steps : int
        In all, those of a resumed checkpoint included. A checkpoint of more steps is returned as it is, with a note.
    rng : numpy.random.Generator
        Draws noise and positives: with equal generators and starts, different rules and kernels see the same ones.
    start : OneStepGenerator, optional
        Left as it is; by default `new_generator` of the target, drawn from `rng`.
    batch : int
        Points generated a step.
    learning_rate : float
        Of Adam, constant: a longer training continues a shorter one.
    average : float
        Decay of the exponential average of the weights, in [0, 1); the result holds the averaged network.
    normalise : bool
        Divide each drift by $\lambda = \sqrt{E\lVert V\rVert^2/d}$, as the original paper does.
    checkpoint : path, optional
        Written every `every` steps, at the end and at Ctrl-C; its folder is created. An existing one is resumed, bit
        for bit: its weights, optimiser and random stream take the place of those of `start` and `rng`.
    watch : callable, optional
        Called after each step with the generator as it stands (its energies count the steps); must not change it.

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError, FileError
        Bad arguments; a checkpoint that is damaged, foreign, or of other settings.
    NumericalError
        The drift, the weights or the points are no longer finite; a checkpoint keeps the last state that was.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> from unifiedscore.samplers import DriftingFlow
    >>> rng = np.random.default_rng(0)
    >>> flow = DriftingFlow(us.Laplace(bandwidth=0.3), us.load_measure("two_moons", n=200, rng=rng), batch=64)
    >>> train_generator(flow, n_steps=3, rng=rng).sample(5, rng).shape
    (5, 2)
    """
    torch = require_torch("training")
    n_steps, batch, every = integer(n_steps, "n_steps"), integer(batch, "batch", low=2), integer(every, "every")
    rate, rng = checked_rate(learning_rate), generator(rng)
    decay = positive(average, "average", allow_zero=True)
    if decay >= 1:
        raise InputError(f"average must lie in [0, 1); got {shown(average)}")
    if start is None:
        start = new_generator(
            flow.target if isinstance(flow.target, Samples) else flow.target.sample(2000, rng), rng=rng
        )
    network, averaged = deepcopy(start.network), deepcopy(start.network)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    path, energy = None if checkpoint is None else Path(checkpoint), []
    settings = {}
    if path is not None:
        sizes = [tuple(weight.shape) for weight in network.parameters()]
        settings = _settings(
            flow, generated=batch, learning_rate=rate, average=decay, normalise=normalise, weights=sizes
        )
    networks = {"network": network, "average": averaged}
    state = TrainingState(FORMAT, settings, networks, optimizer, [rng], {"latent": start.latent})
    if path is not None and path.exists():
        energy = load_checkpoint(path, state, {"energy": (None,)})["energy"].tolist()
        note_done(path, len(energy), n_steps)
    if path is not None:
        make_folder(path.parent)
    with deferred_interrupt() as interrupted:
        for _ in steps_with_progress(max(n_steps - len(energy), 0), "training"):
            noise = torch.as_tensor(rng.standard_normal((batch, start.latent)), dtype=torch.float32)
            energy.append(_step(flow, network, averaged, optimizer, noise, rng, len(energy), decay, normalise))
            if watch is not None:
                watch(replace(start, network=averaged, energy=np.array(energy)))
            stopped = interrupted()
            if path is not None and (stopped or len(energy) % every == 0 or len(energy) == n_steps):
                save_checkpoint(path, state, {"energy": energy})
            if stopped:
                raise KeyboardInterrupt
    return replace(start, network=averaged, energy=np.array(energy))


def _step(flow, network, averaged, optimizer, noise, rng, done, decay, normalise) -> float:
    """One update of the weights and of their average; returns the mean squared drift before it."""
    torch = require_torch("training")
    x = network(noise)
    drift = flow.velocity(x.detach().numpy().astype(np.float64), rng=rng)
    energy = float(np.mean(np.sum(drift**2, 1)))
    if not np.isfinite(energy):
        raise NumericalError(f"the drift is no longer finite at step {done}; use a smaller learning_rate")
    if normalise and energy > 0:
        drift = drift / drift_scale(drift)
    optimizer.zero_grad()
    drift_loss(x, drift).backward()
    optimizer.step()
    # Early averages forget the start: the decay grows to its value over the first steps.
    share = min(decay, (1 + done) / (10 + done)) if decay else 0.0
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - share)
        # Finite weights of a step too long still overflow in the next layer.
        drawn = torch.stack([part(noise) for part in (network, averaged)])
    if not (finite_weights((network, averaged)) and torch.isfinite(drawn).all()):
        raise NumericalError(f"the generator is no longer finite at step {done + 1}; use a smaller learning_rate")
    return energy


def _settings(flow: DriftingFlow, **options) -> dict[str, str]:
    """What a resumed training must have in common with its checkpoint, as text; data by their hash."""
    target = flow.target
    if isinstance(target, Samples):
        name = digest(target.points, target.weights)
        data = f"{target.size} points in dimension {target.dimension} ({name})"
    else:
        data = repr(target)
    rule = {name: getattr(flow, name) for name in ("kernel", "rule", "self_terms", "batch", "tolerance")}
    return {"data": data, **{name: repr(value) for name, value in (rule | options).items()}}

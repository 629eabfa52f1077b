"""Training of denoising networks: all seeds of one setting as one model, each with its own data, weights and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.learned.checkpoint import TrainingState, digest
from unifiedscore.learned.denoiser import LearnedDenoiser
from unifiedscore.learned.loop import WEIGHTS, Course, follow
from unifiedscore.learned.loss import NoiseLaw
from unifiedscore.measures import Samples, as_samples

FORMAT = "unifiedscore denoiser 1"
TRAINED = ("preconditioned", "plain")
TARGETS = ("sample", "closed_form")


@final
@dataclass(frozen=True, slots=True, eq=False)
class DenoiserTraining:
    """Trained denoisers of one setting, one for each seed, and how far they were from the empirical denoiser.

    Use when you read what `train_denoisers` returned.

    Attributes
    ----------
    steps : (k,) array
        Steps at which the excess was measured, with the last one.
    excess : (k, S) array
        Weighted mean of |D - Dhat|^2 over noise levels, in units of the variance of the data: the loss above its floor,
        the only part of it that training can bring to 0. Of the averaged weights.
    networks : mapping
        The stacks "network" (the last weights) and "average".
    model : mapping
        What builds a denoiser from them, as it stands in a checkpoint.
    """

    steps: np.ndarray
    excess: np.ndarray
    networks: dict = field(repr=False)
    model: dict = field(repr=False)

    def denoiser(self, member: int = 0, *, weights: str = "average") -> LearnedDenoiser:
        """A frozen copy of one of the networks, with its averaged or its last weights."""
        member = validate.integer(member, "member", low=0, high=len(self.model["scales"]) - 1)
        validate.choice(weights, "weights", WEIGHTS)
        stack = self.networks["average" if weights == "average" else "network"]
        return as_denoiser(stack.member(member), self.model, member)


def as_denoiser(network, model: dict, member: int) -> LearnedDenoiser:
    """The denoiser of one network of a training."""
    scale = model["scales"][member]
    low, high = model["levels"]
    options = {"parametrisation": model["parametrisation"], "levels": (low * scale, high * scale)}
    return LearnedDenoiser(network, scale, model["means"][member], **options)


def train_denoiser(data, *, rng: np.random.Generator, **options) -> DenoiserTraining:
    """Train one denoiser on a data set; the options are those of `train_denoisers`.

    Use when you want the score of a data set as a network.

    Parameters
    ----------
    data : Samples or (m, d) array
    rng : numpy.random.Generator
    **options
        `n_steps` at least.

    Examples
    --------
    >>> import unifiedscore as us
    >>> rng = np.random.default_rng(0)
    >>> trained = train_denoiser(us.load_measure("two_moons", n=50, rng=rng), rng=rng, n_steps=3, width=8)
    >>> trained.denoiser().score(0.5)([[0.0, 0.0]]).shape
    (1, 2)
    """
    return train_denoisers([data], rngs=[rng], **options)


def train_denoisers(
    data: Sequence,
    *,
    rngs: Sequence[np.random.Generator],
    n_steps: int,
    batch: int = 128,
    width: int = 64,
    hidden: int = 3,
    parametrisation: str = "preconditioned",
    energy: bool = False,
    loss: str = "log_uniform",
    levels=(0.02, 20.0),
    target: str = "sample",
    learning_rate: float = 2e-3,
    decay: str = "none",
    average: float = 0.999,
    checkpoint: str | Path | None = None,
    every: int = 200,
    watch: Callable[[int, DenoiserTraining], None] | None = None,
) -> DenoiserTraining:
    r"""Train one denoiser a data set, all at once, on :math:`E\,w(h)|D_\theta(y + hz, h) - y|^2`.

    Use when you study trained denoisers over seeds: sixteen at once cost a quarter of sixteen one after the other.

    Each seed has its own data, initial weights and noise, all from its own generator: it ends with the bits that it
    would have alone. Data are centred and scaled to variance 1 per coordinate before training.

    Parameters
    ----------
    data : sequence of Samples or (m, d) arrays
        One set for each seed, all of one shape.
    rngs : sequence of numpy.random.Generator
        One for each data set.
    n_steps : int
        In all, those of a resumed checkpoint included. A checkpoint of more steps is returned as it is, with a note.
    batch : int
        Noisy points a step and a seed.
    width, hidden : int
        Units of a hidden layer, and hidden layers.
    parametrisation : {"preconditioned", "plain"}
        An untrained preconditioned network is the denoiser of a Gaussian, an untrained plain one says next to nothing.
    energy : bool
        Whether the network is the gradient of a scalar one: its score is conservative, at twice the cost.
    loss : str
        One of `LOSSES`: which noise levels count how much, see `NoiseLaw`.
    levels : (float, float)
        Lowest and highest noise level of the training, in units of the scale of the data.
    target : {"sample", "closed_form"}
        Regress on the clean point, or on the empirical denoiser itself, which has the same minimiser and no noise.
    learning_rate : float
        Of Adam.
    decay : {"none", "cosine"}
        Of the learning rate. Without it a longer training continues a shorter one.
    average : float
        Decay of the exponential average of the weights, in [0, 1). Averaging delays and hides memorisation.
    checkpoint : path, optional
        Written every `every` steps, at the end and at Ctrl-C; its folder is created. An existing one is resumed, bit
        for bit.
    every : int
        Steps between two measurements of the excess.
    watch : callable (step, DenoiserTraining), optional
        Called after each measurement of the excess.

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError, FileError
        Bad arguments; data of fewer than two different points; a checkpoint that is damaged, foreign, or of other
        settings.
    NumericalError
        The loss, the weights or the excess are no longer finite; a checkpoint keeps the last state that was.

    References
    ----------
    Karras et al. 2022, arXiv 2206.00364.
    """
    torch = require_torch("training")
    sets, rngs = _sets(data, rngs)
    course = Course.checked(
        n_steps, every, learning_rate, decay, average, checkpoint, remedy="a larger lowest noise level"
    )
    width, hidden = validate.integer(width, "width"), validate.integer(hidden, "hidden")
    batch = validate.count(batch, "batch", entries=sets[0].dimension * len(sets))
    validate.choice(parametrisation, "parametrisation", TRAINED)
    validate.choice(target, "target", TARGETS)
    ends = validate.real_array(levels, "levels")
    if ends.shape != (2,):
        raise InputError(f"levels must be two noise levels, the lower one first; got shape {ends.shape}")
    law = NoiseLaw(loss, *map(float, ends))

    from unifiedscore.learned.network import StackedMLP
    from unifiedscore.learned.standardised import StandardisedStack

    stack = StandardisedStack(sets, law, parametrisation=parametrisation, closed_form=target == "closed_form")
    network = StackedMLP(rngs, sets[0].dimension, width, hidden, bool(energy))
    optimizer = torch.optim.Adam(network.parameters(), lr=course.rate)
    model = {
        "parametrisation": parametrisation,
        "energy": bool(energy),
        "levels": [law.low, law.high],
        "scales": stack.scales,
        "means": stack.means,
        "torch": torch.__version__,
    }
    settings = {
        "data": data_settings(sets),
        "loss": f"{loss} on [{law.low!r}, {law.high!r}], target {target}",
        "network": f"{parametrisation}, energy {bool(energy)}, width {width}, hidden {hidden}",
        **course.settings,
        "batch": repr(batch),
    }
    networks = {"network": network, "average": deepcopy(network)}
    state = TrainingState(FORMAT, settings, networks, optimizer, rngs, model)

    def seen(step: int, steps: np.ndarray, excess: np.ndarray) -> None:
        watch(step, DenoiserTraining(steps, excess, networks, model))

    steps, excess = follow(
        course,
        state,
        loss=lambda network: stack.loss(network, batch, rngs),
        excess=stack.excess,
        shown="excess loss",
        watch=None if watch is None else seen,
    )
    return DenoiserTraining(steps, excess, networks, model)


def data_settings(sets: Sequence[Samples]) -> str:
    """The data sets of a training, as its checkpoint names them."""
    name = digest(*(part.points for part in sets), *(part.weights for part in sets))
    return f"{len(sets)} x {sets[0].size} points ({name})"


def _sets(data, rngs) -> tuple[list, list]:
    sets = [as_samples(part, f"data[{k}]") for k, part in enumerate(validate.sequence(data, "data", "data sets"))]
    rngs = [
        validate.generator(rng, f"rngs[{k}]") for k, rng in enumerate(validate.sequence(rngs, "rngs", "generators"))
    ]
    if not sets or len(sets) != len(rngs) or len({part.points.shape for part in sets}) != 1:
        shapes = sorted({part.points.shape for part in sets})
        raise InputError(
            "data must be one or several sets of one shape, with one generator each in rngs; "
            f"got {len(sets)} sets of shapes {shapes} and {len(rngs)} generators"
        )
    if len({id(rng) for rng in rngs}) != len(rngs):
        raise InputError("rngs must be different generators: a shared one would tie each seed to the number of seeds")
    return sets, rngs

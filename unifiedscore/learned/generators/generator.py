"""A one-step generator: a small network from noise to points, and how it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import final

import numpy as np

from unifiedscore.extras import require_torch
from unifiedscore.measures import as_samples
from unifiedscore.validate import generator, integer

_CALIBRATION = 1000


@final
@dataclass(frozen=True, slots=True)
class OneStepGenerator:
    """A network with the size of its noise and the energies of its training.

    Use when you draw from what `train_generator` returned.

    Attributes
    ----------
    network : torch.nn.Module
        Maps (n, latent) noise to (n, d) points.
    latent : int
    energy : (n_steps,) array
        Mean squared drift before each step, in squared units of the data: unlike the normalised loss it says
        something, but it ends at the noise of the batches, not at zero. Empty before training.
    """

    network: object
    latent: int
    energy: np.ndarray = field(default_factory=lambda: np.empty(0))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n points, (n, d) float64."""
        torch = require_torch("training")
        noise = generator(rng).standard_normal((integer(n, "n"), self.latent))
        with torch.no_grad():
            return self.network(torch.as_tensor(noise, dtype=torch.float32)).numpy().astype(np.float64)


def new_generator(
    target, *, rng: np.random.Generator, latent: int = 4, width: int = 64, hidden: int = 2
) -> OneStepGenerator:
    r"""Return an untrained generator whose points have the mean and the mean squared radius of `target`.

    Use when you compare trainings that must start from the same network.

    A perceptron with SiLU units. Its last layer is scaled and shifted on 1000 noises so that $E x$ and $E\lVert x -
    Ex\rVert^2$ are those of the target: the common norm that matched bandwidths presuppose.

    Parameters
    ----------
    target : Samples or (m, d) array
    rng : numpy.random.Generator
        Draws the weights: equal generators start from equal networks.
    latent, width, hidden : int
        Size of the noise, of a hidden layer, and number of hidden layers.

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError
    """
    torch = require_torch("training")
    target, rng = as_samples(target, "target"), generator(rng)
    latent, width, hidden = integer(latent, "latent"), integer(width, "width"), integer(hidden, "hidden")
    sizes = [latent, *[width] * hidden, target.dimension]
    layers: list = []
    for fan_in, fan_out in pairwise(sizes):
        # skip_init: torch's own random state is neither used nor moved.
        linear = torch.nn.utils.skip_init(torch.nn.Linear, fan_in, fan_out)
        bound = 1 / np.sqrt(fan_in)
        with torch.no_grad():
            linear.weight.copy_(torch.as_tensor(rng.uniform(-bound, bound, (fan_out, fan_in)), dtype=torch.float32))
            linear.bias.copy_(torch.as_tensor(rng.uniform(-bound, bound, fan_out), dtype=torch.float32))
        layers += [linear, torch.nn.SiLU()]
    network = torch.nn.Sequential(*layers[:-1])
    untrained = OneStepGenerator(network, latent)
    drawn = untrained.sample(_CALIBRATION, rng)
    centred = (target.points - target.mean).astype(np.float64)
    radius = np.sqrt(target.weights @ np.sum(centred**2, 1))
    ratio = radius / np.sqrt(np.mean(np.sum((drawn - drawn.mean(0)) ** 2, 1))) if radius > 0 else 1.0
    shift = target.mean - ratio * (drawn.mean(0) - network[-1].bias.detach().numpy())
    with torch.no_grad():
        network[-1].weight.mul_(float(ratio))
        network[-1].bias.copy_(torch.as_tensor(shift, dtype=torch.float32))
    return untrained

"""A small network pushed along a drift: the loss is the distance to a target that is not differentiated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unifiedscore.errors import MissingDependencyError
from unifiedscore.samplers import DriftingFlow
from unifiedscore.validate import generator, integer, positive


def require_torch():
    """Return the module torch.

    Raises
    ------
    MissingDependencyError
        With the command that installs it.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "training needs PyTorch, which is not installed; run: pip install 'unifiedscore[train]'"
        ) from error
    return torch


@dataclass(frozen=True, slots=True)
class TrainedGenerator:
    """A generator and how it got there.

    Attributes
    ----------
    network : torch.nn.Module
        Maps (n, latent) noise to (n, d) points.
    latent : int
    energy : (steps,) array
        Mean squared drift before each step, in units of the data: unlike the normalised loss it says something.
    """

    network: object
    latent: int
    energy: np.ndarray

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n points, (n, d) float64."""
        torch = require_torch()
        noise = generator(rng).standard_normal((integer(n, "n"), self.latent))
        with torch.no_grad():
            return self.network(torch.as_tensor(noise, dtype=torch.float32)).numpy().astype(np.float64)


def train_generator(
    flow: DriftingFlow,
    *,
    steps: int,
    rng: np.random.Generator,
    batch: int = 128,
    latent: int = 4,
    width: int = 64,
    learning_rate: float = 2e-3,
    checkpoint: str | Path | None = None,
    every: int = 200,
) -> TrainedGenerator:
    r"""Train $x = f_\theta(e)$ on $E\lVert x - \mathrm{sg}(x + \Delta(x))\rVert^2$ with the batch itself as model.

    Parameters
    ----------
    flow : DriftingFlow
        Names kernel, target, rule and self terms; its `batch` is the number of positives a step.
    steps, batch : int
        Steps, and generated points a step.
    rng : numpy.random.Generator
        Draws noise, positives and the initial weights: equal seeds start from equal networks.
    latent, width : int
        Size of the noise and of the two hidden layers.
    learning_rate : float
        Of Adam.
    checkpoint : path, optional
        Written every `every` steps; an existing one is resumed (with the noise of `rng`, not that of the first run).

    Raises
    ------
    MissingDependencyError
        PyTorch is not installed.
    InputError

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770.
    """
    torch = require_torch()
    steps, batch, every = integer(steps, "steps"), integer(batch, "batch", low=2), integer(every, "every")
    latent, width = integer(latent, "latent"), integer(width, "width")
    rate, d = positive(learning_rate, "learning_rate"), flow.target.dimension
    # A local fork: the global state of torch stays as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(rng).integers(2**31)))
        layers = [torch.nn.Linear(latent, width), torch.nn.SiLU(), torch.nn.Linear(width, width), torch.nn.SiLU()]
        network = torch.nn.Sequential(*layers, torch.nn.Linear(width, d))
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    energy: list[float] = []
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        state = torch.load(path, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        energy = state["energy"]
    for step in range(len(energy), steps):
        noise = torch.as_tensor(rng.standard_normal((batch, latent)), dtype=torch.float32)
        x = network(noise)
        drift = flow.velocity(x.detach().numpy().astype(np.float64), rng=rng)
        energy.append(float(np.mean(np.sum(drift**2, 1))))
        goal = x.detach() + torch.as_tensor(drift, dtype=torch.float32)
        optimizer.zero_grad()
        torch.mean((x - goal) ** 2).backward()
        optimizer.step()
        if path is not None and ((step + 1) % every == 0 or step + 1 == steps):
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "energy": energy}
            fresh = path.with_suffix(".tmp")
            torch.save(state, fresh)
            fresh.replace(path)
    return TrainedGenerator(network, latent, np.array(energy))

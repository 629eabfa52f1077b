"""The networks that are trained here: perceptrons, many at once, whose weights are drawn from NumPy's generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch

_LAST = 0.1  # scale of the last layer at the start: an untrained preconditioned network is a Gaussian denoiser


class StackedMLP(torch.nn.Module):
    """S perceptrons of one shape with SiLU units, trained as one: every weight has a leading axis.

    With `energy` each has one output, and its values are the gradient of that output.
    """

    def __init__(self, rngs: Sequence[np.random.Generator], dimension: int, width: int, hidden: int, energy: bool):
        super().__init__()
        self.energy = energy
        sizes = [dimension + 1, *[width] * hidden, 1 if energy else dimension]
        weights, biases = [], []
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            bound = (_LAST if layer == hidden else 1.0) / np.sqrt(fan_in)
            drawn = [
                (r.uniform(-bound, bound, (fan_in, fan_out)), r.uniform(-bound, bound, (1, fan_out))) for r in rngs
            ]
            weight, bias = (torch.as_tensor(np.stack(part), dtype=torch.float32) for part in zip(*drawn, strict=True))
            weights.append(torch.nn.Parameter(weight))
            biases.append(torch.nn.Parameter(bias))
        self.weights, self.biases = torch.nn.ParameterList(weights), torch.nn.ParameterList(biases)

    def forward(self, u, label):
        """Values (S, n, d) at points (S, n, d) and labels (S, n)."""
        if not self.energy:
            return self._output(u, label)
        with torch.enable_grad():
            u = u if u.requires_grad else u.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self._output(u, label).sum(), u, create_graph=True)
        return gradient

    def _output(self, u, label):
        x = torch.cat([u, label[..., None]], -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x if layer == 0 else torch.nn.functional.silu(x), weight)
        return x

    def member(self, index: int) -> MLP:
        """One of the networks, with weights of its own."""
        weights = [weight.detach()[index] for weight in self.weights]
        biases = [bias.detach()[index, 0] for bias in self.biases]
        return MLP(weights, biases, energy=self.energy)


class MLP(torch.nn.Module):
    """One perceptron of a stack. With `energy` it is the gradient of its potential with respect to the points."""

    def __init__(self, weights, biases, *, energy: bool = False):
        super().__init__()
        self.is_conservative = energy
        self.weights, self.biases = (
            torch.nn.ParameterList([torch.nn.Parameter(part.clone()) for part in parts]) for parts in (weights, biases)
        )

    def forward(self, u, label):
        """Values (n, d) at points (n, d) and labels (n,)."""
        if not self.is_conservative:
            return self._output(u, label)
        return torch.func.vmap(torch.func.grad(lambda row, c: self._output(row[None], c[None])[0, 0]))(u, label)

    def potential(self, u, label):
        """The potential (n,) of a network with `energy`."""
        return self._output(u, label)[:, 0]

    def _output(self, u, label):
        x = torch.cat([u, label[..., None]], -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.addmm(bias, x if layer == 0 else torch.nn.functional.silu(x), weight)
        return x


def stored_member(arrays: Mapping[str, np.ndarray], index: int, *, energy: bool) -> MLP:
    """One network of a stack from the arrays of a checkpoint, `weights.0`, `biases.0`, ...

    Raises
    ------
    KeyError, ValueError, IndexError
        The arrays are not those of a stack of perceptrons.
    """
    depth = len(arrays) // 2
    weights = [torch.from_numpy(arrays[f"weights.{k}"][index]) for k in range(depth)]
    biases = [torch.from_numpy(arrays[f"biases.{k}"][index, 0]) for k in range(depth)]
    for weight, bias in zip(weights, biases, strict=True):
        if weight.ndim != 2 or bias.shape != weight.shape[1:]:
            raise ValueError("weights and biases do not belong together")
    if any(first.shape[1] != second.shape[0] for first, second in pairwise(weights)):
        raise ValueError("one layer does not fit the next")
    return MLP(weights, biases, energy=energy)

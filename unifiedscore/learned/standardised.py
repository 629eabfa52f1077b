"""Standardised training sets of a stack of denoisers: their batches, their losses, and the excess of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from unifiedscore.errors import InputError
from unifiedscore.learned.loss import NoiseLaw
from unifiedscore.measures import Samples

_PROBES = 256  # noise levels at which the excess is measured, one noisy point each
_ENTRIES = 2**22  # of one matrix of posterior weights


class StandardisedStack:
    """S data sets in units of their own mean and scale, and the losses of S networks on them.

    Attributes
    ----------
    scales : list of float
        Root mean square per coordinate of each centred set.
    means : list of lists of float
    """

    def __init__(self, sets: Sequence[Samples], law: NoiseLaw, *, parametrisation: str, closed_form: bool):
        self.law, self.plain, self.closed_form = law, parametrisation == "plain", closed_form
        self.scales, self.means, points = [], [], []
        for k, part in enumerate(sets):
            with np.errstate(over="ignore", invalid="ignore"):
                gap = part.points.astype(np.float64) - part.mean
                scale = float(np.sqrt(part.weights @ np.mean(gap**2, axis=1)))
            if not np.isfinite(scale):
                raise InputError(
                    f"data must have a finite variance in float64; that of set {k} overflows: divide the points by "
                    "their scale before training"
                )
            if part.size < 2 or not scale > 1e-12 * np.abs(part.points).max():
                raise InputError(
                    f"data must hold at least two different points to train on; set {k} holds {part.size} of one place"
                )
            self.scales.append(scale)
            self.means.append(part.mean.tolist())
            points.append(gap / scale)
        self.points = torch.from_numpy(np.stack(points))
        self.single = self.points.float()
        self.weights = np.stack([part.weights for part in sets])
        with np.errstate(divide="ignore"):
            self.logs = torch.from_numpy(np.log(self.weights))
        self.cumulative = np.cumsum(self.weights, axis=1)
        self.probes = self._probes()

    def loss(self, network, batch: int, rngs: Sequence[np.random.Generator]):
        """Weighted squared error of each network on a fresh batch of its own, (S,)."""
        d = self.points.shape[2]
        drawn = [(rng.random(batch), rng.random(batch), rng.standard_normal((batch, d))) for rng in rngs]
        chosen, uniform, noise = (np.stack(part) for part in zip(*drawn, strict=True))
        index = self._index(chosen)
        level = self.law.levels(uniform)
        clean = torch.take_along_dim(self.single, torch.from_numpy(index)[..., None], 1)
        h = torch.from_numpy(level).float()
        x = clean + h[..., None] * torch.from_numpy(noise).float()
        goal = self._empirical(x.double(), torch.from_numpy(level)).float() if self.closed_form else clean
        return self._error(network, x, h, goal, torch.from_numpy(self.law.weights(level)).float())

    def excess(self, network) -> np.ndarray:
        """Weighted mean of |D - Dhat|^2 at fixed noisy points, (S,): the loss above its least value."""
        x, level, goal = self.probes
        weight = torch.from_numpy(self.law.weights(level.numpy())).float()
        with torch.no_grad():
            return self._error(network, x.float(), level.float(), goal.float(), weight).double().numpy()

    def _error(self, network, x, h, goal, weight):
        n = torch.sqrt(1 + h**2)
        values = network(x / n[..., None], 0.25 * torch.log(h))
        if not self.plain:
            values = x / (1 + h**2)[..., None] + (h / n)[..., None] * values
        return (weight * ((values - goal) ** 2).sum(-1)).mean(-1)

    def _index(self, uniform: np.ndarray) -> np.ndarray:
        """Points drawn with the weights of their set."""
        found = [np.searchsorted(c, u, side="right") for c, u in zip(self.cumulative, uniform, strict=True)]
        return np.minimum(np.stack(found), self.points.shape[1] - 1)

    def _probes(self) -> tuple:
        """Noisy points, one at each of the midpoint quantiles of the noise level, the same for every training."""
        rng = np.random.default_rng(0)  # a fixed rule of quadrature: numbers of different trainings compare
        members, _, d = self.points.shape
        level = np.broadcast_to(self.law.levels((np.arange(_PROBES) + 0.5) / _PROBES), (members, _PROBES)).copy()
        index = self._index(np.broadcast_to(rng.permutation(_PROBES) / _PROBES, (members, _PROBES)))
        clean = np.take_along_axis(self.points.numpy(), index[..., None], 1)
        x = torch.from_numpy(clean + level[..., None] * rng.standard_normal((_PROBES, d)))
        level = torch.from_numpy(level)
        return x, level, self._empirical(x, level)

    def _empirical(self, x, level):
        """The empirical denoiser at points (S, n, d) and levels (S, n), in float64: at small h its weights need it."""
        members, count, _ = self.points.shape
        size = max(1, _ENTRIES // (members * count))
        square = (self.points**2).sum(-1)
        parts = []
        for start in range(0, x.shape[1], size):
            piece, h = x[:, start : start + size], level[:, start : start + size]
            distance = (piece**2).sum(-1)[..., None] + square[:, None] - 2 * piece @ self.points.mT
            weights = torch.softmax(self.logs[:, None] - distance / (2 * h[..., None] ** 2), -1)
            parts.append(weights @ self.points)
        return torch.cat(parts, 1)

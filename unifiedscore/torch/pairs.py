"""One tile of queries against one tile of samples: distances, directions and weighted sums of them.

Below eight dimensions all of them are differences of the coordinates as they were given. Above, they are matrix
products of centred points, and the pairs that such a product does not resolve are computed from their differences:
the same rule as in the compiled tiles of `unifiedscore.posterior`.
"""

from __future__ import annotations

import torch

from unifiedscore.posterior.loops import NEAR

DIRECT = 8
"""Dimension from which on distances are matrix products."""
_GATHERED = 2**22
"""Numbers of the differences of near pairs that are held at once."""


class Tile:
    """The pairs of a tile of queries (a, d) and one of samples (b, d); `squared` is q = r^2, (a, b).

    Parameters
    ----------
    x, y : (a, d), (b, d) tensors
        In one dtype, on one device.
    center : (d,) tensor
        A point near most of the samples.
    """

    def __init__(self, x: torch.Tensor, y: torch.Tensor, center: torch.Tensor):
        self.x, self.y, self.near = x, y, None
        if x.shape[1] < DIRECT:
            self.squared = self._gap(0).square_()
            for k in range(1, x.shape[1]):
                gap = self._gap(k)
                self.squared.addcmul_(gap, gap)
            return
        self.centred_x, self.centred_y = x - center, y - center
        norm_x, norm_y = self.centred_x.square().sum(1, keepdim=True), self.centred_y.square().sum(1, keepdim=True)
        one_x, one_y = torch.ones_like(norm_x), torch.ones_like(norm_y)
        # One product gives |x|^2 + |y|^2 - 2 x.y, and its first d + 1 columns of y give sums and row sums of weights.
        self.wide_y = torch.cat([self.centred_y, one_y, norm_y], 1)
        self.squared = torch.cat([-2.0 * self.centred_x, norm_x, one_x], 1) @ self.wide_y.T
        # Cheap and seldom true: a bound for the whole tile before the rule for each pair.
        if bool(self.squared.amin() <= NEAR * (norm_x.amax() + norm_y.amax())):
            row, column = torch.nonzero(self.squared <= NEAR * (norm_x + norm_y.T), as_tuple=True)
            if len(row):
                self.near = row, column
                self.squared[row, column] = self._over_near(lambda gap, rows, columns: gap.square().sum(1))

    def along(self, g: torch.Tensor) -> torch.Tensor:
        """Return g_i . (y_j - x_i), (a, b)."""
        if self.x.shape[1] < DIRECT:
            out = self._gap(0).mul_(g[:, :1])
            for k in range(1, self.x.shape[1]):
                out.addcmul_(self._gap(k), g[:, k : k + 1])
            return out
        out = torch.cat([g, -(g * self.centred_x).sum(1, keepdim=True)], 1) @ self.wide_y[:, :-1].T
        if self.near is not None:
            out[self.near] = self._over_near(lambda gap, rows, columns: (gap * g[rows]).sum(1))
        return out

    def to_rows(self, c: torch.Tensor) -> torch.Tensor:
        """Return sum_j c_ij (y_j - x_i), (a, d)."""
        if self.x.shape[1] < DIRECT:
            return torch.stack([(self._gap(k).mul_(c)).sum(1) for k in range(self.x.shape[1])], 1)
        out = torch.zeros_like(self.x)
        if self.near is not None:
            self._over_near(
                lambda gap, rows, columns: out.index_add_(0, rows, gap.mul_(c[rows, columns][:, None])), collect=False
            )
            c = c.index_put(self.near, c.new_zeros(()))
        product = c @ self.wide_y[:, :-1]
        return out.add_(product[:, :-1]).sub_(product[:, -1:] * self.centred_x)

    def to_columns(self, c: torch.Tensor) -> torch.Tensor:
        """Return sum_i c_ij (y_j - x_i), (b, d)."""
        if self.x.shape[1] < DIRECT:
            return torch.stack([(self._gap(k).mul_(c)).sum(0) for k in range(self.x.shape[1])], 1)
        out = torch.zeros_like(self.y)
        if self.near is not None:
            self._over_near(
                lambda gap, rows, columns: out.index_add_(0, columns, gap.mul_(c[rows, columns][:, None])),
                collect=False,
            )
            c = c.index_put(self.near, c.new_zeros(()))
        return out.add_(c.sum(0)[:, None] * self.centred_y).sub_(c.T @ self.centred_x)

    def _gap(self, k: int) -> torch.Tensor:
        return self.y[:, k] - self.x[:, k : k + 1]

    def _over_near(self, function, *, collect: bool = True):
        """Call a function of differences y - x, rows and columns for the near pairs, as many at a time as fit."""
        width = max(1, _GATHERED // self.x.shape[1])
        parts = []
        for start in range(0, len(self.near[0]), width):
            rows, columns = (index[start : start + width] for index in self.near)
            value = function(self.y[columns] - self.x[rows], rows, columns)
            parts += [value] if collect else []
        return torch.cat(parts) if collect else None

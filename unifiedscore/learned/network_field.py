"""A network at one noise level as a field that is linear in its output, with an exact Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.module import tensor_jacobian

_JACOBIAN_ENTRIES = 2**22  # of one call: 32 MiB of float64, kept once for each of its rows


class Source(Protocol):
    """What the field asks of its denoiser."""

    module: Callable
    scale: float
    dimension: int
    dtype: object
    device: object
    batch_size: int


@final
@dataclass(frozen=True, slots=True, eq=False)
class NetworkField(AbstractField):
    r"""Denoiser, score or velocity of a network at one noise level; made by `LearnedDenoiser`.

    Use when you evaluate, differentiate or check a network at one noise level as a field.

    .. math:: f(x) = c + a\,\tilde x + b\,F(\tilde x/n, \ell), \qquad \tilde x = (x - m)/\varsigma

    The Jacobian is exact, by d reverse passes of `torch.func.vjp`; a network that these cannot pass is refused with an
    `InputError`. A network that says `is_conservative` is the gradient of its method `potential` with respect to its
    first argument; then the field has a potential.
    """

    source: Source
    input: float
    label: float
    center: np.ndarray = field(repr=False)
    constant: np.ndarray = field(repr=False)
    skip: float
    output: float

    @property
    def dimension(self) -> int:
        return self.source.dimension

    @property
    def is_conservative(self) -> bool:
        return bool(getattr(self.source.module, "is_conservative", False))

    def __call__(self, x):
        x, wide = self._standardised(x)
        values = self._tiled(self._network, wide, (self.dimension,))
        return (self.constant + self.skip * wide + self.output * values).astype(x.dtype, copy=False)

    def jacobian(self, x):
        x, wide = self._standardised(x)
        size = max(1, _JACOBIAN_ENTRIES // self.dimension**2)
        shape = self.dimension, self.dimension
        matrix = self._tiled(self._derivative, wide, shape, size=size)
        scale = self.source.scale
        matrix = self.output / (self.input * scale) * matrix + self.skip / scale * np.eye(self.dimension)
        return matrix.astype(x.dtype, copy=False)

    def potential(self, x):
        if not self.is_conservative:
            return None
        x, wide = self._standardised(x)
        inner = self._tiled(lambda u: self.source.module.potential(u, self._labels(u)), wide, ())
        square = 0.5 * self.skip * np.einsum("nd,nd->n", wide, wide)
        value = self.source.scale * (square + self.output * self.input * inner)
        return (value + wide @ self.constant * self.source.scale).astype(x.dtype, copy=False)

    def _standardised(self, x) -> tuple[np.ndarray, np.ndarray]:
        x = validate.points(x, "x", dimension=self.dimension)
        return x, (x.astype(np.float64, copy=False) - self.center) / self.source.scale

    def _network(self, u):
        value = self.source.module(u, self._labels(u))
        if not hasattr(value, "detach"):
            raise InputError(f"module must return a tensor; got {type(value).__name__}")
        return value

    def _derivative(self, u):
        try:
            return tensor_jacobian(self._network, u)[1]
        except RuntimeError as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(
                "the Jacobian of module cannot be taken by torch.func.vjp; a network that calls detach() or "
                "requires_grad_() on its input must differentiate with torch.func.grad instead, or take the input as "
                f"it is: {reason[:200]}"
            ) from error

    def _labels(self, u):
        return u.new_full((len(u),), self.label)

    def _tiled(self, function, wide: np.ndarray, shape: tuple, *, size: int | None = None) -> np.ndarray:
        """Values of a function of the inputs of the network, in pieces; float32 pieces all have one size."""
        torch, source = require_torch("a network as a field"), self.source
        size = min(size or source.batch_size, source.batch_size)
        parts = []
        with torch.no_grad():
            for start in range(0, len(wide), size):
                piece = wide[start : start + size] / self.input
                n = len(piece)
                if source.dtype != torch.float64 and n < size:
                    piece = np.concatenate([piece, np.zeros((size - n, self.dimension))])
                value = function(torch.from_numpy(piece).to(source.device, source.dtype)).detach().cpu().numpy()
                parts.append(validate.answer(value, "module", (len(piece), *shape))[:n])
        return np.concatenate(parts).astype(np.float64)

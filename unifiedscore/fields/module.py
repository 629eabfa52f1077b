"""A function of tensors as a field on arrays, such as a network of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.extras import require_torch
from unifiedscore.fields.base import AbstractField
from unifiedscore.validate import answer, points, shown

_WHAT = "a field on tensors"


@final
@dataclass(frozen=True, slots=True)
class TensorField(AbstractField):
    r"""A function of tensors (n, d) -> (n, d), evaluated in pieces and without a graph; made by `as_field`.

    Use when you ask whether a field was made from a module or a function of tensors; make one with `as_field`.

    A module is in evaluation mode while it is called, and every part of it is afterwards in the mode it was in before.
    """

    function: Callable
    size: int
    dtype: object
    device: object
    batch_size: int | None

    @property
    def dimension(self) -> int:
        return self.size

    @property
    def is_conservative(self) -> bool:
        return False

    def __call__(self, x):
        x = points(x, "x", dimension=self.size)
        torch = require_torch(_WHAT)
        with torch.no_grad(), _evaluation(self.function):
            value = self._on_tensors()
            parts = [self._answer(value(piece), len(piece)) for piece in self._pieces(x)]
        return np.concatenate(parts).astype(x.dtype, copy=False)

    def jacobian(self, x):
        """Return the Jacobian by d reverse passes of `torch.func.vjp`, (n, d, d)."""
        x = points(x, "x", dimension=self.size)
        parts = []
        with _evaluation(self.function):
            function = self._on_tensors()
            for piece in self._pieces(x):
                value, matrix = tensor_jacobian(function, piece)
                self._answer(value, len(piece))
                what = f"the Jacobian of {_name(self.function)}"
                parts.append(answer(matrix.detach(), what, (len(piece), self.size, self.size)))
        return np.concatenate(parts).astype(x.dtype, copy=False)

    def _pieces(self, x: np.ndarray) -> Iterator:
        torch = require_torch(_WHAT)
        parameter = next((p for p in _parameters(self.function) if p.is_floating_point()), None)
        dtype = self.dtype or (torch.from_numpy(x).dtype if parameter is None else parameter.dtype)
        device = self.device or ("cpu" if parameter is None else parameter.device)
        width = self.batch_size or len(x)
        for start in range(0, len(x), width):
            yield torch.from_numpy(x[start : start + width]).to(device, dtype)

    def _on_tensors(self) -> Callable:
        """The function with its output checked; a module whose dtype or device is another is called with a copy of its
        parameters and buffers, and left as it is."""
        torch, call = require_torch(_WHAT), self.function
        if (self.dtype or self.device) and hasattr(call, "named_buffers"):
            state = {**dict(call.named_parameters()), **dict(call.named_buffers())}
            own = {
                name: part.detach().to(self.device, self.dtype if part.is_floating_point() else None)
                for name, part in state.items()
            }

            def call(piece):
                return torch.func.functional_call(self.function, own, (piece,))

        def value_of(piece):
            value = call(piece)
            if not hasattr(value, "detach"):
                raise InputError(
                    f"the function {_name(self.function)} given to as_field must return a tensor; "
                    f"got {type(value).__name__}"
                )
            return value

        return value_of

    def _answer(self, value, n: int) -> np.ndarray:
        return answer(value.detach(), f"the function {_name(self.function)} given to as_field", (n, self.size))


def tensor_jacobian(function: Callable, x) -> tuple:
    """Value (n, d) and Jacobian (n, d, e) of a function of tensors x (n, e), by one reverse pass for each of d rows."""
    torch = require_torch(_WHAT)
    value, pull = torch.func.vjp(function, x)
    # The value at a point does not depend on the others: one pass gives a row of all matrices.
    rows = []
    for i in range(value.shape[1]):
        unit = torch.zeros_like(value)
        unit[:, i] = 1.0
        rows.append(pull(unit)[0])
    return value, torch.stack(rows, 1)


def takes_tensors(function) -> bool:
    """Whether a callable is known to take tensors: a module, a method of one, or a field of `unifiedscore.torch`."""
    owner = getattr(function, "__self__", None)
    return any(
        (kind.__module__.partition(".")[0], kind.__name__) == ("torch", "Module")
        or (kind.__module__, kind.__name__) == ("unifiedscore.torch.fields", "AbstractTensorField")
        for value in (function, owner)
        for kind in type(value).__mro__
    )


def known_dimension(function) -> int | None:
    """The dimension that a function of tensors says itself: its own, or that of its first and last linear layer."""
    if isinstance(size := getattr(function, "dimension", None), int):
        return size
    layers = [part for part in _modules(function) if hasattr(part, "in_features") and hasattr(part, "out_features")]
    if layers and layers[0].in_features == layers[-1].out_features:
        return layers[0].in_features
    return None


def tensor_field(function, dimension: int, *, dtype, device, batch_size: int | None) -> TensorField:
    """Return the field, after checking what the tensors are to be."""
    torch = require_torch(_WHAT)
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise InputError(f"dtype must be a float type of PyTorch such as torch.float32; got {shown(dtype)}")
    return TensorField(function, dimension, dtype, None if device is None else read_device(device), batch_size)


def read_device(device):
    """Return a device of PyTorch that exists here.

    Raises
    ------
    InputError
        It is not a device, or this machine or this build of PyTorch does not have it.
    """
    torch = require_torch(_WHAT)
    try:
        found = torch.device(device)
        torch.empty(0, device=found)  # a name alone does not say whether there is one
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"device must be a device of PyTorch such as 'cuda'; got {shown(device)}: {reason}") from None
    return found


def _owner(function):
    """The module that a function belongs to, if it is one or a method of one."""
    return function if hasattr(function, "modules") else getattr(function, "__self__", None)


def _modules(function) -> Iterator:
    owner = _owner(function)
    return iter(owner.modules()) if hasattr(owner, "modules") and hasattr(owner, "training") else iter(())


def _parameters(function) -> Iterator:
    owner = _owner(function)
    return iter(owner.parameters()) if hasattr(owner, "modules") and hasattr(owner, "training") else iter(())


def _name(function) -> str:
    return getattr(function, "__name__", type(function).__name__)


@contextmanager
def _evaluation(function) -> Iterator[None]:
    """All parts of a module in evaluation mode, and back, each in its own mode, whatever happens."""
    before = [(part, part.training) for part in _modules(function)]
    try:
        for part, _ in before:
            part.training = False
        yield
    finally:
        for part, mode in before:
            part.training = mode

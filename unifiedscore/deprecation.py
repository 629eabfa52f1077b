"""Old names of parameters, which keep working for one release."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import TypeVar

from unifiedscore.errors import InputError

F = TypeVar("F", bound=Callable)


def renamed(**names: str) -> Callable[[F], F]:
    """Accept the old names of parameters, with a `DeprecationWarning` that names the new ones.

    The signature and the docstring show the new names alone. On a class, instances also answer to the old attribute.

    Parameters
    ----------
    **names : str
        The new name of each old one, as in `renamed(rng_seed="seed")`.

    Raises
    ------
    InputError
        By the decorated function: a call gives the old and the new name.

    Examples
    --------
    >>> @renamed(steps="n_steps")
    ... def duration(step, *, n_steps):
    ...     return step * n_steps
    >>> duration(0.5, n_steps=4)
    2.0
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     duration(0.5, steps=4)
    2.0
    >>> print(caught[0].message)
    duration(steps=...) is deprecated and goes with the next release: write n_steps=...
    """

    def decorate(function: F) -> F:
        if inspect.isclass(function):
            function.__init__ = _accepting(function.__init__, function.__qualname__, names)
            for old, new in names.items():
                setattr(function, old, _forwarded(function.__qualname__, old, new))
            return function
        return _accepting(function, function.__qualname__, names)

    return decorate


def _accepting(function: Callable, title: str, names: dict[str, str]) -> Callable:
    signature = inspect.signature(function)
    for old, new in names.items():
        if old in signature.parameters or new not in signature.parameters:
            raise TypeError(f"{title} must have the parameter {new} and not its old name {old}; got {signature}")

    @functools.wraps(function)
    def accepting(*args, **kwargs):
        if not names.keys().isdisjoint(kwargs):
            for old, new in names.items():
                if old not in kwargs:
                    continue
                if new in kwargs or new in signature.bind_partial(*args).arguments:
                    raise InputError(f"{title} got both {new} and its old name {old}; give {new} alone")
                _warn(f"{title}({old}=...)", f"{new}=...")
                kwargs[new] = kwargs.pop(old)
        return function(*args, **kwargs)

    return accepting


def _forwarded(title: str, old: str, new: str) -> property:
    def forwarded(self):
        _warn(f"{title}.{old}", f".{new}")
        return getattr(self, new)

    return property(forwarded, doc=f"Old name of `{new}`.")


def _warn(old: str, new: str) -> None:
    # The line to change is that of the caller of the function that took the old name.
    warnings.warn(f"{old} is deprecated and goes with the next release: write {new}", DeprecationWarning, stacklevel=3)

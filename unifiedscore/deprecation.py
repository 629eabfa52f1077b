"""Old names of parameters, which keep working for one release."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, final

from unifiedscore.errors import InputError

F = TypeVar("F", bound=Callable)


@final
@dataclass(frozen=True, slots=True)
class Gathered:
    """A new parameter that says what several old ones said.

    Use when you replace some parameters of a public function by one settings object.

    Parameters
    ----------
    into : str
        The new parameter.
    kind : type
        Of its new values: one of them next to an old parameter is an error. Other values of `into` are old ones, too.
    build : callable {name: value} -> new value
        From the old parameters that were given, and from `into` itself if it holds an old value. The `repr` of what it
        returns is the new spelling that the warning shows.
    """

    into: str
    kind: type
    build: Callable[[dict], object]


def renamed(**names: str | Gathered) -> Callable[[F], F]:
    """Accept the old names of parameters, with a `DeprecationWarning` that names the new ones.

    The signature and the docstring show the new names alone. On a class, instances also answer to the old attribute.

    Parameters
    ----------
    **names : str or Gathered
        The new name of each old one, as in `renamed(rng_seed="seed")`, or the settings object that replaces it.

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

    >>> SPAN = Gathered("span", slice, lambda old: slice(old.get("low", 0), old["high"]))
    >>> @renamed(low=SPAN, high=SPAN)
    ... def part(text, *, span):
    ...     return text[span]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     part("moment", high=3)
    'mom'
    >>> print(caught[0].message)
    part(high=...) is deprecated and goes with the next release: write span=slice(0, 3, None)
    """

    def decorate(function: F) -> F:
        if inspect.isclass(function):
            function.__init__ = _accepting(function.__init__, function.__qualname__, names)
            for old, new in names.items():
                setattr(function, old, _forwarded(function.__qualname__, old, new))
            return function
        return _accepting(function, function.__qualname__, names)

    return decorate


def _accepting(function: Callable, title: str, names: dict[str, str | Gathered]) -> Callable:
    signature = inspect.signature(function)
    replaced: dict[str | Gathered, list[str]] = {}
    for old, new in names.items():
        into = new.into if isinstance(new, Gathered) else new
        if old in signature.parameters or into not in signature.parameters:
            raise TypeError(f"{title} must have the parameter {into} and not its old name {old}; got {signature}")
        replaced.setdefault(new, []).append(old)

    @functools.wraps(function)
    def accepting(*args, **kwargs):
        if not names.keys().isdisjoint(kwargs):
            positional = signature.bind_partial(*args).arguments
            for new, olds in replaced.items():
                given = {old: kwargs.pop(old) for old in olds if old in kwargs}
                if not given:
                    continue
                into, spelled = _translated(title, new, given, {**positional, **kwargs})
                _warn(f"{title}({', '.join(f'{old}=...' for old in given)})", spelled)
                kwargs |= into
        return function(*args, **kwargs)

    return accepting


def _translated(title: str, new: str | Gathered, old: dict, others: dict) -> tuple[dict, str]:
    """The new argument that old ones stand for, and how it is written; `others` are the other arguments."""
    gathered = isinstance(new, Gathered)
    into = new.into if gathered else new
    # A gathered parameter may hold a value of the old kind beside old parameters, such as an array of noise.
    clash = into in others and (not gathered or isinstance(others[into], new.kind))
    if clash or (len(old) > 1 and not gathered):
        raise InputError(f"{title} got both {into} and its old name {', '.join(old)}; give {into} alone")
    if not gathered:
        return {into: next(iter(old.values()))}, f"{into}=..."
    value = new.build(old | ({into: others[into]} if into in others else {}))
    return {into: value}, f"{into}={value!r}"


def _forwarded(title: str, old: str, new: str) -> property:
    def forwarded(self):
        _warn(f"{title}.{old}", f".{new}")
        return getattr(self, new)

    return property(forwarded, doc=f"Old name of `{new}`.")


def _warn(old: str, new: str) -> None:
    # The line to change is that of the caller of the function that took the old name.
    warnings.warn(f"{old} is deprecated and goes with the next release: write {new}", DeprecationWarning, stacklevel=3)

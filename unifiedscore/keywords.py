"""Arguments that became keyword-only: calls by position keep working for one release, and say what to write instead."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps


def keyword_only(*names: str) -> Callable:
    r"""Return a decorator that still takes the keyword-only arguments `names` by position, with a warning.

    Parameters
    ----------
    *names : str
        Keyword-only parameters of the decorated function or dataclass, in the order of their former positions.

    Raises
    ------
    TypeError
        When decorating: a name that is not a keyword-only parameter. When called: as without the decorator.

    Examples
    --------
    >>> import warnings
    >>> @keyword_only("target", "model")
    ... def gap(kernel, *, target, model):
    ...     return target - model
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     gap("laplace", 3, 1)
    2
    >>> print(str(caught[0].message).replace("; ", "\n"))
    gap takes target and model by keyword
    write gap(kernel, target=..., model=...)
    the old call will be an error in the next release
    """

    def decorate(subject):
        if not isinstance(subject, type):
            return _forgiving(subject, names, subject.__name__, skipped=_is_method(subject))
        # The class itself stays what it is (slots, pickles, `isinstance`); only the way in is wrapped.
        subject.__init__ = _forgiving(subject.__init__, names, subject.__name__, skipped=1)
        return subject

    return decorate


def _is_method(function) -> int:
    return int(function.__code__.co_varnames[:1] == ("self",))


def _forgiving(function, names, called, *, skipped):
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if not set(names) <= set(keywords):
        raise TypeError(f"{called} takes {', '.join(keywords) or 'nothing'} by keyword only; got {', '.join(names)}")
    most = len(positional)

    @wraps(function)
    def call(*arguments, **given):
        surplus = arguments[most:]
        # Too many arguments, or one given twice: Python's own error says it best.
        if not surplus or len(surplus) > len(names) or not given.keys().isdisjoint(names[: len(surplus)]):
            return function(*arguments, **given)
        moved = dict(zip(names, surplus, strict=False))
        form = ", ".join([*positional[skipped:], *(f"{name}=..." for name in moved)])
        warnings.warn(
            f"{called} takes {_listed([*moved])} by keyword; write {called}({form}); "
            "the old call will be an error in the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(*arguments[:most], **given, **moved)

    return call


def _listed(names) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

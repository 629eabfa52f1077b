"""Every error the package raises on purpose: what was expected, what was got, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 200
"""Characters of a wrong value that a message shows."""


class UnifiedScoreError(Exception):
    """Base class of all errors raised on purpose by unifiedscore.

    Use when you catch whatever this package raises on purpose, in one clause.

    Numbers of NumPy stand in its message as the plain numbers they are.

    Examples
    --------
    >>> str(UnifiedScoreError("got np.float64(-1.5) and [np.int64(3), np.True_]"))
    'got -1.5 and [3, True]'
    """

    def __init__(self, *args, **keywords):
        super().__init__(*(plain_numbers(arg) if isinstance(arg, str) else arg for arg in args), **keywords)


class InputError(UnifiedScoreError, ValueError):
    """An argument has the wrong value, shape or type. The message names the argument."""


class UnknownNameError(InputError):
    """A data set, kernel, study or claim name is not known. The message lists the nearest names."""

    def __init__(self, kind: str, got: object, known: Iterable[str]):
        known = sorted(known)
        shown = plain_numbers(repr(got))
        shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
        near = get_close_matches(str(got)[:LONGEST], known, n=3, cutoff=0.4) or known[:8]
        more = "" if len(near) == len(known) else f" ({len(known)} are known)"
        super().__init__(f"unknown {kind} {shown}; the nearest known names are: {', '.join(near) or 'none'}{more}")


class FileError(InputError):
    """A file is missing, unreadable or not of a supported kind."""


class NumericalError(UnifiedScoreError, ArithmeticError):
    """A computation cannot reach its stated accuracy. The message says why and what to change."""


class StudyError(UnifiedScoreError):
    """A study, its records or its results are inconsistent."""


class ChangedError(StudyError):
    """Code, data, environment or packages are not those that the run is for: nothing more may be measured under its
    name."""


class MissingDependencyError(UnifiedScoreError, ImportError):
    """An optional extra is needed. The message says what to install."""


_SCALAR = re.compile(r"\bnp\.(?:(?:float|int|uint|complex|longdouble|clongdouble|str)\w*\(([^()]*)\)|(True|False)_)")


def plain_numbers(text: str) -> str:
    """Text with `np.float64(0.5)`, as NumPy shows its scalars, written 0.5.

    Examples
    --------
    >>> plain_numbers("between np.float32(0.5) and np.str_('one')")
    "between 0.5 and 'one'"
    """
    return _SCALAR.sub(lambda found: found[1] if found[1] is not None else found[2], text)


def visible(text: str) -> str:
    r"""Text of unknown origin for a terminal: line breaks become spaces, other control characters their escapes.

    Examples
    --------
    >>> visible("means" + chr(27) + "[2J")
    'means\\x1b[2J'
    """
    return "".join(c if c.isprintable() else " " if c in "\n\r\t" else repr(c)[1:-1] for c in text)

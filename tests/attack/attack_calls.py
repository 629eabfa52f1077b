"""One malformed call, and what came of it."""

import re
import signal
import warnings
from contextlib import contextmanager

import numpy as np

from unifiedscore.errors import FileError, UnifiedScoreError

SECONDS = 60.0
"""On a busy machine too: compiling a kernel on its first call takes seconds."""
DISAGREEMENTS = ("one coordinate more", "transposed", "wide", "long")


class TooLong(BaseException):
    """No `except Exception` catches it."""


@contextmanager
def time_limit(seconds):
    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(call, arguments, argument, what=""):
    """ "refused", or what is wrong with the way the call ended: (how, words)."""
    try:
        with time_limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)  # an answer, with advice
            result = call(**arguments)
    except (UnifiedScoreError, TypeError) as error:
        text = str(error)
        # Where two arguments disagree in their dimension, either may be the one that is named.
        others = list(arguments) if what in DISAGREEMENTS else []
        names = [argument, argument.removesuffix("s"), *others]
        given = str(arguments[argument])
        if isinstance(error, FileError) and given in text:  # a file is named by its path
            return "refused"
        if any(re.search(rf"\b{re.escape(name)}\b", text) for name in names):
            return "refused" if len(text) < 2000 else ("endless message", text[:80])
        return "does not name it", f"{type(error).__name__}: {text[:200]}"
    except TooLong:
        return "hangs", f"more than {SECONDS} s"
    except Exception as error:
        return "another exception", f"{type(error).__name__}: {str(error)[:160]}"
    return "accepted", repr(result)[:120]


def not_a_number(result):
    """Whether an answer holds NaN anywhere."""
    if isinstance(result, np.ndarray):
        return result.dtype.kind in "fc" and bool(np.isnan(result).any())
    if isinstance(result, float):
        return np.isnan(result)
    if isinstance(result, tuple | list):
        return any(not_a_number(part) for part in result)
    return False

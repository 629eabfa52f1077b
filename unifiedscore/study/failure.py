"""What a user's code may end with, in one safe and short line of text."""

from __future__ import annotations

import traceback
from pathlib import Path

STOPPED = (Exception, SystemExit)  # what a user's code may end with: sys.exit() in it must not end the run unseen
LONGEST = 2000
"""Characters of an exception's message that are kept: a record is read whole, again and again."""
NESTED = 3  # exceptions of a group that are named


def describe(error: BaseException, path: Path | str | None = None) -> str:
    """An exception in one line, with the line of the user's file where it came from.

    It is text that can be stored whatever the exception is: one whose `__str__` raises, a message of 300 MB, halves
    of surrogate pairs.
    """
    kind, text = safe_text(lambda: type.__dict__["__name__"].__get__(type(error)), 100), safe_text(lambda: str(error))
    text = text.strip() or "no message"
    if isinstance(error, BaseExceptionGroup):
        text += _members(error)
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {text}"
    return f"{kind}: {text}{_place(error, path)}"


def safe_text(text, longest: int = LONGEST) -> str:
    """The text that a function of the user's makes: short, encodable, and there even where the function fails."""
    try:
        text = text()
        if not isinstance(text, str):
            return f"no text but {type(text).__name__}"
    except BaseException as error:  # of a `__str__`: no reason to lose the record
        return f"no message, since making it raised {type(error).__name__}"
    text = str.__str__(text)
    whole = str.__len__(text)
    if whole > longest:
        text = f"{text[: longest // 2]} ... ({whole} characters) ... {text[-longest // 4 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


def _members(group: BaseExceptionGroup) -> str:
    named = []
    for member in group.exceptions[:NESTED]:
        named.append(f"{type(member).__name__}: {safe_text(lambda member=member: str(member), 200)}")
    more = len(group.exceptions) - len(named)
    return f": {'; '.join(named)}{f'; and {more} more' if more else ''}"


def _place(error: BaseException, path: Path | str | None) -> str:
    if path is None:
        return ""
    try:
        frames = traceback.walk_tb(BaseException.__traceback__.__get__(error))
        lines = [line for frame, line in frames if frame.f_code.co_filename == str(path)]
    except Exception:  # a traceback that somebody has replaced
        return ""
    return f" ({Path(path).name}, line {lines[-1]})" if lines else ""

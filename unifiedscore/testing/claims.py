"""A claim about numbers of one's own, in any test suite."""

from __future__ import annotations

from unifiedscore.errors import InputError, UnifiedScoreError
from unifiedscore.inference import AbstractTest
from unifiedscore.inference.abstract import interval_text
from unifiedscore.inference.decision import Decision, decide_values
from unifiedscore.inference.verdict import REFUTE_LEVEL
from unifiedscore.validate import array, real_array, shown


class RefutedError(UnifiedScoreError, AssertionError):
    """The values refute the claim. The message has the interval, the region and the chance of a false alarm."""


def assert_claim(values, test: AbstractTest, *, x=None, error=None, statement: str = "") -> Decision:
    r"""Fail where the values refute a claim, and nowhere else; return what they say otherwise.

    Use when a test of yours draws random numbers, and should fail because the claim is wrong and not by chance.

    The values refute the claim where the 99.99 % interval of what is tested lies wholly outside of its region. A true
    claim fails so at most once in ten thousand runs, whatever the seeds are, as far as the interval holds its level.
    Too few seeds never fail: the reason then says how many would decide, and a test that insists on support says
    `assert assert_claim(...).outcome == "supported"`.

    Parameters
    ----------
    values : array
        (seed,) for `Inside` and `Proportion`; (x, seed) for `Rate` and `Limit`; without a seed axis where `error` is
        given.
    test : AbstractTest
        `Inside(low, high)`, `Rate(...)`, `Limit(...)`, `Proportion(...)` or `Identity(...)`.
    x : (x,) array, optional
        Where along its axis the values of a `Rate` or a `Limit` were measured.
    error : array like the values, optional
        Their numerical errors; nothing is then random.
    statement : str, optional
        The claim in a sentence, for the message.

    Returns
    -------
    Decision
        `outcome` ("supported" or "inconclusive"), `estimate`, `level` and `reason`.

    Raises
    ------
    RefutedError
        An AssertionError: interval, region, and the chance that a true claim fails so.
    InputError
        Not a test, or values of the wrong shape.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> from unifiedscore.inference import Inside
    >>> values = np.random.default_rng(0).normal(1.0, 0.1, size=32)
    >>> us.testing.assert_claim(values, Inside(0.9, 1.1)).outcome
    'supported'
    """
    if not isinstance(test, AbstractTest):
        raise InputError(f"test must be a test such as Inside(0.9, 1.1); got {shown(test)}")
    if not isinstance(statement, str):
        raise InputError(f"statement must be text; got {shown(statement)}")
    if test.axis is not None and x is None:
        raise InputError(f"x must be given: {type(test).__name__} runs along {test.axis!r}")
    if error is not None and not test.takes_errors:
        raise InputError(f"error must be left out: {type(test).__name__} takes counts, whose errors are of chance")
    y = real_array(values, "values").astype(float)
    if y.ndim == 0 or y.size == 0:
        raise InputError(f"values must hold one number per seed; got {shown(values)}")
    x = None if x is None else array(x, "x").astype(float)
    error = None if error is None else real_array(error, "error").astype(float)
    if error is not None and error.shape != y.shape:
        raise InputError(f"error must have the shape of the values, {y.shape}; got {error.shape}")
    if test.axis is None and y.size == max(y.shape):  # a column of seeds is a row of them
        y, error = y.ravel(), None if error is None else error.ravel()
    found = decide_values(test, y, x=x, error=error)
    if found.outcome != "refuted":
        return found
    sampled = found.estimate.kind in ("t", "binomial")
    chance = f"a true claim fails so at most once in {round(1 / (1 - REFUTE_LEVEL))} runs" if sampled else ""
    told = f"{statement or 'the claim'} is refuted: {found.reason} {interval_text(test.low, test.high)}"
    raise RefutedError("; ".join(part for part in (told, chance) if part))

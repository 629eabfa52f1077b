"""Conformance checks that anybody can run on a kernel, a field or a universal claim of their own.

Every check tests one law that `AbstractKernel`, `AbstractField` or `Universal` states, by a second route, with a
tolerance derived from its own finite differences or rounding. A violated law raises `LawError`: what was expected, what
was got, what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields import AbstractField
from unifiedscore.kernels import AbstractKernel
from unifiedscore.testing.claims import RefutedError, assert_claim
from unifiedscore.testing.field_checks import FIELD_CHECKS
from unifiedscore.testing.kernel_checks import KERNEL_CHECKS, without
from unifiedscore.testing.laws import LawError
from unifiedscore.validate import shown

if TYPE_CHECKING:
    from unifiedscore.study.attack.universal import Universal

__all__ = [
    "LawError",
    "RefutedError",
    "assert_claim",
    "check_field",
    "check_kernel",
    "check_universal",
    "parametrize_with_checks",
]


def check_kernel(kernel: AbstractKernel) -> tuple[str, ...]:
    r"""Check every law of `AbstractKernel` on `kernel`.

    The profile starts at 1, never increases and vanishes only from its declared support on; `inverse_weight` is
    $r/\varphi'(r)$ of the same profile (eighth-order differences) and analytic in complex r; the compiled tile and the
    bandwidth scaling agree with the NumPy forms; the scale mixture, where there is one, integrates to the profile and
    gives the population moments that direct integration gives.

    Parameters
    ----------
    kernel : AbstractKernel

    Returns
    -------
    tuple of str
        What the kernel lawfully does without, a sentence each; empty if it has everything, as `Laplace` has. A kernel
        without a scale mixture has no population fields, and some scale mixtures carry fields but no other moments.

    Raises
    ------
    LawError
        At the first law that does not hold.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.testing.check_kernel(us.Laplace(bandwidth=0.5))
    ()
    """
    for check in KERNEL_CHECKS:
        check(kernel)
    return without(kernel)


def check_universal(universal: Universal, rng: np.random.Generator, *, count: int = 16) -> int:
    """Check what a search relies on: instances come back from text and code, quantities are deterministic, and the two
    routes agree within their errors.

    Use when you have written a universal claim: a search blames the theorem only where two routes agree, so that a
    wrong route leaves every refutation undecided.

    Parameters
    ----------
    universal : Universal
    rng : numpy.random.Generator
        Draws the instances; the claim's `starts` are checked as well.
    count : int

    Returns
    -------
    int
        Evaluations of which both routes gave a number.

    Raises
    ------
    LawError
        At the first law that does not hold, with the code of the instance.
    """
    from unifiedscore.study.attack.universal import Universal
    from unifiedscore.testing.universal_checks import check_routes, check_space, instances

    if not isinstance(universal, Universal):
        raise InputError(f"universal must be a Universal; got {shown(universal)}")
    found = instances(universal, rng, count)
    check_space(universal, found)
    return check_routes(universal, found)


def check_field(field: AbstractField, x) -> None:
    r"""Check every law of `AbstractField` on `field` at the points `x`.

    Shape, dtype and input untouched; deterministic; independent of the batch; the gradient of the potential is the
    field; the Jacobian is $\partial_j F_i$; a conservative field has a symmetric one; bad points are refused.

    Parameters
    ----------
    field : AbstractField
    x : (n, d) array
        Points at which the field is smooth, away from the atoms of a Laplace kernel.

    Raises
    ------
    LawError
        At the first law that does not hold.

    Examples
    --------
    >>> import unifiedscore as us
    >>> field = us.MeanShift(us.Laplace(bandwidth=1.0), us.GaussianMixture([[0.0, 0.0]], 1.0))
    >>> us.testing.check_field(field, [[0.5, 1.0], [2.0, -1.0]])
    """
    for check in FIELD_CHECKS:
        check(field, x)


def parametrize_with_checks(objects: Iterable) -> Callable:
    """Return a pytest decorator that runs every check on every object, each as a test of its own.

    Parameters
    ----------
    objects : iterable
        Kernels, fields, or pairs `(field, x)`; a field alone is checked at four standard normal points.

    Examples
    --------
    >>> import unifiedscore as us
    >>> @us.testing.parametrize_with_checks([us.Laplace(bandwidth=1.0)])
    ... def test_laws(subject, check):
    ...     check(subject)
    """
    import pytest

    if isinstance(objects, AbstractKernel | AbstractField) or not isinstance(objects, Iterable):
        raise InputError(f"objects must be a list of kernels, fields or (field, x) pairs; got {shown(objects)}")
    cases = []
    for item in objects:
        subject, x = item if isinstance(item, tuple) else (item, None)
        if isinstance(subject, AbstractKernel):
            checks = list(KERNEL_CHECKS)
        elif isinstance(subject, AbstractField):
            if x is None:
                x = np.random.default_rng(0).normal(size=(4, subject.dimension))
            checks = [_at(check, x) for check in FIELD_CHECKS]
        else:
            raise InputError(f"objects must hold kernels, fields or (field, x) pairs; got {shown(subject)}")
        cases += [(subject, check) for check in checks]
    if not cases:
        raise InputError("objects must hold at least one kernel or field; a test without cases checks nothing")
    names = [f"{type(subject).__name__}-{check.__name__.removeprefix('_check_')}" for subject, check in cases]
    return pytest.mark.parametrize(("subject", "check"), cases, ids=names)


def _at(check, x):
    bound = partial(check, x=x)
    bound.__name__ = check.__name__
    return bound

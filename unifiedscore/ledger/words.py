"""How every view of the ledger writes a number, an interval, an outcome and a count."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unifiedscore.inference import Verdict


def digits(value: float) -> str:
    """Four significant digits.

    Examples
    --------
    >>> digits(-1.00349), digits(6.19e-05), digits(math.inf)
    ('-1.003', '6.19e-05', 'inf')
    """
    return f"{float(value):.4g}"


def printed(value: float, unknown: str = "none") -> str:
    """Four significant digits as they are printed: with a true minus sign and the sign of infinity.

    Examples
    --------
    >>> printed(-1.00349), printed(6.19e-05), printed(math.nan, "not measured")
    ('\N{MINUS SIGN}1.003', '6.19e\N{MINUS SIGN}5', 'not measured')
    """
    if math.isnan(value):
        return unknown
    mantissa, e, exponent = digits(value).replace("inf", "\N{INFINITY}").partition("e")
    return f"{mantissa}{e}{int(exponent) if e else ''}".replace("-", "\N{MINUS SIGN}")


def between(ends: Mapping[str, Any], number: Callable[[float], str] = digits) -> str:
    """A region or an interval; empty where neither end is known and finite, since it then says nothing.

    Examples
    --------
    >>> between({"low": 0.5, "high": math.inf}), between({"low": math.nan, "high": math.nan})
    ('[0.5, inf]', '')
    """
    low, high = ends.get("low", math.nan), ends.get("high", math.nan)
    return f"[{number(low)}, {number(high)}]" if math.isfinite(low) or math.isfinite(high) else ""


def spoken(name: str) -> str:
    """An outcome or a kind of evidence in words.

    Examples
    --------
    >>> spoken("not_applicable"), spoken("monte_carlo")
    ('not applicable', 'Monte Carlo')
    """
    return "Monte Carlo" if name == "monte_carlo" else name.replace("_", " ")


def basis(verdict: Verdict) -> str:
    """The kind of evidence, and what was estimated where it comes from replicates.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> basis(SimpleNamespace(evidence="monte_carlo", of="geometric_mean"))
    'Monte Carlo, geometric mean'
    """
    return spoken(verdict.evidence) + (f", {spoken(verdict.of)}" if verdict.of else "")


def attained(sharpness: float) -> str:
    """The share of its bound that a search attained; empty where the bound is zero and there is no share.

    Examples
    --------
    >>> attained(0.8), attained(math.nan)
    ('0.80 of the bound', '')
    """
    return "" if math.isnan(sharpness) else f"{sharpness:.2f} of the bound"


def tried(verdict: Verdict) -> str:
    """How much a universal claim was attacked.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> tried(SimpleNamespace(search={"evaluations": 10000}))
    '10 000 evaluations'
    """
    return f"{verdict.search['evaluations']:,} evaluations".replace(",", " ")


def count(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun.

    Examples
    --------
    >>> count(1, "verdict"), count(2, "study", "studies")
    ('1 verdict', '2 studies')
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"

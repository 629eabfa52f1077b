"""How every view of the ledger writes a number, an interval, an outcome and a count."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from unifiedscore.inference.verdict import LOOSE, SHARP

if TYPE_CHECKING:
    from unifiedscore.inference import Verdict
    from unifiedscore.ledger.ledger import Ledger

_CONTROLS = {
    "measurement": "{} by measurement",
    "law": "{} by law",
    "resolution only": "{} for resolution only",
    "": "{} of unknown kind",
}


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
    """The kind of evidence, what was estimated where it comes from replicates, and at which look where there are looks.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> basis(SimpleNamespace(evidence="monte_carlo", of="geometric_mean", looks=None))
    'Monte Carlo, geometric mean'
    >>> basis(SimpleNamespace(evidence="monte_carlo", of="mean", looks={"look": 3, "seeds": 64}))
    'Monte Carlo, mean, look 3 at 64 seeds'
    """
    looks = f"look {verdict.looks['look']} at {verdict.looks['seeds']} seeds" if verdict.looks else ""
    return ", ".join(filter(None, (spoken(verdict.evidence), spoken(verdict.of), looks)))


def sharpness(verdict: Verdict) -> str:
    """How near to its bound an inequality comes, in words; empty for every other claim.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> [sharpness(SimpleNamespace(sharpness=share)) for share in (0.41, 0.995, 0.02, None)]
    ['0.41 of its bound', 'sharp: 0.995 of its bound', 'loose: 0.02 of its bound', '']
    """
    if verdict.sharpness is None:
        return ""
    if verdict.sharpness > 1.1:
        return f"{verdict.sharpness:.3g} times its bound at worst"
    word = "sharp: " if verdict.sharpness >= SHARP else "loose: " if verdict.sharpness < LOOSE else ""
    return f"{word}{verdict.sharpness:.3g} of its bound"


def controls(ledger: Ledger) -> str:
    """How many controls of which kind there are; empty where the ledger says of none."""
    if not any(ledger.controls):
        return ""
    kinds = [text.format(ledger.controls[kind]) for kind, text in _CONTROLS.items() if kind in ledger.controls]
    none = ledger.controls.get("none", 0)
    kinds += [f"none for {count(none, 'claim')} that {'needs' if none == 1 else 'need'} none"] if none else []
    return f"controls: {', '.join(kinds)}"


def inequalities(ledger: Ledger) -> str:
    """How many inequalities come how near to their bounds; empty where there is none."""
    shares = [verdict.sharpness for verdict in ledger.inequalities]
    sharp, loose = sum(share >= SHARP for share in shares), sum(share < LOOSE for share in shares)
    parts = [f"{sharp} sharp ({SHARP:g} of the bound or more)"] if sharp else []
    parts += [f"{loose} loose (less than {LOOSE:g})"] if loose else []
    if between_these := len(shares) - sharp - loose:
        lowest = min(share for share in shares if share >= LOOSE)
        parts.append(
            f"{between_these} between, from {lowest:.2g} on" if parts else f"from {lowest:.2g} of the bound on"
        )
    return f"{count(len(shares), 'inequality', 'inequalities')}: {', '.join(parts)}" if shares else ""


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

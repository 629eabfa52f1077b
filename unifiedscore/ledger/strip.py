"""An interval against its region as one small SVG: the whole decision at a glance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT, PAD = 240.0, 46.0, 12.0
AXIS, LABEL = 22.0, 41.0
DECADES = 2.0
"""Positive values that span more than this are drawn on a logarithmic scale."""


def number(value: float | None, none: str = "none") -> str:
    """Four significant digits, with a true minus sign.

    Examples
    --------
    >>> number(-1.00349)
    '\N{MINUS SIGN}1.003'
    """
    if value is None:
        return none
    text = f"{float(value):.4g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "\N{MINUS SIGN}")


def interval_strip(verdict: Mapping[str, Any]) -> Markup | None:
    """The region as a band, the interval as a bar with its estimate; None where a verdict has no number.

    Ends at infinity (null in the ledger) run to the edge. Values that span decades are drawn on a logarithmic scale,
    with zero at the left edge.
    """
    from markupsafe import Markup

    region, interval = verdict["region"] or {}, verdict["interval"] or {}
    value = verdict["estimate"]
    low, high = region.get("low"), region.get("high")
    if value is None or (low is None and high is None) or low == high:
        return None
    left = value if interval.get("low") is None else interval["low"]
    right = value if interval.get("high") is None else interval["high"]
    place, log = _scale([value, left, right], [end for end in (low, high) if end is not None])
    band = (0.0 if low is None else place(low), WIDTH if high is None else place(high))
    if band[1] - band[0] < 2:
        middle = sum(band) / 2
        band = (middle - 1, middle + 1)
    parts = [
        f'<line class="axis" x1="0" x2="{WIDTH:.0f}" y1="{AXIS}" y2="{AXIS}"/>',
        f'<rect class="region" x="{band[0]:.1f}" y="{AXIS - 11}" width="{band[1] - band[0]:.1f}" height="22"/>',
    ]
    for end, x in ((low, band[0]), (high, band[1])):
        if end is not None:
            parts.append(f'<line class="end" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 11}" y2="{AXIS + 11}"/>')
    x1, x2, at = place(left), place(right), place(value)
    if x2 - x1 > 3:
        parts.append(f'<line class="interval" x1="{x1:.1f}" x2="{x2:.1f}" y1="{AXIS}" y2="{AXIS}"/>')
        parts += [f'<line class="cap" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 5}" y2="{AXIS + 5}"/>' for x in (x1, x2)]
    parts.append(f'<circle class="estimate" cx="{at:.1f}" cy="{AXIS}" r="4"/>')
    parts += _labels(at, value, [(end, x) for end, x in ((low, band[0]), (high, band[1])) if end is not None])
    spoken = f"estimate {number(value)}, interval {number(left)} to {number(right)}, region {_ends(low, high)}"
    spoken += ", logarithmic scale" if log else ""
    outcome = escape(str(verdict["outcome"]), quote=True)
    return Markup(
        f'<svg class="strip {outcome}" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{spoken}">'
        f"<title>{spoken}</title>{''.join(parts)}</svg>"
    )


def _scale(values: list[float], ends: list[float]):
    """A map from values to x, and whether it is logarithmic."""
    finite = [*values, *ends]
    positive = [abs(entry) for entry in finite if entry > 0]
    spans = positive and min(finite) >= 0 and math.log10(max(positive) / min(positive)) > DECADES
    if spans or (positive and min(finite) == 0 == min(values) and len(positive) > 0):
        least, most = math.log10(min(positive)), math.log10(max(positive))
        margin = max(0.12 * (most - least), 0.3)
        inner = WIDTH - 2 * PAD
        ratio = lambda v: (math.log10(v) - least + margin) / (most - least + 2 * margin)  # noqa: E731
        return (lambda v: PAD + inner * (ratio(v) if v > 0 else 0.0)), True
    least, most = min(finite), max(finite)
    # A one-sided region must be seen to go on.
    margin = (0.15 if len(ends) == 2 else 0.4) * (most - least) or max(abs(most), 1.0) * 0.1
    return (lambda v: PAD + (WIDTH - 2 * PAD) * (v - least + margin) / (most - least + 2 * margin)), False


def _labels(at: float, value: float, ends: list[tuple[float, float]]) -> list[str]:
    texts = [_text("value", at, 8.0, number(value))]
    if len(ends) == 2 and ends[1][1] - ends[0][1] < 46:
        # Too narrow for two labels side by side: they lean outwards.
        (low, x1), (high, x2) = ends
        middle = (x1 + x2) / 2
        return [*texts, _text("tick", middle, LABEL + 3, f"{number(low)} \N{EN DASH} {number(high)}")]
    return texts + [_text("tick", x, LABEL + 3, number(end)) for end, x in ends]


def _text(kind: str, x: float, y: float, text: str) -> str:
    # About 5.6 units a character: keep the whole label inside the frame.
    half = 2.9 * len(text)
    x = min(max(x, half), WIDTH - half)
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _ends(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {number(high)}"
    return f"at least {number(low)}" if high is None else f"{number(low)} to {number(high)}"

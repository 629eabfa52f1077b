"""An interval against its region as one small SVG: the whole decision at a glance."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from unifiedscore.inference import Verdict
from unifiedscore.ledger.words import printed

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT, PAD = 240.0, 46.0, 12.0
AXIS, LABEL = 22.0, 41.0
DECADES = 2.0
"""Positive values that span more than this are drawn on a logarithmic scale."""


def interval_strip(verdict: Verdict) -> Markup | None:
    """The region as a band, the interval as a bar with its estimate; None where a verdict has no number.

    Ends at infinity run to the edge. Values that span decades are drawn on a logarithmic scale,
    with zero at the left edge.
    """
    from markupsafe import Markup

    value, low, high = verdict.estimate, verdict.region["low"], verdict.region["high"]
    ends = [end for end in (low, high) if math.isfinite(end)]
    if not math.isfinite(value) or not ends or low == high:
        return None
    left, right = (end if math.isfinite(end) else value for end in (verdict.interval["low"], verdict.interval["high"]))
    place, log = _scale([value, left, right], ends)
    band = (place(low) if low in ends else 0.0, place(high) if high in ends else WIDTH)
    if band[1] - band[0] < 2:
        middle = sum(band) / 2
        band = (middle - 1, middle + 1)
    parts = [
        f'<line class="axis" x1="0" x2="{WIDTH:.0f}" y1="{AXIS}" y2="{AXIS}"/>',
        f'<rect class="region" x="{band[0]:.1f}" y="{AXIS - 11}" width="{band[1] - band[0]:.1f}" height="22"/>',
    ]
    marks = [(end, x) for end, x in ((low, band[0]), (high, band[1])) if end in ends]
    for _, x in marks:
        parts.append(f'<line class="end" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 11}" y2="{AXIS + 11}"/>')
    x1, x2, at = place(left), place(right), place(value)
    if x2 - x1 > 3:
        parts.append(f'<line class="interval" x1="{x1:.1f}" x2="{x2:.1f}" y1="{AXIS}" y2="{AXIS}"/>')
        parts += [f'<line class="cap" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 5}" y2="{AXIS + 5}"/>' for x in (x1, x2)]
    parts.append(f'<circle class="estimate" cx="{at:.1f}" cy="{AXIS}" r="4"/>')
    parts += _labels(at, value, marks)
    spoken = f"estimate {printed(value)}, interval {printed(left)} to {printed(right)}, region {_ends(low, high)}"
    spoken += ", logarithmic scale" if log else ""
    outcome = escape(verdict.outcome, quote=True)
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
    texts = [_text("value", at, 8.0, printed(value))]
    if len(ends) == 2 and ends[1][1] - ends[0][1] < 46:
        # Too narrow for two labels side by side: they lean outwards.
        (low, x1), (high, x2) = ends
        middle = (x1 + x2) / 2
        return [*texts, _text("tick", middle, LABEL + 3, f"{printed(low)} \N{EN DASH} {printed(high)}")]
    return texts + [_text("tick", x, LABEL + 3, printed(end)) for end, x in ends]


def _text(kind: str, x: float, y: float, text: str) -> str:
    # About 5.6 units a character: keep the whole label inside the frame.
    half = 2.9 * len(text)
    x = min(max(x, half), WIDTH - half)
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _ends(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {printed(high)}"
    return f"at least {printed(low)}" if math.isinf(high) else f"{printed(low)} to {printed(high)}"

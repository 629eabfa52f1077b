"""Several curves in the same axes: one legend, one set of regions, each curve in a look of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final
from weakref import WeakKeyDictionary

import numpy as np

from unifiedscore.plotting.parts import DASHED, REFUTES, shade_outside
from unifiedscore.plotting.prediction import Prediction
from unifiedscore.plotting.series import Curve
from unifiedscore.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED, SKY, YELLOW, log_ticks

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_COLOURS = (INK, BLUE, RED, GREEN, PINK, ORANGE, SKY, YELLOW)
ALLOWED = "allowed by the claim, in the colour of its curve"
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One curve of a scaling plot with everything that was drawn for it."""

    name: str
    labels: str  # of its other axes, which tell it from a curve of the same name
    slope: str
    drawn: Curve
    line: Line2D
    artists: frozenset[Artist]
    color: str
    prediction: Prediction | None
    law: Line2D | None
    beneath: Line2D | None
    region: tuple[float, float] | None


@final
@dataclass(slots=True)
class Together:
    """What the calls so far drew into one panel and the one beneath it."""

    lower: Axes | None
    own: bool  # the figure was made for this plot, so that there is room beside it
    entries: list[Entry]
    regions: list[Artist]


_PANELS: WeakKeyDictionary[Axes, Together] = WeakKeyDictionary()


def together(ax: Axes, lower: Axes | None, *, own: bool = False) -> Together:
    """What stands in these axes so far; curves that were removed since are forgotten."""
    found = _PANELS.setdefault(ax, Together(lower, own, [], []))
    found.lower = lower if lower is not None else found.lower
    found.entries = [entry for entry in found.entries if entry.line in ax.lines]
    return found


def next_look(panel: Together) -> tuple[str, str]:
    """Colour and marker of the next curve."""
    count = len(panel.entries)
    return _COLOURS[count % len(_COLOURS)], _MARKERS[count % len(_MARKERS)]


def finish(ax: Axes, panel: Together) -> None:
    """Draw again what all curves share: ticks, regions, legend."""
    entries = panel.entries
    for shade in panel.regions:
        if shade.axes is not None:
            shade.remove()
    upper = [(entry.region, None, entry.color) for entry in entries if entry.region is not None]
    panel.regions = _draw_regions(ax, upper)
    if panel.lower is not None:
        _finish_lower(panel.lower, panel)
    x = np.concatenate([entry.drawn.x for entry in entries])
    bottom = ax if panel.lower is None else panel.lower
    log_ticks(bottom.xaxis, float(x.min()), float(x.max()))
    if ax.get_yscale() == "log":
        low, high = ax.get_ylim()
        log_ticks(ax.yaxis, low, high)
    for entry in entries:
        entry.line.set_label(_text(entry, entries))
    handles, texts = _legend(ax, panel)
    if panel.own:
        # Beside the panel, where it covers no data, however many curves there are.
        ax.legend(handles, texts, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0)
    else:
        ax.legend(handles, texts, loc="best")


def _finish_lower(lower: Axes, panel: Together) -> None:
    """The predicted exponents and their regions; the view holds them and every local slope."""
    from matplotlib.ticker import MaxNLocator

    shown = [entry for entry in panel.entries if entry.beneath is not None and entry.beneath in lower.lines]
    values = [np.asarray(entry.beneath.get_ydata(), dtype=float) for entry in shown]
    if lower.get_ylabel() == "local slope":
        predicted = [entry for entry in shown if entry.prediction is not None]
        exponents = {entry.prediction.exponent: entry.color for entry in reversed(predicted)}
        for exponent, color in exponents.items():
            line = lower.axhline(exponent, linestyle=DASHED, linewidth=1.0, zorder=1.5)
            line.set_color(INK if len(exponents) == 1 else color)
            panel.regions.append(line)
        rows = [((e.prediction.low, e.prediction.high), e.prediction, e.color) for e in predicted]
        panel.regions += _draw_regions(lower, rows)
        values += [[end for end in (row[1].exponent, *row[0]) if math.isfinite(end)] for row in rows]
    else:
        values.append([1.0])
    values = np.concatenate(values) if values else np.array([])
    values = values[np.isfinite(values)]
    if values.size:
        room = max(0.15 * np.ptp(values), 0.02 * np.abs(values).max(), 1e-3)
        lower.set_ylim(values.min() - room, values.max() + room)
    lower.yaxis.set_major_locator(MaxNLocator(4))


def _draw_regions(ax: Axes, rows) -> list[Artist]:
    """What refutes is shaded if one region holds for all curves; else each one's own allowed band in its colour."""
    rows = [row for row in rows if math.isfinite(row[0][0]) or math.isfinite(row[0][1])]
    distinct = {(region, *_span(law)): color for region, law, color in reversed(rows)}
    if len(distinct) == 1:
        (((low, high), start, toward),) = distinct
        return shade_outside(ax, low, high, start=start, toward=toward)
    bands = []
    for ((low, high), *_), color in distinct.items():
        low, high = (end if math.isfinite(end) else sign * 1e300 for end, sign in ((low, -1), (high, 1)))
        limits = ax.dataLim.frozen()
        bands.append(ax.axhspan(low, high, color=color, alpha=0.12, linewidth=0, zorder=0.2, label=ALLOWED))
        ax.dataLim.set(limits)
    return bands


def _span(law: Prediction | None) -> tuple[float | None, str]:
    return (None, "infinity") if law is None else (law.start, law.toward)


def _text(entry: Entry, entries: list[Entry]) -> str:
    twice = entry.labels and sum(other.name == entry.name for other in entries) > 1
    name = f"{entry.name}, {entry.labels}" if twice else entry.name
    return f"{name}: {entry.slope}" if entry.slope else name


def _legend(ax: Axes, panel: Together):
    """One entry a curve, one a predicted law, and what all curves share said once."""
    entries = panel.entries
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    rows = {str(entry.line.get_label()): entry.line for entry in entries}
    laws: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.law is not None:
            laws.setdefault(entry.prediction.text, []).append(entry)
    for text, several in laws.items():
        # A law of one curve in the colour of its line; of several, in neutral ink.
        rows[text] = several[0].law if len(several) == 1 else Line2D([], [], color=INK, linestyle=DASHED, linewidth=1.3)
    color = entries[0].color if len(entries) == 1 else GREY
    sampled = any(entry.drawn.kind == "t" for entry in entries)
    if sampled:
        rows["each seed"] = Line2D([], [], color=color, marker="o", markersize=3, linestyle="", alpha=0.4)
    for entry in entries:
        if entry.drawn.kind != "none":
            rows.setdefault(entry.drawn.caption, Patch(color=color, alpha=0.25, linewidth=0))
    own = frozenset().union(*(entry.artists for entry in entries))
    for handle, text in zip(*ax.get_legend_handles_labels(), strict=True):
        if handle not in own:
            rows.setdefault(text, handle)
    shades = {str(shade.get_label()): shade for shade in panel.regions if str(shade.get_label()) in (REFUTES, ALLOWED)}
    for text, shade in shades.items():
        fill = shade.get_facecolor() if len(entries) == 1 or text == REFUTES else GREY
        rows[text] = Patch(facecolor=fill, alpha=0.2, linewidth=0)
    return list(rows.values()), list(rows)

"""One colour a field or estimator, one marker a kernel, everywhere the same; and a look that lasts for one `with`."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from textwrap import fill, wrap
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GREY, PAPER = "#222222", "#6b6b6b", "#ffffff"
BLUE, SKY, GREEN, YELLOW, ORANGE, RED, PINK = (
    "#0072b2",
    "#3f9fd8",
    "#009e73",
    "#c9a800",
    "#e69f00",
    "#d55e00",
    "#b8558f",
)

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        # fields and their parts
        "drift": BLUE,
        "mean_shift": BLUE,
        "score": RED,
        "score_difference": RED,
        "residual": PINK,
        "preconditioner": GREEN,
        "curl": ORANGE,
        "matched_theory": SKY,
        "matched_posterior": GREEN,
        # estimators
        "population": INK,
        "same_sample": RED,
        "split_sample": SKY,
        "cross_fitted": GREEN,
        # kernels, where a colour rather than a marker tells them apart
        "gaussian": BLUE,
        "laplace": ORANGE,
        "matern": GREEN,
        "rational_quadratic": PINK,
        "student_t": SKY,
    }
)
"""Okabe and Ito's colours, told apart with any of the common colour vision deficiencies (yellow and sky darkened so
that thin lines stay readable on white)."""

MARKERS: Mapping[str, str] = MappingProxyType(
    {"laplace": "o", "gaussian": "s", "matern": "D", "rational_quadratic": "^", "student_t": "v"}
)
DASHES: tuple = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
SPARE = (BLUE, RED, GREEN, PINK, ORANGE, SKY, YELLOW, INK)

REFUTING = "#d55e00"
"""Fill of the region in which a claim is refuted."""

_GREEK = re.compile(
    r"(?<!\\)\b(alpha|beta|gamma|delta|epsilon|kappa|lambda|mu|nu|rho|sigma|varsigma|tau|phi|xi|Delta|Sigma|Lambda)(?![A-Za-z])"
)

_LOOK = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.4,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """The look of this package's figures, for the length of a `with` block; nothing outside it changes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with style():
    ...     ax = Figure(figsize=(4, 3)).add_subplot()
    """
    import matplotlib

    with matplotlib.rc_context(_LOOK):
        yield


def new_figure(width: float, height: float, **options):
    """A figure of the given size in inches that no window knows of, laid out without overlaps."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=options.pop("layout", "constrained"), **options)


def colour(name: str) -> str:
    """The colour of a field, estimator or kernel; an unknown name gets one that depends on the name alone.

    Examples
    --------
    >>> colour("drift") == colour("mean_shift")
    True
    """
    name = str(name)
    return COLOURS.get(name) or COLOURS.get(name.split(":")[0]) or SPARE[zlib.crc32(name.encode()) % len(SPARE)]


def marker(kernel: str) -> str:
    """The marker of a kernel, `matern:1.5` and `matern` alike.

    Examples
    --------
    >>> marker("matern:1.5")
    'D'
    """
    return MARKERS.get(str(kernel).split(":")[0], "o")


def shades(count: int) -> list[str]:
    """`count` colours for an ordered axis (dimension, exponent), dark to light, readable on white.

    Examples
    --------
    >>> len(set(shades(5)))
    5
    """
    import matplotlib
    from matplotlib.colors import to_hex

    table = matplotlib.colormaps["viridis"]
    # The last fifth of viridis is too light for a line on white.
    return [to_hex(table(0.05 + 0.75 * position / max(count - 1, 1))) for position in range(count)]


def tidy(ax: Axes, *, grid: str = "both") -> Axes:
    """Quiet frame, ticks and grid. Ticks are made when drawn, after a `style()` block may have ended, hence this."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(which="both", color=GREY, labelcolor=INK, labelsize=8.5, width=0.7)
    ax.tick_params(which="major", length=3.5)
    ax.tick_params(which="minor", length=2.0)
    if grid:
        ax.grid(True, which="major", axis=grid, color="#e3e3e3", linewidth=0.7)
    return ax


def words(name: str) -> str:
    """A stored name as it is read aloud: `same_sample` becomes `same sample`."""
    return str(name).replace("_", " ")


def axis_label(array, name: str | None = None, *, width: int = 44) -> str:
    """`long name, symbol [units]` from the attributes of a data array; a unit of 1 is not printed.

    Longer labels are broken into lines of one length, of at most about `width` characters.

    Examples
    --------
    >>> import xarray as xr
    >>> axis_label(xr.DataArray([1.0], attrs={"long_name": "Drift energy", "symbol": "E", "units": "1"}))
    'Drift energy, $E$'
    """
    attrs = getattr(array, "attrs", {})
    text = attrs.get("long_name") or words(name if name is not None else getattr(array, "name", "") or "")
    symbol, units = attrs.get("symbol", ""), attrs.get("units", "1")
    unit = "" if units in ("", "1", "dimensionless") else f" [{units}]"
    if not symbol:
        return balanced(text + unit, width)
    # A formula is never torn apart: while lines are broken, one long word stands for it.
    word = "\N{REPLACEMENT CHARACTER}" * (len(symbol) + len(unit))
    return balanced(f"{text}, {word}", width).replace(word, as_math(symbol) + unit)


def balanced(text: str, width: int) -> str:
    """Text in as few lines as `width` allows, all of about one length, so that none holds a lone word.

    Examples
    --------
    >>> print(balanced("Mean squared error of the mean shift of samples", 44))
    Mean squared error of the
    mean shift of samples
    """
    options = {"break_long_words": False, "break_on_hyphens": False}
    count = len(wrap(text, width, **options))
    narrowest = next(narrow for narrow in range(1, width + 1) if len(wrap(text, narrow, **options)) <= count)
    return fill(text, narrowest, **options)


def as_math(symbol: str) -> str:
    """A symbol in math mode where matplotlib can typeset it, else as plain text."""
    if "$" in symbol:
        return symbol
    plain, symbol = symbol, re.sub(r"_(\w{2,})", r"_{\1}", _GREEK.sub(r"\\\1", symbol))
    if re.search(r"(?<!\\)\b[A-Za-z]{3,}", symbol):  # words, such as `grad log p`, are no formula
        return plain
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${symbol}$")
    except ValueError:
        return plain
    return f"${symbol}$"


def number(value: float, digits: int = 3) -> str:
    """A number as people write it: a true minus sign, no needless zeros, 10^k where it is very small or large."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = rf"10^{{{int(exponent)}}}"
        return f"${power}$" if mantissa == "1" else rf"${mantissa}\times{power}$"
    return text.replace("-", "\N{MINUS SIGN}")


def interval(low: float, high: float) -> str:
    """The two ends of an interval as people write them; either may be infinite.

    Examples
    --------
    >>> interval(0.9, float("inf"))
    '[0.9, ∞]'
    """
    ends = [number(end) if math.isfinite(end) else ("−∞" if end < 0 else "∞") for end in (low, high)]
    return f"[{ends[0]}, {ends[1]}]"


def darker(color: str, share: float = 0.35) -> str:
    """The colour mixed with ink: of a prediction that is drawn over its own curve.

    Examples
    --------
    >>> darker("#ffffff", 1.0) == INK
    True
    """
    from matplotlib.colors import to_hex, to_rgb

    return to_hex([(1 - share) * one + share * ink for one, ink in zip(to_rgb(color), to_rgb(INK), strict=True)])


def log_ticks(axis, low: float, high: float):
    """Ticks of a logarithmic axis from `low` to `high` whose labels do not touch: decades, or 1, 2, 5 of each."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2.2 else (1.0, 2.0, 5.0), numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=12))
    axis.set_minor_formatter(NullFormatter())


def _tick(value: float) -> str:
    if value <= 0:
        return ""
    return f"{value:.4g}" if 1e-3 < value < 1e5 else number(value)


def series_legend(figure, ax: Axes, prefix: str, *, loc: str, title: str, ncols: int = 1):
    """A legend beside all panels: the series whose label starts with `prefix`, not their predictions (with ":")."""
    handles, labels = ax.get_legend_handles_labels()
    chosen = [(h, t) for h, t in zip(handles, labels, strict=True) if t.startswith(prefix) and ":" not in t]
    return figure.legend(*zip(*chosen, strict=True), loc=loc, title=title, ncols=ncols, alignment="left")


def caption(figure, text: str):
    """A quiet note below all panels, wrapped to the width of the figure."""
    # 8 pt DejaVu Sans is about 4.7 pt wide in a line of many digits; a margin of 6 pt on both sides.
    width = int((figure.get_figwidth() * 72 - 12) / 4.7)
    lines = [fill(" ".join(part.split()), width) for part in text.split("\n")]
    return figure.supxlabel("\n".join(lines), fontsize=8, color=GREY, x=0.012, ha="left")

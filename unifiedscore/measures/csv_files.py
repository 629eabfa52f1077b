"""Points from a .csv file: one point on a line, no number guessed and nothing left out without a note."""

from __future__ import annotations

import csv
import re
from array import array as doubles
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedscore.errors import FileError

LONGEST_LINE = 2**26  # characters: two million coordinates in full precision
_ALMOST_A_NUMBER = re.compile(r"[-+$€£]*\d[\d_.,' ]*([eEdD][-+]?\d+)?\s*[%€]?|0[xXbBoO][0-9a-fA-F]+", re.ASCII)
_MISSING = {"na", "n/a", "null", "none", "missing", "-", "?", "."}
_UNNAMED = re.compile(r"|Unnamed: \d+")
_SHOWN = 80


def read_csv(path: Path) -> tuple[np.ndarray, list[str]]:
    """Read comma-separated numbers in UTF-8, (n, d) float64, and notes on what was left out.

    Lines of names may come first. An unnamed first column of whole numbers, as `DataFrame.to_csv` and R write it, holds
    row numbers and is dropped. What Python or a spreadsheet would read as a number and what others would not (`1_000`,
    `1,5`, `12%`) is refused.
    """
    # One flat array of doubles: a list of lists would take eight times the memory.
    flat, width, header, counted = doubles("d"), 0, [], False
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            for number, cells in _rows(stream, path):
                row = _numbers(cells)
                if not width and (row is None or _names_numbered(cells)):
                    _refuse_unlike_header(cells, number, path)
                    header.append(cells)
                    continue
                if row is None:
                    raise FileError(f"{path}: line {number} is not a list of numbers: {_text(cells)}{_hint(cells)}")
                if width and len(row) != width:
                    raise FileError(f"{path}: line {number} has {len(row)} numbers; the lines before have {width}")
                if not width:
                    first, width, counted = number, len(row), cells == [str(i) for i in range(len(cells))]
                else:
                    # As long as nothing else looks like an integer, a first line 0,1,2 can only be names.
                    counted = counted and all("." in cell or "e" in cell.lower() for cell in cells)
                flat.extend(row)
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: is not text in UTF-8 ({error.reason}); save it as UTF-8") from None
    if not width:
        example = f"; it begins with {_text(header[0])}{_hint(header[0])}" if header else ""
        raise FileError(f"{path}: holds no line of comma-separated numbers{example}")
    points, notes = np.array(flat).reshape(-1, width), []
    if counted and not header and len(points) > 1:
        header, points = [[str(i) for i in range(width)]], points[1:]
        notes.append(f"line {first} reads {_text(header[0])} and was taken as names of columns")
    elif header:
        notes.append(f"skipped {len(header)} header line{'s' if len(header) > 1 else ''}")
    points = _without_trailing_comma(points, header, notes)
    return _without_row_numbers(points, header, notes, path), notes


def _rows(stream, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and stripped cells of all lines but empty ones and comments."""
    reader = csv.reader(_lines(stream, path))
    for cells in reader:
        # A line of commas alone is a point of missing values, and so is "" in a file of one column.
        if not cells or (len(cells) == 1 and cells[0].isspace()) or cells[0].lstrip().startswith("#"):
            continue
        yield reader.line_num, [cell.strip() for cell in cells]


def _lines(stream, path: Path) -> Iterator[str]:
    """The lines of a text file, none of them of a length that only damage or malice explains."""
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise FileError(f"{path}: a line is longer than {LONGEST_LINE} characters; one point stands on a line")
        yield line


def _numbers(cells: list[str]) -> list[float] | None:
    """The cells as floats, missing ones as NaN; None where a cell is not a number in plain ASCII."""
    joined = "".join(cells)
    # float() also reads 1_000 and the digits of every script.
    if "_" in joined or not joined.isascii():
        return None
    try:
        return [float(cell) if cell else np.nan for cell in cells]
    except ValueError:
        return None


def _names_numbered(cells: list[str]) -> bool:
    """Whether a line of numbers is the header of a frame whose columns are called 0, 1, 2 under an unnamed index."""
    names = cells[next((i for i, cell in enumerate(cells) if cell), len(cells)) :]
    return 0 < len(names) < len(cells) and names == [str(i) for i in range(len(names))]


def _refuse_unlike_header(cells: list[str], number: int, path: Path) -> None:
    """Refuse a first line that is a point with one cell wrong: skipped as a header it would be lost."""
    numeric = [cell for cell in cells if cell and _numbers([cell]) is not None]
    if odd := next((c for c in cells if c not in numeric and _almost_a_number(c)), None):
        raise FileError(
            f"{path}: line {number} holds {odd[:_SHOWN]!r}, which is not a plain number{_hint(cells)}; write decimal "
            "points, no separators of thousands and no units, and commas between columns"
        )
    words = [cell for cell in cells if cell not in numeric]
    if all(word.lower() in _MISSING for word in words if word) and any(words):
        raise FileError(f"{path}: line {number} has missing values: {_text(cells)}; remove or fill them")
    if numeric and numeric != [str(i) for i in range(len(numeric))]:
        raise FileError(
            f"{path}: line {number} mixes numbers and text: {_text(cells)}{_hint(cells)}; remove what is not a number, "
            "or the line if it holds names"
        )


def _almost_a_number(cell: str) -> bool:
    try:
        return bool(cell) and (_ALMOST_A_NUMBER.fullmatch(cell) is not None or np.isfinite(float(cell)))
    except ValueError:
        return False


def _without_trailing_comma(points: np.ndarray, header, notes: list[str]) -> np.ndarray:
    width = points.shape[1]
    named = any(len(names) == width and names[-1] for names in header)
    if width == 1 or named or not np.isnan(points[:, -1]).all():
        return points
    notes.append("every line ends with a comma; the empty last column was dropped")
    return points[:, :-1]


def _without_row_numbers(points: np.ndarray, header, notes: list[str], path: Path) -> np.ndarray:
    dropped = 0
    while dropped + 1 < points.shape[1] and _is_unnamed(header, points.shape[1], dropped):
        column = points[:, dropped]
        if not (column == np.round(column)).all():
            raise FileError(
                f"{path}: the first column has no name and does not hold row numbers; name it if it is a coordinate, "
                "or leave it out (DataFrame.to_csv(..., index=False))"
            )
        notes.append(f"dropped the unnamed first column of row numbers ({column.min():.0f} to {column.max():.0f})")
        dropped += 1
    points = points[:, dropped:]
    start = points[0, 0]
    if points.shape[1] > 1 and len(points) > 2 and start in (0.0, 1.0):
        if (points[:, 0] == start + np.arange(len(points))).all():
            notes.append(
                f"the first column counts the lines from {start:.0f} and was kept; remove it if it is not data"
            )
    return points


def _is_unnamed(header, width: int, column: int) -> bool:
    """Whether names stand over all columns but the first ones; R leaves out the first name, and its comma."""
    if any(len(names) == width - 1 > 1 and all(names) for names in header):
        return column == 0
    full = [names for names in header if len(names) == width and any(names)]
    return bool(full) and all(_UNNAMED.fullmatch(names[column]) for names in full)


def _text(cells: list[str]) -> str:
    return repr(",".join(cells)[:_SHOWN])


def _hint(cells: list[str]) -> str:
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if any(mark in cell for cell in cells):
            return f" (columns separated by {name}? separate them by commas, and write decimal points)"
    return ""

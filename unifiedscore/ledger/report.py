"""The report: one self-contained HTML file that shows the ledger, its figures, and what is not established."""

from __future__ import annotations

import base64
import html
import os
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.inference.verdict import EVIDENCE, OUTCOMES, Verdict, claim_name
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.strip import interval_strip
from unifiedscore.ledger.summary import Summary, read_summaries
from unifiedscore.ledger.words import (
    basis,
    between,
    controls,
    inequalities,
    printed,
    sharpness,
    spoken,
    tried,
)
from unifiedscore.output import encoded, note
from unifiedscore.reading import files_in, read_file, read_json
from unifiedscore.study.stamp import disagreement
from unifiedscore.study.unjudged import NotRun

if TYPE_CHECKING:
    from markupsafe import Markup

ALWAYS = OUTCOMES[:4]  # outcomes that are counted even where there are none; searches are not in every ledger
DERIVED = "Derived here"
OTHER = "Other sources"
CALIBRATION = "calibration."
PNG = b"\x89PNG\r\n\x1a\n"
NOT_ESTABLISHED = "not_established.md"
PICTURE_BYTES, PIXELS = 2**24, 2**26
REPORT_BYTES = 2**26  # of all pictures together

_ARXIV = re.compile(
    r"(?P<authors>[A-Z][\w\-']+(?:,? (?:and )?[A-Z][\w\-']+)*(?: et al\.?)? \d{4},? )?"
    r"arXiv[: ]?(?P<number>\d{4}\.\d{4,5})"
)


def write_report(
    results: str | Path,
    *,
    figures: Mapping[str, Path] | None = None,
    not_established: str | None = None,
    out: str | Path | None = None,
) -> Path:
    """Write the report of `<results>/ledger.json` and the figures beside it, as `<results>/report.html`.

    The results folder may be a stranger's: no link in it is followed, and nothing in it is executed.

    Parameters
    ----------
    results : str or Path
        The results folder.
    figures : mapping, optional
        Name to PNG file. By default those of `<results>/figures/index.json`, then other PNG files in that folder.
    not_established : str, optional
        Text of the section of that name: paragraphs, `- ` lists, `# ` headings. By default the file
        `not_established.md` in the results folder, if there is one.
    out : str or Path, optional
        Where to write it instead: a file ending in .html, for a results folder that cannot be written.

    Returns
    -------
    Path
        Of the report. It loads nothing from anywhere.

    Raises
    ------
    FileError
        There is no ledger, or a file cannot be read or written.

    Examples
    --------
    >>> write_report("results")  # doctest: +SKIP
    PosixPath('results/report.html')
    """
    results = Path(results)
    path = results / "report.html" if out is None else Path(out)
    if path.suffix != ".html":
        raise FileError(f"a report is a file ending in .html; got {path}")
    ledger = Ledger.read(results)
    if not_established is None:
        not_established = read_not_established(results)
    text = render_report(ledger, _figures(results, figures, ledger), not_established, read_summaries(results))
    write_atomic(path, encoded(text))
    return path


def read_not_established(folder: Path) -> str:
    """The text `not_established.md` in a folder; empty where there is none."""
    path = folder / NOT_ESTABLISHED
    return read_file(path, below=folder).decode("utf-8", "replace") if os.path.lexists(path) else ""


def render_report(
    ledger: Ledger,
    figures: Sequence[Mapping[str, Any]] = (),
    not_established: str = "",
    summaries: Sequence[Summary] = (),
) -> str:
    """The report's text.

    Parameters
    ----------
    ledger : Ledger
    figures : sequence of mapping
        name, title, studies, claims, data (a data URI).
    not_established : str
        See `write_report`.
    summaries : sequence of Summary
        Stored summaries of longer runs.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "number": printed,
        "spoken": spoken,
        "basis": basis,
        "sentence": _sentence,
        "tried": tried,
        "between": _between,
        "sharpness": sharpness,
    }
    environment.globals["code"] = code
    template = resources.files("unifiedscore.ledger").joinpath("report.html.j2").read_text(encoding="utf-8")
    # Unexpected verdicts first: they are what a reader has to act on. Then the regimes of one claim side by side, and
    # what tests the judge itself after what it is used for.
    order = {claim: position for position, claim in enumerate(dict.fromkeys(v.claim for v in ledger.verdicts))}
    verdicts = sorted(ledger.verdicts, key=lambda v: (v.as_expected, v.claim.startswith(CALIBRATION), order[v.claim]))
    labels = _labels(verdict.source for verdict in verdicts)
    entries = [Entry.of(position, verdict, figures, labels) for position, verdict in enumerate(verdicts)]
    both = [entry for entry in entries if entry.verdict.outcome == entry.verdict.expected == "refuted"]
    return environment.from_string(template).render(
        ledger=ledger,
        entries=entries,
        outcomes=_tally((verdict.outcome for verdict in verdicts), OUTCOMES),
        evidence=_tally((verdict.evidence for verdict in verdicts), EVIDENCE),
        table=_table(verdicts),
        papers=_tally(paper for entry in entries for paper in entry.papers),
        differing=[entry for entry in entries if not entry.verdict.as_expected],
        changed=[entry for entry in entries if entry.verdict.finding],
        refuted=[entry for entry in both if not entry.verdict.finding],
        attacked=_attacked(entries),
        maps=[_map_row(entry) for _, entry in sorted(ledger.maps.items())],
        waiting=_waiting(ledger.not_run),
        checks=[text for text in (controls(ledger), inequalities(ledger)) if text],
        figures=figures,
        summaries=summaries,
        not_established=blocks(not_established),
    )


def _map_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A map in a line: the axes, the parts of its area, and the ends and the middle of its boundary."""
    x, y = (entry[axis].replace("_", " ") for axis in ("x", "y"))
    shares = entry["shares"]
    decided = [shares.get(outcome, 0.0) for outcome in ("supported", "refuted")]
    # Not what is left of 1: shares are rounded.
    undecided = sum(share for outcome, share in shares.items() if outcome not in ("supported", "refuted"))
    points = [point for point in entry["boundary"] if point[1] is not None]
    chosen = [points[k] for k in sorted({0, len(points) // 2, len(points) - 1})] if points else []
    along = "; ".join(f"{y} {printed(high)} at {x} {printed(low)}" for low, high in chosen)
    return {
        "claim": claim_name(entry["claim"], entry.get("regime", "")),
        "over": f"{x}, {y}",
        "shares": [*decided, undecided],
        "boundary": along or "none crosses the map",
    }


def papers_of(source: str) -> list[str]:
    """The papers that a claim's source names, by arXiv number; "Derived here" where it says so.

    Examples
    --------
    >>> papers_of("derived here, from Thm 1 of Lai et al. 2026, arXiv 2603.07514")
    ['Lai et al. 2026, arXiv 2603.07514', 'Derived here']
    """
    found = {}
    for match in _ARXIV.finditer(source):
        label = f"{(match['authors'] or '').rstrip(', ')}, arXiv {match['number']}".removeprefix(", ")
        found.setdefault(match["number"], label)
    papers = list(found.values())
    if "derived" in source.lower():
        papers.append(DERIVED)
    return papers or [OTHER]


def blocks(text: str) -> list[dict[str, Any]]:
    """Paragraphs, lists and headings of a small text file, as kind and lines; no markup is passed through.

    Examples
    --------
    >>> blocks("# Open\\n\\n- one\\n- two")
    [{'kind': 'heading', 'lines': ['Open']}, {'kind': 'list', 'lines': ['one', 'two']}]
    """
    found: list[dict[str, Any]] = []
    for line in [*text.splitlines(), ""]:
        plain = line.strip()
        kind = "heading" if plain.startswith("#") else "list" if re.match(r"[-*] ", plain) else "paragraph"
        if not plain:
            found.append({"kind": "break", "lines": []})
        elif kind == "paragraph" and found and found[-1]["kind"] in ("paragraph", "list"):
            found[-1]["lines"][-1] += f" {plain}"  # a line that goes on
        elif kind == "list" and found and found[-1]["kind"] == "list":
            found[-1]["lines"].append(plain[2:].strip())
        else:
            found.append({"kind": kind, "lines": [plain.lstrip("#").strip() if kind == "heading" else plain]})
            if kind == "list":
                found[-1]["lines"] = [plain[2:].strip()]
    return [block for block in found if block["kind"] != "break"]


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict as the report shows it: with its place on the page, its papers and its figures."""

    verdict: Verdict
    id: str
    papers: list[str]
    figures: list[Mapping[str, Any]]

    @classmethod
    def of(
        cls, position: int, verdict: Verdict, figures: Sequence[Mapping[str, Any]], labels: Mapping[str, str]
    ) -> Entry:
        """The entry at this position of the page; `labels` has the one label of each paper."""
        shown = [figure for figure in figures if verdict.claim in figure["claims"]]
        papers = [labels[paper] for paper in papers_of(verdict.source)]
        return cls(verdict, f"verdict-{position}", papers, shown)

    @property
    def strip(self) -> Markup | None:
        """The small picture of the interval and its region."""
        return interval_strip(self.verdict)

    @property
    def search(self) -> str:
        """What the search field looks through."""
        v = self.verdict
        return " ".join((v.claim, v.regime, v.study, v.statement, v.source, v.reason)).lower()


def _labels(sources: Iterable[str]) -> dict[str, str]:
    """The label under which each paper is listed once: with its authors, where any of the sources names them."""
    counts = Counter(paper for source in sources for paper in papers_of(source))
    best: dict[str, str] = {}
    for paper, _ in sorted(counts.items(), key=lambda item: (item[0].startswith("arXiv "), -item[1], item[0])):
        best.setdefault(paper.rpartition("arXiv ")[2], paper)
    return {paper: best[paper.rpartition("arXiv ")[2]] for paper in counts}


def _waiting(entries: Iterable[NotRun]) -> list[tuple[str, int, list[tuple[str, list[NotRun]]]]]:
    """The claims that were not judged, by reason and study: neither is said twice."""
    reasons: dict[str, dict[str, list[NotRun]]] = {}
    for entry in entries:
        reasons.setdefault(entry.reason, {}).setdefault(entry.study, []).append(entry)
    return [(why, sum(map(len, studies.values())), list(studies.items())) for why, studies in reasons.items()]


def _attacked(entries: Iterable[Entry]) -> list[Entry]:
    """The universal claims, those with a counterexample first."""
    found = [entry for entry in entries if entry.verdict.search is not None]
    return sorted(found, key=lambda entry: entry.verdict.search["counterexample"] is None)


def _tally(names: Iterable[str], order: Sequence[str] = ()) -> list[tuple[str, int]]:
    counts = Counter(names)
    names = [*order, *sorted(set(counts) - set(order), key=lambda name: (name in (DERIVED, OTHER), name.lower()))]
    return [(name, counts[name]) for name in names if counts[name] or name in ALWAYS]


def _table(verdicts: Iterable[Verdict]) -> list[tuple[str, list[int]]]:
    """Counts by evidence (rows) and outcome (columns)."""
    counts = Counter((verdict.evidence, verdict.outcome) for verdict in verdicts)
    rows = [(kind, [counts[kind, outcome] for outcome in OUTCOMES]) for kind in EVIDENCE]
    return [row for row in rows if any(row[1])]


def _figures(results: Path, given: Mapping[str, Path] | None, ledger: Ledger) -> list[dict[str, Any]]:
    folder = results / "figures"
    entries: dict[str, dict[str, Any]] = {}
    index = folder / "index.json"
    if os.path.lexists(index):
        try:
            listed = read_json(index, below=results)
            entries = {
                str(entry["name"]): {**entry, "name": str(entry["name"]), "path": _inside(folder, entry["png"])}
                for entry in listed
            }
            for entry in entries.values():
                if not all(isinstance(name, str) for part in ("studies", "claims") for name in entry.get(part, ())):
                    raise TypeError("studies and claims must list names")
                if not all(isinstance(run, dict) for run in dict(entry.get("runs", {})).values()):
                    raise TypeError("runs must hold an object for every study")
                entry["title"] = str(entry.get("title", ""))
        except (ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"{index} is not an index of figures ({error}); draw them again: unifiedscore figures"
            ) from error
    if given is not None:
        unknown = {"title": "", "studies": [], "claims": []}
        entries = {
            name: {**unknown, **entries.get(name, {}), "name": name, "path": Path(p)} for name, p in given.items()
        }
    else:
        listed_paths = {entry["path"] for entry in entries.values()}
        for path in files_in(folder, "*.png", below=results):
            if path not in listed_paths:
                entries[path.stem] = {"name": path.stem, "title": "", "studies": [], "claims": [], "path": path}
    shown, room = [], REPORT_BYTES
    for entry in entries.values():
        if foreign := disagreement(entry.get("runs", {}), ledger):
            note(f"figure {entry['name']} is left out of the report: {foreign}; judge and draw the same run")
            continue
        # What the index or the folder names stands in it; what the caller named may stand anywhere.
        content = read_file(entry["path"], below=results if given is None else None, limit=PICTURE_BYTES)
        _check_png(content, entry["path"])
        room -= len(content)
        if room < 0:
            raise FileError(f"the figures in {folder} have more than {REPORT_BYTES // 2**20} MiB; a report holds less")
        data = base64.b64encode(content).decode("ascii")
        title = entry.get("title") or entry["name"].replace("_", " ").capitalize()
        shown.append(
            {
                "name": entry["name"],
                "id": "figure-" + re.sub(r"[^A-Za-z0-9_-]", "-", entry["name"]),
                "title": title,
                "studies": list(entry.get("studies", ())),
                "claims": list(entry.get("claims", ())),
                "data": f"data:image/png;base64,{data}",
            }
        )
    return shown


def _check_png(content: bytes, path: Path) -> None:
    """Refuse what is not a picture, or one that a browser would need gigabytes for; nothing is decoded here."""
    length, kind, width, height = struct.unpack(">I4sII", content[8:24].ljust(16, b"\0"))
    if not content.startswith(PNG) or (length, kind) != (13, b"IHDR") or not width or not height:
        raise FileError(f"{path} is not a PNG file; draw it again: unifiedscore figures")
    if width * height > PIXELS:
        raise FileError(f"{path} has {width} x {height} pixels; a report shows pictures of up to {PIXELS} pixels")


def _inside(folder: Path, name: str) -> Path:
    """A file directly in `folder`. A report is passed on: no index may make it carry other files of this machine."""
    if not isinstance(name, str) or name != Path(name).name or not name.endswith(".png"):
        raise ValueError(f"{name!r} is not a file in {folder}")
    return folder / name


def _between(ends: Mapping[str, Any]) -> str:
    """An interval with the level at which it holds, or a region."""
    text = between(ends, printed)
    if not text:
        return "none"
    kind = {
        "t": "Student t over seeds at {} %",
        "binomial": "exact for counts at {} %",
        "numerical": "numerical error",
    }.get(ends.get("kind"))
    return f"{text}, {kind.format(printed(round(100 * (ends.get('level') or 0), 2)))}" if kind else text


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def code(text: str):
    """Text with `code` in backquotes marked up, everything escaped."""
    from markupsafe import Markup

    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("`".join(parts))
    return Markup("".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts)))

"""The report: one self-contained HTML file that shows the ledger, its figures, and what is not established."""

from __future__ import annotations

import base64
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from unifiedscore.atomic import write_atomic
from unifiedscore.errors import FileError
from unifiedscore.inference.verdict import EVIDENCE, OUTCOMES
from unifiedscore.ledger.ledger import as_expected, read_ledger
from unifiedscore.ledger.strip import interval_strip, number
from unifiedscore.ledger.summary import read_summaries
from unifiedscore.study.progress import note
from unifiedscore.study.stamp import disagreement

DERIVED = "Derived here"
OTHER = "Other sources"
PNG = b"\x89PNG\r\n\x1a\n"
NOT_ESTABLISHED = "not_established.md"

_ARXIV = re.compile(
    r"(?P<authors>[A-Z][\w\-']+(?:,? (?:and )?[A-Z][\w\-']+)*(?: et al\.?)? \d{4},? )?"
    r"arXiv[: ]?(?P<number>\d{4}\.\d{4,5})"
)


def write_report(
    results: str | Path, *, figures: Mapping[str, Path] | None = None, not_established: str | None = None
) -> Path:
    """Write `<results>/report.html` from `<results>/ledger.json` and the figures beside it.

    Parameters
    ----------
    results : str or Path
        The results folder.
    figures : mapping, optional
        Name to PNG file. By default those of `<results>/figures/index.json`, then other PNG files in that folder.
    not_established : str, optional
        Text of the section of that name: paragraphs, `- ` lists, `# ` headings. By default the file
        `not_established.md` in the results folder, if there is one.

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
    ledger = read_ledger(results)
    if not_established is None:
        text = results / NOT_ESTABLISHED
        not_established = _read(text).decode("utf-8", errors="replace") if text.is_file() else ""
    path = results / "report.html"
    text = render_report(ledger, _figures(results, figures, ledger), not_established, read_summaries(results))
    write_atomic(path, text.encode())
    return path


def render_report(
    ledger: Mapping[str, Any],
    figures: Sequence[Mapping[str, Any]] = (),
    not_established: str = "",
    summaries: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The report's text.

    Parameters
    ----------
    ledger : mapping
        As `read_ledger` returns it.
    figures : sequence of mapping
        name, title, studies, claims, data (a data URI).
    not_established : str
        See `write_report`.
    summaries : sequence of mapping
        Stored summaries of longer runs, as `read_summaries` returns them.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    environment.filters["spoken"] = _spoken
    environment.filters["sentence"] = _sentence
    environment.globals["code"] = code
    template = resources.files("unifiedscore.ledger").joinpath("report.html.j2").read_text(encoding="utf-8")
    # Unexpected verdicts first: they are what a reader has to act on. Then the regimes of one claim side by side.
    order = {claim: position for position, claim in enumerate(dict.fromkeys(v["claim"] for v in ledger["verdicts"]))}
    verdicts = sorted(ledger["verdicts"], key=lambda v: (as_expected(v), order[v["claim"]]))
    entries = [_entry(position, verdict, figures) for position, verdict in enumerate(verdicts)]
    return environment.from_string(template).render(
        ledger=ledger,
        stale=ledger.get("stale", []),
        entries=entries,
        outcomes=_tally(entries, "outcome", OUTCOMES),
        evidence=_tally(entries, "evidence", EVIDENCE),
        table=_table(entries),
        papers=_tally(({"paper": paper} for entry in entries for paper in entry["papers"]), "paper"),
        differing=[entry for entry in entries if not entry["as_expected"]],
        findings=[entry for entry in entries if entry["finding"]],
        refuted=[e for e in entries if e["outcome"] == "refuted" and e["expected"] == "refuted" and not e["finding"]],
        figures=figures,
        summaries=summaries,
        not_established=blocks(not_established),
    )


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


def _entry(position: int, verdict: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    entry = dict(verdict)
    entry["id"] = f"verdict-{position}"
    entry["as_expected"] = as_expected(verdict)
    entry["papers"] = papers_of(verdict["source"])
    entry["strip"] = interval_strip(verdict)
    entry["figures"] = [figure for figure in figures if verdict["claim"] in figure["claims"]]
    text = " ".join(str(verdict[name]) for name in ("claim", "regime", "study", "statement", "source", "reason"))
    entry["search"] = text.lower()
    return entry


def _tally(entries: Iterable[Mapping[str, Any]], key: str, order: Sequence[str] = ()) -> list[tuple[str, int]]:
    counts = Counter(entry[key] for entry in entries)
    names = [*order, *sorted(set(counts) - set(order), key=lambda name: (name in (DERIVED, OTHER), name.lower()))]
    return [(name, counts[name]) for name in names if counts[name] or name in OUTCOMES]


def _table(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """Counts by evidence (rows) and outcome (columns)."""
    counts = Counter((entry["evidence"], entry["outcome"]) for entry in entries)
    rows = [(kind, [counts[kind, outcome] for outcome in OUTCOMES]) for kind in EVIDENCE]
    return [row for row in rows if any(row[1])]


def _figures(results: Path, given: Mapping[str, Path] | None, ledger: Mapping[str, Any]) -> list[dict[str, Any]]:
    folder = results / "figures"
    entries: dict[str, dict[str, Any]] = {}
    index = folder / "index.json"
    if index.is_file():
        try:
            listed = json.loads(_read(index))
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
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FileError(
                f"{index} is no index of figures ({error}); draw them again: unifiedscore figures"
            ) from error
    if given is not None:
        unknown = {"title": "", "studies": [], "claims": []}
        entries = {
            name: {**unknown, **entries.get(name, {}), "name": name, "path": Path(p)} for name, p in given.items()
        }
    else:
        listed_paths = {entry["path"] for entry in entries.values()}
        for path in sorted(folder.glob("*.png")) if folder.is_dir() else ():
            if path not in listed_paths:
                entries[path.stem] = {"name": path.stem, "title": "", "studies": [], "claims": [], "path": path}
    shown = []
    for entry in entries.values():
        if foreign := disagreement(entry.get("runs", {}), ledger):
            note(f"figure {entry['name']} is left out of the report: {foreign}; judge and draw the same run")
            continue
        content = _read(entry["path"])
        if not content.startswith(PNG):
            raise FileError(f"{entry['path']} is no PNG file; draw it again: unifiedscore figures")
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


def _inside(folder: Path, name: str) -> Path:
    """A file directly in `folder`. A report is passed on: no index may make it carry other files of this machine."""
    if not isinstance(name, str) or name != Path(name).name or not name.endswith(".png"):
        raise ValueError(f"{name!r} is no file in {folder}")
    return folder / name


def _spoken(name: str) -> str:
    return "Monte Carlo" if name == "monte_carlo" else name.replace("_", " ")


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error


def code(text: str):
    """Text with `code` in backquotes marked up, everything escaped."""
    from markupsafe import Markup

    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("`".join(parts))
    return Markup("".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts)))

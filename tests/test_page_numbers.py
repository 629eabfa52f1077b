"""Every measured number of README and documentation names its claim or command, and is the one in the ledger.

The page says so in comments that no reader of the page sees, at the end of a paragraph, list item or table row:

    <!-- ledger: 0.155 = closed_form.noise_policy (fixed) estimate; set 0.5; data 0.59 -->
    <!-- standard: 5 = exp generators.equal_bandwidth_gap estimate -->
    <!-- command: unifiedscore verify studies/x.py -->

An entry is a printed number, with `%` or `/10000` after it where it is a share, and where it stands: claim, regime in
brackets, and `estimate`, `low`, `high` or `width` (half) of the interval, `region` (either end), `control`, `sharpness`
or `statement`; `count` and the beginning of a claim's id counts verdicts. `-`, `1 -`, `exp` before it say what is done
to the number. `set` lists numbers that were chosen, `data` those that only the data set holds. `standard` numbers are
compared with reference/ledger-standard.json once there is one.
"""

import json
import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "generated" not in p.parts)]
COMMENT = re.compile(r"<!-- (ledger|standard|command): (.*?) -->", re.DOTALL)
ENTRY = re.compile(r"(?P<printed>\S+)(?P<unit> %| /10000)? = (?P<change>(?:1 - |- |exp )*)"
                   r"(?P<claim>[\w.]+)(?: \((?P<regime>[^()]*)\))?(?: (?P<field>[\w.]+))?")  # fmt: skip
MEASURED = re.compile(r"(?<![\w.^])[-\N{MINUS SIGN}]?\d+(?:\.\d+|e-?\d+|(?= %)|\.\d+e-?\d+)")
COMMAND = re.compile(r"`(?:unifiedscore|pytest|python) [^`]*`")
# Not prose about results: code, targets of links, papers, versions.
APART = re.compile(r"```.*?```|\]\([^)]*\)|arXiv [\d.]+|Python \d\.\d+|torch>=[\d.]+", re.DOTALL)
CHANGES = {"1 - ": lambda value: 1 - value, "- ": lambda value: -value, "exp ": math.exp}
UNITS = {None: 1.0, " %": 100.0, " /10000": 1e4}


def blocks(text):
    """Paragraphs, list items and table rows, each with its comments and without code and links."""
    found, current = [], []
    for line in [*APART.sub("", text).splitlines(), ""]:
        if current and (not line.strip() or re.match(r"\s*[-*] |\||#", line)):
            found.append(" ".join(current))
            current = []
        current += [line.strip()] if line.strip() else []
    return found


def measured(block):
    """The numbers that a block prints: decimals, percentages, powers of ten; not those in code or comments."""
    return [
        number.replace("\N{MINUS SIGN}", "-") for number in MEASURED.findall(re.sub(r"<!--.*?-->|`[^`]*`", "", block))
    ]


def entries(block, kind):
    """The entries of the comments of one kind: numbers to compare, and those that were set or stand in data."""
    parts = [part.strip() for name, text in COMMENT.findall(block) if name == kind for part in text.split(";")]
    listed = {word: [n.strip() for part in parts if part.startswith(f"{word} ") for n in part[len(word):].split(",")]
              for word in ("set", "data")}  # fmt: skip
    return [part for part in parts if not part.startswith(("set ", "data "))], listed


def differs(entry, ledger):
    """Why an entry is not what the ledger holds; empty where it is, within the rounding of what is printed."""
    match = ENTRY.fullmatch(entry)
    if match is None:
        return f"{entry!r} is not 'number = claim (regime) field'"
    wanted, regime, unit = match["claim"], match["regime"] or "", UNITS[match["unit"]]
    verdicts = ledger["verdicts"]
    if wanted == "count":
        values = [sum(v["claim"].startswith(match["field"] or "") for v in verdicts)]
    else:
        key = wanted, regime
        chosen = [v for v in verdicts if (v["claim"], v["regime"]) == key and v["evidence"] != "symbolic"]
        if len(chosen) != 1:
            return f"{entry!r}: the ledger has {len(chosen)} such verdicts"
        values = numbers_of(chosen[0], match["field"])
    for change in reversed(re.findall(r"1 - |- |exp ", match["change"])):
        values = [CHANGES[change](value) for value in values]
    printed = match["printed"]
    mantissa, _, exponent = printed.partition("e")
    step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    close = any(abs(value * unit - float(printed)) <= 0.5 * step * (1 + 1e-9) for value in values)
    return "" if close else f"{entry!r}: the ledger has {', '.join(f'{value * unit:.6g}' for value in values)}"


def numbers_of(verdict, field):
    """The numbers that a field of a verdict holds."""
    interval, region = verdict["interval"], verdict["region"]
    if field == "statement":
        return [float(n) for n in re.findall(r"-?\d*\.?\d+(?:e-?\d+)?", verdict["statement"])]
    known = {"estimate": verdict["estimate"], "low": interval["low"], "high": interval["high"],
             "sharpness": verdict.get("sharpness"),
             "control": (verdict["control_detail"] or {}).get("estimate")}  # fmt: skip
    if field == "width":
        return [(interval["high"] - interval["low"]) / 2]
    values = list(region.values()) if field == "region" else [known[field]]
    return [value for value in values if value is not None]


def problems(text, ledger, standard, claims):
    """Every number without a source, and every one that is not what its source says."""
    found = []
    for block in blocks(text):
        listed = []
        for kind, source in (("ledger", ledger), ("standard", standard)):
            compared, others = entries(block, kind)
            listed += [entry.partition(" ")[0] for entry in compared] + others["set"] + others["data"]
            if others["data"] and not sourced(block, claims):
                found.append(f"no claim or command for {others['data']}: {block[:80]}")
            if source is not None:
                found += [wrong for entry in compared if (wrong := differs(entry, source))]
        missing = [number for number in measured(block) if number not in listed]
        if listed and missing:
            found.append(f"{missing} have no entry: {block[:80]}")
        elif missing and not sourced(block, claims):
            found.append(f"{missing} have no claim or command: {block[:80]}")
    return found


def sourced(block, claims):
    """Whether a block names a command or a claim; a table may leave out the family that its heading names."""
    names = {name.strip() for text in re.findall(r"`([^`]*)`", block) for name in text.split(",")}
    names |= {claim for claim, *_ in re.findall(r"= (?:[-\w]+ )*?([a-z]\w*\.\w+)", block)}
    known = claims | {claim.partition(".")[2] for claim in claims}
    return bool(COMMAND.search(block) or "<!-- command: " in block or names & known)


@pytest.fixture(scope="module")
def ledgers():
    read = lambda name: json.loads(path.read_text()) if (path := ROOT / "reference" / name).is_file() else None  # noqa: E731
    return read("ledger.json"), read("ledger-standard.json")


def claims_of(ledger):
    return {entry["claim"] for part in ("verdicts", "not_run") for entry in ledger[part]}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_number_of_a_page_is_the_one_in_the_ledger(path, ledgers):
    found = problems(path.read_text(encoding="utf-8"), *ledgers, claims_of(ledgers[0]))
    assert not found, "\n".join(found)


def test_as_many_numbers_are_compared_as_ever():
    """Moving a sentence to another page must not lose its check."""
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    assert sum(len(entries(block, "ledger")[0]) for text in texts for block in blocks(text)) >= 46


def test_readme_is_short():
    text = re.sub(r"<!--.*?-->", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(text.split()) <= 700


CASES = [
    ("Mass 0.16 <!-- ledger: 0.16 = a.b (r) estimate -->", ""),
    ("Mass 0.15 <!-- ledger: 0.15 = a.b (r) estimate -->", "the ledger has 0.1555"),
    ("Mass 0.16 and 0.3 <!-- ledger: 0.16 = a.b (r) estimate -->", "0.3"),
    ("Mass 0.16 at 0.3 <!-- ledger: 0.16 = a.b (r) estimate; set 0.3 -->", ""),
    ("Mass 16 % <!-- ledger: 16 % = a.b (r) estimate -->", ""),
    ("Less 84 % <!-- ledger: 84 % = 1 - a.b (r) estimate -->", ""),
    ("Less -0.16 <!-- ledger: -0.16 = a.b (r) estimate -->", "the ledger has 0.1555"),
    ("Off by 0.02 <!-- ledger: 0.02 = a.b (r) width -->", ""),
    ("At most 1.5 <!-- ledger: 1.5 = a.b (r) region -->", ""),
    ("Mass 0.16", "no claim or command"),
    ("Mass 0.16, `a.b`", ""),
    ("Mass 0.16 <!-- command: unifiedscore verify -->", ""),
    ("Mass 0.16 <!-- ledger: 0.16 = a.b (other) estimate -->", "0 such verdicts"),
    ("Mass 0.9 <!-- standard: 0.9 = a.b (r) estimate -->", ""),
    ("Two of 1 <!-- ledger: 1 = count a. -->", ""),
    ("Two of 2 <!-- ledger: 2 = count a. -->", "the ledger has 1"),
]


@pytest.mark.parametrize(("text", "problem"), CASES)
def test_what_is_found(text, problem):
    verdict = {"claim": "a.b", "regime": "r", "evidence": "exact", "estimate": 0.1555, "statement": "Of .75.",
               "interval": {"low": 0.13, "high": 0.17}, "region": {"low": None, "high": 1.5},
               "control_detail": None}  # fmt: skip
    found = problems(text, {"verdicts": [verdict], "not_run": []}, None, {"a.b"})
    assert (problem in "\n".join(found)) if problem else not found


def test_standard_numbers_are_compared_once_there_is_a_ledger_of_them():
    verdict = {"claim": "a.b", "regime": "", "evidence": "exact", "estimate": 2.0, "statement": "",
               "interval": {"low": 1.0, "high": 3.0}, "region": {}, "control_detail": None}  # fmt: skip
    ledger, text = {"verdicts": [], "not_run": []}, "It is 7.4 <!-- standard: 7.4 = exp a.b estimate -->"
    assert problems(text, ledger, None, set()) == []
    assert problems(text, ledger, {"verdicts": [verdict]}, set()) == []
    assert problems(text.replace("7.4", "7.5"), ledger, {"verdicts": [verdict]}, set())

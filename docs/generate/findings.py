"""What was found, one page per family, from the ledger: no number of these pages is written by hand."""

from collections import Counter

from generate import gallery, text
from generate.pictures import ROOT, results
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.export import escape_markdown
from unifiedscore.ledger.summary import Summary
from unifiedscore.ledger.words import count, spoken
from unifiedscore.study.discover import discover

PROVED = "derivations"  # what the ledger calls the study of a proof
FAMILIES = {
    "drift": ("drift", "generators"),
    "closed_form": ("closed_form",),
    "moment_matched": ("moment_matched",),
    "tilting": ("tilting",),
    "learned": ("learned",),
    "universal": ("universal",),
    "calibration": ("calibration",),
}


def pages():
    """The part of each family's page that comes from the ledger."""
    ledger = Ledger.read(results() or ROOT / "reference")
    titles = {found.study.name: found.study.title for found in discover([ROOT / "studies"], kinds=("studies",)).studies}
    return {f"parts/findings_{family}.md": page(family, ledger, titles) for family in FAMILIES}


def page(family, ledger, titles):
    """Verdicts by study, what waits for longer runs, and what is not established."""
    mine = {}
    for verdict in ledger.verdicts:
        if family_of(verdict.claim) == family:
            mine.setdefault(verdict.claim, []).append(verdict)
    figures = [figure for figure in gallery.figures() if figure.family == family and figure.picture]
    parts = [head([verdict for verdicts in mine.values() for verdict in verdicts]), glance(mine)]
    homes = {claim: home(verdicts) for claim, verdicts in mine.items()}
    for study in sorted(dict.fromkeys(homes.values()), key=lambda name: name == PROVED):
        parts.append(f"## {'Proved' if study == PROVED else escape_markdown(titles[study])}")
        for figure in [figure for figure in figures if study in figure.studies]:
            parts.append(f"[![{figure.title}](/generated/figures/{figure.picture.name})](#figure-{figure.name})")
            figures.remove(figure)
        parts += [section(claim, verdicts) for claim, verdicts in mine.items() if homes[claim] == study]
    parts += longer(family) + waiting([entry for entry in ledger.not_run if family_of(entry.claim) == family])
    path = ROOT / "studies" / family / "not_established.md"
    if path.is_file():
        parts.append(f"## What is not established\n\n{path.read_text(encoding='utf-8')}")
    return "\n\n".join(parts) + "\n"


def home(verdicts):
    """The study under which a claim stands: that of its first verdict which is not a proof."""
    return next((verdict.study for verdict in verdicts if verdict.study != PROVED), PROVED)


def family_of(claim):
    """The page on which a claim stands."""
    prefix = claim.partition(".")[0]
    return next((family for family, prefixes in FAMILIES.items() if prefix in prefixes), None)


def head(verdicts):
    """How many verdicts there are, of what outcome and on what evidence."""
    outcomes = Counter(spoken(verdict.outcome) for verdict in verdicts)
    kinds = Counter(spoken(verdict.evidence) for verdict in verdicts)
    return (f"{count(len(verdicts), 'verdict')}: {', '.join(f'{n} {word}' for word, n in outcomes.items())}. "
            f"Evidence: {', '.join(f'{n} {word}' for word, n in kinds.items())}.")  # fmt: skip


def glance(claims):
    """Every claim in one line."""
    rows = []
    for claim, verdicts in claims.items():
        first = {verdict.outcome: verdict for verdict in verdicts}
        counts = Counter(verdict.outcome for verdict in verdicts)
        words = (f"{counts[name] if len(verdicts) > 1 else ''} {text.outcome(v)}".strip() for name, v in first.items())
        rows.append(text.row(f"[`{claim}`](#claim-{claim})", ", ".join(words)))
    return text.table(("claim", "verdicts"), rows)


def section(name, verdicts):
    """One claim: its sentence, and a row for each regime."""
    first = verdicts[0]
    one = len({verdict.statement for verdict in verdicts}) == 1
    lines = [f"(claim-{name})=", f"### {escape_markdown(name)}", ""]
    lines += [escape_markdown(first.statement), ""] if one else []
    rows = []
    for v in verdicts:
        regime = escape_markdown(v.regime)
        what = regime if one else f"{f'**{regime}**: ' if regime else ''}{escape_markdown(v.statement)}"
        rows.append((what, text.outcome(v), text.evidence(v), text.measured(v), text.region(v), text.control(v)))
    titles = ("regime" if one else "regime and statement", "verdict", "evidence", "measured", "region", "control")
    used = [i for i in range(len(titles)) if any(cells[i] for cells in rows)]
    lines.append(text.table([titles[i] for i in used], [text.row(*(cells[i] for i in used)) for cells in rows]))
    findings = dict.fromkeys(v.finding for v in verdicts if v.finding)
    lines += ["", *(f"Changed after a run: {escape_markdown(finding)}\n" for finding in findings)]
    sources = "; ".join(dict.fromkeys(escape_markdown(v.source) for v in verdicts))
    lines += [f"Source: {sources}. Run it: `unifiedscore verify --claim {name}`"]
    return "\n".join(lines)


def longer(family):
    """Verdicts of stored longer runs."""
    parts = []
    for path in sorted((ROOT / "reference").glob("*.summary.json")):
        summary = Summary.read(path)
        chosen = [verdict for verdict in summary.verdicts if family_of(verdict.claim) == family]
        if chosen:
            rows = [
                text.row(f"`{v.name}`", escape_markdown(v.statement), text.outcome(v), text.measured(v)) for v in chosen
            ]
            told = f"Stored on {summary.date}, profile {summary.profile}: `{summary.command}`"
            table = text.table(("claim", "statement", "verdict", "measured"), rows)
            parts.append(f"## A longer run: {escape_markdown(summary.title)}\n\n{told}\n\n{table}")
    return parts


def waiting(entries):
    """What was not run, by claim."""
    if not entries:
        return []
    counts = Counter((entry.claim, entry.profile) for entry in entries)
    rows = [text.row(f"`{name}`", profile, str(n)) for (name, profile), n in counts.items()]
    told = (
        "These claims need more time than the quick profile has: `unifiedscore verify --claim ID --profile standard`."
    )
    return [f"## Not judged in this run\n\n{told}\n\n" + text.table(("claim", "profile", "regimes"), rows)]

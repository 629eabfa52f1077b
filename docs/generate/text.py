"""How the generated pages write a verdict."""

import math

from unifiedscore.ledger.export import escape_markdown
from unifiedscore.ledger.words import basis, between, printed, spoken


def outcome(verdict):
    """The outcome as a coloured word; what differs from the expectation says so."""
    word = spoken(verdict.outcome)
    if verdict.outcome != verdict.expected:
        word += f", expected {spoken(verdict.expected)}"
    return f"[{word}]{{.outcome .{verdict.outcome.replace('_', '-')}}}"


def measured(verdict):
    """The estimate and its interval, or what stands for them where a proof or a search has none."""
    if verdict.evidence == "symbolic":
        return "proved with SymPy"
    if math.isnan(verdict.estimate):
        return "nothing measured"
    number = printed(verdict.estimate)
    ends = between(verdict.interval, printed)
    level = verdict.interval.get("level")
    kept = level is not None and not math.isnan(level)
    return f"{number} {escape_markdown(ends)}".strip() + (f", {100 * level:.4g} %" if kept else "")


def evidence(verdict):
    """What the verdict rests on."""
    if verdict.search is not None:
        return f"{verdict.search['evaluations']} evaluations"
    return basis(verdict)


def region(verdict):
    """What the claim accepts."""
    return escape_markdown(between(verdict.region, printed)) if verdict.evidence != "symbolic" else ""


def control(verdict):
    """What was made wrong, and what came of it."""
    if not verdict.control_outcome:
        return "none needed"
    mutation = (verdict.control_detail or {}).get("mutation", "")
    return f"{escape_markdown(mutation)}: {spoken(verdict.control_outcome)}".removeprefix(": ")


def row(*cells):
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def table(head, rows):
    """A table that scrolls by itself where the page is narrow."""
    return "\n".join([":::{div} wide", row(*head), "|---" * len(head) + "|", *rows, ":::"])

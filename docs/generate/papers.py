"""Paper by paper: what each states, what was measured here, and the verdict."""

import re

from generate import text
from generate.findings import family_of
from generate.pictures import ROOT, results
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.export import escape_markdown
from unifiedscore.ledger.words import count

# The four papers that the studies start from; everything else is a follow-up or related work.
FOUR = {
    "2603.07514": "Drifting models and score matching",
    "2310.12395": "Closed-form diffusion models",
    "2605.14276": "Moment-matched score smoothing",
    "2605.00229": "Fine-tuning and sampling, unified",
}
NUMBER = re.compile(r"(?<![\d.])(\d{4}\.\d{5})(?!\d)")
AUTHORS = re.compile(r"((?:[A-Z][\w\-']+,? )+(?:et al\. |and [A-Z]\w+ )?\d{4}), arXiv (\d{4}\.\d{4,5})")


def pages():
    """The part of the page that comes from the ledger."""
    verdicts = Ledger.read(results() or ROOT / "reference").verdicts
    by_paper = {number: [] for number in FOUR}
    for verdict in verdicts:
        for number in dict.fromkeys(NUMBER.findall(verdict.source)):
            by_paper.setdefault(number, []).append(verdict)
    names = {number: who for v in verdicts for who, number in AUTHORS.findall(v.source)}
    others = sorted(number for number in by_paper if number not in FOUR)
    parts = [paper(number, FOUR[number], by_paper[number]) for number in FOUR]
    parts += [paper(number, names.get(number, ""), by_paper[number]) for number in others]
    return {"parts/papers.md": "\n\n".join(parts) + "\n"}


def paper(number, name, verdicts):
    """A paper and the claims whose source names it."""
    head = f"## {escape_markdown(name) or f'arXiv {number}'}"
    told = f"[arXiv {number}](https://arxiv.org/abs/{number}): {count(len(verdicts), 'verdict')}."
    rows = [
        text.row(
            f"[`{v.claim}`](#claim-{v.claim})" + (f" {escape_markdown(v.regime)}" if v.regime else ""),
            escape_markdown(v.statement),
            escape_markdown(v.source),
            text.region(v),
            text.measured(v),
            text.outcome(v),
        )
        for v in verdicts
        if family_of(v.claim)
    ]
    head_row = ("claim", "statement", "where it comes from", "accepted", "measured here", "verdict")
    return "\n\n".join([head, told, text.table(head_row, rows)])

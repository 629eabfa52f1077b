"""The ledger as a table for a paper or a page: LaTeX (booktabs, longtable) and Markdown, one row a verdict."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable

from unifiedscore.errors import UnknownNameError
from unifiedscore.inference import Verdict
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.terminal import totals
from unifiedscore.ledger.words import basis, between, digits, spoken

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\le$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\ge$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{INFINITY}": r"$\infty$",
    "\N{RIGHTWARDS ARROW}": r"$\to$",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
}
# What has a meaning within a line, mentions and links included; marks of a line's beginning are harmless in a cell.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|$~&#@]|:(?=\S))")
SURVIVED = (
    "Survived (evaluations): attacked by a search and not refuted, which is not proof; the estimate is the sharpness."
)
_HEAD = ("Claim", "Evidence", "Outcome", "Estimate", "Region", "Control")


def export_ledger(ledger: Ledger, form: str) -> str:
    """Return the verdicts of a ledger as text, grouped by study.

    Parameters
    ----------
    ledger : Ledger
    form : {"markdown", "latex"}
        The LaTeX needs `\\usepackage{array,booktabs,longtable,textcomp}` and T1 fonts; it has no preamble of its own.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        There is no such format.

    Examples
    --------
    >>> export_ledger(Ledger(profile="quick", root_seed=0), "markdown").splitlines()[0]
    '# Verdicts'
    """
    forms: dict[str, Callable[[Ledger], str]] = {"markdown": _markdown, "latex": _latex}
    if form not in forms:
        raise UnknownNameError("format", form, forms)
    return forms[form](ledger)


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it stands; what its fonts lack is spelled out.

    Examples
    --------
    >>> escape_latex("50 % of E[x_i^2] & more")
    '50 \\\\% of E[x\\\\_i\\\\textasciicircum{}2] \\\\& more'
    """
    escaped = "".join(_TEX.get(letter) or _in_tex(letter) for letter in _one_line(text))
    return re.sub("(?<=-)-", "{}-", escaped)  # two hyphens in a row would be printed as a dash


def escape_markdown(text: str) -> str:
    """Text that Markdown prints as it stands, also inside a table.

    Examples
    --------
    >>> escape_markdown("|a_i| * b")
    '\\\\|a\\\\_i\\\\| \\\\* b'
    """
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def _in_tex(letter: str) -> str:
    if letter.isascii() or "\N{LATIN CAPITAL LETTER A WITH GRAVE}" <= letter <= "\N{LATIN SMALL LETTER Z WITH CARON}":
        return letter
    name = unicodedata.name(letter, "")
    if match := re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", name):
        spelled = match[2].lower().replace("lamda", "lambda")
        if match[1] == "SMALL" or spelled in "gamma delta theta lambda xi pi sigma upsilon phi psi omega".split():
            return rf"$\{spelled if match[1] == 'SMALL' else spelled.capitalize()}$" if spelled != "omicron" else "o"
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii())
    return "".join(_TEX.get(part, part) for part in plain) or f"[U+{ord(letter):04X}]"


def _attacked(ledger: Ledger) -> bool:
    return any(verdict.search is not None for verdict in ledger.verdicts)


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _studies(ledger: Ledger) -> dict[str, list[Verdict]]:
    studies: dict[str, list[Verdict]] = {}
    for verdict in ledger.verdicts:
        studies.setdefault(verdict.study, []).append(verdict)
    return studies


def _provenance(ledger: Ledger) -> str:
    run = f"Profile {ledger.profile}, root seed {ledger.root_seed}, unifiedscore {ledger.package_version}."
    return f"{run} {totals(ledger)[:1].upper()}{totals(ledger)[1:]}"


def _words(verdict: Verdict) -> tuple[str, str, str]:
    """Evidence, outcome and control; what differs from the expectation says so."""
    outcome = spoken(verdict.outcome)
    if verdict.search is not None:
        outcome += f" ({verdict.search['evaluations']:,})".replace(",", " ")
    if not verdict.as_expected:
        outcome += f" (expected {spoken(verdict.expected)})"
    control = spoken(verdict.control_outcome or "none")
    if verdict.control_outcome and verdict.control_kind:
        control += f" ({verdict.control_kind})"
    return basis(verdict), outcome, control


def _quantity(verdict: Verdict, number: Callable[[float], str]) -> tuple[str, str]:
    """Estimate with its interval, and region with the sharpness of an inequality; `number` writes a number."""
    known = not math.isnan(verdict.estimate)
    estimate = f"{number(verdict.estimate)} {between(verdict.interval, number)}".strip() if known else ""
    region = between(verdict.region, number)
    if verdict.sharpness is not None:
        region += f"; {number(verdict.sharpness)} of its bound"
    return estimate, region


def _markdown(ledger: Ledger) -> str:
    lines = ["# Verdicts", "", escape_markdown(_provenance(ledger))]
    for study, verdicts in _studies(ledger).items():
        lines += ["", f"## {escape_markdown(study)}", "", f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
        for verdict in verdicts:
            regime = f" ({escape_markdown(verdict.regime)})" if verdict.regime else ""
            claim = f"**{escape_markdown(verdict.claim)}**{regime}: {escape_markdown(verdict.statement)}"
            evidence, outcome, control = map(escape_markdown, _words(verdict))
            numbers = (escape_markdown(part) for part in _quantity(verdict, digits))
            lines.append(f"| {' | '.join((claim, evidence, outcome, *numbers, control))} |")
    lines += ["", SURVIVED] if _attacked(ledger) else []
    return "\n".join(lines) + "\n"


def _latex(ledger: Ledger) -> str:
    columns = r">{\raggedright\arraybackslash}p{0.42\linewidth}l>{\raggedright\arraybackslash}p{0.13\linewidth}lll"
    lines = [
        r"% \usepackage[T1]{fontenc}",
        r"% \usepackage{array,booktabs,longtable,textcomp}",
        r"\begingroup\footnotesize",
        rf"\begin{{longtable}}{{{columns}}}",
        rf"\caption{{{escape_latex(_provenance(ledger))}}}\\",
        r"\toprule",
        " & ".join(_HEAD) + r" \\",
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
    ]
    for position, (study, verdicts) in enumerate(_studies(ledger).items()):
        lines += [r"\midrule"] if position else []
        lines.append(rf"\multicolumn{{{len(_HEAD)}}}{{l}}{{\textbf{{{escape_latex(study)}}}}} \\*")
        for verdict in verdicts:
            name = re.sub(r"(\.|\\_)", r"\1\\allowbreak{}", escape_latex(verdict.claim))
            regime = f" ({escape_latex(verdict.regime)})" if verdict.regime else ""
            claim = rf"\texttt{{{name}}}{regime}: {escape_latex(verdict.statement)}"
            evidence, outcome, control = map(escape_latex, _words(verdict))
            estimate, region = _quantity(verdict, _tex_number)
            lines.append(" & ".join((claim, evidence, outcome, estimate, region, control)) + r" \\")
    note = [rf"\multicolumn{{{len(_HEAD)}}}{{l}}{{{escape_latex(SURVIVED)}}} \\"] if _attacked(ledger) else []
    return "\n".join([*lines, *note, r"\end{longtable}", r"\endgroup"]) + "\n"


def _tex_number(value: float) -> str:
    mantissa, _, exponent = digits(value).replace("inf", r"\infty").partition("e")
    return f"${mantissa}$" if not exponent else rf"${mantissa}\times10^{{{int(exponent)}}}$"

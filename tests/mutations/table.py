"""The scores as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.mutations.campaign import MODES, Result
from tests.mutations.mutation import Mutation


def table(found: Mapping[tuple[str, str], Result], listed: Sequence[Mutation]) -> str:
    """Markdown: noticed of tried per package and in all, and every mutation that survived."""
    packages = sorted({mutation.package for mutation in listed}, key=lambda name: (not _numerical(listed, name), name))
    rows = [(name, [mutation for mutation in listed if mutation.package == name]) for name in packages]
    rows += [
        ("**numerical packages**", [mutation for mutation in listed if mutation.numerical]),
        ("**the others**", [mutation for mutation in listed if not mutation.numerical]),
        ("**all**", list(listed)),
    ]
    lines = ["| package | mutations | noticed by `verify` | noticed by the tests |", "|---|---:|---:|---:|"]
    for name, of in rows:
        lines.append(f"| {name} | {len(of)} | {_score(found, of, 'verify')} | {_score(found, of, 'tests')} |")
    for mode in MODES:
        tried = [found[mutation.name, mode] for mutation in listed if (mutation.name, mode) in found]
        survived = [result for result in tried if not result.noticed]
        lines += [
            "",
            f"Not noticed by {'`verify`' if mode == 'verify' else 'the tests'} ({len(survived)} of {len(tried)}):",
            "",
        ]
        lines += [
            f"- {result.name}{'' if result.whole else ' (only the files that should notice were run)'}"
            for result in survived
        ]
    return "\n".join(lines) + "\n"


def _numerical(listed: Sequence[Mutation], package: str) -> bool:
    return any(mutation.numerical for mutation in listed if mutation.package == package)


def _score(found: Mapping[tuple[str, str], Result], of: Sequence[Mutation], mode: str) -> str:
    tried = [found[mutation.name, mode] for mutation in of if (mutation.name, mode) in found]
    if not tried:
        return "not run"
    noticed = sum(result.noticed for result in tried)
    return f"{noticed} of {len(tried)} ({100 * noticed / len(tried):.0f} %)"

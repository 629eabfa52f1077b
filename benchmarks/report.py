"""The speed report: every row in one Markdown table and in one figure, and what it was measured on."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from comparison import HEAD, Row

from unifiedscore.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, caption, new_figure, style, tidy
from unifiedscore.study.dataset import git_state
from unifiedscore.study.pool import available_cores

PACKAGES = ("numpy", "numba", "scipy", "torch", "jax", "pykeops")
COLOURS = {"peer": BLUE, "own": GREEN, "limit": ORANGE}
KINDS = {"peer": "another program", "own": "another way through this package", "limit": "a number to stay below"}


def measured_on(threads: int) -> dict[str, str]:
    """What a reader must know about the machine: processor, cores, libraries, load, commit."""
    commit, dirty = git_state(Path(__file__).parent)
    return {
        "processor": f"{processor()}, {available_cores()} of {os.cpu_count()} cores, threads on both sides: {threads}",
        "BLAS": blas(),
        "packages": ", ".join([f"python {platform.python_version()}", *(f"{p} {version(p)}" for p in PACKAGES)]),
        "load when started": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "commit": commit[:12] + (" with changes" if dirty == "true" else ""),
        "date": datetime.now(UTC).date().isoformat(),
    }


def processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    # Virtual machines often hide the model's name; family and model number still tell which one it is.
    number = f" (family {facts['cpu family']}, model {facts['model']})" if {"cpu family", "model"} <= set(facts) else ""
    return facts.get("model name", platform.processor() or platform.machine()) + number


def blas() -> str:
    """NumPy's BLAS with its version and the kernels it chose."""
    from threadpoolctl import threadpool_info

    found = [f"{i['internal_api']} {i['version']} ({i.get('architecture', '?')})" for i in threadpool_info()
             if i["user_api"] == "blas"]  # fmt: skip
    return ", ".join(dict.fromkeys(found)) or "unknown"


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def markdown(rows: Sequence[Row], facts: Mapping[str, str], failures: Sequence[str] = ()) -> str:
    """The whole table, with what stands above and below it."""
    lines = [
        "# Speed",
        "",
        "Both sides of a row take turns in one process, after a warm-up in which their results are compared. `ratio`",
        "is the median of ours over the median of the peer's: below 1 is faster. `quartiles` are those of the ratios",
        "of neighbouring runs. Written by `python benchmarks/run.py`.",
        "",
        *(f"- {name}: {fact}" for name, fact in facts.items()),
        "",
        f"{summary(rows)}.",
        "",
        "![Ratios with their spread](speed.png)",
        "",
        *HEAD,
        *(row.markdown() for row in rows),
    ]
    if failures:
        lines += ["", "Not finished:", "", *(f"- {failure}" for failure in failures)]
    return "\n".join(lines) + "\n"


def figure(rows: Sequence[Row], facts: Mapping[str, str]):
    """A row each: every paired ratio as a faint dot, the quartiles as a bar, the ratio of the medians as a marker."""
    groups = list(dict.fromkeys(row.benchmark for row in rows))
    with style():
        drawn = new_figure(10.5, 1.6 + 0.235 * len(rows) + 0.3 * len(groups))
        heights = [sum(row.benchmark == group for row in rows) + 0.8 for group in groups]
        axes = drawn.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for ax, group in zip(axes, groups, strict=True):
            _panel(ax, [row for row in rows if row.benchmark == group])
            ax.set_title(group)
        axes[-1].set_xlabel("time of ours over the peer's (log scale)")
        for kind in dict.fromkeys(row.kind for row in rows):
            axes[0].plot([], [], _marker(kind), color=COLOURS[kind], mfc=_fill(kind), label=f"against {KINDS[kind]}")
        drawn.legend(loc="outside upper center", ncols=3)
        where = "; ".join(facts[name] for name in ("processor", "BLAS", "packages") if name in facts)
        caption(
            drawn,
            "Left of the line at 1 is faster than the peer. Marker: ratio of medians; bar: quartiles of the ratios of "
            f"neighbouring runs; dots: each of them; grey tick: target where it is not 1. {where}.",
        )
    return drawn


def _panel(ax, rows: Sequence[Row]) -> None:
    ax.axvline(1, color=INK, linewidth=1)
    for height, row in enumerate(rows):
        if not row.ratios:
            ax.text(1.08, height, row.missing, va="center", fontsize=8, color=GREY, style="italic")
            continue
        colour = COLOURS[row.kind]
        ax.plot(row.ratios, [height] * len(row.ratios), ".", color=colour, alpha=0.3, markersize=4, mew=0)
        ax.plot(row.quartiles, [height, height], "-", color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt")
        if row.target not in (None, 1):
            ax.plot(row.target, height, "|", color=GREY, markersize=9)
        ax.plot(row.ratio, height, _marker(row.kind), color=colour, mfc=_fill(row.kind), markersize=5.5)
    ax.set_xscale("log")
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [f"{row.what}  /  {row.peer}" for row in rows])
    tidy(ax, grid="x")
    ax.tick_params(axis="y", length=0, labelsize=8)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _marker(kind: str) -> str:
    return {"peer": "o", "own": "s", "limit": "D"}[kind]


def _fill(kind: str) -> str:
    return "white" if kind == "limit" else COLOURS[kind]


def summary(rows: Sequence[Row]) -> str:
    """How many rows, how many against other programs, how many faster, what is missing."""
    peers = [row for row in rows if row.kind == "peer" and row.ratios]
    faster = sum(row.ratio < 1 for row in peers)
    middle = f", median ratio {statistics.median(row.ratio for row in peers):.2f}" if peers else ""
    missing = sum(bool(row.missing) for row in rows)
    missed = sum(row.missed for row in rows)
    return (
        f"{len(rows)} rows; {len(peers)} against other programs, {faster} of them faster here{middle}; "
        f"{missing} peers not installed; {missed} targets missed"
    )

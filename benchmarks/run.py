"""The speed report: every benchmark beside its peers, in one table and one figure.

    python benchmarks/run.py [NAME ...] [--quick] [--out reference]

Each `bench_*.py` runs in a process of its own, one after the other, so that the peak memory, the threads and the
settings of one cannot touch the next, and one that fails or runs too long costs only its remaining rows. Writes
`speed.md` and `speed.png`. Exit code 1 if a benchmark did not finish. Peers come with the extra `bench`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from comparison import Row, options_parser, read_rows

HERE = Path(__file__).resolve().parent
# What is measured on a device, and what grows to a million points, have tables of their own.
ON_THEIR_OWN = ("gpu", "scaling")
ROOT = HERE.parent


def main(arguments: list[str] | None = None) -> int:
    options = read_options(arguments)
    from report import figure, markdown, measured_on, summary

    facts = measured_on(options.threads)
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as folder:
        for path in options.benchmarks:
            found, failure = measure(path, Path(folder) / f"{path.stem}.json", options)
            rows += found
            failures += [failure] if failure else []
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "speed.md").write_text(markdown(rows, facts, failures), encoding="utf-8")
    print("\n" + summary(rows))
    written = [options.out / "speed.md"]
    if rows:
        written.append(options.out / "speed.png")
        figure(rows, facts).savefig(written[-1], dpi=150)
    print(*failures, *written, sep="\n")
    return 1 if failures else 0


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    paths = sorted({*HERE.glob("bench_*.py")} - {HERE / f"bench_{name}.py" for name in ON_THEIR_OWN})
    found = {path.stem.removeprefix("bench_"): path for path in paths}
    parser = options_parser(__doc__)
    parser.add_argument("name", nargs="*", help=f"which benchmarks; default: all of {', '.join(found)}")
    parser.add_argument("--out", type=Path, default=ROOT / "reference", help="folder of speed.md and speed.png")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds after which a benchmark is given up")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.name if name not in found]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(found)}")
    options.benchmarks = [found[name] for name in options.name or found]
    return options


def measure(path: Path, file: Path, options: argparse.Namespace) -> tuple[list[Row], str]:
    """The rows of one benchmark, and why there are not more of them (empty if there are all)."""
    command = [sys.executable, str(path), "--json", str(file), "--threads", str(options.threads)]
    command += ["--repeats", str(options.repeats), "--seconds", str(options.seconds)]
    command += ["--quick"] if options.quick else []
    print(f"\n{path.name}", flush=True)
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=options.timeout)
    except subprocess.TimeoutExpired:
        return read_rows(file), f"{path.name}: given up after {options.timeout:g} s"
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return read_rows(file), f"{path.name}: {last}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())

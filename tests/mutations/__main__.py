"""`python -m tests.mutations --verify | --tests | --table`, from the root of the project."""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

from tests.mutations.campaign import MODES, Copy, Known, attempt, key_of, places, planted_of
from tests.mutations.mutation import ROOT, Mutation, in_random_order, mutations
from tests.mutations.table import page


def failing_without(copy: Copy, known: Known, chosen, mode: str, *, whole: bool) -> tuple[str, ...]:
    """What fails without a mistake, and so could notice none."""
    first = tuple(sorted({path for mutation in chosen for path in places(mutation, mode)}))
    key = key_of(copy.folder, None, mode, whole=whole, first=first)
    if (plain := known.get(key)) is None:
        known.put(key, plain := attempt(copy, None, mode, first, whole=whole))
    return plain.by


def _is_current(known: Known, mutation: Mutation, mode: str) -> bool:
    """Whether a mutation was tried in the present state of the project."""
    first = places(mutation, mode)
    keys = (key_of(ROOT, mutation, mode, whole=whole, first=first) for whole in (True, False))
    return any(known.get(key) is not None for key in keys)


def main() -> int:
    """Run what is asked for; 0 if every mutation tried was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--verify", action="store_true", help="see whether a verdict changes")
    parser.add_argument("--tests", action="store_true", help="see whether a test fails")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the scores as Markdown")
    parser.add_argument("--only", default="", help="mutations whose name holds this text")
    parser.add_argument("--first", action="store_true", help="run the files that should notice, and nothing else")
    parser.add_argument(
        "--sample", type=int, metavar="SEED", help="in a random order, in which any beginning is a sample"
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other mutation after this time")
    parser.add_argument("--unchecked", action="store_true", help="take it that all passes without a mistake")
    parser.add_argument("--out", type=Path, default=ROOT / "results/mutations.jsonl", help="where results are kept")
    options = parser.parse_args()
    chosen = [mutation for mutation in mutations() if options.only in mutation.name]
    if options.sample is not None:
        chosen = in_random_order(chosen, options.sample)
    known, survived, begun = Known(options.out), 0, time.monotonic()
    modes = [mode for mode in MODES if getattr(options, mode)]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Copy(Path(folder) / "project") if modes else None
        for mode in modes:
            if not options.unchecked and (
                failing := failing_without(copy, known, chosen, mode, whole=not options.first)
            ):
                print(f"[{mode}] the project as it is does not pass: {', '.join(failing)}", flush=True)
                return 2
            for number, mutation in enumerate(chosen, 1):
                if time.monotonic() - begun > 60 * options.minutes:
                    break
                first = places(mutation, mode)
                key = key_of(copy.folder, mutation, mode, whole=not options.first, first=first)
                result = known.get(key)
                if result is None:
                    result = attempt(copy, mutation, mode, first, whole=not options.first)
                    known.put(key, result)
                survived += not result.noticed
                what = f"noticed by {', '.join(result.by)[:110]}" if result.noticed else "SURVIVED"
                print(f"[{mode} {number}/{len(chosen)}] {mutation.name}: {what}", flush=True)
    if options.table:
        found = {(m.name, mode): known.last(planted_of(m, mode)) for m in chosen for mode in MODES}
        found = {place: result for place, result in found.items() if result is not None}
        current = sum(_is_current(known, mutation, mode) for mutation in chosen for mode in MODES)
        options.table.write_text(page(found, chosen, earlier=len(found) - current, seed=options.sample))
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())

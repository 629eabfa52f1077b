"""`python -m tests.mutations --verify | --tests | --table`, from the root of the project."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.mutations.campaign import MODES, Copy, Known, attempt, key_of, places
from tests.mutations.mutation import ROOT, mutations
from tests.mutations.table import table


def main() -> int:
    """Run what is asked for; 0 if every mutation tried was noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--verify", action="store_true", help="see whether a verdict changes")
    parser.add_argument("--tests", action="store_true", help="see whether a test fails")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the scores as Markdown")
    parser.add_argument("--only", default="", help="mutations whose name holds this text")
    parser.add_argument("--first", action="store_true", help="run the files that should notice, and nothing else")
    parser.add_argument("--out", type=Path, default=ROOT / "results/mutations.jsonl", help="where results are kept")
    options = parser.parse_args()
    chosen = [mutation for mutation in mutations() if options.only in mutation.name]
    known, survived, found = Known(options.out), 0, {}
    modes = [mode for mode in MODES if getattr(options, mode)]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Copy(Path(folder) / "project") if modes else None
        for mode in modes:
            # What fails without a mistake notices none.
            first = tuple(sorted({path for mutation in chosen for path in places(mutation, mode)}))
            key = key_of(copy.folder, None, mode, whole=not options.first, first=first)
            if (plain := known.get(key)) is None:
                known.put(key, plain := attempt(copy, None, mode, first, whole=not options.first))
            if plain.noticed:
                print(f"[{mode}] the project as it is does not pass: {', '.join(plain.by)}", flush=True)
                return 2
            for number, mutation in enumerate(chosen, 1):
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
        for mutation in chosen:
            for mode in MODES:
                for whole in (True, False):
                    result = known.get(key_of(ROOT, mutation, mode, whole=whole, first=places(mutation, mode)))
                    if result is not None and (mutation.name, mode) not in found:
                        found[mutation.name, mode] = result
        options.table.write_text(table(found, chosen))
    return int(survived > 0)


if __name__ == "__main__":
    raise SystemExit(main())

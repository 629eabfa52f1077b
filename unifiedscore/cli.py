"""The command line: verify and its parts, and diagnose. Everything heavy is imported inside the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from unifiedscore.errors import InputError, MissingDependencyError, UnifiedScoreError, UnknownNameError

app = typer.Typer(
    name="unifiedscore",
    help="Put theorems about generative transport fields to the test.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Study files, or folders that hold studies/, derivations/, figures/."),
]
Out = Annotated[Path, typer.Option("--out", help="Results folder.")]
Profile = Annotated[str, typer.Option("--profile", help="quick, standard or full.")]
ClaimId = Annotated[str | None, typer.Option("--claim", help="Only this claim, in all its regimes.")]
StudyName = Annotated[str | None, typer.Option("--study", help="Only this study.")]
ExecutorName = Annotated[str, typer.Option("--executor", help="local, serial, mpi or dask://HOST:PORT.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Local processes; default: the available cores.")]
Threads = Annotated[int, typer.Option("--threads", help="BLAS and numba threads of each worker.")]
Seed = Annotated[int, typer.Option("--seed", help="Root seed of all random streams.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Measure again the cells recorded as failed.")]
Results = Annotated[Path, typer.Argument(metavar="[RESULTS]", help="Results folder.")]

OUT = Path("results")


@app.command()
def verify(
    paths: Paths = None,
    profile: Profile = "quick",
    claim: ClaimId = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
):
    """Derivations, studies, verdicts, figures and report, in one go.

    Exit code 0: every verdict as expected and every control refuted; 1: some verdict differs; 2: bad usage or input;
    3: a cell, a derivation or a figure failed.
    """
    from unifiedscore.ledger import exit_code, write_ledger
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.ledger.verify import copy_not_established, draw, select
    from unifiedscore.ledger.verify import verify as verify_found
    from unifiedscore.study.discover import discover

    _check_common(profile, seed, out)
    found = select(discover(paths or ()), claim)
    with _open_executor(executor, workers, threads) as pool:
        options: dict[str, Any] = {"profile": profile, "out": out, "executor": pool, "rng_seed": seed}
        ledger = verify_found(found, **options, threads=threads, claim=claim, retry_failed=retry_failed)
        path = write_ledger(ledger, out)
        _, problems = draw(found.figures, out=out, executor=pool)
    copy_not_established(found, out)
    report_path = _write_report(out)
    print_ledger(ledger)
    _print_problems(problems)
    print(f"{path}, {report_path}")
    raise typer.Exit(3 if problems else exit_code(ledger))


@app.command("run")
def run_command(
    paths: Paths = None,
    profile: Profile = "quick",
    study: StudyName = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
    threads: Threads = 1,
    seed: Seed = 0,
    retry_failed: RetryFailed = False,
):
    """Measure studies and store one data set each, without judging them."""
    import numpy as np

    from unifiedscore.study.dataset import STATUS
    from unifiedscore.study.discover import discover
    from unifiedscore.study.runner import run_studies

    _check_common(profile, seed, out)
    found = discover(paths or (), kinds=("studies",))
    chosen = found.studies if study is None else (found.study(study),)
    failed = 0
    with _open_executor(executor, workers, threads) as pool:
        studies = [item.study for item in chosen]
        options: dict[str, Any] = {"profile": profile, "out": out, "executor": pool, "rng_seed": seed}
        datasets = run_studies(studies, **options, threads=threads, retry_failed=retry_failed)
    for item, dataset in zip(studies, datasets, strict=True):
        counts = np.bincount(dataset["status"].values.ravel(), minlength=len(STATUS))
        text = ", ".join(f"{count} {name}" for name, count in zip(STATUS, counts.tolist(), strict=True) if count)
        print(f"{item.name}: {text}  {out / item.name}.nc")
        failed += int(counts[STATUS.index("failed")])
    if failed:
        advice = "unifiedscore judge shows why, --retry-failed measures them again"
        print(f"{failed} cells failed; {advice}", file=sys.stderr)
    raise typer.Exit(3 if failed else 0)


@app.command("judge")
def judge_command(
    paths: Paths = None,
    claim: ClaimId = None,
    out: Out = OUT,
    executor: ExecutorName = "local",
    workers: Workers = None,
):
    """Judge stored data sets again, without measuring anything, and write the ledger."""
    from unifiedscore.ledger import exit_code, write_ledger
    from unifiedscore.ledger.terminal import print_ledger
    from unifiedscore.ledger.verify import judge_results, select
    from unifiedscore.study.discover import discover

    found = select(discover(paths or (), kinds=("studies", "derivations")), claim)
    with _open_executor(executor, workers, 1) as pool:
        ledger = judge_results(found, out=out, executor=pool, claim=claim)
    path = write_ledger(ledger, out)
    print_ledger(ledger)
    print(path)
    raise typer.Exit(exit_code(ledger))


@app.command()
def figures(paths: Paths = None, out: Out = OUT, executor: ExecutorName = "local", workers: Workers = None):
    """Draw the figures from stored data sets: PNG, PDF and the plotted numbers."""
    from unifiedscore.ledger.verify import draw
    from unifiedscore.study.discover import discover

    found = discover(paths or (), kinds=("figures",))
    with _open_executor(executor, workers, 1) as pool:
        entries, problems = draw(found.figures, out=out, executor=pool)
    for entry in entries:
        print(out / "figures" / entry["png"])
    _print_problems(problems)
    raise typer.Exit(3 if problems else 0)


@app.command()
def report(results: Results = OUT):
    """Write the report of a results folder: one self-contained HTML file."""
    print(_write_report(results))


@app.command("list")
def list_command(paths: Paths = None):
    """What is there: studies with their claims, derivations, figures."""
    from unifiedscore.study.discover import discover

    found = discover(paths or ())
    for item in found.studies:
        study = item.study
        print(f"{study.name}: {study.title}  ({study.grid.size} cells, {_short(item.path)})")
        for claim in study.claims:
            regime = f" ({claim.regime})" if claim.regime else ""
            kind = f"[{claim.evidence}, {claim.profile}, expect {claim.expect}]"
            print(f"  {claim.id}{regime}: {claim.statement}  {kind}")
    for item in found.derivations:
        print(f"derivation of {item.derivation.claim}  ({_short(item.path)})")
    for item in found.figures:
        print(f"figure {item.name}: {item.title}  (shows {', '.join(item.studies)}; {_short(item.path)})")


@app.command()
def status(results: Results = OUT):
    """How far the studies in a results folder are: cells done, failed, missing, and what remains at this pace."""
    from unifiedscore.study.runner import recorded

    if not results.is_dir():
        raise InputError(f"{results} is no folder; give the one that a run was told to write to with --out")
    empty = True
    for manifest, records in recorded(results):
        empty = False
        failed = sum(record.status == "failed" for record in records.values())
        done, missing = len(records) - failed, manifest["cells"] - len(records)
        line = f"{manifest['study']} ({manifest['profile']}): {done} done, {failed} failed, {missing} missing"
        if missing and records:
            seconds = sum(record.seconds for record in records.values()) / len(records) * missing
            line += f", about {_duration(seconds)} of one worker's time left"
        print(line)
    if empty:
        raise InputError(f"no study has been run into {results}; start one with: unifiedscore run --out {results}")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A ledger.json, or a results folder.")],
    new: Annotated[Path, typer.Argument(help="Another one.")],
):
    """Compare two ledgers. Exit code 1 where a verdict appeared, vanished or came out differently."""
    from unifiedscore.ledger import compare, read_ledger
    from unifiedscore.ledger.terminal import print_changes

    changes = compare(read_ledger(old), read_ledger(new))
    print_changes(changes)
    raise typer.Exit(1 if changes else 0)


@app.command()
def diagnose(
    target: Annotated[str, typer.Argument(help="File of target samples (.npy .npz .nc .csv), or a named data set.")],
    model: Annotated[str, typer.Argument(help="File of model samples, or a named data set.")],
    kernel: Annotated[str, typer.Option(help="laplace, gaussian, matern:1.5, ...")] = "laplace",
    bandwidth: Annotated[str | None, typer.Option(help="One or several, comma-separated: 0.05,0.2,0.5")] = None,
    relative: Annotated[bool, typer.Option("--relative", help="Bandwidths in units of the mean distance.")] = False,
    queries: Annotated[Path | None, typer.Option(help="Points at which --field was computed.")] = None,
    field: Annotated[Path | None, typer.Option(help="Your own field at the queries, to decompose.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the numbers.")] = None,
    seed: Seed = 0,
):
    """How far a drift is from a score on your own samples, and why."""
    if (queries is None) != (field is None):
        raise InputError("--queries and --field belong together: the points, and the field that you computed at them")
    bandwidths = _numbers(bandwidth)
    from unifiedscore.diagnose import diagnose_command

    code = diagnose_command(
        target=target,
        model=model,
        kernel=kernel,
        bandwidths=bandwidths,
        relative=relative,
        queries=queries,
        field=field,
        out=out,
        seed=seed,
    )
    raise typer.Exit(code or 0)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: run a command; every error is one paragraph on standard error, never a traceback."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str] | None) -> int:
    try:
        code = int(app(args=arguments, prog_name="unifiedscore", standalone_mode=False) or 0)
        return _interrupted() if code == 130 else code  # typer may turn Ctrl-C into this code itself
    except UnifiedScoreError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's usage errors, whose base class moved between its versions
            return _complain(f"{error.format_message()} (unifiedscore COMMAND --help shows the options)")
        if type(error).__name__ == "Abort":
            return _interrupted()
        if os.environ.get("UNIFIEDSCORE_TRACEBACK"):
            raise
        if isinstance(error, OSError):
            return _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return _complain(
            f"{type(error).__name__}: {error}. This is a defect of unifiedscore, not of your input; "
            "with UNIFIEDSCORE_TRACEBACK=1 in the environment the same command shows where"
        )


def _interrupted() -> int:
    _complain("interrupted. Finished cells are recorded: the same command takes up where this one stopped")
    return 130


def _complain(message: str) -> int:
    print(f"unifiedscore: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _check_common(profile: str, seed: int, out: Path) -> None:
    """Bad options are refused before anything is imported, measured or written."""
    from unifiedscore.study.claim import PROFILES
    from unifiedscore.validate import integer

    if profile not in PROFILES:
        raise UnknownNameError("profile", profile, PROFILES)
    integer(seed, "--seed", low=0)
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder; {out} is a file")


@contextmanager
def _open_executor(name: str, workers: int | None, threads: int) -> Iterator[Any]:
    from unifiedscore.study.pool import InProcess, LocalPool

    if name == "local":
        pool = LocalPool(workers, threads=threads)
        try:
            yield pool
        except BaseException:
            pool.kill()
            raise
        pool.shutdown()
    elif name == "serial":
        yield InProcess()
    elif name == "mpi":
        try:
            from mpi4py.futures import MPIPoolExecutor
        except ImportError:
            raise MissingDependencyError("--executor mpi needs mpi4py: pip install 'unifiedscore[mpi]'") from None
        with MPIPoolExecutor(workers) as pool:
            yield pool
    elif name.startswith("dask://"):
        with _dask_client(name) as client:
            yield client.get_executor()
    else:
        raise UnknownNameError("executor", name, ["local", "serial", "mpi", "dask://HOST:PORT"])


def _dask_client(name: str):
    try:
        from distributed import Client
    except ImportError:
        raise MissingDependencyError(
            "--executor dask://... needs dask.distributed: pip install 'unifiedscore[distributed]'"
        ) from None
    address = name.removeprefix("dask://")
    try:
        return Client(f"tcp://{address}", timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(f"no dask scheduler answers at {address}: {error}; start one with `dask scheduler`") from error


def _write_report(results: Path) -> Path:
    from unifiedscore.ledger.report import write_report

    return write_report(results)


def _print_problems(problems: list[dict[str, str]]) -> None:
    for problem in problems:
        print(f"FAILED  figure {problem['figure']}: {problem['message']}", file=sys.stderr)


def _numbers(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--bandwidth must be numbers separated by commas, as in 0.05,0.2,0.5; got {text!r}") from None


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()

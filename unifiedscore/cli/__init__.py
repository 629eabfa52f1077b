"""The command line. Everything heavy is imported inside the commands."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from unifiedscore import __version__
from unifiedscore.cli.diagnose import diagnose_command
from unifiedscore.cli.diagnose_score import diagnose_score_command
from unifiedscore.cli.diff import diff_command
from unifiedscore.cli.export import export_command
from unifiedscore.cli.falsify import falsify_command
from unifiedscore.cli.figures import figures_command
from unifiedscore.cli.interrupts import farewell, received, stoppable
from unifiedscore.cli.judge import judge_command
from unifiedscore.cli.list import list_command
from unifiedscore.cli.map import map_command
from unifiedscore.cli.new import new_command
from unifiedscore.cli.report import report_command
from unifiedscore.cli.run import run_command
from unifiedscore.cli.status import status_command
from unifiedscore.cli.train import train_app
from unifiedscore.cli.verify import verify_command
from unifiedscore.errors import UnifiedScoreError
from unifiedscore.output import say, survive_any_text

app = typer.Typer(
    name="unifiedscore",
    help="Put theorems about generative transport fields to the test.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
)
for name, command in {
    "verify": verify_command,
    "run": run_command,
    "falsify": falsify_command,
    "judge": judge_command,
    "map": map_command,
    "figures": figures_command,
    "report": report_command,
    "list": list_command,
    "status": status_command,
    "diff": diff_command,
    "export": export_command,
    "diagnose": diagnose_command,
    "diagnose-score": diagnose_score_command,
    "new": new_command,
}.items():
    app.command(name)(command)
app.add_typer(train_app, name="train")


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"unifiedscore {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Put theorems about generative transport fields to the test."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point: run a command; every error is one paragraph on standard error, never a traceback."""
    survive_any_text()
    with stoppable():
        code = _exit_code(arguments)
    sys.exit(code)


def _exit_code(arguments: list[str] | None) -> int:
    try:
        code = int(app(args=arguments, prog_name="unifiedscore", standalone_mode=False) or 0)
        return _interrupted() if code == 130 else code  # typer may turn Ctrl-C into this code itself
    except UnifiedScoreError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # click's way to say the same as below
            return _close_output()
        return _interrupted() if error.code == 130 else _complain(f"some imported file called sys.exit({error.code!r})")
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        return _close_output()
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


def _close_output() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _interrupted() -> int:
    _complain(farewell())
    return 128 + (received() or signal.SIGINT)


def _complain(message: str) -> int:
    say(f"unifiedscore: {' '.join(message.split())}", file=sys.stderr)
    return 2

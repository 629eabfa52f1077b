"""The command line. Everything heavy is imported inside the commands."""

from __future__ import annotations

import os
import signal
import sys

import typer

from unifiedscore.cli.interrupts import farewell, received, stoppable
from unifiedscore.cli.judging import judge_command, verify
from unifiedscore.cli.measuring import run_command, status
from unifiedscore.cli.own_data import diagnose, train
from unifiedscore.cli.showing import diff, export, figures, list_command, report
from unifiedscore.cli.starting import new
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
    "verify": verify,
    "run": run_command,
    "judge": judge_command,
    "figures": figures,
    "report": report,
    "list": list_command,
    "status": status,
    "diff": diff,
    "export": export,
    "diagnose": diagnose,
    "train": train,
    "new": new,
}.items():
    app.command(name)(command)


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

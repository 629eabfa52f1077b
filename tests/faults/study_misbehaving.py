"""One cell for every way of misbehaving that we could think of, between cells that behave."""

import atexit
import ctypes
import faulthandler
import gc
import json
import locale
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping

import numpy as np

from unifiedscore.study import Grid, Study, Variable

FOREVER = 10**6
LEFT = []  # what cells leave behind
ENDS, HANGS, RAISES, RETURNS, GOES_ON = {}, {}, {}, {}, {}


def kind(table):
    """Enter a function in a table under its name."""

    def enter(function):
        table[function.__name__] = function
        return function

    return enter


def libc():
    return ctypes.CDLL(None)


# ---- ends its process -----------------------------------------------------------------------------------------------
@kind(ENDS)
def exit_at_once_with_0():
    os._exit(0)


@kind(ENDS)
def exit_at_once_with_3():
    os._exit(3)


@kind(ENDS)
def stop_of_fortran():
    libc().exit(0)


@kind(ENDS)
def exit_of_c():
    libc()._exit(0)


@kind(ENDS)
def quick_exit():
    libc().quick_exit(0)


@kind(ENDS)
def exit_at_exit():
    atexit.register(os._exit, 0)
    atexit._run_exitfuncs()


@kind(ENDS)
def exit_in_a_thread():
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(FOREVER)


@kind(ENDS)
def segmentation_fault():
    ctypes.string_at(0)


@kind(ENDS)
def abort():
    os.abort()


@kind(ENDS)
def recursion_in_c():
    sys.setrecursionlimit(10**9)

    def deep():
        return max([0], key=lambda _: deep())

    deep()


@kind(ENDS)
def another_program():
    os.execv("/bin/true", ["true"])


@kind(ENDS)
def group_killed():
    os.killpg(0, signal.SIGKILL)


@kind(ENDS)
def alarm():
    signal.alarm(1)
    time.sleep(FOREVER)


@kind(ENDS)
def pipe_closed():
    os.closerange(3, 256)


@kind(ENDS)
def garbage_in_every_file():
    for file in range(3, 64):
        try:
            os.write(file, b"\xff" * 64)
        except OSError:
            pass
    time.sleep(FOREVER)


def _signalled(name):
    def end():
        signal.signal(getattr(signal, name), signal.SIG_DFL) if name not in ("SIGKILL", "SIGSTOP") else None
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(FOREVER)

    return end


for _name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGBUS", "SIGUSR1", "SIGXCPU"):
    ENDS[f"{_name}_to_itself"] = _signalled(_name)


# ---- does not come back ---------------------------------------------------------------------------------------------
@kind(HANGS)
def sleep():
    time.sleep(FOREVER)


@kind(HANGS)
def hold_the_interpreter():
    sum(range(10**12))


@kind(HANGS)
def backtracking():
    re.match(r"(a+)+$", "a" * 40 + "b")


@kind(HANGS)
def ignore_requests_to_end():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(FOREVER)


@kind(HANGS)
def block_all_signals():
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    while True:
        time.sleep(FOREVER)


@kind(HANGS)
def stop_itself():
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(FOREVER)


@kind(HANGS)
def deadlock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@kind(HANGS)
def wait_for_a_child():
    subprocess.run(["sleep", str(FOREVER)])


@kind(HANGS)
def wait_for_a_thread():
    thread = threading.Thread(target=time.sleep, args=(FOREVER,))
    thread.start()
    thread.join()


@kind(HANGS)
def message_that_takes_for_ever():
    class Slow(Exception):
        def __str__(self):
            time.sleep(FOREVER)

    raise Slow


@kind(HANGS)
def forks_for_ever():
    child = os.fork()
    if child == 0:
        time.sleep(FOREVER)
    os.waitpid(child, 0)  # `os.wait` would be content with a child that an earlier cell has left


@kind(HANGS)
def endless_mapping():
    class Endless(Mapping):
        def __iter__(self):
            while True:
                yield "value"

        def __len__(self):
            return 1

        def __getitem__(self, name):
            return 1.0

    return Endless()


# ---- raises ---------------------------------------------------------------------------------------------------------
def _raising(error):
    def throw():
        raise error()

    return throw


class NoText(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class NumberForText(Exception):
    def __str__(self):
        return 3


class TextThatExits(Exception):
    def __str__(self):
        sys.exit(0)


class OfItsOwn(BaseException):
    pass


class NeedsMore(Exception):
    def __init__(self, one, two):
        super().__init__("one")


class ExitsWhenRead(Exception):
    def __reduce__(self):
        return os._exit, (0,)


class TracebackTaken(Exception):
    __traceback__ = property(lambda self: 1 / 0)


RAISES |= {
    "exit_0": _raising(lambda: SystemExit(0)),
    "exit_with_text": _raising(lambda: SystemExit("why")),
    "no_text": _raising(NoText),
    "number_for_text": _raising(NumberForText),
    "text_that_exits": _raising(TextThatExits),
    "base_exception": _raising(lambda: OfItsOwn("mine")),
    "keyboard_interrupt": _raising(KeyboardInterrupt),
    "generator_exit": _raising(GeneratorExit),
    "stop_iteration": _raising(StopIteration),
    "nothing_said": _raising(AssertionError),
    "group": _raising(lambda: ExceptionGroup("both", [ValueError("one"), KeyError("two")])),
    "base_group": _raising(lambda: BaseExceptionGroup("both", [KeyboardInterrupt(), SystemExit(0)])),
    "half_a_pair": _raising(lambda: ValueError("\ud800 half")),
    "nul_and_escapes": _raising(lambda: ValueError("\0 \x1b[2J \u202e")),
    "huge_message": _raising(lambda: ValueError("x" * 300_000_000)),
    "needs_more": _raising(lambda: NeedsMore(1, 2)),
    "exits_when_read": _raising(ExitsWhenRead),
    "lambda_inside": _raising(lambda: ValueError(lambda: 0)),
    "traceback_taken": _raising(TracebackTaken),
    "odd_name": _raising(type("odd\n\u202e" * 50, (Exception,), {})),
    "memory_error": lambda: np.empty(2**60),
    "no_disk": _raising(lambda: OSError(28, "No space left on device")),
    "broken_pipe": _raising(BrokenPipeError),
}


@kind(RAISES)
def recursion():
    return recursion()


@kind(RAISES)
def warning_as_error():
    warnings.simplefilter("error")
    warnings.warn("now an error", stacklevel=1)


@kind(RAISES)
def cause_of_itself():
    error = ValueError("round")
    error.__cause__ = error
    raise error


# ---- returns what is no number ---------------------------------------------------------------------------------------
class Unreadable(dict):
    def __getitem__(self, name):
        raise RuntimeError("unreadable")

    items = keys = values = __iter__ = __getitem__


class NoFloat(float):
    def __float__(self):
        raise RuntimeError("no float")


class NoArray:
    def __array__(self, *_, **__):
        raise SystemExit(0)

    def __repr__(self):
        raise RuntimeError


RETURNS |= {
    "nothing": lambda: None,
    "generator": lambda: (x for x in range(3)),
    "empty": lambda: {},
    "other_names": lambda: {"value": 1.0, 3: 1.0},
    "unreadable": lambda: Unreadable(value=1.0),
    "function": lambda: {"value": lambda: 0},
    "lock": lambda: {"value": threading.Lock()},
    "no_array": lambda: {"value": NoArray()},
    "no_float": lambda: {"value": NoFloat(1.0)},
    "too_large_an_integer": lambda: {"value": 10**400},
    "text": lambda: {"value": "1.0"},
    "complex": lambda: {"value": 1j},
    "date": lambda: {"value": np.datetime64("2026-01-01")},
    "masked": lambda: {"value": np.ma.masked},
    "masked_array": lambda: {"value": np.ma.masked_array(1.0, True)},
    "huge_array": lambda: {"value": np.zeros(10**7)},
    "huge_list": lambda: {"value": [[0.0]] * 10**6},
    "huge_text": lambda: {"value": "x" * 10**8},
    "ragged": lambda: {"value": [[1.0], [1.0, 2.0]]},
    "itself": lambda: {"value": (lambda x: x.append(x) or x)([])},
}


# ---- leaves something behind, and returns a number -------------------------------------------------------------------
@kind(GOES_ON)
def thread_left():
    threading.Thread(target=time.sleep, args=(FOREVER,)).start()


@kind(GOES_ON)
def printing_thread_left():
    def speak():
        while True:
            print("still here", file=open(os.devnull, "w"))
            time.sleep(0.1)

    threading.Thread(target=speak, daemon=True).start()


@kind(GOES_ON)
def child_left():
    LEFT.append(subprocess.Popen(["sleep", "987654"]))


@kind(GOES_ON)
def child_left_in_a_session_of_its_own():
    LEFT.append(subprocess.Popen(["sleep", "987654"], start_new_session=True))


@kind(GOES_ON)
def daemon_left():
    subprocess.run(["sh", "-c", "setsid sleep 987654 >/dev/null 2>&1 &"], check=True)


@kind(GOES_ON)
def fork_of_which_both_return():
    os.fork()


@kind(GOES_ON)
def fork_that_stays():
    if os.fork() == 0:
        time.sleep(FOREVER)


@kind(GOES_ON)
def processes_of_its_own():
    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    process.join()


@kind(GOES_ON)
def other_folder():
    os.chdir("/")


@kind(GOES_ON)
def streams_closed():
    sys.stdout.close()
    sys.stderr.close()
    sys.stdin.close()


@kind(GOES_ON)
def files_of_streams_closed():
    for file in range(3):
        os.close(file)


@kind(GOES_ON)
def streams_taken():
    sys.stdout = sys.stderr = sys.stdin = None


@kind(GOES_ON)
def input_read():
    assert sys.stdin.read() == ""


@kind(GOES_ON)
def much_printed():
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for _ in range(1000):
        print("x" * 10**5)


@kind(GOES_ON)
def handlers():
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, lambda *_: os._exit(0))


@kind(GOES_ON)
def alarm_for_the_next():
    signal.alarm(1)
    signal.setitimer(signal.ITIMER_REAL, 0.5)


@kind(GOES_ON)
def files_left_open():
    try:
        while True:
            LEFT.append(open(os.devnull))
    except OSError:
        pass


@kind(GOES_ON)
def limits():
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


@kind(GOES_ON)
def modules_taken():
    for name in ("json", "pickle", "time", "numpy", "unifiedscore"):
        sys.modules.pop(name, None)


@kind(GOES_ON)
def clock_replaced():
    time.perf_counter = time.time = time.monotonic = lambda: "late"


@kind(GOES_ON)
def writers_replaced():
    json.dumps = pickle.dumps = lambda *_, **__: 1 / 0


@kind(GOES_ON)
def environment_emptied():
    os.environ.clear()


@kind(GOES_ON)
def path_emptied():
    sys.path.clear()


@kind(GOES_ON)
def exit_prepared():
    atexit.register(os._exit, 0)


@kind(ENDS)
def tracing():
    sys.settrace(lambda *_: os._exit(0) if _[0].f_code.co_name == "emit" else None)


@kind(GOES_ON)
def small_settings():
    sys.setswitchinterval(1e-5)
    gc.disable()
    os.umask(0o777)
    locale.setlocale(locale.LC_ALL, "C")
    np.seterr(all="raise")
    faulthandler.enable()


KINDS = ENDS | HANGS | RAISES | RETURNS | GOES_ON
CHOSEN = os.environ.get("MISBEHAVING_KINDS")
CALM = "calm"


def measure(cell, rng):
    value = float(rng.standard_normal())
    if cell["kind"] == CALM:
        assert threading.current_thread() is threading.main_thread()
        return {"value": value}
    function = KINDS[cell["kind"]]
    returned = function()
    return returned if cell["kind"] in RETURNS or returned is not None else {"value": value}


study = Study(
    name="misbehaving",
    title="Cells that misbehave",
    grid=Grid(
        kind=[CALM, *(CHOSEN.split() if CHOSEN else KINDS)],
        seed=range(4),
        skip=lambda cell: cell["kind"] != CALM and cell["seed"] > 0,
    ),
    measure=measure,
    variables={"value": Variable("Value")},
)

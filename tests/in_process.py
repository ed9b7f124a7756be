"""Runs a command of the tap in this process, where a process of its own is not what a test is about.

A fork, and what it copies, takes as long as many runs. What a process would lose at its end is put back here: the
environment, the handlers of logs and signals, the arguments, both outputs, the clock, the list of CRMs. Threads that a
run has left are waited for, as Python does before a process ends: nothing is asked of a server after a run.
"""

from __future__ import annotations

import io
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests import leaks, measuring

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds for threads of a run to end: they look whether it is over between two requests.
LONGEST_LEAVE = 10.0
#: What runs while the arguments are read: where that fails, click does not close the files that it has opened by then.
EARLY = ("--discover", "--test")
#: The sandbox answers from this process, but is no part of a run: what its server logs stays as quiet as it was set.
SERVER = "uvicorn"
#: Levels that libraries set as they are imported, which happens once in this process. Without it, SQL would be logged.
IMPORTED = {"sqlalchemy": logging.WARNING}
#: A thread gives way so often: the sandbox answers from this process, too.
SWITCH_INTERVAL = 0.001


def execute(
    command: list[str], variables: dict[str, str], *, measured: bool, clock_ahead: float = 0.0
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m MODULE ARGUMENTS`` to its end, as `subprocess.run` does with both outputs captured.

    Args:
        command: what to run.
        variables: all of its environment.
        measured: whether its coverage is measured, if any is.
        clock_ahead: seconds by which the clock of the run, and of nothing else here, is ahead.
    """
    assert command[:2] == [sys.executable, "-m"], command
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = set(threading.enumerate())
    with (
        _environment(variables),
        logs(),
        _registry(),
        signal_handlers(),
        _often_switched(),
        _streams(command[3:], out, err),
        _clock(clock_ahead),
        _files_left_open(command[3:]),
        measuring.switched(on=measured),
    ):
        code = _run(command[2])
        for thread in set(threading.enumerate()) - before:
            while thread.ident is None:  # another thread is just starting it
                time.sleep(SWITCH_INTERVAL)
            thread.join(LONGEST_LEAVE)
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not left, f"threads of a run go on after its end: {left}"
    leaks.check(command, variables, _bytes(out), _bytes(err))
    return subprocess.CompletedProcess(command, code, _bytes(out), _bytes(err))


def _run(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception:  # noqa: BLE001 - as Python does at the end of a process
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _files_left_open(arguments: list[str]) -> Iterator[None]:
    """Let files be closed by nobody where click leaves them open, as the end of a process does: without a warning."""
    with warnings.catch_warnings():
        if any(argument.startswith(EARLY) for argument in arguments):
            warnings.simplefilter("ignore", ResourceWarning)
        yield


def _bytes(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    known, folder = dict(os.environ), os.getcwd()  # noqa: PTH109 - as text
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(known)
        os.chdir(folder)


@contextmanager
def _registry() -> Iterator[None]:
    """Put back the list of CRMs: a command may register another one before it runs."""
    from tap_crm.config.schema import schema_of  # noqa: PLC0415 - coverage has to begin before
    from tap_crm.providers import PROVIDERS  # noqa: PLC0415
    from tap_crm.providers.setting_table import rows  # noqa: PLC0415
    from tap_crm.singer.tap import TapCRM  # noqa: PLC0415

    known = dict(PROVIDERS)
    try:
        yield
    finally:
        PROVIDERS.clear()
        PROVIDERS.update(known)
        # The tap's schema names the CRMs that there were in its last run.
        TapCRM.config_jsonschema["properties"] |= schema_of(rows())["properties"]


@contextmanager
def logs() -> Iterator[None]:
    """Let a run find every logger as a new process does, and put all back: commands set levels that would stay."""
    root = logging.getLogger()
    known = {one: (one.level, one.handlers[:], one.propagate, one.disabled) for one in (root, *_loggers())}
    for one in known:
        one.level = logging.WARNING if one is root else IMPORTED.get(one.name, logging.NOTSET)
        one.handlers.clear()
        one.propagate, one.disabled = True, False
    _forget_levels()
    try:
        yield
    finally:
        for one in (root, *_loggers()):
            one.level, handlers, one.propagate, one.disabled = known.get(one, (logging.NOTSET, [], True, False))
            one.handlers[:] = handlers
        _forget_levels()


def _forget_levels() -> None:
    """Have each logger ask again what it logs: once for all of them, where setting one level looks through all."""
    root = logging.getLogger()
    root.setLevel(root.level)


def _loggers() -> list[logging.Logger]:
    found = list(logging.Logger.manager.loggerDict.values())
    return [one for one in found if isinstance(one, logging.Logger) and not one.name.startswith(SERVER)]


@contextmanager
def signal_handlers() -> Iterator[None]:
    """Put back the handlers of signals that end a run."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _often_switched() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


@contextmanager
def _streams(arguments: list[str], out: io.TextIOWrapper, err: io.TextIOWrapper) -> Iterator[None]:
    known = sys.argv, sys.stdout, sys.stderr
    sys.argv, sys.stdout, sys.stderr = ["tap-crm", *arguments], out, err
    try:
        yield
    finally:
        sys.argv, sys.stdout, sys.stderr = known


@contextmanager
def _clock(seconds: float) -> Iterator[None]:
    """Let the clock of this thread, and of those that it starts, be ahead: a server's goes as before."""
    if not seconds:
        yield
        return
    machine = time.time
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    time.time = lambda: machine() + (0.0 if threading.get_ident() in others else seconds)
    try:
        yield
    finally:
        time.time = machine

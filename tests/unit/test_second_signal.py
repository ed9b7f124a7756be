"""A second signal ends a process whose main thread never gets to Python's own steps again."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.started import PIPE, Program

if TYPE_CHECKING:
    from pathlib import Path

#: The main thread waits in the system for a lock that it has itself, as it would for a pipe that nobody reads.
_STUCK = """
import ctypes, logging, pathlib, signal, sys, threading
from tap_crm.contract.signals import Signals

for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: None)
signals = Signals(threading.Event(), lambda: pathlib.Path("settled").touch(), logging.getLogger(), "soon")
signals.note(signal.SIGTERM, is_minded=True)
lock = ctypes.create_string_buffer(64)
ctypes.CDLL(None).pthread_mutex_lock(lock)
print("stuck", flush=True)
ctypes.CDLL(None).pthread_mutex_lock(lock)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a lock of 64 zero bytes is one of Linux")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_a_process_that_is_stuck(tmp_path: Path, number: int, code: int) -> None:
    """After what must not be broken off."""
    command = [sys.executable, "-c", _STUCK]
    with Program(command, stdout=PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"stuck\n"
        process.send_signal(number)
        try:
            assert process.wait(20) == code
        finally:
            process.kill()
    assert (tmp_path / "settled").exists()

"""Loads an account directly: ``tap | target``, and each STATE that the target prints is kept as it comes."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tap_crm.load.catalog import selected_catalog
from tap_crm.load.outcome import Outcome
from tap_crm.load.processes import lines_of, send, start, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from typing import IO

    from tap_crm.load.job import Job
    from tap_crm.load.state_table import StateTable

_log = logging.getLogger("load-account")


def run_pipe(tap: Sequence[str], target: Sequence[str], job: Job, table: StateTable, state: str | None) -> Outcome:
    """Run both to their end.

    The tap alone is asked to end, by SIGTERM: it writes its last safe state, and the target stores what it has and
    prints that state, which is kept. What either ends with counts: a target that ends well after a tap that failed is
    no success.

    Args:
        tap: its command.
        target: its command.
        job: what is loaded, and until when.
        table: where the state is kept.
        state: the last state as JSON; None to read everything.

    Raises:
        ConfigError: one of them cannot be started.
        StateLost: a state could not be kept; both are ended then.
    """
    with tempfile.TemporaryDirectory(prefix="load-account-") as name:
        folder, given = Path(name), list(tap)
        if state is not None:
            given += ["--state", _written(folder / "state.json", state.encode())]
        if job.select:
            discovery = selected_catalog(tap, job)
            if isinstance(discovery, Outcome):
                return discovery
            given += ["--catalog", _written(folder / "catalog.json", discovery)]
        reader = start(given, job.tap_environment)
        assert reader.stdout is not None  # noqa: S101 - for the type checker
        try:
            loader = start(target, job.target_environment, reading=reader.stdout)
        except BaseException:
            send(signal.SIGKILL, reader)
            reader.stdout.close()
            raise
        return _carried_out(reader, loader, job, table)


def _carried_out(
    reader: subprocess.Popen[bytes], loader: subprocess.Popen[bytes], job: Job, table: StateTable
) -> Outcome:
    def tick() -> None:
        number = job.limits.due()
        if number == signal.SIGTERM:
            _log.warning("%s: asking the tap to end", table.state_id)
            send(number, reader)
        elif number is not None:
            _log.error("%s: killing the tap and the target", table.state_id)
            send(number, reader, loader)

    assert reader.stdout is not None  # noqa: S101 - for the type checker
    assert loader.stdout is not None  # noqa: S101 - same
    try:
        for line in lines_of(loader.stdout, tick):
            if (state := _state_in(line)) is not None:
                table.write(state)
        target = wait_for(loader, tick)
        early = not _is_at_end(reader.stdout)
        reader.stdout.close()  # so that the tap notices that nobody reads any more
        if early:
            send(signal.SIGTERM, reader)  # it may be waiting for the CRM
        return Outcome(wait_for(reader, tick), target, early=early)
    finally:
        reader.stdout.close()
        loader.stdout.close()
        send(signal.SIGKILL, reader, loader)


def _is_at_end(output: IO[bytes]) -> bool:
    """Tell whether all that the tap wrote was read: what is left in the pipe was stored by nobody."""
    os.set_blocking(output.fileno(), False)
    try:
        return os.read(output.fileno(), 1) == b""
    except BlockingIOError:  # it still writes
        return False


def _state_in(line: bytes) -> str | None:
    """Return the state in a line that a target prints; None for anything else, such as a line of a log."""
    try:
        found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        value = found["value"] if bytes(found.get("type", b"")) == b'"STATE"' else msgspec.Raw(line)
        return bytes(value).decode() if msgspec.json.decode(value, type=dict[str, msgspec.Raw]) else None
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        if line.strip():
            _log.warning("the target printed a line that is no state; it is passed over")
        return None


def _written(path: Path, content: bytes) -> str:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
    return str(path)

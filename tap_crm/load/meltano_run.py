"""Loads an account by ``meltano run``: with a state and a system folder of its own, in which no other run writes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tap_crm.contract.signals import REFUSED, REFUSED_MARK
from tap_crm.errors import ConfigError
from tap_crm.load.catalog import for_meltano
from tap_crm.load.job import prefix_of
from tap_crm.load.outcome import Outcome
from tap_crm.load.processes import lines_of, send, start, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.load.job import Job

_log = logging.getLogger("load-account")
RUN = "run"
#: The words of `meltano run EXTRACTOR LOADER`.
WORDS = 4
#: Of a project's system folder: what is installed, and used by all runs.
INSTALLED = ("extractors", "loaders", "mappers", "utilities")
_REFUSED = f"{REFUSED_MARK} {REFUSED}".encode()


def is_meltano(words: Sequence[str]) -> bool:
    """Tell whether a command is `meltano run`."""
    return len(words) > 1 and Path(words[0]).name == "meltano" and RUN in words


def run_meltano(
    words: Sequence[str], job: Job, environment: Mapping[str, str], state_id: str, *, full: bool
) -> Outcome:
    """Run Meltano to its end.

    Args:
        words: `meltano [OPTION ...] run [OPTION ...] EXTRACTOR LOADER`, in the folder of the project.
        job: what is loaded, and until when.
        environment: of Meltano, which gives each plugin what is its own.
        state_id: names its state.
        full: whether everything is read.

    Raises:
        ConfigError: it cannot be started.
    """
    if len(words) < WORDS:
        raise ConfigError("`meltano run` needs an extractor and a loader")
    system = Path(environment.get("MELTANO_SYS_DIR_ROOT", ".meltano")).resolve()
    with tempfile.TemporaryDirectory(prefix="load-account-") as folder:
        for name in INSTALLED:
            if (system / name).is_dir():
                (Path(folder) / name).symlink_to(system / name)
        place = words.index(RUN) + 1
        options = ["--no-install", f"--state-id-suffix={state_id.replace('/', '--')}"]
        command = [*words[:place], *options, *(["--full-refresh"] if full else []), *words[place:]]
        process = start(command, _variables(words, job, environment, system, folder), errors=subprocess.STDOUT)
        return _carried_out(process, job, state_id)


def _variables(
    words: Sequence[str], job: Job, environment: Mapping[str, str], system: Path, folder: str
) -> dict[str, str]:
    extractor, loader = words[-2:]
    found = {**environment, "MELTANO_SYS_DIR_ROOT": folder}
    # The state must not lie in the folder of this run.
    found.setdefault("MELTANO_DATABASE_URI", f"sqlite:///{system / 'meltano.db'}")
    found.setdefault("MELTANO_CLI_LOG_FORMAT", "uncolored")
    if job.schema is not None:
        found[f"{prefix_of(loader)}DEFAULT_TARGET_SCHEMA"] = job.schema
    if job.select:
        found[f"{prefix_of(extractor)}_SELECT"] = for_meltano(job.select)
    return found


def _carried_out(process: subprocess.Popen[bytes], job: Job, state_id: str) -> Outcome:
    def tick() -> None:
        if (number := job.limits.due()) is not None:
            _log.warning("%s: ending Meltano by %s", state_id, signal.Signals(number).name)
            send(number, process)

    assert process.stdout is not None  # noqa: S101 - for the type checker
    refused = False
    try:
        for line in lines_of(process.stdout, tick):
            refused = refused or _REFUSED in line
            os.write(sys.stderr.fileno(), line + b"\n")
        return Outcome(wait_for(process, tick), refused=refused)
    finally:
        send(signal.SIGKILL, process)
        process.stdout.close()

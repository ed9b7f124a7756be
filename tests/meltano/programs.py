"""Runs of Meltano and of its loaders, each forked from a process that has imported it: `tests.meltano.warm_program`."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests import leaks, started, warm_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVING = Path(__file__).with_name("warm_program.py")


class Program:
    """A program, which is imported for its first run.

    Args:
        path: its command, beside the Python that runs it.
        variables: its environment.
        may_fork: whether its runs are forked from one process; else each is a new one.
    """

    def __init__(self, path: Path, variables: Mapping[str, str], *, may_fork: bool = warm_tap.POSSIBLE) -> None:
        self._path, self._variables, self._may_fork = path, dict(variables), may_fork
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        folder: str | Path = ".",
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end; returns its exit code and what it wrote.

        Args:
            arguments: of its command line.
            given: its standard input.
            folder: where it runs.
            variables: go before those of its environment.
        """
        command, environment = [str(self._path), *arguments], {**self._variables, **variables}
        if not self._may_fork:
            return started.run(command, given=given, variables=environment, folder=folder)
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(tempfile.NamedTemporaryFile(prefix=name))
                for name in ("input", "output", "errors")
            }
            files["input"].write(given)
            files["input"].flush()
            places = {name: file.name for name, file in files.items()}
            request = {"arguments": arguments, "environment": environment, "folder": str(Path(folder).resolve())}
            code = self._ask({**request, **places})
            output, errors = files["output"].read(), files["errors"].read()
        leaks.check(command, environment, output, errors)
        return subprocess.CompletedProcess(command, code, output, errors)

    def close(self) -> None:
        """End the process from which runs are forked."""
        if self._process is not None:
            self._asking.close()
            self._process.wait(timeout=10)
            self._answers.close()
            self._process = None

    def _ask(self, request: dict[str, object]) -> int:
        if self._process is None:
            self._start()
        self._asking.write(f"{json.dumps(request)}\n")
        self._asking.flush()
        answer = self._answers.readline()
        assert answer, f"the process that forks the runs of {self._path} is gone; it may have said why above"
        return int(answer)

    def _start(self) -> None:
        asked, asking = os.pipe()
        answers, answered = os.pipe()
        self._process = subprocess.Popen(
            [str(self._path.with_name("python")), str(_SERVING), self._path.name, str(asked), str(answered)],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(asked, answered),
        )
        os.close(asked)
        os.close(answered)
        self._asking = os.fdopen(asking, "w", encoding="utf-8")
        self._answers = os.fdopen(answers, encoding="utf-8")

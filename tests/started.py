"""Starts programs for tests, and searches all that they show for secrets: no other module starts one (tests/unit).

Runs of the tap that need no start of their own are cheaper: `tests.in_process`, `tests.warm_tap`.
"""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from subprocess import PIPE
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import override

from tests import leaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["PIPE", "Program", "run"]

#: Seconds after which a program that a test has left has told all that it will.
LONGEST_END = 30.0


def run(  # noqa: PLR0913 - as `subprocess.run` has them
    command: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    given: bytes | None = None,
    folder: str | Path | None = None,
    timeout: float = 280,
    stdout: IO[bytes] | int = PIPE,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, and return its exit code and what it wrote.

    Args:
        command: what is run.
        variables: all of its environment; ours if it has none of its own.
        given: its standard input.
        folder: where it runs.
        timeout: seconds.
        stdout: a file for its standard output, where that is too much to be held, or a pipe that nobody reads.
    """
    environment = dict(os.environ if variables is None else variables)
    done = subprocess.run(
        [*command],
        env=environment,
        input=given,
        cwd=folder,
        timeout=timeout,
        stdout=stdout,
        stderr=PIPE,
        check=False,
    )
    files = [] if isinstance(stdout, int) else leaks.contents([stdout.fileno()])
    leaks.check(command, environment, done.stdout or b"", done.stderr, *files)
    return done


class _Noting(io.RawIOBase):
    """A pipe that is read by a test, and what was read."""

    def __init__(self, raw: io.RawIOBase, noted: bytearray) -> None:
        self._raw, self._noted = raw, noted

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int | None:
        size = self._raw.readinto(buffer)
        self._noted += bytes(buffer[: size or 0])
        return size

    @override
    def fileno(self) -> int:
        return self._raw.fileno()

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class Program(subprocess.Popen[bytes]):
    """A program that goes on beside the test, for a ``with``, at whose end all is searched that it has shown.

    Args:
        command: what is run.
        variables: all of its environment; ours if it has none of its own.
        outputs: where each output goes: a file, which is searched; ``PIPE``, from which the test reads; a descriptor
            of anything else, whose reader tells by `shown` what came. Without any, a file of our own.
        more: as `subprocess.Popen` has it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        variables: Mapping[str, str] | None = None,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        self._given = [*command], dict(os.environ if variables is None else variables)
        self._noted = {"stdout": bytearray(), "stderr": bytearray()}
        outputs = [tempfile.TemporaryFile() if one is None else one for one in (stdout, stderr)]  # noqa: SIM115 - of ours
        self._files = [one for one in outputs if not isinstance(one, int)]
        self._own = [one for one in self._files if one not in (stdout, stderr)]
        super().__init__([*command], env=self._given[1], stdout=outputs[0], stderr=outputs[1], **more)
        for name, noted in self._noted.items():
            pipe = getattr(self, name)
            if pipe is not None:
                setattr(self, name, io.BufferedReader(_Noting(pipe.detach(), noted)))

    def shown(self, output: bytes) -> None:
        """Search what somebody else has read of an output."""
        leaks.check(*self._given, output)

    @override
    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        left = [self._buffered(name) for name in self._noted]
        found = super().communicate(input, timeout)
        for noted, more in zip(self._noted.values(), found, strict=True):
            noted.extend(more or b"")
        self._search()
        out, log = (before + more if before else more for before, more in zip(left, found, strict=True))
        return out, log

    def _buffered(self, name: str) -> bytes:
        """Return what came together with a line that the test has read: `subprocess` looks at the pipe alone."""
        pipe: io.BufferedReader | None = getattr(self, name)
        if pipe is None or pipe.closed:
            return b""
        os.set_blocking(pipe.fileno(), False)
        try:
            return pipe.peek()
        finally:
            os.set_blocking(pipe.fileno(), True)

    @override
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        try:
            self.communicate(timeout=LONGEST_END)
        except subprocess.TimeoutExpired:  # others have its outputs, too
            self.kill()
            self._search()
        finally:
            super().__exit__(kind, value, traceback)
            for file in self._own:
                file.close()

    def _search(self) -> None:
        files = leaks.contents(one.fileno() for one in self._files)
        leaks.check(*self._given, *map(bytes, self._noted.values()), *files)

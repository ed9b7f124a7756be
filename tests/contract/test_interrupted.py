"""Killed, terminated or blocked: what was written is whole, and the next run goes on from the last STATE."""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS
from tests.killing import stopped
from tests.singer import environment, only, parse
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.contract.conftest import CatalogOf
    from tests.contract.crm import Crm
    from tests.singer import Run, Tap

PLACES = 5
SIGNALS = ((signal.SIGTERM, 143), (signal.SIGINT, 130))
#: What a run does while its output is full is the same for all CRMs.
one_of_all = pytest.mark.parametrize("account", [pytest.param(CRMS["copper"], id="copper")], indirect=True)


@dataclass
class Account:
    """An account that no test changes.

    Attributes:
        crm: whose it is.
        app: its server.
        url: where it is served.
        catalog: selects the streams.
        answers: as many as a run has.
        records: as many as a run writes.
    """

    crm: Crm
    app: Any
    url: str
    catalog: dict[str, Any]
    answers: int
    records: int


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalog_of: CatalogOf
) -> Iterator[Account]:
    """Serve the account."""
    crm: Crm = request.param
    app = crm.app(crm.shape, rate_limit=0, **crm.knobs)
    catalog = only(catalog_of(crm), *crm.streams, "sync_audit")
    with running(app) as url:
        run = tap_for(crm, url, tmp_path_factory.mktemp(crm.name), catalog).sync()
        yield Account(crm, app, url, catalog, app.stats.requests, _records(run))


def _records(run: Run) -> int:
    return sum(message["type"] == "RECORD" for message in run.messages)


@pytest.fixture
def tap(account: Account, tmp_path: Path, unmeasured: None) -> Tap:  # noqa: ARG001 - only the tap is of interest
    """Give a tap for it."""
    account.app.stats.reset()
    return tap_for(account.crm, account.url, tmp_path, account.catalog)


@pytest.mark.parametrize("place", range(PLACES))
def test_a_killed_run_and_the_next_one_load_everything(account: Account, tap: Tap, place: int) -> None:
    """SIGKILL at five places of the run; the target has what was written, the state is the last STATE in it."""
    first = stopped(account.app, tap, 1 + place * account.answers // PLACES)
    assert first.code == -signal.SIGKILL
    account.crm.assert_complete(account.app, first, tap.sync(state=first.state))


@pytest.mark.parametrize(
    ("account", "number", "code"),
    [
        pytest.param(crm, *case, id=f"{crm.name}-{case[0].name}")
        for crm, case in zip(CRMS.values(), 2 * SIGNALS, strict=True)
    ],
    indirect=["account"],
)
def test_a_signal_writes_the_state_and_says_so_by_the_exit_code(
    account: Account, tap: Tap, number: int, code: int
) -> None:
    """The last line is a STATE; together with the next run everything is there."""
    first = stopped(account.app, tap, account.answers // 2, number)
    assert first.code == code, first.log[-2000:]
    assert first.messages[-1]["type"] == "STATE"
    assert _records(first) < account.records
    account.crm.assert_complete(account.app, first, tap.sync(state=first.state))


class Blocked:
    """A run that stands still, since nobody reads what it writes.

    Args:
        command: its command line.
        log: a file for its log.

    Attributes:
        process: it.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        reading, writing = os.pipe()
        self._output = os.fdopen(reading, "rb")
        self._seen = b""
        with log.open("wb") as file:
            self.process = WarmRun(command, environment(), writing, file.fileno())
        self._until(lambda: not select.select([], [writing], [], 0)[1])
        os.close(writing)

    def terminate(self) -> None:
        """Send SIGTERM, and wait until the run has taken note of it: two at once are one."""
        self.process.send_signal(signal.SIGTERM)
        self._until(lambda: "SIGTERM" in self._log.read_text())

    def read(self, size: int = -1) -> bytes:
        """Read from the pipe, which is full, to its end or so many bytes."""
        found = self._output.read(size)
        self._seen += found
        return found

    def leave(self) -> None:
        """Close the pipe."""
        self._output.close()

    def close(self) -> None:
        """Search what was read, and stop listening for the end."""
        self.leave()
        self.process.shown(self._seen)
        self.process.close()

    @staticmethod
    def _until(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def blocked(tap: Tap) -> Iterator[Blocked]:
    """Give a run whose target does not read."""
    run = Blocked(tap.command(), tap.folder / "blocked.log")
    yield run
    run.close()


@one_of_all
def test_a_signal_while_the_target_does_not_read_still_ends_with_a_state(blocked: Blocked) -> None:
    """The pipe is full when SIGTERM comes; once the target reads on, it gets whole lines and the STATE."""
    blocked.terminate()
    with pytest.raises(TimeoutError):
        blocked.process.wait(0.3)
    output = blocked.read()
    assert blocked.process.wait(30) == 143
    assert parse(output).messages[-1]["type"] == "STATE"


@one_of_all
def test_a_second_signal_ends_a_run_whose_target_never_reads_again(blocked: Blocked) -> None:
    """Nobody has to wait for a dead pipe."""
    blocked.terminate()
    blocked.process.send_signal(signal.SIGTERM)
    assert blocked.process.wait(60) == 143


@one_of_all
def test_a_target_that_dies_ends_the_run_with_an_error(blocked: Blocked, tap: Tap) -> None:
    """A closed pipe is no success."""
    blocked.read(100)
    blocked.leave()
    assert blocked.process.wait(60) == 1
    assert "the target stopped reading" in (tap.folder / "blocked.log").read_text()

"""Where the disk is full, one line says so, and the next run loads or writes what is missing."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from typing_extensions import override

from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time
from tests.target_crm.crms import CRMS as WRITTEN
from tests.target_crm.crms import Account as Writing
from tests.target_crm.running import records, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.proof.conftest import AccountOf
    from tests.singer import Run

#: Streams that keep answers in a file, and one that keeps none.
KEPT = {"close": ("events", "outcomes"), "copera": ("sales__leads", "channels")}


class Full(tempfile.SpooledTemporaryFile[bytes]):
    """A file on a full disk."""

    @override
    def write(self, *_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", KEPT)
def test_a_full_disk_is_said_and_costs_nothing(
    name: str, account_of: AccountOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream fails by name, the other one is complete."""
    account, streams = account_of(name), KEPT[name]

    def run(state: dict[str, Any] | None) -> Run:
        with virtual_time() as clock, answered_by(account.server, clock.wait):
            return account.run(streams, is_first=True, state=state)

    with monkeypatch.context() as full:
        full.setattr(tempfile, "SpooledTemporaryFile", Full)
        first = run(None)
    assert first.code == 1
    assert "No space left on device" in first.log
    assert "TMPDIR" in first.log
    assert "Traceback" not in first.log
    assert f"1 of 2 streams are not complete: {streams[0]}." in first.log
    second = run(first.state)
    assert second.code == 0, second.said()
    assert not account.differences(streams[0], first, second, is_first=True)


@contextmanager
def _small_disk(pages: int) -> Iterator[None]:
    """Let no database of this process have more than so many pages."""

    def limit(connection: Any, _: object) -> None:  # noqa: ANN401 - of a driver
        connection.execute(f"PRAGMA max_page_count={pages}")

    sa.event.listen(sa.Engine, "connect", limit)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", limit)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_full_disk_of_the_journal_doubles_and_loses_nothing(name: str, tmp_path: Path) -> None:
    """What was sent is found again; no STATE was written that passes what is not settled."""
    with WRITTEN[name]() as crm:
        account = Writing(crm, tmp_path)
        settings: dict[str, Any] = {"streams": {crm.stream: account.keyed}}
        account.bench.run(records(crm.stream, account.row(0)), **settings)
        size = account.bench.journal.stat().st_size // 4096
        given = [*records(crm.stream, *(account.row(at, "A" * 400) for at in range(1, 25))), state(1)]
        ends = []
        for more in (2, 6, 12):
            with _small_disk(size + more):
                ends.append(account.reopened().bench.run(given, **settings))
        assert ends[0].code == 1
        assert "full" in ends[0].said
        assert all(one.states == [] for one in ends if one.code)
        done = account.reopened().bench.run(given, **settings)
        assert (done.code, done.states) == (0, [{"at": 1}]), done.said
        assert crm.names() == {f"Name k{at}": 1 for at in range(25)}

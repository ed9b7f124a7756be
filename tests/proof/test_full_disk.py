"""Where large answers cannot be kept in a file, one line says so, and the next run loads what is missing."""

from __future__ import annotations

import errno
import os
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tests.contract.crms import CRMS
from tests.proof.accounts import Account
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Run

#: Streams that keep answers in a file, and one that keeps none.
KEPT = {"close": ("events", "outcomes"), "copera": ("sales__leads", "channels")}


class Full(tempfile.SpooledTemporaryFile[bytes]):
    """A file on a full disk."""

    @override
    def write(self, *_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", KEPT)
def test_a_full_disk_is_said_and_costs_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream fails by name, the other one is complete."""
    account, streams = Account(CRMS[name], tmp_path), KEPT[name]

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

"""A table comes in one answer, however large; the tap's memory stays small."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests import peak
from tests.copera.conftest import choosing
from tests.singer import environment
from tests.started import run

if TYPE_CHECKING:
    from tests.copera.conftest import Start

#: Bytes of the answer; with ``LARGEST_TABLE=129000000`` the test takes a minute or two.
SIZE = int(os.environ.get("LARGEST_TABLE", "12_000_000"))
#: What a process with nothing to do has, and an answer once as it came: its decoded rows take several times as much.
MOST_BYTES = peak.IDLE + SIZE


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.timeout(280)
def test_a_large_table_needs_little_memory(start: Start) -> None:
    """Read twice from a file, in pieces: to prove it whole, and to write it."""
    app, tap = start({"boards": 1, "tables": 4, "rows": 0, "big_table": SIZE})
    catalog = choosing(tap, "archive__big")
    command = peak.command("tap_crm", tap.command(catalog=catalog)[3:])
    with (tap.folder / "large.jsonl").open("wb") as output:
        done = run(command, stdout=output, timeout=270, variables=environment(measured=False))
    log, most = peak.told(done.stderr)
    assert done.returncode == 0, log[-2000:]
    keys = set()
    activated = False
    with (tap.folder / "large.jsonl").open("rb") as output:
        for line in output:
            if line.startswith(b'{"type":"RECORD","stream":"archive__big"'):
                keys.add(json.loads(line)["record"]["_id"])
            activated = activated or line.startswith(b'{"type":"ACTIVATE_VERSION"')
    assert keys == set(app.account.table_named("Big").rows)
    assert activated
    assert most <= MOST_BYTES, most
    print(f"{SIZE} bytes, {len(keys)} rows: {most / 1e6:.0f} MB")  # noqa: T201 - shown by -s

"""A table comes in one answer, however large; the tap's memory stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.copera.conftest import choosing
from tests.singer import environment

if TYPE_CHECKING:
    from tests.copera.conftest import Start

#: Bytes of the answer; with ``LARGEST_TABLE=129000000`` the test takes a minute or two.
SIZE = int(os.environ.get("LARGEST_TABLE", "12_000_000"))
#: What a process with nothing to do has, and an answer once as it came: its decoded rows take several times as much.
MOST_BYTES = 85_000_000 + SIZE

#: What `getrusage` tells begins with the size of the process that started this one: a large one, here.
RUN = """
import runpy, sys
try:
    runpy.run_module("tap_crm", run_name="__main__", alter_sys=True)
finally:
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    sys.stderr.write("PEAK %d\\n" % (int(peak.split()[1]) * 1024))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.timeout(280)
def test_a_large_table_needs_little_memory(start: Start) -> None:
    """Read twice from a file, in pieces: to prove it whole, and to write it."""
    app, tap = start({"boards": 1, "tables": 4, "rows": 0, "big_table": SIZE})
    catalog = choosing(tap, "archive__big")
    command = [sys.executable, "-c", RUN, *tap.command(catalog=catalog)[3:]]
    with (tap.folder / "large.jsonl").open("wb") as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, check=False, timeout=270, env=environment(measured=False)
        )
    log = done.stderr.decode()
    assert done.returncode == 0, log[-2000:]
    peak = int(log.rpartition("PEAK ")[2])
    keys = set()
    activated = False
    with (tap.folder / "large.jsonl").open("rb") as output:
        for line in output:
            if line.startswith(b'{"type":"RECORD","stream":"archive__big"'):
                keys.add(json.loads(line)["record"]["_id"])
            activated = activated or line.startswith(b'{"type":"ACTIVATE_VERSION"')
    assert keys == set(app.account.table_named("Big").rows)
    assert activated
    assert peak <= MOST_BYTES, peak
    print(f"{SIZE} bytes, {len(keys)} rows: {peak / 1e6:.0f} MB")  # noqa: T201 - shown by -s

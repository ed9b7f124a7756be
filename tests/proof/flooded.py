"""What processes do with answers and requests of two gigabytes: each tells how much memory it took at most."""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import peak
from tests.inbox.serving import COPPER, KEY, TOKEN, close_headers, copera_headers
from tests.proof.accounts import template
from tests.proof.floods import FORMS, Flooding, Form
from tests.proof.operations import Bed
from tests.proof.write_cells import Matrix
from tests.singer import environment
from tests.started import Program, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof.accounts import Account

#: Streams of each way in which streams are read, but for tables that are kept in a file: of as many as there are forms.
STREAMS = {
    "copper": ("companies", "activities", "tags", "loss_reasons"),
    "close": ("leads", "tasks", "notes", "groups"),
    "copera": ("channels", "notifications", "teams", "documents"),
    "pebble": ("account", "contacts", "labels", "custom_fields"),
}
#: Bytes that an answer may have, a few times: several are read at once, and each is put together from its pieces.
MOST = peak.IDLE + 6 * 67_108_864
#: Bytes that a receiver may take: it gives up after five megabytes.
MOST_OF_A_RECEIVER = peak.IDLE + 30_000_000
#: What is said of an answer that is too large to be one, and of one that may be, but does not end as a list does.
TOO_LARGE, NO_LIST = "the answer is larger than", "a row has no _id"
SOON = 60.0


@dataclass
class Found:
    """What a process did.

    Attributes:
        peak: bytes that it took at most.
        forms: how often each form was sent to it.
        wrong: what must not be.
    """

    peak: int
    forms: Counter[Form]
    wrong: list[str] = field(default_factory=list)


def reading(
    account: Account, streams: tuple[str, ...], forms: tuple[Form, ...] = FORMS, says: str = TOO_LARGE
) -> Found:
    """Read streams whose own questions are answered by floods, and look for what the log has to say then.

    Of a table in a file, these are those for its rows.
    """
    own = {kind for stream in streams for kind in account.own(stream)}
    if says == NO_LIST:
        own = {kind for kind in own if kind.endswith("/rows")}
    flooding = Flooding(account.server, lambda asked: template(asked, account.base_path) in own, forms)
    with flooding.serving() as url:
        arguments = account.command(streams, state=None, api_url=url + account.base_path, retry_seconds=0)
        done = run(peak.command(account.tap.module, arguments[3:]), variables=environment(measured=False), timeout=3600)
    log, most_bytes = peak.told(done.stderr)
    found = Found(most_bytes, flooding.sent)
    _judge(found, done.returncode, log, streams, says)
    return found


def writing(name: str, folder: Path, forms: tuple[Form, Form]) -> Found:
    """Change records, where what is asked for them is answered by a flood, and then where what writes is."""
    bed = Bed(name, folder)
    operation = next(one for one in bed.operations if one.action == "update" and one.count > 1)
    kinds = Matrix(bed).kinds(operation)
    found = Found(0, Counter())
    for where, form in zip(("reads", "writes"), forms, strict=True):
        trial = bed.trial()
        flooding = Flooding(trial.server, lambda asked, where=where: bed.kind(asked) in kinds[where], (form,))  # type: ignore[misc]
        with flooding.serving() as url:
            settings = {**bed.settings(trial.folder), "api_url": url + bed.base_path, "retry_seconds": 0}
            config, given = trial.folder / "config.json", trial.folder / "input"
            config.write_text(json.dumps({**settings, "lookup_seconds": 0}))
            given.write_text("".join(json.dumps(message) + "\n" for message in bed.input(operation)))
            arguments = ["--config", str(config), "--input", str(given)]
            done = run(peak.command("target_crm", arguments), variables=environment(measured=False), timeout=3600)
        log, most_bytes = peak.told(done.stderr)
        one = Found(most_bytes, flooding.sent)
        _judge(one, done.returncode, log, (operation.stream,), TOO_LARGE)
        found.peak = max(found.peak, one.peak)
        found.forms += one.forms
        found.wrong += [f"{where}, {form}: {wrong}" for wrong in one.wrong]
    return found


def _judge(found: Found, code: int, log: str, streams: tuple[str, ...], says: str) -> None:
    last = log.strip().splitlines()[-1] if log.strip() else ""
    if code != 1:
        found.wrong.append(f"exit code {code}: {log[-1500:]}")
    if "Traceback" in log or "unexpected" in log:
        found.wrong.append(f"a traceback: {log[-1500:]}")
    if says not in log:
        found.wrong.append(f"nothing says `{says}`: {log[-1500:]}")
    if not all(stream in last for stream in streams):
        found.wrong.append(f"the last line does not name {streams}: {last}")
    if found.peak > MOST:
        found.wrong.append(f"it took {found.peak // 1_000_000} MB, more than {MOST // 1_000_000}")


def receiving(folder: Path) -> Found:
    """Send floods to a receiver, as events of each CRM."""
    log = folder / "log"
    variables = {
        **environment(measured=False),
        "TAP_CRM_PROVIDER": "close",
        "TAP_CRM_INBOX": str(folder / "inbox.sqlite"),
        "TAP_CRM_INBOX_TOKEN": TOKEN,
        "TAP_CRM_INBOX_SIGNATURE_KEY": KEY,
    }
    command = [sys.executable, "-m", "tap_crm.inbox", "serve", "--config", "ENV", "--port", "0"]
    found = Found(0, Counter())
    with log.open("wb") as said, Program(command, variables=variables, stdout=said, stderr=said) as program:
        port = int(_until(log, r"http://127\.0\.0\.1:(\d+); "))
        for name in ("copper", "close", "copera"):
            for form in FORMS:
                status = _sent(port, f"/{name}/{TOKEN}", form)
                found.forms[form] += 1
                if status not in (413, 0):
                    found.wrong.append(f"{name}, {form}: answered with {status}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/health")
        if (status := connection.getresponse().status) != http.HTTPStatus.OK:
            found.wrong.append(f"its health is {status}")
        connection.close()
        found.peak = peak.of(program.pid)
        program.terminate()
    if "Traceback" in (text := log.read_text("utf-8")):
        found.wrong.append(f"a traceback: {text[-1500:]}")
    if found.peak > MOST_OF_A_RECEIVER:
        found.wrong.append(f"it took {found.peak // 1_000_000} MB, more than {MOST_OF_A_RECEIVER // 1_000_000}")
    return found


def _until(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + SOON
    while (match := re.search(pattern, log.read_text("utf-8"))) is None:
        assert time.monotonic() < deadline, log.read_text("utf-8")
        time.sleep(0.02)
    return match[1]


def _sent(port: int, path: str, form: Form) -> int:
    """Send a flood for as long as it is taken; return the status of the answer, 0 where the connection is closed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        # As if it were proven: without such headers nothing of it is read.
        connection.putrequest("POST", path, skip_accept_encoding=True)
        for name, value in {**form.headers, **COPPER, **close_headers(b""), **copera_headers(b"")}.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for piece in form.pieces():
                connection.send(piece)
        except OSError:
            pass
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()

"""Inputs from outside that are broken in any way: each case is made of its kind and a number, and is the same again.

What may come of one: a run that ends with 0 or 1, or one line that says what is wrong. What may not: a traceback, a run
that does not end, a key in the log, or a state after which something is missing for ever.
"""

from __future__ import annotations

import asyncio
import copy
import io
import json
import random
import time
from collections import Counter
from contextlib import closing, redirect_stdout
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.contract.signals import Terminated
from tap_crm.inbox.receiver import Receiver
from tap_crm.inbox.settings import InboxSettings
from tap_crm.inbox.spool import Spool
from tap_crm.providers import PROVIDERS
from target_crm.singer.target import TargetCRM
from tests.inbox.serving import COPPER, TOKEN
from tests.proof.cells import of_any_run, timed
from tests.proof.crashes import EMPTIED, SETTLING
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time
from tests.truth import compared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from tests.proof.accounts import Account
    from tests.proof.seam import Asked, Piece
    from tests.singer import Run

#: Seconds of a processor that a case may take.
LONGEST = 30.0
#: Bytes that parsers stumble over, and values that nobody expects.
BYTES = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"-",
    b"9" * 400,
    b"1e999",
    b"null",
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 1e308, "", "\0", "x" * 5_000, "ü\u2028", [], {}, [[]], {"": None}),
    *("9999-12-31T23:59:59Z", "0000-00-00", "-1", "NaN", "{", ["a", 1, None], 4_102_444_800),
)
DEEP = 100_000


def bytes_changed(given: bytes, choice: random.Random) -> bytes:
    """Return bytes with one to three changes: some are left out, doubled, replaced or put in; or very deep JSON."""
    found = given
    for _ in range(choice.randint(1, 3)):
        start = choice.randint(0, len(found))
        end = min(len(found), start + choice.choice((0, 1, 2, 8, 100)))
        kind = choice.randrange(6)
        if kind == 0:
            found = found[:start] + found[end:]
        elif kind == 1:
            found = found[:end] + found[start:]
        elif kind == 2:
            found = found[:start] + choice.choice(BYTES) + found[end:]
        elif kind == 3:
            found = found[:start]
        elif kind == 4:
            found = found[:start] + bytes(choice.randrange(256) for _ in range(4)) + found[end:]
        elif choice.random() < 0.3:
            found = b"[" * DEEP if choice.random() < 0.5 else b'{"a":' * DEEP
    return found


def value_changed(given: Any, choice: random.Random) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON with one to three of its parts replaced, left out or renamed."""
    found = copy.deepcopy(given)
    for _ in range(choice.randint(1, 3)):
        places: list[tuple[Any, Any]] = []
        stack = [found]
        while stack:
            one = stack.pop()
            inner = (
                list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []
            )
            places += [(one, key) for key, _ in inner]
            stack += [value for _, value in inner]
        if not places:
            return choice.choice(VALUES)
        holder, key = choice.choice(places)
        kind = choice.randrange(4)
        if kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[choice.choice(("", "x", "ü", "__proto__", "id"))] = holder.pop(key)
        elif kind == 2:
            holder[key] = copy.deepcopy(choice.choice(places)[0])
        else:
            holder[key] = copy.deepcopy(choice.choice(VALUES))
    return found


def fuzzed(what: str, account: Account, number: int, folder: Path) -> list[str]:
    """Try a case with the streams of an account; return what is wrong."""
    began = time.process_time()
    case = random.Random(f"{what} {account.crm.name} {number}")
    wrong = CASES[what](account, account.streams, case, folder)
    if time.process_time() - began > LONGEST:
        wrong = [*wrong, f"it took {time.process_time() - began:.0f} s"]
    return wrong


class _Fuzzing:
    """Answers as the sandbox does, and breaks some of the answers.

    How an answer is broken depends on the path, and on how often that was asked: no thread decides it.
    """

    def __init__(self, account: Account, choice: random.Random, *, headers: bool) -> None:
        self._account, self._headers = account, headers
        self._share = choice.choice((0.05, 0.3, 1.0))
        self._case = choice.random()
        self._asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, asked: Asked) -> Iterable[Piece]:
        """Answer."""
        whole = self._account.server.respond(asked)
        kind = asked.method, asked.path
        self._asked[kind] += 1
        choice = random.Random(f"{self._case} {kind} {self._asked[kind]}")
        if choice.random() > self._share:
            return whole.pieces()
        if self._headers:
            if choice.random() < 0.5:
                return [bytes_changed(whole.head(), choice) + whole.body]
            name = choice.choice(
                ("date", "retry-after", "content-type", "content-length", "x-ratelimit-reset", "ratelimit")
            )
            whole.headers[name] = choice.choice(
                ("", "-1", "NaN", "9" * 40, "soon", "Thu, 99 Foo 2026", "limit=x;reset=-9", "\xff")
            )
            return whole.pieces()
        whole.headers.pop("content-length", None)
        if choice.random() < 0.5:
            try:
                whole.body = json.dumps(value_changed(json.loads(whole.body), choice)).encode()
            except ValueError:
                whole.body = bytes_changed(whole.body, choice)
        else:
            whole.body = bytes_changed(whole.body, choice)
        return whole.pieces()


def _answers(account: Account, streams: tuple[str, ...], choice: random.Random, folder: Path) -> list[str]:
    """Break answers; after the next runs, the target has what the CRM has."""
    del folder
    server = _Fuzzing(account, choice, headers=choice.random() < 0.3)
    run, _ = timed(lambda: account.run(streams, is_first=False), server)
    wrong = [one for one in of_any_run(account, run) if one != "exit code 77"]
    return wrong or _settled(account, streams, run, run.state or None)


def _settled(account: Account, streams: tuple[str, ...], run: Run, state: Any) -> list[str]:  # noqa: ANN401
    """Go on with whole answers, and compare with a first run."""
    runs = [account.first, run]
    with virtual_time() as clock, answered_by(account.server, clock.wait):
        state = state or account.begun(streams, is_first=False)
        for settings in SETTLING:
            clock.wait(3_600.0)
            runs.append(account.tap.call(account.command(streams, state=state, **settings)))
            state = runs[-1].state or state
    if runs[-1].code != 0 and EMPTIED not in runs[-1].log:
        return [f"the next run fails: {runs[-1].said()[-1500:]}"]
    return [
        f"{stream}: {str(found)[:500]}"
        for stream in streams
        if (found := compared(account.truth(stream, is_first=True), account.loaded(stream, *runs)))
    ]


def _called(account: Account, streams: tuple[str, ...], choice: random.Random, changed: str) -> list[str]:
    """Run with a config, a catalog or a state that was changed, as JSON or as bytes."""
    state: Any = account.begun(streams, is_first=False)
    command = account.command(streams, state=state)
    path = command[command.index(f"--{changed}") + 1]
    with open(path, "rb") as file:  # noqa: PTH123 - it is a text
        known = file.read()
    if choice.random() < 0.7:
        text = json.dumps(value_changed(json.loads(known), choice)).encode()
    else:
        text = bytes_changed(known, choice)
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(text)
    run, wrong = timed(lambda: account.tap.call(command), account.server)
    found = [*wrong, *(one for one in of_any_run(account, run) if one not in ("exit code 77", "exit code 2"))]
    found = [one for one in found if not (changed == "config" and one == "the log shows the key")]
    return [f"{one}; {text[:300]!r}" for one in found]


def _singer(account: Account, streams: tuple[str, ...], choice: random.Random, folder: Path) -> list[str]:
    """Give `target-crm` an input that was changed, in a dry run."""
    if account.crm.name not in ("copper", "close", "copera"):
        return []
    lines = [
        json.dumps(one, default=float).encode()
        for one in account.first.messages
        if one.get("stream") in (*streams, None)
    ]
    at = choice.randrange(len(lines))
    if choice.random() < 0.5:
        lines[at] = bytes_changed(lines[at], choice)
    else:
        lines[at] = json.dumps(value_changed(json.loads(lines[at]), choice)).encode()
    lines = [*lines[: min(at, 12)], lines[at], *lines[at + 1 : at + 6]]
    config = {key: value for key, value in account.tap.config.items() if key not in ("inbox", "custom_fields")}
    config |= {"streams": {"*": {}}, "dry_run": True, "journal": str(folder / "journal.sqlite"), "lookup_seconds": 0}
    with virtual_time() as clock, answered_by(account.server, clock.wait), redirect_stdout(io.StringIO()):
        try:
            TargetCRM(config=config).run(io.BytesIO(b"\n".join(lines) + b"\n"))
        except (errors.CrmError, Terminated):
            pass
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            return [f"{type(error).__name__}: {error}; {lines[min(at, 12)][:300]!r}"]
    return []


def _webhook(account: Account, streams: tuple[str, ...], choice: random.Random, folder: Path) -> list[str]:
    """Send the receiver what was changed, and read it from the inbox as the tap does."""
    del streams
    name = account.crm.name
    body = bytes_changed(b'{"ids":[7],"type":"person","event":{"id":"ev_1","object_type":"lead"},"data":{}}', choice)
    path = (
        bytes_changed(f"/{name}/{TOKEN}".encode(), choice).decode("latin-1")
        if choice.random() < 0.5
        else f"/{name}/{TOKEN}"
    )
    signed = ("close-sig-hash", "close-sig-timestamp", "x-copera-signature", "content-length", *COPPER)
    headers = {key.lower(): value for key, value in COPPER.items()}
    for _ in range(choice.randint(0, 3)):
        headers[choice.choice(signed).lower()] = bytes_changed(choice.choice(BYTES), choice).decode("latin-1")[:2_000]

    async def parts() -> AsyncIterator[bytes]:
        yield body

    with closing(Spool.open(str(folder / f"inbox-{choice.random()}.sqlite"))) as spool:

        async def send() -> int:
            receiver = Receiver(InboxSettings(address="", token=TOKEN), spool)
            return await receiver.receive(path, headers, parts())

        try:
            status = asyncio.run(send())
            for event in spool.read(name, 0, 10):
                rules = PROVIDERS[name].hints
                if rules is not None:
                    list(rules.parse(event.body) or ())
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            return [f"{type(error).__name__}: {error}; {path!r} {headers} {body[:200]!r}"]
    return [] if status in (200, 401, 408, 413) else [f"status {status}"]


CASES: dict[str, Callable[[Any, tuple[str, ...], random.Random, Path], list[str]]] = {
    "answers": _answers,
    "config": lambda account, streams, choice, _: _called(account, streams, choice, "config"),
    "catalog": lambda account, streams, choice, _: _called(account, streams, choice, "catalog"),
    "state": lambda account, streams, choice, _: _called(account, streams, choice, "state"),
    "Singer input": _singer,
    "webhooks": _webhook,
}

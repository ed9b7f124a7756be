"""Measures what writing costs: requests, the part of the limit that is used, refusals, memory; beside a plain loop.

The target is a process of its own; the CRM is the sandbox, with its documented limits, over the loopback. Half of the
records are there already and differ (``--new``: none is there; ``--unchanged``: all are, as they are wanted). The loop
makes one record a request, by `requests`, or by Close's own client; it looks nothing up and keeps no journal.

    python -m bench.writing copper --records 10000
    python -m bench.writing copper --records 5000 --new
    python -m bench.writing close --records 2000
    python -m bench.writing copper --records 200000 --unchanged
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import requests

from sandbox import close, copera, copper
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Record = dict[str, Any]
_MEASURED = (
    "import re, sys; from target_crm.singer.target import main\n"
    "code = 0\n"
    "try: main(sys.argv[1:])\n"
    "except SystemExit as end: code = end.code or 0\n"
    "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)\n"
    "sys.exit(code)"
)
_JSON = {"Content-Type": "application/json"}
_TOO_MANY, _FAILED, _PAUSE = 429, 300, 0.2


@dataclass(frozen=True)
class Crm:
    """One CRM: its server, its stream, its limit.

    Attributes:
        app: makes an empty account.
        stream: what is written.
        credentials: settings of the connection, but for its address.
        settings: of the stream.
        row: returns a record by its number and a text.
        plain: returns what makes one record by its number, as a loop would, and tells whether it was made.
        limit: requests that the CRM takes in a minute: all of them, or those that write where these have their own.
    """

    app: Callable[[], Any]
    stream: str
    credentials: Record
    settings: Record
    row: Callable[[int, str], Record]
    plain: Callable[[Any, str], Callable[[int], bool]]
    limit: float


def _copper_with(people: int) -> copper.CopperSandbox:
    nothing: Record = dict.fromkeys(("companies", "opportunities", "leads", "projects", "tasks", "activities"), 0)
    return copper.copper_app(copper.Shape(people=people, **nothing))


def _there(app: copper.CopperSandbox) -> Iterator[Record]:
    """Yield of each person what a record of it may say that is there already."""
    for row in app.account.tables["people"].living.values():
        person = msgspec.json.decode(row.raw)
        yield {name: person[name] for name in ("id", "name", "title", "tags")}


def _person(number: int, text: str) -> Record:
    return {"email": f"p{number}@example.com", "name": f"Person {number}", "title": text, "tags": ["customer"]}


def _posting(session: requests.Session, address: str, body: Callable[[int], Record]) -> Callable[[int], bool]:
    """Return what sends one record by `requests`, and waits where it was too fast."""

    def send(number: int) -> bool:
        answer = session.post(address, json=body(number), timeout=60)
        if answer.status_code == _TOO_MANY:
            time.sleep(float(answer.headers.get("retry-after", _PAUSE)))
        return answer.status_code < _FAILED

    return send


def _plain_people(_: Any, url: str) -> Callable[[int], bool]:  # noqa: ANN401
    session = requests.Session()
    session.headers.update({"X-PW-AccessToken": copper.API_KEY, "X-PW-UserEmail": copper.USER_EMAIL, **_JSON})
    session.headers["X-PW-Application"] = "developer_api"

    def body(number: int) -> Record:
        row = _person(number, "Plain")
        del row["email"]
        return {**row, "emails": [{"email": f"plain{number}@example.com", "category": "work"}]}

    return _posting(session, f"{url}/people", body)


def _empty_close() -> close.CloseSandbox:
    nothing: Record = dict.fromkeys(("leads", "contacts", "opportunities", "tasks", "activities", "custom_objects"), 0)
    app = close.close_app(close.Shape(**nothing, events=0, comments=0, custom_fields=0))
    values = app.account.source.custom
    made = values.definition("lead", "Our key", "text", many=False, created=1_700_000_000_000_000)
    app.account.lists["custom_fields"].append(made | values.of_type("text", None))
    return app


def _lead(number: int, text: str) -> Record:
    return {"key": f"k{number}", "name": f"Lead {number}", "description": text}


def _plain_leads(_: Any, url: str) -> Callable[[int], bool]:  # noqa: ANN401
    client = importlib.import_module("closeio_api").API(f"{url}/", close.API_KEY, tz_offset="0")

    def send(number: int) -> bool:
        client.post("lead", data={"name": f"Plain {number}", "description": "Plain"})  # it waits by itself
        return True

    return send


def _empty_copera() -> copera.CoperaSandbox:
    shape = copera.Shape(rows=0, boards=2, tables=7, members=4, documents=0, drive_files=0, comments=0)
    app = copera.copera_app(shape)
    for label in ("Our key", "Title"):
        app.account.change("add_column", {"table": "People", "label": label, "type": "TEXT"})
    return app


def _plain_rows(app: Any, url: str) -> Callable[[int], bool]:  # noqa: ANN401
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {copera.PAT}", **_JSON})
    table = app.account.table_named("People")
    column = next(one.id for one in table.columns if one.label == "Name")

    def body(number: int) -> Record:
        return {"columns": [{"columnId": column, "value": f"Plain {number}"}]}

    return _posting(session, f"{url}/board/{table.board}/table/{table.id}/row", body)


CRMS = {
    "copper": Crm(
        lambda: _copper_with(0),
        "people",
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
        {"match": ["email"], "fields": {"email": "emails"}},
        _person,
        _plain_people,
        180,
    ),
    "close": Crm(
        _empty_close,
        "leads",
        {"api_key": close.API_KEY},
        {"match": ["key"], "external_id": "custom_our_key"},
        _lead,
        _plain_leads,
        160 * 60 / 8,
    ),
    "copera": Crm(
        _empty_copera,
        "sales__people",
        {"api_key": copera.PAT},
        {"match": ["key"], "external_id": "our_key"},
        _lead,
        _plain_rows,
        30,
    ),
}


@dataclass(frozen=True)
class Cost:
    """What one run took.

    Attributes:
        seconds: with the start of the process.
        asking: seconds from its first request to its last.
        writes: requests that write.
        reads: others.
        refused: how many of both the limit refused.
        peak: megabytes of memory.
        outcomes: how many records ended how.
    """

    seconds: float
    asking: float
    writes: int
    reads: int
    refused: int
    peak: float
    outcomes: Counter[str]


class Bench:
    """An account, and a folder for the target's files.

    Args:
        name: of the CRM.
        url: of its sandbox.
        app: the sandbox.
        folder: where the files are.
    """

    def __init__(self, name: str, url: str, app: Any, folder: Path) -> None:  # noqa: ANN401
        self._name, self._crm = name, CRMS[name]
        self._url, self._app, self._folder = url, app, folder

    def numbered(self, numbers: range, text: str) -> Iterator[Record]:
        """Yield records by their numbers."""
        return (self._crm.row(number, text) for number in numbers)

    def run(
        self, journal: str, rows: Iterable[Record], *, is_free: bool = False, settings: Record | None = None
    ) -> Cost:
        """Write records by the target; ``is_free`` without a limit."""
        report = self._folder / "report.jsonl"
        report.unlink(missing_ok=True)
        config = {
            "provider": self._name,
            "api_url": self._url,
            "report": str(report),
            **self._crm.credentials,
            **({"requests_per_minute": 0} if is_free else {}),
            "streams": {self._crm.stream: self._crm.settings if settings is None else settings},
            "journal": str(self._folder / journal),
        }
        path, given = self._folder / "config.json", self._folder / "input.jsonl"
        path.write_text(json.dumps(config))
        self._write_input(given, rows)
        command = [sys.executable, "-c", _MEASURED, "--config", str(path), "--input", str(given)]
        with _limits(self._app, is_free=is_free):
            self._app.forget_limits()
            self._app.stats.reset()
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stderr)
        with report.open() as lines:
            outcomes = Counter(json.loads(line)["outcome"] for line in lines)
        writes, arrivals = sum(self._app.stats.writes.values()), self._app.stats.arrivals
        peak = int(done.stderr.split()[-1]) / 1024
        asking = arrivals[-1] - arrivals[0]
        return Cost(seconds, asking, writes, len(arrivals) - writes, self._app.stats.refused, peak, outcomes)

    def _write_input(self, path: Path, rows: Iterable[Record]) -> None:
        stream = self._crm.stream
        with path.open("w") as file:
            for number, row in enumerate(rows):
                if not number:
                    schema: Record = {"properties": {name: {} for name in row}}
                    head = {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": []}
                    file.write(json.dumps(head) + "\n")
                file.write(json.dumps({"type": "RECORD", "stream": stream, "record": row}) + "\n")

    def plain(self, count: int) -> float:
        """Make records by the loop; return the seconds that it took."""
        send = self._crm.plain(self._app, self._url)
        self._app.forget_limits()
        self._app.stats.reset()
        began = time.perf_counter()
        for number in range(count):
            while not send(number):
                pass
        return time.perf_counter() - began


class _limits:  # noqa: N801 - a context manager, like those of contextlib
    """Lifts the limits of a sandbox for a while."""

    def __init__(self, app: Any, *, is_free: bool) -> None:  # noqa: ANN401
        self._knobs = app.behaviour
        names = ("rate_limit", "bulk_rate_limit", "create_limit") if is_free else ()
        self._before = {name: getattr(self._knobs, name) for name in names if hasattr(self._knobs, name)}

    def __enter__(self) -> None:
        for name in self._before:
            setattr(self._knobs, name, 0)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            setattr(self._knobs, name, value)


def _told(title: str, count: int, cost: Cost, limit: float) -> None:
    minutes = cost.seconds / 60
    used = 100 * (cost.writes + cost.reads - cost.refused) / (cost.asking / 60) / limit
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in cost.outcomes.items())
    print(f"{title:<22} {outcomes}")
    print(
        f"{'':<22} {cost.writes:,} writes, {cost.reads:,} reads, {cost.refused} refused (429), {minutes:.1f} min, "
        f"{count / minutes:,.0f} records/min, {used:.1f} % of the limit between the first and the last request, "
        f"peak {cost.peak:.0f} MB"
    )


def main() -> None:
    """Write, write the same again, run the loop, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crm", choices=sorted(CRMS))
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--plain", type=int, default=400, help="records that the loop makes; 0: no loop")
    parser.add_argument("--no-limit", action="store_true", help="the CRM takes all at once: for memory, not for time")
    parser.add_argument("--new", action="store_true", help="none of the records is there before")
    parser.add_argument("--unchanged", action="store_true", help="all are there as they are wanted (Copper; no limit)")
    options = parser.parse_args()
    if options.unchanged and options.crm != "copper":
        parser.error("--unchanged is for copper")
    crm, count = CRMS[options.crm], options.records
    app = _copper_with(count) if options.unchanged else crm.app()
    with tempfile.TemporaryDirectory() as name, running(app) as url:
        bench = Bench(options.crm, url, app, Path(name))
        if options.unchanged:
            cost = bench.run("journal.sqlite", _there(app), is_free=True, settings={"mode": "update"})
            _told(f"{count:,} compared", count, cost, crm.limit)
        else:
            _measure(bench, crm, options, app)


def _measure(bench: Bench, crm: Crm, options: argparse.Namespace, app: Any) -> None:  # noqa: ANN401
    """Write, write the same again, and run the loop."""
    count, is_free = options.records, options.no_limit
    if not options.new:
        bench.run("earlier.sqlite", bench.numbered(range(count // 2), "Before"), is_free=True)
    costs = []
    for title in (f"{count:,} {'new' if options.new else 'upserted'}", "the same input again"):
        costs.append(bench.run("journal.sqlite", bench.numbered(range(count), "After"), is_free=is_free))
        _told(title, count, costs[-1], crm.limit)
    if options.plain and not is_free:
        seconds = bench.plain(options.plain)
        alone = 60 * options.plain / seconds
        print(f"{f'a loop, {options.plain:,} records':<22} {alone:,.0f} records/min, {app.stats.refused} refused")
        print(f"{'ratio':<22} {count / (costs[0].seconds / 60) / alone:.1f}")


if __name__ == "__main__":
    main()

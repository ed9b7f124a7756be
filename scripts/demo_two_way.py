"""Two-way, as the demo shows it: edits of the loaded tables are written into the CRM, and come back."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
from rich import box
from rich.table import Table as Grid

from sandbox.client import Client
from sandbox.copper import API_KEY, USER_EMAIL
from scripts.demo_compare import compare
from scripts.demo_copper import COPPER
from scripts.demo_processes import OUTPUT, Meltano, served, short
from scripts.demo_report import show_comparison

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from scripts.demo_crm import Record

TARGET, FILES = "target-copper", "tap-jsonl"
EDITED, REFUSED, TAKEN, LATER = 40, 2, 5, 3
SHOWN = 8

#: Copper with people and companies alone: other streams have no part in this.
ACCOUNT = replace(
    COPPER,
    server=(
        *("--people", "2000", "--companies", "300", "--opportunities", "0", "--leads", "0"),
        *("--activities", "0", "--tasks", "0", "--projects", "0", "--rate-limit", "0"),
    ),
    settings={
        **COPPER.settings,
        "TAP_COPPER__SELECT": json.dumps(["people.*", "companies.*", "writes.*", "sync_audit.*"]),
        "TARGET_COPPER_API_KEY": API_KEY,
        "TARGET_COPPER_USER_EMAIL": USER_EMAIL,
        "TARGET_COPPER_REQUESTS_PER_MINUTE": "0",
        "TARGET_COPPER_STREAMS": json.dumps({"people": {"mode": "update", "conflict": "skip"}}),
        "TARGET_COPPER_ON_REJECT": "tolerate",
        "TAP_JSONL_STREAM_NAME": "people",
    },
    tables={name: COPPER.tables[name] for name in ("people", "companies")},
)
EDITS = """
    CREATE TABLE edits (id BIGINT PRIMARY KEY, title VARCHAR, assignee_id VARCHAR, date_modified TIMESTAMP);
    INSERT INTO edits
    SELECT id, 'Edited: ' || coalesce(title, name), NULL, date_modified FROM copper.people ORDER BY id LIMIT {edited};
    UPDATE edits SET assignee_id = 'somebody.who.left@example.com'
    WHERE id IN (SELECT id FROM edits ORDER BY id DESC LIMIT {refused});
    CREATE VIEW outbox AS
    SELECT edits.* FROM edits JOIN copper.people AS people ON people.id = edits.id
    WHERE people.date_modified <= edits.date_modified AND people.title IS DISTINCT FROM edits.title;
"""
WHOSE = """
    WITH ours AS (
        SELECT *, row_number() OVER (PARTITION BY object, crm_id ORDER BY settled_at DESC, sequence DESC) AS nth
        FROM copper.writes
    )
    SELECT edits.id,
        CASE WHEN ours.crm_id IS NULL OR people.date_modified > ours.changed_at THEN 'theirs' ELSE 'echo' END
    FROM edits
    JOIN copper.people AS people ON people.id = edits.id
    LEFT JOIN ours ON ours.nth = 1 AND ours.object = 'people' AND ours.crm_id = CAST(edits.id AS VARCHAR)
    ORDER BY edits.id
"""


class TwoWay:
    """One run of it.

    Args:
        console: where it is told.
        url: the CRM's.
        meltano: runs the extractors and loaders.
        folder: where journal, report and outbox are.
    """

    def __init__(self, console: Console, url: str, meltano: Meltano, folder: Path = OUTPUT) -> None:
        self._console = console
        self._client = Client(url)
        self._meltano = meltano
        self._journal, self._report = folder / "target-copper.sqlite", folder / "target-copper.jsonl"
        self._outbox = folder / "outbox.jsonl"
        meltano.environment.update(
            {
                "TARGET_COPPER_API_URL": url,
                "TARGET_COPPER_JOURNAL": str(self._journal),
                "TARGET_COPPER_REPORT": str(self._report),
                "TAP_JSONL_PATH": str(self._outbox),
            }
        )
        self._failures: list[str] = []

    def show(self) -> list[str]:
        """Show everything; returns what is not as it should be."""
        self._load_and_edit()
        taken = self._ids[:TAKEN]
        self._people_edit(taken, "Edited by somebody in Copper", "Meanwhile, somebody in Copper edits")
        self._dry_run()
        self._write()
        later = self._ids[TAKEN : TAKEN + LATER]
        self._people_edit(later, "Edited by somebody after that", "After that, somebody in Copper edits")
        self._read_back({*taken, *later})
        self._second_round()
        self._client.close()
        return self._failures

    def _rule(self, title: str) -> None:
        self._console.rule(title, align="left")

    def _check(self, what: str, *, holds: bool) -> None:
        if not holds:
            self._failures.append(what)

    # The steps

    def _load_and_edit(self) -> None:
        self._rule("2. The tap loads it into DuckDB, and somebody edits the loaded table there")
        self._meltano.install(FILES, TARGET)
        self._meltano.load()
        self._sql(EDITS.format(edited=EDITED, refused=REFUSED))
        self._ids = [row[0] for row in self._sql("SELECT id FROM edits ORDER BY id")]
        self._before = self._titles()
        self._console.print(
            f"- {EDITED} people get another title, by SQL in the table `edits`; with each edit stands the time of the "
            f"version that it was made of\n- {REFUSED} of them also an owner whom Copper does not have"
        )

    def _people_edit(self, ids: list[int], title: str, said: str) -> None:
        """Edit in the CRM; a second later at least, since Copper tells seconds."""
        self._client.control("configure", {"clock_skew": self._client.control("configure")["clock_skew"] + 2})
        order = {"object": "people", "ids": ids, "changes": {"title": title}}
        self._check("the sandbox edited", holds=bool(self._client.control("edit", order).get("ids")))
        self._console.print(f"- {said} {len(ids)} of the same people")

    def _dry_run(self) -> None:
        self._rule("3. A dry run: what would be written")
        self._export()
        present = self._titles()
        self._dry = self._run("TARGET_COPPER_DRY_RUN")
        self._show_outcomes(self._dry)
        self._check("a dry run writes nothing", holds=self._titles() == present and not self._writes())

    def _write(self) -> None:
        self._rule("4. The edits are written back")
        done = self._run()
        self._show_outcomes(done)
        wanted = {"updated": EDITED - TAKEN - REFUSED, "skipped": TAKEN, "rejected": REFUSED}
        self._check(f"outcomes: {wanted}", holds=Counter(line["outcome"] for line in done) == wanted)
        same = [[(line["key"], line["outcome"]) for line in lines] for lines in (self._dry, done)]
        self._check("the dry run said what the run then did", holds=sorted(same[0]) == sorted(same[1]))
        self._show_titles(done)
        self._show_rejects(done)

    def _read_back(self, theirs: set[int]) -> None:
        self._rule("5. The tap reads back: echoes of what was written, and what people did")
        self._meltano.load({"TAP_COPPER_JOURNAL": str(self._journal)})
        found = compare(ACCOUNT, self._client, self._meltano.database)
        show_comparison(self._console, found)
        self._check("what was loaded is what is there", holds=all(one.equal for one in found))
        whose = dict(self._sql(WHOSE))
        echoes = {key for key, one in whose.items() if one == "echo"}
        written = set(self._ids) - theirs - set(self._ids[-REFUSED:])
        self._check("echoes are what was written, and nobody has edited since", holds=echoes == written)
        self._console.print(
            f"Of the {EDITED} edited people, {len(echoes)} are echoes: their last change is our own write. "
            f"{len(whose) - len(echoes)} are not:\n{TAKEN} that somebody had edited before we could, {LATER} edited "
            f"after our write, and {REFUSED} that were rejected. (SQL on the tables people and writes)"
        )

    def _second_round(self) -> None:
        self._rule("6. A second round, without new edits")
        before = self._writes()
        self._export()
        self._show_outcomes(self._run())
        asked = self._writes() - before
        self._console.print(f"Requests that write: {asked}. What was rejected stays in the outbox until it is mended.")
        self._check("a second round writes nothing", holds=not asked)
        self._console.print(
            f"The journal is {short(self._journal)}, the report {short(self._report)}, the database "
            f"{short(self._meltano.database)}; the log is {short(self._meltano.log)}."
        )

    # What is asked

    def _sql(self, query: str) -> list[Any]:
        with duckdb.connect(str(self._meltano.database)) as connection:
            return connection.execute(query).fetchall()

    def _export(self) -> None:
        """Write the outbox as lines of JSON, which a tap from the index reads."""
        ((count,),) = self._sql("SELECT count(*) FROM outbox")
        self._sql(f"COPY (SELECT * FROM outbox) TO '{self._outbox}' (FORMAT json)")  # noqa: S608 - a path of ours
        self._console.print(f"DuckDB exports its view `outbox`, {count} rows, into {short(self._outbox)}")

    def _run(self, *switches: str) -> list[Record]:
        """Send the outbox; returns the lines of the report."""
        before = self._report.stat().st_size if self._report.exists() else 0
        self._meltano.run("--full-refresh", FILES, TARGET, **dict.fromkeys(switches, "true"))
        lines: list[Record] = [json.loads(line) for line in self._report.read_bytes()[before:].decode().splitlines()]
        return lines

    def _titles(self) -> dict[int, str | None]:
        return {row["id"]: row.get("title") for row in self._client.control("truth/people")}

    def _writes(self) -> int:
        return sum(self._client.control("stats")["writes"].values())

    # What is shown

    def _show_outcomes(self, lines: list[Record]) -> None:
        counts = Counter(line["outcome"] for line in lines)
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        self._console.print(f"The report: {told or 'nothing'}.")

    def _show_titles(self, lines: list[Record]) -> None:
        present, outcomes = self._titles(), {line["key"]: line["outcome"] for line in lines}
        grid = Grid(box=box.SIMPLE_HEAD)
        for title in ("person", "title when loaded", "title in Copper now", "the report says"):
            grid.add_column(title)
        for key in self._ids[TAKEN - SHOWN // 2 : TAKEN + SHOWN // 2]:
            grid.add_row(str(key), self._before[key] or "", present[key] or "", outcomes.get(key, ""))
        self._console.print(f"{SHOWN} of the {EDITED} edited people:")
        self._console.print(grid)

    def _show_rejects(self, lines: list[Record]) -> None:
        self._console.print("Rejected, with the reason; all others were written nevertheless:")
        for line in lines:
            if line["outcome"] == "rejected":
                self._console.print(f"- {line['key']}: {line['reason']}", markup=False)


def two_way(console: Console) -> list[str]:
    """Show it; returns what is not as it should be."""
    console.rule("1. Copper, served on this machine", align="left")
    with served(ACCOUNT) as url:
        console.print(f"{url}, filled with made-up data; its rate limit is lifted, so that you need not wait.")
        return TwoWay(console, url, Meltano(console, ACCOUNT, url)).show()

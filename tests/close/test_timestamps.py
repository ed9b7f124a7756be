"""Close writes times in several forms, some without a zone, some in the future; all arrive as UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start
    from tests.singer import Run

DAY = 86_400
BY_TIME = ("leads", "contacts", "opportunities", "tasks", "events", "emails", "calls", "meetings")
FEW: dict[str, Any] = {
    "leads": 20,
    "contacts": 15,
    "opportunities": 40,
    "tasks": 40,
    "activities": {"emails": 15, "calls": 15, "meetings": 15},
    "events": 20,
    "custom_fields": 2,
}
#: Small ones, so that a small account has many.
PAGES = {"data/search": 27, "opportunity": 17}
FORMS = {
    "2021-07-13T11:39:05.012000+00:00": "2021-07-13T11:39:05.012000Z",
    "2022-11-12T18:00:00+00:00": "2022-11-12T18:00:00Z",
    "2022-11-12T18:00:00Z": "2022-11-12T18:00:00Z",
    "2022-11-08T12:07:06.184401": "2022-11-08T12:07:06.184401Z",
    "2022-11-08T12:07:06": "2022-11-08T12:07:06Z",
    "2022-11-08T12:07:06.184401+05:30": "2022-11-08T06:37:06.184401Z",
    "2022-11-08T22:07:06.5-04:00": "2022-11-09T02:07:06.500000Z",
    "2022-11-08": "2022-11-08T00:00:00Z",
    "0001-01-01T00:00:00": "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999+00:00": "9999-12-31T23:59:59.999999Z",
}


def iso(seconds: float) -> str:
    """Return a moment as bookmarks are written."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_form_of_a_time_arrives_in_utc_with_its_fraction(start_some: Start) -> None:
    """By the fast path (outcomes) and by the careful one (exports, whose links are masked), and within records."""
    app, tap = start_some(("outcomes", "exports", "playbooks", "sequences"), {**FEW, "small_lists": len(FORMS)})
    for stream in ("outcomes", "exports", "playbooks"):
        name = "created_at" if stream == "playbooks" else "date_created"
        for record, form in zip(app.account.lists[stream], FORMS, strict=True):
            record[name] = form
    steps = app.account.lists["sequences"][3]["steps"]
    steps[0]["date_created"], steps[1]["date_created"] = list(FORMS)[3], list(FORMS)[1]
    run = tap.sync()
    for stream in ("outcomes", "exports", "playbooks"):
        name = "created_at" if stream == "playbooks" else "date_created"
        assert [record[name] for record in run.records(stream)] == list(FORMS.values()), stream
    (sequence,) = [one for one in run.records("sequences") if len(one["steps"]) == len(steps) == 3]
    assert [step["date_created"] for step in sequence["steps"]][:2] == [
        "2022-11-08T12:07:06.184401Z",
        "2022-11-12T18:00:00Z",
    ]
    assert all(row["misfits"] == 0 for row in run.audit().values())


def test_a_text_that_could_be_two_days_is_no_time(start_some: Start) -> None:
    """Close is not said to write such texts, so nothing says in which order; the text is kept, and told."""
    app, tap = start_some(("outcomes",), {**FEW, "small_lists": 2})
    app.account.lists["outcomes"][0]["date_updated"] = "1/2/2026"
    run = tap.sync()
    record = run.records("outcomes")[0]
    assert record["date_updated"] is None
    assert record["_extra"] == {"date_updated": "1/2/2026"}
    assert run.audit()["outcomes"]["misfits"] == 1


def test_forms_do_not_confuse_the_reading(start_some: Start) -> None:
    """Change times with and without zone, fraction and offset, in the same list, around the same second."""
    streams = ("leads", "contacts", "opportunities")
    app, tap = start_some(streams, {**FEW, "leads": 100, "contacts": 50, "opportunities": 50}, limit_caps=PAGES)
    for stream in ("leads", "contacts", "opportunities"):
        table = app.account.tables[stream]
        for place, row in enumerate(sorted(table, key=lambda row: row.updated)):
            text = datetime.fromtimestamp(row.updated // 1_000_000, UTC)
            old = f'"date_updated":"{_usual(row.updated)}"'.encode()
            assert old in row.raw
            forms = (text.isoformat(), text.isoformat()[:-6], f"{text.isoformat()[:-6]}Z", None)
            if (form := forms[place % len(forms)]) is not None:
                row.raw = row.raw.replace(old, f'"date_updated":"{form}"'.encode())
                row.updated -= row.updated % 1_000_000
        table.updated = sorted((row.updated, row.id) for row in table)
    run = tap.sync()
    for stream in ("leads", "contacts", "opportunities"):
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


def _usual(micros: int) -> str:
    from sandbox.close.moments import text_of  # noqa: PLC0415

    return text_of(micros)


def test_dates_stay_dates(start_some: Start) -> None:
    """When a deal was won is a day, not a moment; the day a task is due may be either, as Close writes it."""
    app, tap = start_some(("opportunities", "tasks"), FEW)
    run = tap.sync()
    won = {one["id"]: one["date_won"] for one in app.account.records("opportunities")}
    assert any(won.values())
    assert {one["id"]: one["date_won"] for one in run.records("opportunities")} == won
    due = {one["id"]: one["date"] for one in app.account.records("tasks")}
    assert {len(text) for text in due.values() if text} > {10}
    assert {one["id"]: one["date"] for one in run.records("tasks")} == due


def test_built_in_roles_are_as_old_as_time(start_some: Start) -> None:
    """They were made in the year 1."""
    _, tap = start_some(("roles",), FEW)
    found = {role["id"]: role["date_created"] for role in tap.sync().records("roles")}
    assert found["admin"] == "0001-01-01T00:00:00Z"


def bookmarks_of(run: Run) -> dict[str, str]:
    """Return the bookmark of each stream that has one; lists that are read whole have other things in the state."""
    found = run.state["bookmarks"].items()
    return {name: kept["replication_key_value"] for name, kept in found if "replication_key_value" in kept}


def test_meetings_in_the_future_arrive_and_no_bookmark_follows_them(start_some: Start) -> None:
    """A meeting's `date_created` is when it begins; the next run still sees what is created until then."""
    app, tap = start_some(BY_TIME, {**FEW, "future_meetings": 8})
    ahead = [one["id"] for one in app.account.records("meetings") if one["date_created"][:19] > iso(app.now())[:19]]
    assert len(ahead) == 8
    first = tap.sync()
    assert differences(app.account, "meetings", merged("meetings", first)) == {}
    bookmarks = bookmarks_of(first)
    assert {"meetings", "calls", "leads", "contacts", "opportunities", "tasks", "events"} <= bookmarks.keys()
    assert max(bookmarks.values()) <= iso(app.now())
    made = app.account.create("meetings", dated=app.now() + 40 * DAY)
    made += app.account.create("meetings", dated=app.now() - 60)
    made += app.account.create("calls")
    second = tap.sync(state=first.state)
    for stream in ("meetings", "calls"):
        assert differences(app.account, stream, merged(stream, first, second)) == {}, stream
    assert {record["id"] for stream in ("meetings", "calls") for record in second.records(stream)} >= set(made)
    assert {record["id"] for record in second.records("meetings")} >= {*ahead}
    assert max(bookmarks_of(second).values()) <= iso(app.now())


def test_the_state_holds_whole_seconds_in_utc(start_some: Start) -> None:
    """However the CRM writes its times."""
    _, tap = start_some(BY_TIME, FEW)
    run = tap.sync()
    for stream in bookmarks_of(run):
        value = run.state["bookmarks"][stream]
        datetime.strptime(value["replication_key_value"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert value["replication_key"] in ("date_updated", "date_created"), stream

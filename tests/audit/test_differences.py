"""What differs between a database and the CRM is found and named, in DuckDB and in PostgreSQL."""

# ruff: noqa: D103, S608  (the name of a test is its sentence; the names in SQL are ours)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.singer import selecting

if TYPE_CHECKING:
    from tests.audit.conftest import Account, Audit, Databases, Loaded, Open

LATER = "9999999999"


def test_what_was_just_loaded_is_equal(audit: Audit, each_database: Loaded, copper_account: Account) -> None:
    found = audit(each_database)
    assert found.code == 0, found.out + found.log
    assert found.report["equal"] is True
    loaded = copper_account.run.audit()
    assert {one["stream"]: one["crm_rows"] for one in found.report["streams"]} == {
        stream: copper_account.run.count(stream) for stream in loaded
    }
    assert all(one["table_rows"] == one["crm_rows"] for one in found.report["streams"])
    assert all(one["loaded_to"] for one in found.report["streams"])
    assert found.log == ""


@pytest.mark.parametrize(("crm", "kind"), [("close", "duckdb"), ("copera", "postgresql")])
def test_the_other_crms_are_compared_likewise(
    audit: Audit, databases: Databases, account: Open, crm: str, kind: str
) -> None:
    other = account(crm)
    database = databases.make(kind, other)
    found = audit(database, *(other.run.audit() if crm == "close" else ()), of=other)
    assert found.code == 0, found.out + found.log
    assert {one["stream"] for one in found.report["streams"]} == set(other.run.audit())


def test_a_row_that_was_removed_is_named(audit: Audit, each_database: Loaded, copper_account: Account) -> None:
    removed = copper_account.ids("people")[7]
    each_database.execute(f"DELETE FROM copper.people WHERE id = {removed}")
    found = audit(each_database, "people", "companies")
    assert found.code == 1
    assert found.report["equal"] is False
    assert found["people"]["missing"] == [removed]
    assert found.counts("people") == {"missing": 1}
    assert found["people"]["crm_rows"] == found["people"]["table_rows"] + 1
    assert [found[name]["verdict"] for name in ("people", "companies")] == ["different", "equal"]


def test_a_row_too_many_is_named_with_what_finds_deletions(audit: Audit, each_database: Loaded) -> None:
    each_database.execute(f"INSERT INTO copper.people (id) VALUES ({LATER})")
    each_database.execute("INSERT INTO copper.tags (name) VALUES ('no such tag')")
    found = audit(each_database, "people", "tags")
    assert found.code == 1
    assert found["people"]["surplus"] == [LATER]
    assert found.counts("people") == {"surplus": 1}
    assert "`reconcile: true`" in found["people"]["notes"][0]
    assert found["tags"]["surplus"] == ["no such tag"]
    assert "each run tells of deletions" in found["tags"]["notes"][0]
    assert "`--print-sql`" in found["tags"]["notes"][0]


def test_a_second_row_of_a_record_is_a_row_too_many(audit: Audit, database: Loaded, copper_account: Account) -> None:
    twice = copper_account.ids("people")[0]
    database.execute(f"INSERT INTO copper.people SELECT * FROM copper.people WHERE id = {twice}")
    found = audit(database, "people")
    assert found["people"]["surplus"] == [twice]
    assert found.counts("people") == {"surplus": 1}
    assert found["people"]["notes"] == ["of the surplus rows, further ones with the key of another row: 1"]


def test_a_row_in_an_older_version_is_named(audit: Audit, each_database: Loaded, copper_account: Account) -> None:
    stale = copper_account.ids("people")[3:5]
    for key, told in zip(stale, ("date_modified - INTERVAL '1 second'", "NULL"), strict=True):
        each_database.execute(f"UPDATE copper.people SET date_modified = {told} WHERE id = {key}")
    found = audit(each_database, "people")
    assert found.code == 1
    assert found["people"]["stale"] == stale
    assert found.counts("people") == {"stale": 2}


def test_times_that_are_later_than_the_crms_are_noted(audit: Audit, database: Loaded) -> None:
    database.execute("UPDATE copper.people SET date_modified = date_modified + INTERVAL '5 hours'")
    found = audit(database, "people")
    assert found.code == 0
    assert found["people"]["notes"][0].startswith("rows with a later change time than the CRM tells: 60;")


def test_a_row_that_is_marked_as_deleted_is_set_apart(audit: Audit, each_database: Loaded) -> None:
    each_database.execute(f"INSERT INTO copper.people (id, _sdc_deleted_at) VALUES ({LATER}, '2026-01-01')")
    found = audit(each_database, "people")
    assert found.code == 0
    assert found.counts("people") == {"deleted": 1}
    assert found["people"]["table_rows"] == found["people"]["crm_rows"]


def test_a_row_that_is_marked_as_deleted_and_lives_is_missing(
    audit: Audit, each_database: Loaded, copper_account: Account
) -> None:
    lives = copper_account.ids("people")[9]
    each_database.execute(f"UPDATE copper.people SET _sdc_deleted_at = '2026-01-01' WHERE id = {lives}")
    found = audit(each_database, "people")
    assert found.code == 1
    assert found["people"]["missing"] == found["people"]["marked_as_deleted"] == [lives]
    assert found.counts("people") == {"missing": 1, "deleted": 1}


def test_a_row_that_came_back_beside_the_marked_one_lives(
    audit: Audit, database: Loaded, copper_account: Account
) -> None:
    for number, lives in enumerate(copper_account.ids("people")[:2]):
        new = f"INSERT INTO copper.people SELECT * FROM copper.people WHERE id = {lives}"
        old = f"UPDATE copper.people SET _sdc_deleted_at = '2026-01-01' WHERE id = {lives}"
        database.execute(old)
        database.execute(new)
        if number:
            continue
        database.execute(f"UPDATE copper.people SET _sdc_deleted_at = NULL WHERE id = {lives}")
        database.execute(f"DELETE FROM copper.people WHERE id = {lives}")
        database.execute(f"INSERT INTO copper.people (id, _sdc_deleted_at) VALUES ({lives}, '2026-01-01')")
        database.execute(f"INSERT INTO copper.people (id, date_modified) VALUES ({lives}, '2026-11-01')")
        database.execute(f"INSERT INTO copper.people (id, _sdc_deleted_at) VALUES ({lives}, '2026-01-02')")
    found = audit(database, "people")
    assert found["people"]["missing"] == [copper_account.ids("people")[1]]
    assert found.counts("people") == {"missing": 1, "deleted": 4}


def test_keys_of_several_columns_are_named_as_a_whole(
    audit: Audit, each_database: Loaded, copper_account: Account
) -> None:
    first = copper_account.run.records("activity_types")[0]
    each_database.execute(
        f"DELETE FROM copper.activity_types WHERE id = {first['id']} AND category = '{first['category']}'"
    )
    each_database.execute(
        "INSERT INTO copper.field_layouts (entity, pipeline_id, field_id) VALUES ('people', 0, 'more')"
    )
    found = audit(each_database, "activity_types", "field_layouts")
    assert found["activity_types"]["missing"] == [[str(first["id"]), first["category"]]]
    assert found["field_layouts"]["surplus"] == [["people", "0", "more"]]


def test_a_table_that_is_not_there_is_a_difference(
    audit: Audit, each_database: Loaded, copper_account: Account
) -> None:
    each_database.execute("DROP TABLE copper.people")
    found = audit(each_database, "people", "tags")
    assert found.code == 1
    assert found["people"]["verdict"] == "different"
    assert found["people"]["table_rows"] is None
    assert found["people"]["reason"] == "there is no table of this name in the schema `copper`"
    assert found["people"]["missing"] == copper_account.ids("people")[:10]
    assert found.counts("people") == {"missing": 60}
    assert found["tags"]["verdict"] == "equal"


def test_a_table_that_loaders_need_not_make_is_no_difference(
    audit: Audit, databases: Databases, own_account: Open
) -> None:
    empty = own_account("projects")
    empty.app.account.delete("projects", ids=[int(one) for one in empty.ids("projects")])
    database = databases.make("duckdb", empty, is_shared=False)
    database.execute("DROP TABLE copper.projects")
    found = audit(database, "projects", of=empty)
    assert found.code == 0, found.out
    assert found["projects"]["notes"] == ["there is no table, and no record that it could hold"]


def test_a_key_column_that_is_not_there_is_a_difference(audit: Audit, each_database: Loaded) -> None:
    each_database.execute("ALTER TABLE copper.people RENAME COLUMN id TO number")
    found = audit(each_database, "people")
    assert found.code == 1
    assert found["people"]["reason"] == "the table lacks the key column `id`: its rows could not be compared"
    assert found["people"]["crm_rows"] == found["people"]["table_rows"] == 60


def test_without_change_times_ids_are_compared(audit: Audit, database: Loaded, copper_account: Account) -> None:
    removed = copper_account.ids("people")[0]
    database.execute("ALTER TABLE copper.people DROP COLUMN date_modified")
    database.execute("ALTER TABLE copper.people DROP COLUMN _sdc_deleted_at")
    database.execute(f"DELETE FROM copper.people WHERE id = {removed}")
    found = audit(database, "people")
    assert found["people"]["missing"] == [removed]
    assert found.counts("people") == {"missing": 1}
    assert "no column `date_modified`" in found["people"]["notes"][0]


def test_capitals_of_tables_and_columns_do_not_matter(audit: Audit, each_database: Loaded) -> None:
    each_database.execute('ALTER TABLE copper.people RENAME TO "Staff of"')
    each_database.execute('ALTER TABLE copper."Staff of" RENAME TO "PEOPLE"')
    for column in ("id", "date_modified"):
        each_database.execute(f'ALTER TABLE copper."PEOPLE" RENAME COLUMN {column} TO "some ""other"" %s"')
        each_database.execute(f'ALTER TABLE copper."PEOPLE" RENAME COLUMN "some ""other"" %s" TO "{column.upper()}"')
    assert audit(each_database, "people").code == 0


#: By the stream whose table has it: a column, the type that it is given, and what makes a value of that.
FORMS = {
    "people": ("id", "VARCHAR(40)", "id"),
    "companies": ("id", "NUMERIC(38, 2)", "id"),
    "opportunities": ("id", "FLOAT8", "id"),
    "leads": ("date_modified", "TIMESTAMP WITH TIME ZONE", "date_modified AT TIME ZONE 'UTC'"),
    "tasks": ("date_modified", "VARCHAR(40)", "CAST(date_modified AS VARCHAR(40))"),
    "projects": ("date_modified", "BIGINT", "CAST(extract(epoch FROM date_modified) AS BIGINT)"),
}


def test_types_of_columns_do_not_matter(audit: Audit, each_database: Loaded, copper_account: Account) -> None:
    removed = {stream: copper_account.ids(stream)[2] for stream in FORMS}
    for stream, (column, form, using) in FORMS.items():
        each_database.execute(f"ALTER TABLE copper.{stream} ALTER COLUMN {column} TYPE {form} USING {using}")
        each_database.execute(f"DELETE FROM copper.{stream} WHERE CAST(id AS FLOAT8) = {removed[stream]}")
    found = audit(each_database, *FORMS)
    assert {stream: found[stream]["missing"] for stream in FORMS} == {name: [key] for name, key in removed.items()}
    assert {stream: found.counts(stream) for stream in FORMS} == {stream: {"missing": 1} for stream in FORMS}


def test_what_changed_after_the_load_is_newer_and_no_difference(
    audit: Audit, databases: Databases, own_account: Open
) -> None:
    changing = own_account("people", clock_skew=-3600)
    database = databases.make("duckdb", changing, is_shared=False)
    changing.app.behaviour.clock_skew = 0
    changing.app.account.edit("people", count=3)
    marked = changing.app.account.edit("people", ids=[int(changing.ids("people")[0])])
    database.execute(f"UPDATE copper.people SET _sdc_deleted_at = '2026-01-01' WHERE id = {marked[0]}")
    changing.app.account.create("people", count=2)
    found = audit(database, "people", of=changing)
    assert found.code == 0, found.out
    assert found.counts("people") in ({"newer": 5, "deleted": 1}, {"newer": 6, "deleted": 1})
    assert found["people"]["table_rows"] == 59
    database.execute("UPDATE copper.sync_audit SET complete = FALSE")
    found = audit(database, "people", of=changing)
    assert found.code == 1
    assert found.counts("people")["missing"] == 3
    assert found.counts("people")["stale"] in (2, 3)
    assert "no table `sync_audit` with complete runs" in found.report["notes"][0]


def test_a_schema_that_two_crms_share_has_an_audit_for_each(audit: Audit, each_database: Loaded) -> None:
    each_database.execute("UPDATE copper.sync_audit SET provider = 'close'")
    assert audit(each_database, "tags")["tags"]["loaded_to"] is None
    each_database.execute("UPDATE copper.sync_audit SET provider = NULL")
    assert audit(each_database, "tags")["tags"]["loaded_to"] is not None
    each_database.execute("ALTER TABLE copper.sync_audit DROP COLUMN provider")
    assert audit(each_database, "tags")["tags"]["loaded_to"] is not None
    each_database.execute("ALTER TABLE copper.sync_audit DROP COLUMN started")
    assert audit(each_database, "tags")["tags"]["loaded_to"] is None


def test_rows_older_than_the_start_date_are_not_asked_for(
    audit: Audit, databases: Databases, own_account: Open
) -> None:
    recent = own_account("people", settings={"start_date": "2026-06-01"})
    count = recent.run.count("people")
    assert 0 < count < 60
    database = databases.make("duckdb", recent, is_shared=False)
    for number, moment in enumerate(("2026-05-31 23:59:59", "2026-06-02")):
        database.execute(f"INSERT INTO copper.people (id, date_modified) VALUES ({LATER}{number}, '{moment}')")
    found = audit(database, "people", of=recent)
    assert found["people"]["surplus"] == [f"{LATER}1"]
    assert found["people"]["crm_rows"] == count
    assert found["people"]["notes"][0].startswith("rows older than `start_date`")


def test_a_log_may_hold_what_the_crm_has_forgotten(audit: Audit, databases: Databases, account: Open) -> None:
    other = account("close")
    database = databases.make("duckdb", other)
    removed = other.ids("events")[0]
    database.execute("INSERT INTO close.events (id) VALUES ('ev_of_last_year')")
    assert audit(database, "events", of=other).code == 0
    database.execute(f"DELETE FROM close.events WHERE id = '{removed}'")
    found = audit(database, "events", of=other)
    assert found["events"]["missing"] == [removed]
    assert found.counts("events") == {"missing": 1}


def test_a_row_of_a_table_of_copera_is_named(audit: Audit, databases: Databases, account: Open) -> None:
    other = account("copera")
    stream = next(name for name in other.run.audit() if "__" in name)
    removed, stale = other.ids(stream)[:2]
    database = databases.make("duckdb", other)
    database.execute(f"DELETE FROM copera.{stream} WHERE _id = '{removed}'")
    database.execute(
        f"UPDATE copera.{stream} SET \"updatedAt\" = \"updatedAt\" - INTERVAL '1 minute' WHERE _id = '{stale}'"
    )
    found = audit(database, stream, of=other)
    assert found[stream]["missing"] == [removed]
    assert found[stream]["stale"] == [stale]


def test_a_catalog_says_what_is_compared(
    audit: Audit, database: Loaded, copper_account: Account, catalog: dict[str, Any]
) -> None:
    chosen = selecting(catalog, "people", "tags", without=("people.date_modified",))
    path = copper_account.tap.write("catalog", chosen)
    database.execute("UPDATE copper.people SET date_modified = NULL")
    found = audit(database, arguments=("--catalog", path))
    assert {one["stream"] for one in found.report["streams"]} == {"people", "tags"}
    assert found["people"]["stale_count"] == 60  # the replication key is always read
    assert found["tags"]["verdict"] == "equal"


def test_a_stream_may_be_named_that_is_switched_off(audit: Audit, database: Loaded) -> None:
    found = audit(database, "related_items")
    assert found["related_items"]["verdict"] == "different"
    assert "no table" in found["related_items"]["reason"]


def test_the_first_ids_are_named_and_all_are_counted(audit: Audit, database: Loaded, copper_account: Account) -> None:
    database.execute("DELETE FROM copper.people")
    found = audit(database, "people", arguments=("--limit", "2"))
    assert found["people"]["missing"] == copper_account.ids("people")[:2]
    assert found.counts("people") == {"missing": 60}

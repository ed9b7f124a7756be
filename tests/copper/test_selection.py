"""What is deselected is not emitted; what a schema or a catalog does not know is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.copper.conftest import Start


def test_dates_in_the_other_order_are_read_as_the_setting_says(start_some: Start) -> None:
    """`date_order: dmy` for accounts that write 31/1/2026."""
    app, tap = start_some(("opportunities",), {"dmy": True, "odd_close_dates": 0})
    run = tap.sync(date_order="dmy")
    truth = {record["id"]: record["close_date"] for record in app.account.records("opportunities")}
    assert any(truth.values())
    for record in run.records("opportunities"):
        text = truth[record["id"]]
        if text is None:
            assert record["close_date"] is None
            continue
        day, month, year = text.split("/")
        assert record["close_date"] == f"{year}-{int(month):02}-{int(day):02}"


def test_a_text_that_is_no_date_becomes_null_and_is_kept_and_counted(start_some: Start) -> None:
    """The stream goes on; a warning says how many there were."""
    app, tap = start_some(("opportunities",), {"odd_close_dates": 6})
    run = tap.sync()
    odd = [record for record in run.records("opportunities") if "_extra" in record]
    assert odd
    truth = {record["id"]: record["close_date"] for record in app.account.records("opportunities")}
    for record in odd:
        assert record["close_date"] is None
        assert record["_extra"] == {"close_date": truth[record["id"]]}
    assert f"opportunities: {len(odd)} values of `close_date` did not fit" in run.log
    assert run.audit()["opportunities"]["misfits"] == len(odd)

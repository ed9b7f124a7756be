"""Whether something has come into the inbox."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tap_crm.inbox.entries import Delivery
from tap_crm.inbox.spool import Spool, SpoolError
from tap_crm.watch.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path


def test_what_came_for_this_crm_since_the_last_look_is_new_once(tmp_path: Path) -> None:
    """Deliveries and noted gaps; what was there at the first look is not."""
    now = datetime.now(UTC)
    with closing(Spool.open(str(tmp_path / "inbox.sqlite"))) as spool:
        spool.append([Delivery("copper", b"{}", now)])
        inbox = Inbox(lambda: spool, "copper")
        assert [inbox.has_news(), inbox.has_news()] == [False, False]
        spool.append([Delivery("copper", b"{}", now)])
        assert [inbox.has_news(), inbox.has_news()] == [True, False]
        spool.append([Delivery("close", b"{}", now)])
        assert not inbox.has_news()
        spool.note_gap("copper", now, "a test")
        assert [inbox.has_news(), inbox.has_news()] == [True, False]


def test_an_inbox_that_was_made_anew_may_have_something_new(tmp_path: Path) -> None:
    """Whatever its places are; the watch goes on with the file that is there, and makes none."""
    path = tmp_path / "inbox.sqlite"
    now = datetime.now(UTC)
    with closing(Spool.open(str(path), now=lambda: now)) as old:
        old.append([Delivery("copper", b"{}", now)])
    with closing(Spool.open(str(path), makes=False)) as looked_into:
        inbox = Inbox(lambda: looked_into, "copper")
        assert not inbox.has_news()
        path.unlink()
        with pytest.raises(SpoolError, match="the inbox does not exist"):
            inbox.has_news()
        assert not path.exists()
        with closing(Spool.open(str(path), now=lambda: now - timedelta(days=1))) as new:
            new.append([Delivery("copper", b"{}", now)])
        assert [inbox.has_news(), inbox.has_news()] == [True, False]


def test_an_inbox_that_could_not_be_read_at_first_may_have_something_new() -> None:
    """What came meanwhile is not taken for old."""
    failing = [True, True, False]

    class Unsteady:
        def newest(self, provider: str) -> int:
            if failing and failing.pop(0):
                raise SpoolError(f"the inbox of {provider} cannot be read")
            return 7

    inbox = Inbox(Unsteady, "copper")
    for _ in range(2):
        with pytest.raises(SpoolError):
            inbox.has_news()
    assert [inbox.has_news(), inbox.has_news()] == [True, False]

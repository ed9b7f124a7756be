"""What the event log tells of what this key's user has made (developer.close.com: events).

It is not subject to the lag of searches, and names the object; it may itself be minutes late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.shaping.moments import from_epoch
from tap_crm.transport.question import Question
from target_crm.writers.close.answers import envelope, one_record
from target_crm.writers.close.lists import MOST_PAGES
from target_crm.writers.close.objects import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_crm.contract import ObjectSpec
    from target_crm.writers.definitions import Ask, Definitions


class Events:
    """Reads the log.

    Args:
        ask: asks the CRM.
        definitions: keeps what is asked once.
    """

    def __init__(self, ask: Ask, definitions: Definitions) -> None:
        self._ask = ask
        self._definitions = definitions

    def user(self) -> str:
        """Return the id of this key's user."""

        def ask() -> str:
            return str(self._ask(Question("GET", "/me/", "me"), one_record)["id"])

        return self._definitions.once_per_run.get("the key's user", ask)

    def made_since(self, spec: ObjectSpec, since: float) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Yield id and content of what our user made since a time; the content is None where the log hides it."""
        for kind in RESOURCES[spec.name].events:
            filters: dict[str, str | int] = {
                "object_type": kind,
                "action": "created",
                "date_updated__gte": from_epoch(int(since)).replace("Z", "+00:00"),
            }
            try:
                yield from self._walk(spec, {"user_id": self.user(), **filters})
            except (errors.Forbidden, errors.NotThere, errors.Refused):
                continue  # lists and searches have to tell then

    def _walk(self, spec: ObjectSpec, filters: dict[str, str | int]) -> Iterator[tuple[str, dict[str, Any] | None]]:
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            params = filters if cursor is None else {**filters, "_cursor": cursor}
            page = self._ask(Question("GET", "/event/", f"{spec.name}: the event log", params=params), envelope)
            new = [one for one in page["data"] if one["id"] not in seen]
            seen.update(one["id"] for one in new)
            for one in new:
                key, data = one.get("object_id"), one.get("data")
                if key:
                    yield str(key), data if isinstance(data, dict) else None
            cursor = page.get("cursor_next")
            if not cursor or not new:
                return

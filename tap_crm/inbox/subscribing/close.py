"""Close's subscription: one for all events, 40 at most in an organization; its key is shown when it is made, only then.

Facts: developer.close.com, pages "webhooks" and "list of event types".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.config.redaction import HIDDEN
from tap_crm.inbox.subscribing.account import ATTEMPTS, moment_of
from tap_crm.inbox.subscribing.line import (
    ACTIVE,
    DEAD,
    DIFFERENT,
    MADE,
    MENDED,
    MISSING,
    PAUSED,
    REFUSED,
    REMOVED,
    Line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_crm.inbox.subscribing.account import Account
    from tap_crm.providers.common.records import Record

MOST = 40
WHAT = "all events"
_PATH, _WITHIN = "/webhook/", "data"
_TOO_MANY = re.compile(r"\b(40|limit|maximum|at most|too many)\b", re.IGNORECASE)
_KEY = re.compile(r"([0-9a-fA-F]{2}){16,}")

_TASKS = (
    *("lead", "incoming_email", "email_followup", "missed_call", "answered_detached_call", "voicemail"),
    *("opportunity_due", "incoming_sms", "outgoing_call"),
)
_ACTIVITIES = (
    *("email", "email_thread", "call", "sms", "whatsapp_message", "note", "meeting", "form_submission"),
    *("custom_activity", "lead_status_change", "opportunity_status_change", "task_completed", "lead_merge"),
)
_TYPES = (
    *("lead", "contact", "opportunity", "custom_object", "unsubscribed_email", "import"),
    *(f"activity.{one}" for one in _ACTIVITIES),
    *(f"task.{one}" for one in _TASKS),
    *(f"custom_fields.{one}" for one in ("lead", "contact", "opportunity", "activity", "custom_object", "shared")),
    *("custom_activity_type", "custom_object_type", "membership", "group", "saved_search", "phone_number"),
    *("email_template", "sms_template", "sequence", "sequence_subscription", "comment", "comment_thread"),
)
#: Actions that tell of a change beside these three, or instead of `updated`.
_MORE = {
    "lead": ("merged",),
    "activity.email": ("sent",),
    "activity.sms": ("sent",),
    "activity.call": ("answered", "completed"),
    "activity.meeting": ("scheduled", "started", "completed", "canceled"),
    "import": ("completed", "reverting", "reverted"),
    "membership": ("activated", "deactivated"),
    **{f"task.{one}": ("completed",) for one in _TASKS},
}
WANTED = tuple((kind, action) for kind in _TYPES for action in ("created", "updated", "deleted", *_MORE.get(kind, ())))
Event = tuple[str, str]


class CloseSubscriber:
    """Manages the subscription of an organization of Close."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def place(self) -> str | None:
        """Return the receiver's address without the token."""
        return self._account.place_among(self._hooks, "url")

    def status(self) -> list[Line]:
        """Say what there is of the subscription, and which events Close does not take."""
        mine = self._mine(self._hooks())
        refused = self._account.refused()
        lines = [Line(one, REFUSED, note="Close does not take it") for one in sorted(refused)]
        if not mine:
            return [Line(WHAT, MISSING), *lines]
        return [*(self._line(hook, refused) for hook in mine), *lines]

    def mend(self) -> list[Line]:
        """Make the subscription, or mend it; what cannot prove its events is made anew."""
        account, hooks = self._account, self._hooks()
        mine, gone = self._mine(hooks), self._gone(hooks)
        states = {str(hook["id"]): self._line(hook, account.refused()) for hook in mine}
        kept = [hook for hook in mine if states[str(hook["id"])].state != DEAD and not _is_filtered(hook)]
        was_deaf = bool(gone or (mine and (not kept or states[str(kept[0]["id"])].state != ACTIVE)))
        reason, since = "the subscription was gone, paused, incomplete or without its key", self._since(mine)
        if was_deaf:  # before anything is mended, and once more when it is: a run of the tap may come in between
            account.note_gap(reason, since)
        for hook in mine:
            if hook not in kept[:1]:
                self._drop(hook)
        for number in gone:
            account.forget(number)
        if kept:
            line = states[str(kept[0]["id"])]
            done, refused = self._mended(kept[0], line)
        else:
            self._check_room(len(hooks) - len(mine))
            number, refused = self._make(len(hooks) - len(mine))
            done = Line(WHAT, MENDED if gone or mine else MADE, number)
        account.remember_refusals({_name(event) for event in refused})
        if was_deaf:
            account.note_gap(reason, since)
        return [done, *(Line(_name(event), REFUSED, note="Close does not take it") for event in refused)]

    def remove(self) -> list[Line]:
        """Delete our subscription."""
        lines = []
        for hook in self._mine(self._hooks()):
            self._drop(hook)
            lines.append(Line(WHAT, REMOVED, str(hook["id"])))
        for number in self._account.known():
            self._account.forget(number)
        self._account.remember_refusals(set())
        return lines

    # Reading

    def _hooks(self) -> list[Record]:
        return self._account.list(_PATH, _WITHIN)

    def _mine(self, hooks: list[Record]) -> list[Record]:
        """Return our subscriptions, those first whose key the inbox has."""
        own = [hook for hook in hooks if self._account.is_own(str(hook["id"]), hook.get("url"))]
        return sorted(own, key=lambda hook: not self._has_key(hook))

    def _has_key(self, hook: Record) -> bool:
        known = self._account.known().get(str(hook["id"]))
        return known is not None and bool(known.signature_key)

    def _gone(self, hooks: list[Record]) -> list[str]:
        listed = {str(hook["id"]) for hook in hooks}
        known = [number for number in self._account.known() if number not in listed]
        return [number for number in known if not self._account.exists(f"{_PATH}{number}/")]

    def _since(self, hooks: list[Record]) -> Any:  # noqa: ANN401 - a moment or None
        made = [one.made_at for one in self._account.known().values()]
        dates = [moment_of(hook.get("date_created")) for hook in hooks]
        return min([*made, *(date for date in dates if date is not None)], default=None)

    def _line(self, hook: Record, refused: set[str]) -> Line:
        number = str(hook["id"])
        if not self._has_key(hook):
            return Line(WHAT, DEAD, number, "the inbox has no key for it, so nothing it sends can be proven")
        if hook.get("status") != "active":
            reason = hook.get("pause_reason")
            said = reason.replace(self._account.token, HIDDEN) if isinstance(reason, str) else None
            return Line(WHAT, PAUSED, number, f"paused by Close: {said}" if said else "")
        if hook.get("url") != self._account.target:
            return Line(WHAT, DIFFERENT, number, "sends to another address")
        if _is_filtered(hook):
            return Line(WHAT, DIFFERENT, number, "a filter leaves events out")
        lacking = [event for event in WANTED if event not in _events_of(hook) and _name(event) not in refused]
        if lacking:
            return Line(WHAT, DIFFERENT, number, f"lacks {len(lacking)} events, such as {_name(lacking[0])}")
        failing = hook.get("recent_consecutive_fail_buckets_cnt")
        is_failing = isinstance(failing, int) and failing > 0
        return Line(WHAT, ACTIVE, number, "its latest deliveries failed" if is_failing else "")

    # Changing

    def _mended(self, hook: Record, line: Line) -> tuple[Line, list[Event]]:
        """Let a subscription whose key is known be active, complete and of the right address."""
        account, number = self._account, str(hook["id"])
        path, label = f"{_PATH}{number}/", f"webhook subscription {number}"
        changes: dict[str, Any] = {}
        if hook.get("url") != account.target:
            changes["url"] = account.target
        if hook.get("status") != "active":
            changes["status"] = "active"
        if changes:
            account.change(path, changes, label)
        there = _events_of(hook)
        events = list(there)
        lacking = [event for event in WANTED if event not in there]

        def take(more: Sequence[Event]) -> None:
            self._set_events(path, [*events, *more], label)
            events.extend(more)

        refused = _refused_of(lacking, take)
        known = account.known()[number]
        account.remember(number, known.what, known.signature_key)
        has_changed = bool(changes) or len(events) > len(there)
        return Line(WHAT, MENDED if has_changed else line.state, number, line.note), refused

    def _make(self, there: int) -> tuple[str, list[Event]]:
        """Subscribe to all that Close takes; return the id, and what it does not take."""
        made: list[str] = []
        events: list[Event] = []
        said: list[errors.Refused] = []

        def take(more: Sequence[Event]) -> None:
            try:
                if made:
                    number = made[0]
                    self._set_events(f"{_PATH}{number}/", [*events, *more], f"webhook subscription {number}")
                else:
                    made.append(self._create(more, there))
            except errors.Refused as refusal:
                said.append(refusal)
                raise
            events.extend(more)

        refused = _refused_of(WANTED, take)
        if not made:
            raise errors.ReadError(f"Close takes none of the events that there are: {said[-1]}")
        return made[0], refused

    def _create(self, events: Sequence[Event], there: int) -> str:
        """Create the subscription and keep its key before anything else; return its id.

        Where the answer is lost, so is the key: what was made is deleted, and made again.
        """
        account = self._account
        body = {"url": account.target, "events": _as_sent(events), "verify_ssl": True}
        for left in reversed(range(ATTEMPTS)):
            try:
                hook = account.create(_PATH, body, "webhook subscription")
            except errors.EffectUnknown:
                for found in self._mine(self._hooks()):
                    self._drop(found)
                if left:
                    continue
                raise
            except errors.Refused as refusal:
                if _TOO_MANY.search(refusal.said):
                    raise errors.ReadError(f"{_full(there)}: {refusal}") from None
                raise
            key = hook.get("signature_key")
            if isinstance(key, str) and _KEY.fullmatch(key):
                account.remember(str(hook["id"]), WHAT, key)
                return str(hook["id"])
            self._drop(hook)
            raise errors.ReadError("Close made a subscription and showed no signature key for it; it was deleted again")
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _set_events(self, path: str, events: Iterable[Event], label: str) -> None:
        self._account.change(path, {"events": _as_sent(events)}, label)

    def _drop(self, hook: Record) -> None:
        number = str(hook["id"])
        self._account.delete(f"{_PATH}{number}/", f"webhook subscription {number}")
        self._account.forget(number)

    def _check_room(self, there: int) -> None:
        if there >= MOST:
            raise errors.Refused(f"{_full(there)}: delete one first")


def _refused_of(events: Sequence[Event], take: Callable[[Sequence[Event]], None]) -> list[Event]:
    """Let all events be taken, and return those that are refused: what is refused is halved until it is one."""
    waiting = [events] if events else []
    refused: list[Event] = []
    while waiting:
        part = waiting.pop()
        try:
            take(part)
        except errors.Refused:
            if len(part) == 1:
                refused += part
            else:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
    return refused


def _full(there: int) -> str:
    return f"Close allows {MOST} webhook subscriptions in an organization; {there} are there"


def _name(event: Event) -> str:
    return " ".join(event)


def _as_sent(events: Iterable[Event]) -> list[dict[str, str]]:
    return [{"object_type": kind, "action": action} for kind, action in events]


def _is_filtered(hook: Record) -> bool:
    """Tell whether a subscription leaves events out by what is in them; no update is documented to change that."""
    return bool(hook.get("event_filter"))


def _events_of(hook: Record) -> list[Event]:
    """Return what a subscription tells of; an event that is filtered is not told of, as far as we go."""
    found = hook.get("events")
    return [
        (str(one.get("object_type")), str(one.get("action")))
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict) and not one.get("extra_filter")
    ]

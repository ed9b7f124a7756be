"""Makes every list that is no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.bulk_actions import bulk_actions
from sandbox.close.samples.comments import comments_and_threads
from sandbox.close.samples.connected_accounts import accounts
from sandbox.close.samples.custom_types import custom_types
from sandbox.close.samples.dialers import dialers
from sandbox.close.samples.exports import exports
from sandbox.close.samples.forms import forms
from sandbox.close.samples.phone_numbers import phone_numbers
from sandbox.close.samples.playbooks import outcomes_and_playbooks
from sandbox.close.samples.scheduling_links import scheduling_links
from sandbox.close.samples.sequences import sequences
from sandbox.close.samples.smart_views import smart_views
from sandbox.close.samples.templates import templates
from sandbox.close.samples.unsubscribed_emails import unsubscribed_emails
from sandbox.close.samples.webhooks import webhooks

if TYPE_CHECKING:
    from sandbox.close.samples.record_values import RecordValues
    from sandbox.exchange import Record


def small_lists(source: RecordValues) -> dict[str, list[Record]]:
    """Make every list that is no table."""
    return {
        **source.people,
        **source.statuses,
        "custom_fields": source.custom.definitions,
        **custom_types(source),
        **templates(source),
        **accounts(source),
        **sequences(source),
        "bulk_actions": bulk_actions(source),
        "smart_views": smart_views(source),
        **phone_numbers(source),
        **outcomes_and_playbooks(source),
        "forms": forms(source),
        "dialers": dialers(source),
        **scheduling_links(source),
        **comments_and_threads(source),
        "webhooks": webhooks(source),
        "exports": exports(source),
        "unsubscribed_emails": unsubscribed_emails(source),
    }

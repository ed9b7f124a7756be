"""Which CRM's subscriptions are managed by what: one line for each CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.inbox.subscribing.close import CloseSubscriber
from tap_crm.inbox.subscribing.copera import CoperaSubscriber
from tap_crm.inbox.subscribing.copper import CopperSubscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_crm.inbox.subscribing.account import Account
    from tap_crm.inbox.subscribing.subscriber import Subscriber

SUBSCRIBERS: Mapping[str, Callable[[Account], Subscriber]] = {
    "copper": CopperSubscriber,
    "close": CloseSubscriber,
    "copera": CoperaSubscriber,
}

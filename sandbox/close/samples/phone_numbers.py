"""Makes phone numbers, and blocked ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def phone_numbers(source: RandomValues) -> dict[str, list[Record]]:
    """Make phone numbers of the organization, and numbers that it blocks."""
    count = source.shape.small_lists
    numbers = [
        {
            "id": source.long("phon"),
            "number": f"+1650555{n:04d}",
            "number_formatted": f"+1 650-555-{n:04d}",
            "label": "Büro",
            "user_id": source.maybe(0.7, source.user_ids),
            "type": ("internal", "external", "virtual")[n % 3],
            "carrier": source.maybe(0.8, ["twilio", "plivo"]),
            "carrier_type": source.maybe(0.8, ["local", "mobile"]),
            "country": "US",
            "is_group_number": n % 2 == 1,
            "last_billed_price": source.maybe(0.8, [1, 1.15]),
            "next_billing_on": None,
            "address_id": None,
            "bundle_id": None,
            "supports_mms_to_countries": ["US"],
            "supports_sms_to_countries": ["US", "CA"],
        }
        | dict.fromkeys(("is_premium", "is_verified", "mms_enabled", "sms_enabled"), False)
        | dated(source, n, people=False)
        | ({"forward_to": None, "participants": [source.user()], "was_ported": False} if n % 2 else {})
        for n in range(count)
    ]
    blocked = [
        {"id": source.short("blck"), "phone": source.one(source.numbers), "reason": "spam 🚫"} | dated(source, n)
        for n in range(count)
    ]
    return {"phone_numbers": numbers, "blocked_phone_numbers": blocked}

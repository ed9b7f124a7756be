"""Makes templates of emails and SMS, and integration links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.samples.dates import dated

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def templates(source: RandomValues) -> dict[str, list[Record]]:
    """Make templates of emails and SMS, and integration links."""
    count = source.shape.small_lists
    texts: Record = {"is_shared": True, "attachments": []}
    return {
        "email_templates": [
            {"id": source.long("tmpl"), "name": f"Vorlage {n}", "subject": "Hi {{ name }} 👋", "body": "<p>ä</p>"}
            | texts
            | {"is_archived": n % 3 == 2}  # noqa: PLR2004
            | dated(source, n)
            for n in range(count)
        ],
        "sms_templates": [
            {"id": source.short("smstmpl"), "name": f"SMS {n}", "text": "Hola ☀️"}
            | texts
            | ({"status": "active"} if n % 2 else {})
            | dated(source, n)
            for n in range(count)
        ],
        "integration_links": [
            {"id": source.short("link"), "name": f"Link {n}", "url": "https://example.com/?q={{ name }}"}
            | {"type": ("lead", "contact", "opportunity")[n % 3]}
            | dated(source, n)
            for n in range(count)
        ],
    }

"""The streams of Copper that both read; imports nothing, so that each environment can.

Neither does what costs our tap requests: it looks for deletions, proves that an answer is whole, and asks for custom
fields to make columns of them.
"""

from __future__ import annotations

#: Asked by ``POST /NAME/search``; the field that says when a record was changed, and the filter on it.
CHANGED = {
    **dict.fromkeys(
        ("people", "companies", "leads", "opportunities", "projects", "tasks"),
        ("date_modified", "minimum_modified_date"),
    ),
    "activities": ("activity_date", "minimum_activity_date"),
}
#: Asked whole, by ``GET /PATH``.
WHOLE = {
    "pipelines": "pipelines",
    "pipeline_stages": "pipeline_stages",
    "custom_fields": "custom_field_definitions",
    "contact_types": "contact_types",
    "customer_sources": "customer_sources",
    "loss_reasons": "loss_reasons",
    "lead_statuses": "lead_statuses",
    "webhooks": "webhooks",
}
PAGE = 200
URL, KEY, USER = "TAP_CRM_API_URL", "TAP_CRM_API_KEY", "TAP_CRM_USER_EMAIL"


def headers(key: str, user: str) -> dict[str, str]:
    """Return what each request carries."""
    found = {"X-PW-AccessToken": key, "X-PW-Application": "developer_api", "X-PW-UserEmail": user}
    return {**found, "Content-Type": "application/json"}

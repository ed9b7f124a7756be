"""The command ``tap-crm-call``: one request to the CRM, with the tap's care."""

from __future__ import annotations

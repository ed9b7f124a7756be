"""Where events of the CRMs wait: the receiver, what it keeps, and the command ``tap-crm-inbox``."""

from __future__ import annotations

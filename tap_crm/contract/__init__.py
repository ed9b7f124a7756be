"""What a stream and a CRM are, said as data."""

from __future__ import annotations

"""What a journal of ``target-crm`` tells others: the records that were written, read while it is written to."""

from __future__ import annotations

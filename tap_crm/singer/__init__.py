"""The only folder that knows the SDK: the tap, its streams, what is written."""

from __future__ import annotations

from tap_crm.singer.sdk_imports import put_off

put_off()

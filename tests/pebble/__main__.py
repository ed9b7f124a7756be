"""The command ``tap-crm`` with Pebble: registered by the same line as the others."""

from __future__ import annotations

from tap_crm.providers import register
from tap_crm.singer.tap import main
from tests.pebble.provider import PROVIDER

register(PROVIDER)
main()

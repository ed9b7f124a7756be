"""The SDK's own suite for taps, against the sandbox."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running
from tap_crm.singer.tap import TapCRM
from tests.singer import selecting

# The SDK wants the config when the class is made, so the sandbox runs as long as this module is loaded.
_sandbox = ExitStack()
atexit.register(_sandbox.close)
_SHAPE = Shape(
    people=40, companies=10, opportunities=10, leads=10, projects=5, tasks=10, activities=20, custom_fields=12
)
_url = _sandbox.enter_context(running(copper_app(_SHAPE, rate_limit=0)))

_config = {
    "provider": "copper",
    "api_key": API_KEY,
    "user_email": USER_EMAIL,
    "api_url": _url,
    "requests_per_minute": 0,
}
# `_extra` holds what does not fit: as a rule there is none, and no value of a column that is never filled.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records"),
    pytest.mark.filterwarnings("ignore:No records were available to test"),
]


def _everything_selected() -> dict[str, Any]:
    catalog = TapCRM(config=_config).catalog_dict
    return selecting(catalog, *(entry["tap_stream_id"] for entry in catalog["streams"]))


TestTapCRM = get_tap_test_class(
    TapCRM,
    config=_config,
    suite_config=SuiteConfig(max_records_limit=60, ignore_no_records_for_streams=["sync_audit"]),
    catalog=_everything_selected(),
)

"""Settings of the SDK: what cannot be used, or not together, is refused by name before the CRM is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tap_crm.errors import ConfigError
from tap_crm.singer.sdk_settings import check_sdk_settings

STORAGE = {"root": "file:///tmp/x"}
JSONL = {"format": "jsonl", "compression": "gzip"}
BATCHES = {"encoding": JSONL, "storage": STORAGE}


def with_batches(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return settings for batch files."""
    return {"batch_config": {**BATCHES, **changed}}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"stream_maps": {"people": {"name": "foo(("}}}, r"`people\.name` is no expression"),
        ({"stream_maps": {"people": {"__filter__": "a b"}}}, r"`people\.__filter__` is no expression"),
        ({"stream_maps": {"people": {"name": 5}}}, r"`people\.name` is no expression"),
        ({"stream_maps": {"people": {"name": ""}}}, r"`people\.name` is no expression"),
        ({"stream_maps": {"people": {"__key_properties__": "id"}}}, "must be a list of names"),
        ({"stream_maps": {"people": "name"}}, "the map of `people` must be an object"),
        ({"stream_maps": ["people"]}, "must be an object"),
        ({"flattening_enabled": True}, "needs `flattening_max_depth`"),
        ({"batch_config": {"x": 1}}, "`batch_config`.*`encoding`.*`storage`"),
        (with_batches(storage={}), "`batch_config`.*`root`"),
        (with_batches(encoding={"format": "csv"}), "`batch_config`"),
        (with_batches(encoding={"format": "jsonl", "compression": "none"}), "set `compression` to `gzip`"),
        (with_batches(encoding={"format": "jsonl"}), "set `compression` to `gzip`"),
        (with_batches(encoding={"format": "parquet"}), "pyarrow is missing"),
        (with_batches(batch_size=0), "`batch_size` must be at least 1"),
        ({**with_batches(), "stream_maps": {"people": {"email": None}}}, "`batch_config` and `stream_maps` do not"),
        ({**with_batches(), "flattening_enabled": True, "flattening_max_depth": 1}, "and `flattening_enabled` do not"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(config: dict[str, Any], said: str) -> None:
    """In one line, with what to do."""
    with pytest.raises(ConfigError, match=said) as refused:
        check_sdk_settings(config)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"stream_maps": {}, "batch_config": None, "flattening_enabled": False},
        {"stream_maps": {"people": None, "tasks": "__NULL__", "__else__": None}},
        {"stream_maps": {"people": {"a": "name.upper()", "b": None, "__filter__": "id > 5", "__alias__": "persons"}}},
        with_batches(batch_size=10, storage={"root": "s3://bucket", "prefix": "a", "params": {"key": "k"}}),
    ],
)
def test_what_the_sdk_takes_is_taken(config: dict[str, Any]) -> None:
    """Without a warning."""
    assert check_sdk_settings(config) == []


def test_a_setting_without_the_one_that_it_belongs_to_is_warned_of() -> None:
    """It would silently do nothing."""
    assert check_sdk_settings({"flattening_max_depth": 2, "faker_config": {"seed": 1}}) == [
        "the setting `flattening_max_depth` has no effect without `flattening_enabled`",
        "the setting `faker_config` has no effect without `stream_maps`",
    ]

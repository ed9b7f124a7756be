"""The declarative source of an account of Copper, for Airbyte's CDK."""

from __future__ import annotations

import os
from typing import Any

from streams import CHANGED, PAGE, URL, WHOLE, headers

FIELDS = {"type": ["null", "integer"]}


def requester(path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Return how a stream is asked."""
    return {
        "type": "HttpRequester",
        "url_base": os.environ[URL],
        "path": path,
        "http_method": "GET" if body is None else "POST",
        "request_headers": headers("{{ config['key'] }}", "{{ config['user'] }}"),
        **({} if body is None else {"request_body_json": body}),
    }


def stream(name: str, path: str, field: str | None, bound: str) -> dict[str, Any]:
    """Return a stream of the manifest."""
    body: dict[str, Any] | None = None
    more: dict[str, Any] = {}
    paging: dict[str, Any] = {"type": "NoPagination"}
    if field is not None:
        body = {"page_size": PAGE, bound: "{{ stream_interval['start_time'] | int }}"}
        if name != "activities":
            body |= {"sort_by": field, "sort_direction": "asc"}
        more["incremental_sync"] = {
            "type": "DatetimeBasedCursor",
            "cursor_field": field,
            "datetime_format": "%s",
            "start_datetime": {"type": "MinMaxDatetime", "datetime": "1", "datetime_format": "%s"},
        }
        paging = {
            "type": "DefaultPaginator",
            "page_token_option": {"type": "RequestOption", "inject_into": "body_json", "field_name": "page_number"},
            "pagination_strategy": {
                "type": "PageIncrement",
                "page_size": PAGE,
                "start_from_page": 1,
                "inject_on_first_request": True,
            },
        }
    properties = {"id": FIELDS, **({} if field is None else {field: FIELDS})}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": requester(path, body),
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
            "paginator": paging,
        },
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "additionalProperties": True, "properties": properties},
        },
        **more,
    }


MANIFEST = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["pipelines"]},
    "streams": [stream(name, f"{name}/search", *how) for name, how in CHANGED.items()]
    + [stream(name, path, None, "") for name, path in WHOLE.items()],
    "spec": {
        "type": "Spec",
        "connection_specification": {
            "type": "object",
            "additionalProperties": True,
            "properties": {"key": {"type": "string", "airbyte_secret": True}, "user": {"type": "string"}},
        },
    },
}

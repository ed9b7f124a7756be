"""A tap for people of Copper as the Singer SDK's guide has one write it: a `RESTStream`, and nothing to make it faster.

With ``WRITER=msgspec`` in its environment it writes by the SDK's own `MsgSpecWriter`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BasePageNumberPaginator
from streams import KEY, PAGE, URL, USER, headers
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

TEXT, NUMBER = th.StringType, th.IntegerType
ANY: th.CustomType[Any] = th.CustomType({"type": ["number", "string", "boolean", "array", "null"]})


def objects(**fields: Any) -> th.ArrayType[Any]:  # noqa: ANN401 - types of the SDK, or what makes one
    """Return the type of a list of objects."""
    return th.ArrayType(th.ObjectType(*(th.Property(name, kind) for name, kind in fields.items())))


class Pages(BasePageNumberPaginator):
    """Goes on until a page is not full."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        """Say whether there is a further page."""
        return len(response.json()) == PAGE


class People(RESTStream[int]):
    """People, by a search."""

    name = "people"
    path = "/people/search"
    http_method = "POST"
    primary_keys = ("id",)
    replication_key = "date_modified"
    url_base = os.environ[URL]
    schema = th.PropertiesList(
        *(th.Property(name, NUMBER) for name in ("id", "assignee_id", "company_id", "contact_type_id")),
        *(th.Property(name, TEXT) for name in ("name", "prefix", "first_name", "middle_name", "last_name", "suffix")),
        *(th.Property(name, TEXT) for name in ("company_name", "details", "title")),
        *(th.Property(name, NUMBER) for name in ("date_created", "date_modified", "date_last_contacted")),
        *(th.Property(name, NUMBER) for name in ("interaction_count", "date_lead_created")),
        th.Property("address", th.ObjectType(additional_properties=True)),
        th.Property("emails", objects(email=TEXT, category=TEXT)),
        th.Property("phone_numbers", objects(number=TEXT, category=TEXT)),
        th.Property("socials", objects(url=TEXT, category=TEXT)),
        th.Property("websites", objects(url=TEXT, category=TEXT)),
        th.Property("tags", th.ArrayType(TEXT)),
        th.Property("custom_fields", objects(custom_field_definition_id=NUMBER, value=ANY)),
        th.Property("leads_converted_from", th.ArrayType(ANY)),
    ).to_dict()

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """What each request carries."""
        return headers(os.environ[KEY], os.environ[USER])

    @override
    def get_new_paginator(self) -> Pages:
        """Return what finds the next page."""
        return Pages(1)

    @override
    def prepare_request_payload(self, context: Mapping[str, Any] | None, next_page_token: int | None) -> dict[str, Any]:
        """Return the body of a request."""
        since = self.get_starting_replication_key_value(context) or 1
        return {
            "page_size": PAGE,
            "page_number": next_page_token,
            "sort_by": "date_modified",
            "sort_direction": "asc",
            "minimum_modified_date": since,
        }


class TapCopper(Tap):
    """The tap."""

    name = "tap-copper-by-the-sdk"
    config_jsonschema = th.PropertiesList().to_dict()

    @override
    def discover_streams(self) -> list[People]:
        """Return the streams."""
        return [People(self)]


if os.environ.get("WRITER") == "msgspec":
    from singer_sdk.contrib.msgspec import MsgSpecWriter

    TapCopper.message_writer_class = MsgSpecWriter

TapCopper.cli()

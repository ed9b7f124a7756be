"""Pebble, a CRM that does not exist: it joins the tap, the tests and the rules of CONTRIBUTING as any other would.

`provider` is what would be ``tap_crm/providers/pebble``, `schemas` what would be ``schemas/pebble``, and `server` what
would be ``sandbox/pebble``. Its API, as its documentation would have it:

- ``Authorization: Bearer <key>``; 401 without a key, 403 for a list that the key may not read.
- ``GET /v1/contacts?limit=&updated_since=&cursor=``: ``{"contacts": [...], "next": "..."}``, by their last change, the
  oldest first; ``updated_since`` in epoch seconds, inclusive; ``limit`` up to 100; ``next`` is null at the end. There
  is no other filter. A custom field that has a value is a field of the record, called by the hash of its definition.
- ``GET /v1/labels``, ``GET /v1/contact_fields``, ``GET /v1/me``: each one answer.
- Deletions leave no trace. 600 requests a minute.
"""

from __future__ import annotations

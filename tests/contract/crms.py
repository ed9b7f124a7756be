"""The CRMs of the contract: one line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.close import Close
from tests.contract.copera import Copera
from tests.contract.copper import Copper
from tests.contract.custom_close import CloseCustom
from tests.contract.custom_copper import CopperCustom
from tests.contract.custom_pebble import PebbleCustom
from tests.contract.pebble import Pebble

if TYPE_CHECKING:
    from tests.contract.crm import Crm
    from tests.contract.custom import Custom

CRMS: dict[str, Crm] = {crm.name: crm for crm in (Copper(), Close(), Copera(), Pebble())}
#: Those that have custom fields; what Copera's columns are is its own.
CUSTOM: dict[str, Custom] = {custom.crm: custom for custom in (CopperCustom(), CloseCustom(), PebbleCustom())}

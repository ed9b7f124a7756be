"""The option ``--config`` of the commands beside the tap."""

from __future__ import annotations

import click

#: Gives a command the argument ``configs``, for :func:`tap_crm.config.config_input.from_files`.
config_option = click.option(
    "--config",
    "configs",
    multiple=True,
    metavar="FILE|ENV",
    help="The tap's config, a JSON file, or ENV for variables such as TAP_CRM_API_KEY. May be given several times.",
)

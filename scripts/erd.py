"""Draws the streams of each CRM, their keys, and which field leads to which stream: `docs/<crm>-streams.svg`.

`python -m scripts.readme_tables` writes them. Keys are those that are declared; what a field leads to follows from its
name, or stands in `LEADS_TO` where its name does not say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tap_crm.providers import PROVIDERS
from tap_crm.shaping.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_crm.contract.stream import Provider

#: The streams between which lines are drawn; of all others, the names say it.
CORE: Mapping[str, Sequence[str]] = {
    "copper": ("projects", "opportunities", "companies", "people", "leads"),
    "close": ("tasks", "contacts", "leads", "opportunities"),
    "copera": ("boards", "tables", "columns", "pipelines"),
}
_PEOPLE = ("assignee_id", "creator_id", "allowing_user_id", "allowed_user_id", "archived_by_id", "removed_by")
#: What a field leads to whose name does not say it, by CRM: by its name, or by stream and name.
LEADS_TO: Mapping[str, Mapping[str, str]] = {
    "copper": {
        **dict.fromkeys(_PEOPLE, "users"),
        "primary_contact_id": "people",
        "converted_contact_id": "people",
        "converted_opportunity_id": "opportunities",
        "pipeline_stage_id": "pipeline_stages",
        "custom_field_definition_id": "custom_fields",
        "custom_activity_types.company_id": "",  # the account's own number, not a company's
        "leads.status_id": "lead_statuses",
    },
    "close": {
        **dict.fromkeys(_PEOPLE, "users"),
        "transferred_from_user_id": "users",
        "transferred_to_user_id": "users",
        "leads.status_id": "lead_statuses",
        "opportunities.status_id": "opportunity_statuses",
        **dict.fromkeys(("lead_status_changes.old_status_id", "lead_status_changes.new_status_id"), "lead_statuses"),
        **dict.fromkeys(
            ("opportunity_status_changes.old_status_id", "opportunity_status_changes.new_status_id"),
            "opportunity_statuses",
        ),
        **dict.fromkeys(("old_pipeline_id", "new_pipeline_id"), "pipelines"),
        **dict.fromkeys(("source_lead_id", "destination_lead_id"), "leads"),
        "parent_meeting_id": "meetings",
        "attached_call_ids": "calls",
        "emails.thread_id": "email_threads",
        "emails.template_id": "email_templates",
        "sms.template_id": "sms_templates",
        "comments.thread_id": "comment_threads",
        "email_account_id": "connected_accounts",
        "sender_account_id": "connected_accounts",
        "from_phone_number_id": "phone_numbers",
        "groups.members": "users",
        "send_as_id": "send_as",
    },
    "copera": {
        **dict.fromkeys(("owner", "author", "groupSenderIds", "participantUserIds"), "members"),
        "participantTeamIds": "teams",
        "board": "boards",
        "table": "tables",
        "channel": "channels",
        "document": "documents",
        "bookingTypeId": "booking_types",
        "documents.parent": "documents",
        "drive_files.parent": "drive_files",
    },
}
#: What nearly every stream has, said once.
COMMON: Mapping[str, Mapping[str, str]] = {
    "close": {"created_by": "users", "updated_by": "users", "organization_id": "organization"}
}
#: Streams that only the account tells of.
DISCOVERED: Mapping[str, Sequence[tuple[str, Sequence[str], Mapping[str, str]]]] = {
    "copera": [("<board>__<table>", ("_id",), {"(a link column)": "<board>__<table>"})]
}
WIDTH, COLUMNS, GAP, ROW, HEAD = 1200, 4, 24, 18, 26
#: A letter is mostly not wider than this.
LETTER = 6.9
_ENDS = ("_by_id", "_ids", "_id", "Ids", "Id")
_STYLE = """
  svg { --ground: #ffffff; --box: #f5f6f8; --head: #dfe8f7; --line: #8a94a6; }
  svg { --text: #1b1f27; --soft: #545c6b; --edge: #0b57b7; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #12151b; --box: #1b2029; --head: #24344f; --line: #5a6475; }
    svg { --text: #e7eaf0; --soft: #a9b2c1; --edge: #8ab8ff; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--text); }
  .name { font-weight: 600; font-size: 13px; } .soft { fill: var(--soft); } .ground { fill: var(--ground); }
  .box { fill: var(--box); stroke: var(--line); } .head { fill: var(--head); } .key { font-weight: 600; }
  .edge { fill: none; stroke: var(--edge); stroke-width: 1.4; } .end { fill: var(--edge); }
  .edge-name { fill: var(--edge); stroke: var(--ground); stroke-width: 4px; paint-order: stroke; }
"""


@dataclass(frozen=True, slots=True)
class Entity:
    """A stream: its key, and what its fields lead to."""

    name: str
    keys: Sequence[str]
    links: Mapping[str, str]

    def lines(self, width: int) -> list[tuple[str, bool]]:
        """Return what stands in a box of some width: each field and where it leads, and whether it is of the key."""
        fields = [(name, True) for name in self.keys] + [(name, False) for name in self.links if name not in self.keys]
        found = []
        for name, is_key in fields:
            end, target = "  (key)" if is_key else "", self.links.get(name)
            words = f"{name} → {target}{end}" if target else name + end
            if target and len(words) * LETTER > width - 16:
                found += [(name + end, is_key), (f"    → {target}", is_key)]
            else:
                found.append((words, is_key))
        return found

    def height(self, width: int) -> int:
        """Return the height of a box of some width."""
        return HEAD + ROW * len(self.lines(width)) + 8


def entities(provider: Provider) -> list[Entity]:
    """Return the streams of a CRM, those with lines first."""
    names = {spec.name for spec in provider.streams}
    found = [Entity(*one) for one in DISCOVERED.get(provider.name, ())]
    for spec in provider.streams:
        fields = load_schema(provider.name, spec.name)["properties"]
        links = {name: target for name in fields if (target := leads_to(provider.name, spec.name, name, names))}
        common = COMMON.get(provider.name, {})
        own = {
            name: to
            for name, to in links.items()
            if name not in common and not (to == spec.name and name in spec.primary_key)
        }
        found.append(Entity(spec.name, spec.primary_key, own))
    return found


def leads_to(crm: str, stream: str, name: str, streams: set[str]) -> str | None:
    """Return the stream that a field leads to; None where it leads to none that is known."""
    for known in (f"{stream}.{name}", name):
        if known in LEADS_TO[crm]:
            return LEADS_TO[crm][known]
    if name in COMMON.get(crm, {}):
        return COMMON[crm][name]
    end = next((end for end in _ENDS if name.endswith(end)), None)
    if end is None:
        return None
    if end == "_by_id":
        return "users"
    noun = name.removesuffix(end)
    plurals = (f"{noun}s", f"{noun}es", f"{noun.removesuffix('y')}ies")
    return next((one for one in plurals if one in streams), None)


def erd(crm: str) -> str:
    """Return the picture of a CRM as SVG."""
    every = entities(PROVIDERS[crm])
    by_name = {one.name: one for one in every}
    core = [by_name[name] for name in CORE[crm]]
    picture = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
    ET.SubElement(picture, "title").text = f"Streams of {PROVIDERS[crm].title}: keys, and which field leads to which"
    ET.SubElement(picture, "style").text = _STYLE
    ground = ET.SubElement(picture, "rect", {"class": "ground", "width": str(WIDTH)})
    bottom = _core(picture, core)
    _said(picture, "Further streams; an arrow says where a field leads", GAP, bottom + GAP, "name")
    if crm in COMMON:
        said = ", ".join(f"{name} → {target}" for name, target in COMMON[crm].items())
        _said(picture, f"Nearly all have {said}.", GAP, bottom + GAP + ROW, "soft")
    bottom = _others(picture, [one for one in every if one not in core], bottom + 2 * GAP + ROW)
    ground.set("height", str(bottom))
    picture.set("viewBox", f"0 0 {WIDTH} {bottom}")
    ET.indent(picture)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _core(picture: ET.Element, core: Sequence[Entity]) -> int:
    """Draw boxes side by side, and below them a lane for each field that leads from one to another."""
    width = (WIDTH - GAP) // len(core) - GAP
    left = {one.name: GAP + number * (width + GAP) for number, one in enumerate(core)}
    depth = GAP + max(one.height(width) for one in core)
    lanes = [(one, name, target) for one in core for name, target in one.links.items() if target in left]
    starts = {one.name: 0 for one in core}
    ends = dict(starts)
    arrivals = {name: sum(target == name for *_, target in lanes) for name in left}
    departures = {name: sum(one.name == name for one, *_ in lanes) for name in left}
    names: list[tuple[str, float, int]] = []
    for number, (one, name, target) in enumerate(lanes):
        starts[one.name] += 1
        ends[target] += 1
        # Fields leave by the left half of a box, and arrive at the right half.
        start = left[one.name] + width / 2 * starts[one.name] / (departures[one.name] + 1)
        end = left[target] + width / 2 + width / 2 * ends[target] / (arrivals[target] + 1)
        lane = depth + 22 + number * 20
        low, high = GAP + one.height(width), GAP + next(other.height(width) for other in core if other.name == target)
        path = f"M{start:.0f} {low}V{lane}H{end:.0f}V{high + 8}"
        ET.SubElement(picture, "path", {"class": "edge", "d": path})
        ET.SubElement(picture, "path", {"class": "end", "d": f"M{end:.0f} {high}l-5 9h10z"})
        names.append((f"{one.name}.{name}", (start + end) / 2, lane - 4))
    for words, x, y in names:
        place = {"class": "edge-name", "x": f"{x:.0f}", "y": str(y), "text-anchor": "middle"}
        ET.SubElement(picture, "text", place).text = words
    for one in core:
        _box(picture, one, left[one.name], GAP, width)
    return depth + 22 + len(lanes) * 20


def _others(picture: ET.Element, others: Sequence[Entity], top: int) -> int:
    """Draw boxes in columns, each where there is most room; returns where the picture ends."""
    width = (WIDTH - GAP) // COLUMNS - GAP
    ends = [top] * COLUMNS
    for one in others:
        column = ends.index(min(ends))
        _box(picture, one, GAP + column * (width + GAP), ends[column], width)
        ends[column] += one.height(width) + GAP // 2
    return max(ends) + GAP


def _box(picture: ET.Element, one: Entity, x: int, y: int, width: int) -> None:
    box = {"x": str(x), "y": str(y), "width": str(width), "rx": "5"}
    ET.SubElement(picture, "rect", {**box, "class": "box", "height": str(one.height(width))})
    ET.SubElement(picture, "rect", {**box, "class": "head", "height": str(HEAD)})
    _said(picture, one.name, x + 8, y + 18, "name")
    for number, (words, is_key) in enumerate(one.lines(width)):
        _said(picture, words, x + 8, y + HEAD + 15 + ROW * number, "key" if is_key else "")


def _said(picture: ET.Element, text: str, x: float, y: float, kind: str) -> None:
    ET.SubElement(picture, "text", {"x": f"{x:g}", "y": f"{y:g}", **({"class": kind} if kind else {})}).text = text


def pictures() -> Iterator[tuple[str, str]]:
    """Yield the file of each picture, and its CRM."""
    for crm in CORE:
        yield f"docs/{crm}-streams.svg", crm

{#- Activities of all types. Not among them are email_threads, whose mails are rows of their own. -#}
{%- set common = {
    'source_id': 'text id', 'type': 'text _type', 'lead_id': 'text', 'contact_id': 'text', 'user_id': 'text',
    'opportunity_id': 'text', 'activity_at': 'time', 'created_at': 'time date_created',
    'updated_at': 'time date_updated', 'direction': 'text', 'duration': 'integer',
} -%}
{%- set texts = {
    'emails': ['subject', 'body_text'],
    'calls': ['disposition', 'note'],
    'sms': ['status', 'text'],
    'whatsapp_messages': ['external_whatsapp_message_id', 'text'],
    'meetings': ['title', 'note'],
    'notes': ['title', 'note'],
    'custom_activities': ['custom_activity_type_id', 'status'],
    'form_submissions': ['form_name', 'source_url'],
    'lead_status_changes': ['old_status_label', 'new_status_label'],
    'opportunity_status_changes': ['old_status_label', 'new_status_label'],
    'task_completed_activities': ['task_text', 'task_text'],
    'lead_merges': ['source_display_name', 'destination_display_name'],
    'created_activities': ['source', 'import_id'],
    'import_updates': ['import_id', 'import_id'],
} -%}
with
{%- for stream, (subject, body) in texts.items() %}
{{ stream }} as (
    {{ tap_crm.loaded('close', stream, dict(common, subject='text ' ~ subject, body='text ' ~ body)) }}
){{ ',' if not loop.last }}
{%- endfor %}
{% for stream in texts %}
select
    '{{ stream }}' as stream,
    {{ stream }}.*
from {{ stream }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}

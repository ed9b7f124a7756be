with loaded as (
    {{ tap_crm.loaded('close', 'tasks', {
        'source_id': 'text id',
        'type': 'text _type',
        'lead_id': 'text',
        'contact_id': 'text',
        'assigned_to': 'text',
        'body': 'text text',
        'subject': 'text',
        'body_preview': 'text',
        'date': 'text',
        'is_complete': 'boolean',
        'object_type': 'text',
        'object_id': 'text',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded

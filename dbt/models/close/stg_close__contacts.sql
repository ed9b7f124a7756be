with loaded as (
    {{ tap_crm.loaded('close', 'contacts', {
        'source_id': 'text id',
        'lead_id': 'text',
        'name': 'text',
        'display_name': 'text',
        'title': 'text',
        'emails': 'json',
        'phones': 'json',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded

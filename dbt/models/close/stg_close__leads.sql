with loaded as (
    {{ tap_crm.loaded('close', 'leads', {
        'source_id': 'text id',
        'name': 'text',
        'display_name': 'text',
        'description': 'text',
        'status_label': 'text',
        'website': 'text url',
        'html_url': 'text',
        'addresses': 'json',
        'primary_email': 'json',
        'primary_phone': 'json',
        'merged_into': 'text',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded

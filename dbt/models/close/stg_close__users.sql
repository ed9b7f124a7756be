with loaded as (
    {{ tap_crm.loaded('close', 'users', {
        'source_id': 'text id',
        'email': 'text',
        'first_name': 'text',
        'last_name': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded

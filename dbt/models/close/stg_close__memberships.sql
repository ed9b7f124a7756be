with loaded as (
    {{ tap_crm.loaded('close', 'memberships', {
        'source_id': 'text id',
        'user_id': 'text',
        'user_email': 'text',
        'user_full_name': 'text',
        'user_first_name': 'text',
        'user_last_name': 'text',
        'is_active': 'boolean',
    }) }}
)

select *
from loaded

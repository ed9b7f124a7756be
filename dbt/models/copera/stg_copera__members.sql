with loaded as (
    {{ tap_crm.loaded('copera', 'members', {
        'source_id': 'text _id',
        'name': 'text',
        'email': 'text',
        'active': 'boolean',
        'type': 'text',
        'created_at': 'time createdAt',
    }) }}
)

select *
from loaded

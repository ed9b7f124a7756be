with loaded as (
    {{ tap_crm.loaded('copper', 'users', {
        'source_id': 'text id',
        'name': 'text',
        'email': 'text',
    }) }}
)

select *
from loaded

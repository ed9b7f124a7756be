with loaded as (
    {{ tap_crm.loaded('copper', 'contact_types', {
        'source_id': 'text id',
        'name': 'text',
    }) }}
)

select *
from loaded

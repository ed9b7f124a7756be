with loaded as (
    {{ tap_crm.loaded('copper', 'activity_types', {
        'source_id': 'text id',
        'category': 'text',
        'name': 'text',
    }) }}
)

select *
from loaded

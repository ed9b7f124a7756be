with loaded as (
    {{ tap_crm.loaded('copper', 'related_items', {
        'source_id': 'text id',
        'type': 'text',
        'parent_type': 'text',
        'parent_id': 'text',
    }) }}
)

select *
from loaded

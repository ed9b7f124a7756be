with loaded as (
    {{ tap_crm.loaded('copper', 'custom_fields', {
        'source_id': 'text id',
        'name': 'text',
        'data_type': 'text',
        'currency': 'text',
        'available_on': 'json',
        'options': 'json',
    }) }}
)

select *
from loaded

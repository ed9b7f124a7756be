with loaded as (
    {{ tap_crm.loaded('copera', 'custom_fields', {
        'source_id': 'text id',
        'table_id': 'text',
        'table_name': 'text',
        'stream': 'text',
        'field': 'text',
        'name': 'text',
        'type': 'text',
        'options': 'json',
    }) }}
)

select *
from loaded

with loaded as (
    {{ tap_crm.loaded('copper', 'pipelines', {
        'source_id': 'text id',
        'name': 'text',
        'type': 'text',
        'stages': 'json',
    }) }}
)

select *
from loaded

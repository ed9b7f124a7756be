with loaded as (
    {{ tap_crm.loaded('copper', 'pipeline_stages', {
        'source_id': 'text id',
        'name': 'text',
        'pipeline_id': 'text',
        'win_probability': 'number',
    }) }}
)

select *
from loaded

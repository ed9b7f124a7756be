with loaded as (
    {{ tap_crm.loaded('copper', 'loss_reasons', {
        'source_id': 'text id',
        'name': 'text',
    }) }}
)

select *
from loaded

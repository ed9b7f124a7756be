with loaded as (
    {{ tap_crm.copera_rows('opportunities', {
        'name': 'text',
        'amount': 'money',
        'stage': 'text',
        'close_date': 'day',
        'probability': 'number',
        'company': 'json',
        'people': 'json',
        'owner': 'json',
        'tags': 'json',
    }) }}
)

select *
from loaded

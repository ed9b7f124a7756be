with loaded as (
    {{ tap_crm.copera_rows('companies', {
        'name': 'text',
        'website': 'text',
        'email': 'text',
        'phone': 'text',
        'status': 'text',
        'owner': 'json',
        'tags': 'json',
    }) }}
)

select *
from loaded

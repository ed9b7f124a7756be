with loaded as (
    {{ tap_crm.copera_rows('people', {
        'name': 'text',
        'title': 'text',
        'email': 'text',
        'phone': 'text',
        'company': 'json',
        'owner': 'json',
        'tags': 'json',
    }) }}
)

select *
from loaded

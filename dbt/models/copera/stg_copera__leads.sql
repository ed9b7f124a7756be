with loaded as (
    {{ tap_crm.copera_rows('leads', {
        'name': 'text',
        'email': 'text',
        'phone': 'text',
        'company': 'json',
        'company_name': 'json',
        'status': 'text',
        'amount': 'money',
        'owner': 'json',
        'tags': 'json',
    }) }}
)

select *
from loaded

with loaded as (
    {{ tap_crm.loaded('copper', 'leads', {
        'source_id': 'text id',
        'name': 'text',
        'title': 'text',
        'company_name': 'text',
        'email': 'json',
        'phone_numbers': 'json',
        'tags': 'json',
        'status': 'text',
        'assignee_id': 'text',
        'monetary_value': 'money',
        'monetary_unit': 'text',
        'converted_at': 'time',
        'converted_contact_id': 'text',
        'converted_opportunity_id': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded

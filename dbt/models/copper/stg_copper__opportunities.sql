with loaded as (
    {{ tap_crm.loaded('copper', 'opportunities', {
        'source_id': 'text id',
        'name': 'text',
        'company_id': 'text',
        'primary_contact_id': 'text',
        'assignee_id': 'text',
        'pipeline_id': 'text',
        'pipeline_stage_id': 'text',
        'loss_reason_id': 'text',
        'status': 'text',
        'win_probability': 'number',
        'monetary_value': 'money',
        'monetary_unit': 'text',
        'converted_value': 'money',
        'converted_unit': 'text',
        'close_date': 'day',
        'tags': 'json',
        'created_at': 'time date_created',
        'updated_at': 'time date_modified',
    }) }}
)

select *
from loaded

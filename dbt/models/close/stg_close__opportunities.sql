with loaded as (
    {{ tap_crm.loaded('close', 'opportunities', {
        'source_id': 'text id',
        'lead_id': 'text',
        'lead_name': 'text',
        'contact_id': 'text',
        'user_id': 'text',
        'pipeline_id': 'text',
        'status_id': 'text',
        'status_label': 'text',
        'status_type': 'text',
        'value': 'integer',
        'value_period': 'text',
        'value_currency': 'text',
        'annualized_value': 'integer',
        'confidence': 'number',
        'date_won': 'day',
        'date_lost': 'time',
        'note': 'text',
        'created_by': 'text',
        'created_at': 'time date_created',
        'updated_at': 'time date_updated',
    }) }}
)

select *
from loaded

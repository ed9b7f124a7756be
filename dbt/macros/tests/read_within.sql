{# Each stream of each account was read completely within so many hours. #}
{% test read_within(model, column_name, hours) %}
select *
from {{ model }}
where {{ column_name }} is null
    or {{ column_name }} < {{ tap_crm.hours_ago(hours) }}
{% endtest %}

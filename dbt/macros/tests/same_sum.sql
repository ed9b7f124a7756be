{# What a column of a neutral model adds up to is what the CRM's own column does, times a factor. #}
{% test same_sum(model, column_name, crm, of, column, per=1) %}
with here as (
    select coalesce(sum({{ column_name }}), 0) as total
    from {{ model }}
    where crm = '{{ crm }}'
),

there as (
    select coalesce(sum(cast({{ column }} as numeric(28, 4))), 0) as total
    from {{ ref(of) }}
)

select
    here.total as total_here,
    there.total as total_there
from here
cross join there
where here.total * {{ per }} <> there.total
{% endtest %}

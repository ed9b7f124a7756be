{# A neutral model has as many rows of each CRM as what it is made of. #}
{% test no_row_lost(model, of) %}
with there as (
{%- for name in of %}
    select
        '{{ name.split('__')[0] | replace('stg_', '') }}' as crm,
        count(*) as rows_there
    from {{ ref(name) }}
    {{- '\n    union all' if not loop.last }}
{%- endfor %}
),

here as (
    select
        crm,
        count(*) as rows_here
    from {{ model }}
    group by crm
)

select
    there.crm,
    there.rows_there,
    coalesce(here.rows_here, 0) as rows_here
from there
left join here
    on there.crm = here.crm
where there.rows_there <> coalesce(here.rows_here, 0)
{% endtest %}

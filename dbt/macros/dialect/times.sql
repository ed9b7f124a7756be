{# Times in both dialects: `timestamp` without time zone, in UTC, whatever the time zone of the session. #}

{# A column with a time, as a timestamp in UTC. A text without an offset is UTC. #}
{% macro as_time(expression, type) %}{{ return(adapter.dispatch('as_time', 'tap_crm')(expression, type)) }}{% endmacro %}
{% macro default__as_time(expression, type) -%}
{%- if 'with time zone' in type -%}
({{ expression }} at time zone 'UTC')
{%- elif 'timestamp' in type or type == 'date' -%}
cast({{ expression }} as timestamp)
{%- else -%}
case
    when {{ expression }} ~ '[0-9](Z|[+-][0-9]{2}(:?[0-9]{2})?)$' and length({{ expression }}) > 10
        then cast({{ expression }} as timestamp with time zone) at time zone 'UTC'
    else cast(nullif({{ expression }}, '') as timestamp)
end
{%- endif -%}
{%- endmacro %}
{% macro duckdb__as_time(expression, type) -%}
{%- if 'with time zone' in type -%}
({{ expression }} at time zone 'UTC')
{%- elif 'timestamp' in type or type == 'date' -%}
cast({{ expression }} as timestamp)
{%- else -%}
cast(nullif({{ expression }}, '') as timestamp)
{%- endif -%}
{%- endmacro %}

{# A column with a day, as a date: of a text, the day as it is written. What is no day is null. #}
{% macro as_day(expression, type) %}{{ return(adapter.dispatch('as_day', 'tap_crm')(expression, type)) }}{% endmacro %}
{% macro default__as_day(expression, type) -%}
{%- if type == 'date' or 'timestamp' in type -%}
cast({{ expression }} as date)
{%- else -%}
case
    when {{ expression }} !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' then null
    when left({{ expression }}, 4) = '0000' then null
    when cast(substr({{ expression }}, 9, 2) as integer)
        <= extract(day from cast(left({{ expression }}, 7) || '-01' as date) + interval '1 month' - interval '1 day')
        then cast(left({{ expression }}, 10) as date)
end
{%- endif -%}
{%- endmacro %}
{% macro duckdb__as_day(expression, type) -%}
{%- if type == 'date' or 'timestamp' in type -%}
cast({{ expression }} as date)
{%- else -%}
try_cast(substr({{ expression }}, 1, 10) as date)
{%- endif -%}
{%- endmacro %}

{# So many hours before now, in UTC. #}
{% macro hours_ago(hours) %}{{ return(adapter.dispatch('hours_ago', 'tap_crm')(hours)) }}{% endmacro %}
{% macro default__hours_ago(hours) -%}
(cast(current_timestamp at time zone 'UTC' as timestamp) - interval '{{ hours }} hours')
{%- endmacro %}
{% macro duckdb__hours_ago(hours) -%}
(cast(get_current_timestamp() at time zone 'UTC' as timestamp) - interval '{{ hours }} hours')
{%- endmacro %}

{# Texts in both dialects. #}

{% macro matches(text, pattern) %}{{ return(adapter.dispatch('matches', 'tap_crm')(text, pattern)) }}{% endmacro %}
{% macro default__matches(text, pattern) %}({{ text }} ~ '{{ pattern }}'){% endmacro %}
{% macro duckdb__matches(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}

{# A name as the tap makes a column's of it, where it is plain ASCII; else null. #}
{% macro as_column_name(name) -%}
case
    when {{ tap_crm.matches(name, '^[ -~]*$') }}
        then nullif(trim(both '_' from regexp_replace(lower({{ name }}), '[^a-z0-9]+', '_', 'g')), '')
end
{%- endmacro %}

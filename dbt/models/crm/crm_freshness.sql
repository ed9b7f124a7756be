-- How each stream of each account was read last, by the tap's own audit.
with audit as (
{%- for crm in ('copper', 'close', 'copera') %}
    select
        '{{ crm }}' as crm,
        account,
        stream,
        run_id,
        mode,
        started_at,
        finished_at,
        complete,
        error,
        records,
        distinct_ids,
        source_total,
        unexplained,
        requests
    from {{ ref('stg_' ~ crm ~ '__sync_audit') }}
    {{- '\n    union all' if not loop.last }}
{%- endfor %}
),

ranked as (
    select
        audit.*,
        max(case when complete then finished_at end) over (partition by crm, account, stream) as complete_at,
        row_number() over (partition by crm, account, stream order by started_at desc, run_id desc) as age
    from audit
)

select
    crm,
    account,
    stream,
    complete_at,
    run_id,
    mode,
    started_at,
    finished_at,
    complete,
    error,
    records,
    distinct_ids,
    source_total,
    unexplained,
    requests
from ranked
where age = 1

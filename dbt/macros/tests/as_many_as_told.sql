{#
Where the CRM tells how many records a list has, and the last run read it completely, so many rows are there. Streams
that go on from a bookmark are compared after their first load and after a reconcile only.
#}
{% test as_many_as_told(model, crm, stream) %}
with runs as (
    select
        account,
        source_total,
        whole_since,
        complete,
        row_number() over (partition by account order by started_at desc, run_id desc) as age
    from {{ ref('stg_' ~ crm ~ '__sync_audit') }}
    where stream = '{{ stream }}'
),

there as (
    select
        account,
        count(*) as rows_there
    from {{ model }}
    where not is_deleted
    group by account
)

select
    runs.account,
    runs.source_total,
    coalesce(there.rows_there, 0) as rows_there
from runs
left join there
    on runs.account = there.account
where runs.age = 1
    and runs.complete
    and runs.whole_since is not null
    and runs.source_total <> coalesce(there.rows_there, 0)
{% endtest %}

with copper as (
    select
        {{ tap_crm.first_columns('copper', 'users') }},
        users.name,
        users.email,
        not users.is_deleted as is_active
    from {{ ref('stg_copper__users') }} as users
),

-- Who left is no user any more, but stays among the memberships.
close_members as (
    select
        coalesce(users.account, memberships.account) as account,
        coalesce(users.source_id, memberships.user_id) as source_id,
        users.created_at,
        users.updated_at,
        coalesce(memberships.is_deleted, users.is_deleted) as is_deleted,
        coalesce(users.raw, memberships.raw) as raw,
        coalesce(
            memberships.user_full_name,
            nullif(trim(coalesce(users.first_name, '') || ' ' || coalesce(users.last_name, '')), '')
        ) as name,
        coalesce(users.email, memberships.user_email) as email,
        coalesce(memberships.is_active, not users.is_deleted) as is_active
    from {{ ref('stg_close__users') }} as users
    full outer join {{ ref('stg_close__memberships') }} as memberships
        on users.account = memberships.account
        and users.source_id = memberships.user_id
),

close as (
    select
        {{ tap_crm.first_columns('close', 'members',
            created_at='members.created_at', updated_at='members.updated_at') }},
        members.name,
        members.email,
        members.is_active and not members.is_deleted as is_active
    from close_members as members
    where members.source_id is not null
),

copera as (
    select
        {{ tap_crm.first_columns('copera', 'members', created_at='members.created_at') }},
        members.name,
        members.email,
        coalesce(members.active, true) and not members.is_deleted as is_active
    from {{ ref('stg_copera__members') }} as members
)

select * from copper
union all
select * from close
union all
select * from copera

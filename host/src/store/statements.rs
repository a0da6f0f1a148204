//! Every statement, by the name of its file: one for both databases, or a pair where they must differ.

/// One statement file, or a pair of them.
#[derive(Debug)]
pub struct Statement {
    /// The name of the file.
    pub(super) name: &'static str,
    /// As SQLite reads it.
    pub(super) sqlite: &'static str,
    /// As Postgres reads it.
    pub(super) postgres: &'static str,
    /// What it is given.
    pub(super) takes: Takes,
}

/// What a statement is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Values that it names by number.
    Values,
    /// Any number of rows of values: SQLite is given a group of placeholders for each, Postgres an array for each column.
    Rows,
}

macro_rules! for_both {
    ($($constant:ident $name:literal)+) => { $(
        pub(super) const $constant: &Statement = &Statement {
            name: $name,
            sqlite: include_str!(concat!("sql/", $name, ".sql")),
            postgres: include_str!(concat!("sql/", $name, ".sql")),
            takes: Takes::Values,
        };
    )+ };
}

macro_rules! for_each {
    ($takes:ident: $($constant:ident $name:literal)+) => { $(
        pub(super) const $constant: &Statement = &Statement {
            name: $name,
            sqlite: include_str!(concat!("sql/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!("sql/", $name, ".postgres.sql")),
            takes: Takes::$takes,
        };
    )+ };
}

/// Statements over many rows of values.
macro_rules! for_many {
    ($($constant:ident $name:literal)+) => {
        for_each! { Rows: $($constant $name)+ }

        /// Those whose text depends on how many rows they are given.
        pub(super) const MANY: &[&Statement] = &[$($constant),+];
    };
}

for_both! {
    ACTIVATE "activate"
    ADD_KEY "add_key"
    AWAITED_RESULTS "awaited_results"
    BLOCK_UNREADABLE "block_unreadable"
    BOUND_EXECUTIONS "bound_executions"
    BURY_HOST "bury_host"
    COUNT_DEAD_LETTERS "count_dead_letters"
    COUNT_DEAD_LETTERS_BY_STEP "count_dead_letters_by_step"
    COUNT_DEAD_LETTERS_OF_EXECUTION "count_dead_letters_of_execution"
    COUNT_DEAD_LETTERS_OF_STEP "count_dead_letters_of_step"
    COUNT_EXECUTIONS "count_executions"
    COUNT_INBOX "count_inbox"
    COUNT_SCHEDULES "count_schedules"
    COUNT_OLD_DEAD_LETTERS "count_old_dead_letters"
    COUNT_OLD_LOGS "count_old_logs"
    COUNT_OLD_RESULTS "count_old_results"
    COUNT_REMOVABLE "count_removable"
    COUNT_TASKS "count_tasks"
    COUNT_TASKS_OF "count_tasks_of"
    DUE_LIMITS "due_limits"
    DROP_TASKS_FROM "drop_tasks_from"
    DROP_INBOX_FROM "drop_inbox_from"
    DUE_SCHEDULES "due_schedules"
    FIND_KEYS "find_keys"
    FOLLOWERS "followers"
    FREE_STOPPING_TASKS "free_stopping_tasks"
    FREE_TASKS "free_tasks"
    GRANTS_OF "grants_of"
    KEEP_MODULE "keep_module"
    KEEP_SEALING_KEY "keep_sealing_key"
    LIMITS_IN_QUEUE "limits_in_queue"
    LIMITS_OF "limits_of"
    LIST_CHILDREN "list_children"
    LIST_DEAD_LETTERS "list_dead_letters"
    LIST_DEAD_LETTERS_IN_QUEUE "list_dead_letters_in_queue"
    LIST_DEAD_LETTERS_OF_EXECUTION "list_dead_letters_of_execution"
    LIST_DEAD_LETTERS_OF_KIND "list_dead_letters_of_kind"
    LIST_DEAD_LETTERS_OF_STEP "list_dead_letters_of_step"
    LIST_DEPLOYMENTS "list_deployments"
    LIST_AUDIT "list_audit"
    LIST_CHANGES "list_changes"
    LIST_EXECUTIONS "list_executions"
    LIST_EXECUTIONS_FAILED_WITH "list_executions_failed_with"
    LIST_EXECUTIONS_IN_QUEUE "list_executions_in_queue"
    LIST_EXECUTIONS_IN_QUEUE_IN_STATE "list_executions_in_queue_in_state"
    LIST_EXECUTIONS_IN_STATE "list_executions_in_state"
    LIST_EXECUTIONS_OF_MODULE "list_executions_of_module"
    LIST_EXECUTIONS_OF_MODULE_IN_STATE "list_executions_of_module_in_state"
    LIST_EXECUTIONS_OF_PARENT "list_executions_of_parent"
    LIST_EXECUTIONS_OF_WORKFLOW "list_executions_of_workflow"
    LIST_EXECUTIONS_OF_WORKFLOW_IN_STATE "list_executions_of_workflow_in_state"
    LIST_EXECUTIONS_WITH_TAG "list_executions_with_tag"
    LIST_HOLDERS "list_holders"
    LIST_HOSTS "list_hosts"
    LIST_KEYS "list_keys"
    LIST_MODULES "list_modules"
    LIST_QUEUES "list_queues"
    LIST_RUNNING_TASKS "list_running_tasks"
    LIST_TASKS "list_tasks"
    LIST_TASKS_IN_QUEUE "list_tasks_in_queue"
    LIST_TASKS_OF_EXECUTION "list_tasks_of_execution"
    LIST_SCHEDULES "list_schedules"
    LIVING_HOSTS "living_hosts"
    LOSE_TASK "lose_task"
    MARK_REMOVED "mark_removed"
    MARK_USED "mark_used"
    OWNED "owned"
    PAUSED_QUEUES "paused_queues"
    PAUSE_QUEUE "pause_queue"
    PAGE_JOURNAL "page_journal"
    PAGE_FAILED_ATTEMPTS "page_failed_attempts"
    PAGE_LOGS "page_logs"
    PRUNE_HOSTS "prune_hosts"
    PUT_GRANT "put_grant"
    READ_COUNTERS "read_counters"
    READ_DEAD_LETTER "read_dead_letter"
    READ_DEAD_LETTERS_OF "read_dead_letters_of"
    READ_ENTRY "read_entry"
    READ_EXECUTION "read_execution"
    READ_GRANT "read_grant"
    READ_SEALING_KEYS "read_sealing_keys"
    READ_INBOX "read_inbox"
    READ_KEY "read_key"
    READ_INPUT_HASH "read_input_hash"
    READ_JOURNAL "read_journal"
    READ_LAST "read_last"
    READ_MODULE "read_module"
    READ_NAMED_MODULE "read_named_module"
    READ_OWNED_INBOX "read_owned_inbox"
    READ_PROGRESS "read_progress"
    READ_REMOVAL "read_removal"
    READ_RESULT "read_result"
    READ_SCHEDULE "read_schedule"
    READ_STATE "read_state"
    READ_TASK "read_task"
    READ_TASKS "read_tasks"
    READ_WASM "read_wasm"
    REBASE_CHILDREN "rebase_children"
    REBASE_INBOX "rebase_inbox"
    REBASE_TASKS "rebase_tasks"
    REMOVE_SCHEDULE "remove_schedule"
    REMOVE_SESSIONS "remove_sessions"
    REMOVE_JOURNAL "remove_journal"
    REMOVE_LOGS "remove_logs"
    REMOVE_LOGS_OF "remove_logs_of"
    RETIRE_EXECUTIONS "retire_executions"
    RETIRE_HOST "retire_host"
    RETIRE_TASKS "retire_tasks"
    RETRY_TASK "retry_task"
    REVIVE "revive"
    REVOKE_KEY "revoke_key"
    STOPPING_TASKS "stopping_tasks"
    SERVING_HOSTS "serving_hosts"
    SET_TASK_ASIDE "set_task_aside"
    TAKE_LEAD "take_lead"
}

for_each! { Values:
    AWAIT_END "await_end"
    BE_IMPATIENT "be_impatient"
    CLAIM_EXECUTIONS "claim_executions"
    CLAIM_SUSPECT_EXECUTION "claim_suspect_execution"
    CLAIM_SUSPECT_TASK "claim_suspect_task"
    CLAIM_TASKS "claim_tasks"
    END_SESSIONS "end_sessions"
    EXPIRED_HOSTS "expired_hosts"
    FENCE "fence"
    FENCE_OR_FAIL "fence_or_fail"
    FREE_EXECUTIONS "free_executions"
    LOCK_SCHEDULE "lock_schedule"
    LOOK_FOR_WORK "look_for_work"
    NOW "now"
    PROMOTE_EXECUTIONS "promote_executions"
    PROMOTE_FOLLOWER "promote_follower"
    PROMOTE_TASKS "promote_tasks"
    PRUNE_RESULTS "prune_results"
    REGISTER_HOST "register_host"
    REMOVABLE_EXECUTIONS "removable_executions"
    REMOVE_AUDIT "remove_audit"
    REMOVE_DEAD_LETTERS "remove_dead_letters"
    RENEW "renew"
    RENEW_BARE "renew_bare"
    TAKE_UNBEGUN_TASKS "take_unbegun_tasks"
    UNUSED_LIMITS "unused_limits"
}

for_many! {
    ADD_COUNTERS "add_counters"
    ADMIT "admit"
    ADMIT_TASKS "admit_tasks"
    APPEND_JOURNAL "append_journal"
    CHANGE_EXECUTIONS "change_executions"
    CLEAR_COUNTERS "clear_counters"
    CLEAR_DEAD_LETTERS "clear_dead_letters"
    CLEAR_INBOX "clear_inbox"
    CLEAR_STATE "clear_state"
    CLEAR_TASKS "clear_tasks"
    COUNT_LIMITS "count_limits"
    DECLARE_LIMITS "declare_limits"
    DISCARD_DEAD_LETTERS "discard_dead_letters"
    DROP_TASKS "drop_tasks"
    DROP_TASKS_OF "drop_tasks_of"
    END_RESULTS "end_results"
    ENROLL_TASKS "enroll_tasks"
    FOLLOW_RESULTS "follow_results"
    INSERT_AUDIT "insert_audit"
    INSERT_DEAD_LETTERS "insert_dead_letters"
    INSERT_EXECUTIONS "insert_executions"
    INSERT_INBOX "insert_inbox"
    INSERT_LOGS "insert_logs"
    INSERT_TASKS "insert_tasks"
    JUDGE_LIMITS "judge_limits"
    LOCK_LIMITS "lock_limits"
    OPEN_LIMITS "open_limits"
    PRUNE_LIMITS "prune_limits"
    PUT_BACK_TASKS "put_back_tasks"
    READ_LIMITS "read_limits"
    KEEP_SCHEDULES "keep_schedules"
    LEAD_RESULTS "lead_results"
    LEAVE_RESULTS "leave_results"
    LOCK_EXECUTIONS "lock_executions"
    READ_KEPT_RESULTS "read_kept_results"
    READ_OUTCOMES "read_outcomes"
    READ_STATES "read_states"
    REMOVE_EXECUTIONS "remove_executions"
    SET_STATE "set_state"
    TAKE_FOLLOWERS "take_followers"
    STOP_TASKS "stop_tasks"
    TAKE_SCHEDULES "take_schedules"
    TAKE_STOPPED_TASKS "take_stopped_tasks"
    TAKE_TASKS "take_tasks"
}

//! What leads a list on SQLite, by its own word: a statement that reads through what it does not look for is found here before
//! there is much of it.

use crate::database::Database;

macro_rules! led_by {
    ($($name:literal $index:literal)+) => {
        [$(($name, include_str!(concat!("../../host/src/store/sql/", $name, ".sql")), $index)),+]
    };
}

#[tokio::test]
async fn each_list_is_led_by_an_index_of_what_is_looked_for() {
    let db = Database::sqlite().await;
    let statements = led_by! {
        "list_executions_in_queue" "executions_list_queue (queue=?"
        "list_executions_in_queue_in_state" "executions_list_queue_state (queue=? AND state=?"
        "list_executions_in_state" "executions_list_state (state=?"
        "list_executions_of_module" "executions_list_module (module_digest=?"
        "list_executions_of_module_in_state" "executions_list_module_state (module_digest=? AND state=?"
        "list_executions_of_parent" "executions_children (parent_id=?"
        "list_executions_of_workflow" "executions_list_workflow (workflow=?"
        "list_executions_of_workflow_in_state" "executions_list_workflow_state (workflow=? AND state=?"
        "list_dead_letters" "INTEGER PRIMARY KEY (rowid<?"
        "list_dead_letters_in_queue" "dead_letters_in_queue (queue=?"
        "list_dead_letters_of_execution" "dead_letters_list (execution_id=?"
        "list_dead_letters_of_kind" "dead_letters_of_kind (failure_kind=?"
        "list_dead_letters_of_step" "dead_letters_by_step (step=?"
        "list_running_tasks" "tasks_owned (owner>?"
        "list_tasks" "tasks_list ((created_at,id)>"
        "list_tasks_in_queue" "tasks_in_queue (queue=?"
        "list_tasks_of_execution" "tasks_of_execution (execution_id=?"
    };

    for (name, sql, index) in statements {
        let plan = db.plan(sql).await;

        assert!(plan.contains(index), "{name}: {plan}");
    }
}

//! Two witnesses in the database itself, which no host can see: one owner at a time, and nothing written by the dead (L5).

use crate::rows::Rows;

/// Entries that a person or another host may rightly add without owning the execution: the first, and the beginning of a run.
const NOT_BY_THE_OWNER: &str = "seq = 1 or kind = 1";

/// How much was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) entries: i64,
    pub(crate) deaths: i64,
}

/// Installs the witnesses, in a database that nobody writes to yet.
pub(crate) async fn install(rows: &Rows) {
    rows.run(include_str!("trace.sql")).await;
}

/// Fails where somebody wrote who may not.
pub(crate) async fn check(rows: &Rows) -> Seen {
    let strangers = format!(
        "select format('L5: entry %s of %s came over %s, and its owner was %s, alive: %s', \
                seq, encode(execution_id, 'hex')::uuid, session, coalesce(owner_session, 'nobody'), owner_alive) \
         from trace.entries \
         where not ({NOT_BY_THE_OWNER}) and (owner_alive, session) is distinct from (1, owner_session) \
         order by at limit 20"
    );
    // Whoever has no life left that had not ended by then.
    let dead = "select format('L5: entry %s of %s came over %s after the death of its last life', \
                seq, encode(execution_id, 'hex')::uuid, entry.session) \
         from trace.entries as entry \
         where not exists ( \
           select from hosts where hosts.session = entry.session and not exists ( \
             select from trace.deaths where deaths.id = hosts.id and deaths.at < entry.at)) \
         order by at limit 20";
    let late = "select format('L5: entry %s of %s was written for %s after its death', \
                seq, encode(execution_id, 'hex')::uuid, encode(owner, 'hex')::uuid) \
         from trace.entries join trace.deaths on deaths.id = entries.owner and deaths.at < entries.at \
         order by entries.at limit 20";
    let mut breaches = rows.texts(&strangers).await;
    breaches.extend(rows.texts(dead).await);
    breaches.extend(rows.texts(late).await);
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    let unseen = "select count(*) from journal where not exists (select from trace.entries as entry \
         where entry.execution_id = journal.execution_id and entry.seq = journal.seq)";
    assert_eq!(rows.count(unseen).await, 0, "the witness of entries has slept");
    Seen {
        entries: rows.count("select count(*) from trace.entries").await,
        deaths: rows.count("select count(*) from trace.deaths").await,
    }
}

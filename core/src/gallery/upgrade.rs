//! From format 1 to format 2, in one transaction.

use std::path::Path;

use rusqlite::TransactionBehavior;

use super::format::{self, Table};
use super::ledger::{Cell, Guard};
use super::sqlite::{BUSY, connect, prepare_for_writes, sqlite, version};
use super::store::{Writer, ids};
use crate::error::Result;

/// Upgrades the file at `path` if it is of format 1. Nothing is sealed again.
pub(super) fn upgrade(path: &Path, guard: &Guard) -> Result<()> {
    let mut conn = connect(path, true, BUSY)?;
    prepare_for_writes(&conn)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    if version(&tx)? != 1 {
        return Ok(());
    }
    // Writing a changed row anew would make it look right.
    let head = guard.verify(&tx)?;
    // Who is enrolled and was not touched of late came before all others, in an order nobody knows any more.
    let touched: Vec<[i64; 3]> = tx
        .prepare(
            "SELECT subject, max(sequence), tenant FROM (SELECT subject, sequence, tenant FROM change \
             WHERE tenant IN (SELECT id FROM tenant) UNION ALL SELECT id, 0, tenant FROM subject) \
             GROUP BY subject",
        )
        .and_then(|mut it| {
            let rows = it.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
            rows.collect()
        })
        .map_err(sqlite)?;
    let mut writer = Writer::new(&tx, guard, head);
    for row in ids(&tx, "SELECT id FROM change", &[])? {
        writer.remove(Table::OldChange, row)?;
    }
    tx.execute_batch("DROP TABLE change; DROP INDEX template_by_subject").map_err(sqlite)?;
    for (_, sql) in format::SCHEMA_OF_2 {
        tx.execute(sql, []).map_err(sqlite)?;
    }
    for row in touched {
        writer.insert(Table::Change, &row.map(Cell::Int))?;
    }
    tx.pragma_update(None, "user_version", format::VERSION).map_err(sqlite)?;
    writer.finish()?;
    tx.commit().map_err(sqlite)
}

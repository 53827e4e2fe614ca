//! What an outbox holds of people: looked at, and forgotten.

use rusqlite::{Connection, params};

use super::{FORMAT, Outbox};
use crate::error::{Error, ErrorKind, Result};
use crate::gallery::sealed::sql_error;
use crate::id::SubjectId;
use crate::stream::event::{Event, Who};

impl Outbox {
    /// The oldest events, `at_most` of them, whether they are due or not. Nothing is changed.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for an event that does not open, and [`ErrorKind::Io`].
    pub fn peek(&self, at_most: usize) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        self.each_event(&self.lock(), at_most, |_, event| events.push(event))?;
        Ok(events)
    }

    /// Forgets `subject`: their events, delivered or not, and their sighting, in one commit; how many events that were. Of
    /// visitors there is nothing that names them.
    ///
    /// The bytes are overwritten, in the write-ahead log too. What a consumer was given already is its own to
    /// forget, and a [`Stream`](super::super::Stream) that runs has to be [told](super::super::Stream::forget) before, or its
    /// sightings bring the name back. Every event is opened: among a million it takes seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another process reads or writes for so long that the log could not be emptied: the
    /// person is forgotten, the sealed bytes are not gone yet, and the same call again removes them.
    /// [`ErrorKind::Integrity`] for an event that does not open, and [`ErrorKind::Io`].
    pub fn erase(&self, subject: &SubjectId) -> Result<u64> {
        let erased = self.write(|tx| {
            let mut rows = Vec::new();
            self.each_event(tx, usize::MAX, |row, event| {
                if matches!(&event.who, Who::Subject { id, .. } if id == subject) {
                    rows.push(row);
                }
            })?;
            let mut delete = tx
                .prepare_cached("DELETE FROM event WHERE id = ?")
                .map_err(sql_error(FORMAT.name))?;
            for row in &rows {
                delete.execute([row]).map_err(sql_error(FORMAT.name))?;
            }
            let tag = self.tags.tag(&[subject.as_str().as_bytes()]);
            tx.execute("DELETE FROM sighting WHERE tag = ?", params![&tag[..]])
                .map_err(sql_error(FORMAT.name))?;
            Ok(rows.len() as u64)
        })?;
        self.empty_log()?;
        Ok(erased)
    }

    /// Moves what is in the write-ahead log to where it belongs, and cuts the log off.
    fn empty_log(&self) -> Result<()> {
        let busy: i64 = self
            .lock()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(sql_error(FORMAT.name))?;
        if busy == 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Locked,
            "the person is forgotten, but another process uses the outbox, and its log could not be emptied; erase \
             again when it is done",
        ))
    }

    /// Opens the oldest events, with their rows.
    fn each_event(
        &self,
        conn: &Connection,
        at_most: usize,
        mut work: impl FnMut(i64, Event),
    ) -> Result<()> {
        let mut statement = conn
            .prepare_cached("SELECT id, uid, sealed FROM event ORDER BY id LIMIT ?")
            .map_err(sql_error(FORMAT.name))?;
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let mut rows = statement.query([limit]).map_err(sql_error(FORMAT.name))?;
        while let Some(row) = rows.next().map_err(sql_error(FORMAT.name))? {
            let id: i64 = row.get(0).map_err(sql_error(FORMAT.name))?;
            let uid: [u8; 16] = row.get(1).map_err(sql_error(FORMAT.name))?;
            let sealed: Vec<u8> = row.get(2).map_err(sql_error(FORMAT.name))?;
            work(id, self.open_event(id, uid, &sealed)?);
        }
        Ok(())
    }
}

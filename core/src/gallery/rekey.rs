//! Every key made anew, every value sealed again, in one commit.

use std::collections::HashMap;
use std::sync::{PoisonError, Weak};

use rusqlite::{Connection, params};

use super::access::{Access, NewSlot};
use super::identity::Identity;
use super::keys::{RootKeys, TenantKeys};
use super::ledger::{Guard, Head};
use super::ring::{Person, Ring};
use super::roster::spaces;
use super::sqlite::{damaged, sqlite};
use super::store::{Snapshot, integer};
use super::{Gallery, Opened, rings};
use crate::crypto::Key;
use crate::error::Result;
use crate::id::SpaceId;

impl Gallery {
    /// Makes the root, tenant and subject keys anew and seals everything again. `access` becomes the only way
    /// in: the other slots hold the old root, and go. Templates stay bit by bit what they were.
    ///
    /// It is one commit: when it is interrupted, by a power cut too, the gallery is as before. It needs about
    /// the gallery's size on disk while it runs, and little memory. Other processes that have the gallery
    /// open get [`ErrorKind::WrongKey`](crate::ErrorKind::WrongKey) and open it again. [`compact`](Self::compact) afterwards
    /// removes what is left of the old bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`](crate::ErrorKind::Integrity) when a row is not what it was: nothing is changed
    /// then; [`ErrorKind::Locked`](crate::ErrorKind::Locked), [`ErrorKind::KeyProvider`](crate::ErrorKind::KeyProvider)
    /// and [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn rekey(&self, access: &Access) -> Result<()> {
        let slot = access.prepare()?;
        self.shared.store.replace_keys(
            |conn, guard| self.seal_again(conn, guard, slot),
            |Renewed { opened, identity, rings }| {
                *self.shared.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
                *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = opened;
                let tenants = self.shared.tenants.lock().unwrap_or_else(PoisonError::into_inner);
                for ((row, _), state) in tenants.iter() {
                    if let (Some(state), Some(ring)) = (Weak::upgrade(state), rings.get(row)) {
                        *state.ring.write().unwrap_or_else(PoisonError::into_inner) = ring.clone();
                    }
                }
            },
        )
    }

    fn seal_again(
        &self,
        conn: &Connection,
        guard: &Guard,
        slot: NewSlot,
    ) -> Result<(Guard, Renewed)> {
        // Sealing a changed row again would make it look right.
        let head = guard.verify(conn)?;
        let at = Snapshot { conn, gallery: guard.gallery, sequence: head.sequence };
        let root = Key::generate()?;
        let keys = RootKeys::new(root.clone(), guard.gallery)?;
        let spaces = spaces(&at)?;
        let mut renewed = HashMap::new();
        for (old, name) in rings(&at, &self.keys().root)? {
            let ring = seal_tenant_again(&at, &old, &name, &keys, &spaces)?;
            renewed.insert(ring.row, ring);
        }
        let slot = slot.seal(&guard.gallery, integer(head.next)?, &root)?;
        conn.execute("DELETE FROM slot", []).map_err(sqlite)?;
        conn.execute(
            "INSERT INTO slot VALUES (?, ?, ?, ?)",
            params![slot.id, slot.kind as i64, slot.parameters, slot.wrapped],
        )
        .map_err(sqlite)?;
        let epoch = guard.epoch + 1;
        conn.execute("UPDATE gallery SET epoch = ?", [epoch]).map_err(sqlite)?;
        let guard = Guard::new(&root, guard.gallery, epoch)?;
        let (rows, hash) = guard.count(conn)?;
        let head = Head { sequence: head.sequence + 1, rows, next: head.next + 1, hash, ..head };
        guard.write(conn, &head)?;
        let identity = Identity::new(&root)?;
        let opened = Opened { root: keys, slot: slot.id };
        Ok((guard, Renewed { opened, identity, rings: renewed }))
    }
}

/// The keys of a gallery after a rekey.
struct Renewed {
    opened: Opened,
    identity: Identity,
    rings: HashMap<i64, Ring>,
}

fn seal_tenant_again(
    at: &Snapshot<'_>,
    old: &Ring,
    name: &[u8],
    keys: &RootKeys,
    spaces: &[(i64, SpaceId)],
) -> Result<Ring> {
    let name = old.open_name(at, name)?;
    let counts = old.counts(at)?;
    let people = old.subject_rows(at)?;
    let ring = Ring { row: old.row, tag: keys.tenant_tag(&name), keys: TenantKeys::generate()? };
    for row in people {
        let person = old.known_person(at, row)?;
        seal_person_again(at, old, &ring, person, spaces)?;
    }
    let changed = at
        .conn
        .execute(
            "UPDATE tenant SET tag = ?, key = ?, name = ?, counts = ? WHERE id = ?",
            params![
                &ring.tag[..],
                keys.wrap_tenant(ring.row, ring.tag, &ring.keys)?,
                ring.seal_name(at, &name)?,
                ring.seal_counts(at, counts)?,
                ring.row
            ],
        )
        .map_err(sqlite)?;
    one(changed, "tenant", ring.row)?;
    Ok(ring)
}

fn seal_person_again(
    at: &Snapshot<'_>,
    old: &Ring,
    ring: &Ring,
    person: Person,
    spaces: &[(i64, SpaceId)],
) -> Result<()> {
    let templates = old.templates(at, &person, spaces)?;
    let tag = ring.keys.subject_tag(&person.id()?);
    let person = Person { tag, key: Key::generate()?, ..person };
    for stored in templates {
        let sealed = ring.seal_record(at, &person, stored.row, stored.space, &stored.record)?;
        let changed = at
            .conn
            .prepare_cached("UPDATE template SET vector = ? WHERE id = ?")
            .and_then(|mut it| it.execute(params![sealed, stored.row]))
            .map_err(sqlite)?;
        one(changed, "template", stored.row)?;
    }
    let (key, profile) = ring.seal_person(at, &person)?;
    let changed = at
        .conn
        .prepare_cached("UPDATE subject SET tag = ?, key = ?, profile = ? WHERE id = ?")
        .and_then(|mut it| it.execute(params![&tag[..], key, profile, person.row]))
        .map_err(sqlite)?;
    one(changed, "subject", person.row)
}

fn one(changed: usize, table: &str, row: i64) -> Result<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(damaged(format!("{table} row {row} was found once and not again")))
}

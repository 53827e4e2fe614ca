//! The keys between the root and a template, and what each of them seals.

use rusqlite::Connection;

use super::access::{Access, Slot};
use super::format::{
    GalleryUid, Kind, LABEL_SUBJECT_TAGS, LABEL_SUBJECTS, LABEL_TENANT_DATA, LABEL_TENANT_TAGS,
    LABEL_TENANTS, Place, Tag,
};
use super::sqlite::{damaged, sqlite};
use crate::crypto::{Key, Mac, derive, open, seal};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SubjectId, TenantId};

/// The root key and what comes from it.
pub(super) struct RootKeys {
    pub(super) root: Key,
    tenants: Key,
    tags: Mac,
    gallery: GalleryUid,
}

impl RootKeys {
    pub(super) fn new(root: Key, gallery: GalleryUid) -> Result<Self> {
        let tenants = derive(&root, LABEL_TENANTS)?;
        let tags = Mac::new(&derive(&root, LABEL_TENANT_TAGS)?);
        Ok(Self { root, tenants, tags, gallery })
    }

    pub(super) fn tenant_tag(&self, id: &TenantId) -> Tag {
        truncated(self.tags.tag(&[id.as_str().as_bytes()]))
    }

    pub(super) fn wrap_tenant(&self, row: i64, tag: Tag, keys: &TenantKeys) -> Result<Vec<u8>> {
        let aad = Place::tenant(Kind::TenantKey, row, tag).aad(&self.gallery);
        seal(&self.tenants, &aad, keys.key.as_bytes())
    }

    pub(super) fn unwrap_tenant(&self, row: i64, tag: Tag, wrapped: &[u8]) -> Result<TenantKeys> {
        let aad = Place::tenant(Kind::TenantKey, row, tag).aad(&self.gallery);
        open(&self.tenants, &aad, wrapped)
            .and_then(|key| Key::from_slice(&key))
            .ok_or_else(|| damaged(format!("the key in tenant row {row} does not open")))
            .and_then(TenantKeys::new)
    }
}

/// The key of a tenant and what comes from it. Nothing here opens anything of another tenant.
#[derive(Clone)]
pub(super) struct TenantKeys {
    key: Key,
    pub(super) data: Key,
    subjects: Key,
    tags: Mac,
}

impl TenantKeys {
    pub(super) fn generate() -> Result<Self> {
        Self::new(Key::generate()?)
    }

    fn new(key: Key) -> Result<Self> {
        let data = derive(&key, LABEL_TENANT_DATA)?;
        let subjects = derive(&key, LABEL_SUBJECTS)?;
        let tags = Mac::new(&derive(&key, LABEL_SUBJECT_TAGS)?);
        Ok(Self { key, data, subjects, tags })
    }

    pub(super) fn subject_tag(&self, id: &SubjectId) -> Tag {
        truncated(self.tags.tag(&[id.as_str().as_bytes()]))
    }

    pub(super) fn wrap_subject(&self, aad: &[u8], key: &Key) -> Result<Vec<u8>> {
        seal(&self.subjects, aad, key.as_bytes())
    }

    pub(super) fn unwrap_subject(&self, row: i64, aad: &[u8], wrapped: &[u8]) -> Result<Key> {
        open(&self.subjects, aad, wrapped)
            .and_then(|key| Key::from_slice(&key))
            .ok_or_else(|| damaged(format!("the key in subject row {row} does not open")))
    }
}

fn truncated(tag: [u8; 32]) -> Tag {
    std::array::from_fn(|at| tag[at])
}

/// The access slots in the file.
pub(super) fn slots(conn: &Connection) -> Result<Vec<Slot>> {
    let mut statement = conn
        .prepare("SELECT id, kind, parameters, wrapped FROM slot ORDER BY id")
        .map_err(sqlite)?;
    let mut rows = statement.query([]).map_err(sqlite)?;
    let mut slots = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        if slots.len() == super::access::SLOTS {
            return Err(damaged(format!("it has more than {} access slots", slots.len())));
        }
        slots.push(Slot::from_row(
            row.get(0).map_err(sqlite)?,
            row.get(1).map_err(sqlite)?,
            row.get(2).map_err(sqlite)?,
            row.get(3).map_err(sqlite)?,
        )?);
    }
    Ok(slots)
}

/// The root key and the slot it came from.
pub(super) fn unlock(
    conn: &Connection,
    gallery: &GalleryUid,
    access: &Access,
) -> Result<(Key, i64)> {
    let slots = slots(conn)?;
    let mut failure = None;
    for slot in &slots {
        match access.unwrap(gallery, slot) {
            Ok(Some(root)) => return Ok((root, slot.id)),
            Ok(None) => {}
            // A provider may hold the key of another slot only.
            Err(error) if error.kind() == ErrorKind::KeyProvider => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failure.unwrap_or_else(|| {
        Error::new(
            ErrorKind::WrongKey,
            format!(
                "none of the {} access slots opens with this; check the passphrase or key",
                slots.len()
            ),
        )
    }))
}

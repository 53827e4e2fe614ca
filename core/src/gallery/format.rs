//! The file format in constants: tables, labels and places. [`manual::format`](crate::manual::format) is its page.

use crate::error::Result;
use crate::id::SpaceId;

use super::sqlite::damaged;

pub(super) const APPLICATION_ID: i32 = 0x4650_5247;
/// The format that is written. Format 1 is read, and upgraded when a gallery is opened for writing.
pub(super) const VERSION: u16 = 2;
/// How sealed values are bound to their places; the same in formats 1 and 2, so that an upgrade seals nothing
/// again.
pub(super) const SEALED: u16 = 1;
pub(super) const PAGE_BYTES: u32 = 16_384;

pub(super) const LABEL_TENANTS: &str = "faceprint gallery 1: wrapping of tenant keys";
pub(super) const LABEL_TENANT_TAGS: &str = "faceprint gallery 1: tags of tenants";
pub(super) const LABEL_HEAD: &str = "faceprint gallery 1: head";
pub(super) const LABEL_ROWS: &str = "faceprint gallery 1: hash of rows";
pub(super) const LABEL_SUBJECTS: &str = "faceprint gallery 1: wrapping of subject keys";
pub(super) const LABEL_SUBJECT_TAGS: &str = "faceprint gallery 1: tags of subjects";
pub(super) const LABEL_TENANT_DATA: &str = "faceprint gallery 1: data of a tenant";
pub(super) const LABEL_ACCESS_KEY: &str = "faceprint gallery 1: access by key";
pub(super) const LABEL_DEVICE: &str = "faceprint bundle 1: device key";
pub(super) const LABEL_SIGNER: &str = "faceprint bundle 1: signing key";

/// A keyed tag of a name.
pub(super) type Tag = [u8; 16];

/// What names a gallery.
pub(super) type GalleryUid = [u8; 16];

/// The tables of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Gallery,
    Slot,
    Space,
    Tenant,
    Subject,
    Template,
    Change,
    Origin,
    /// `change` as format 1 had it.
    OldChange,
}

impl Table {
    /// The tables of a file of format `version`.
    pub(super) fn all(version: u16) -> impl Iterator<Item = Self> {
        let own: &[Self] =
            if version == 1 { &[Self::OldChange] } else { &[Self::Change, Self::Origin] };
        let shared =
            [Self::Gallery, Self::Slot, Self::Space, Self::Tenant, Self::Subject, Self::Template];
        shared.into_iter().chain(own.iter().copied())
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gallery => "gallery",
            Self::Slot => "slot",
            Self::Space => "space",
            Self::Tenant => "tenant",
            Self::Subject => "subject",
            Self::Template => "template",
            Self::Change | Self::OldChange => "change",
            Self::Origin => "origin",
        }
    }

    /// The columns in order; a `*` marks the sealed ones.
    pub(super) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Gallery => &["id", "gallery", "epoch", "created"],
            Self::Slot => &["id", "kind", "parameters", "wrapped*"],
            Self::Space => &["id", "space"],
            Self::Tenant => &["id", "tag", "key*", "name*", "counts*"],
            Self::Subject => &["id", "tenant", "tag", "key*", "profile*"],
            Self::Template => &["id", "tenant", "subject", "space", "vector*"],
            Self::Change => &["id", "sequence", "tenant"],
            Self::Origin => {
                &["id", "tenant", "source", "subject", "sequence", "valid_until", "local"]
            }
            Self::OldChange => &["id", "sequence", "tenant", "subject"],
        }
    }
}

/// An entry of `sqlite_schema`: name and text, as SQLite keeps it.
type Entry = (&'static str, &'static str);

/// Everything in `sqlite_schema` of a file of format `version`, in the order it is made.
pub(super) fn schema(version: u16) -> impl Iterator<Item = &'static Entry> {
    SCHEMA.iter().chain(if version == 1 { SCHEMA_OF_1 } else { SCHEMA_OF_2 })
}

/// What all formats have.
const SCHEMA: &[Entry] = &[
    (
        "gallery",
        "CREATE TABLE gallery (id INTEGER PRIMARY KEY, gallery BLOB NOT NULL, epoch INTEGER NOT NULL, \
         created INTEGER NOT NULL)",
    ),
    ("head", "CREATE TABLE head (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL)"),
    (
        "slot",
        "CREATE TABLE slot (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, parameters BLOB NOT NULL, \
         wrapped BLOB NOT NULL)",
    ),
    ("space", "CREATE TABLE space (id INTEGER PRIMARY KEY, space BLOB NOT NULL)"),
    (
        "tenant",
        "CREATE TABLE tenant (id INTEGER PRIMARY KEY, tag BLOB NOT NULL, key BLOB NOT NULL, \
         name BLOB NOT NULL, counts BLOB NOT NULL)",
    ),
    (
        "subject",
        "CREATE TABLE subject (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, tag BLOB NOT NULL, \
         key BLOB NOT NULL, profile BLOB NOT NULL)",
    ),
    (
        "template",
        "CREATE TABLE template (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, \
         subject INTEGER NOT NULL, space INTEGER NOT NULL, vector BLOB NOT NULL)",
    ),
    ("subject_by_tag", "CREATE UNIQUE INDEX subject_by_tag ON subject (tenant, tag)"),
];

/// What format 1 had besides, and an upgrade drops.
pub(super) const SCHEMA_OF_1: &[Entry] = &[
    (
        "change",
        "CREATE TABLE change (id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, \
         tenant INTEGER NOT NULL, subject INTEGER NOT NULL)",
    ),
    ("template_by_subject", "CREATE INDEX template_by_subject ON template (tenant, subject)"),
    ("change_by_sequence", "CREATE INDEX change_by_sequence ON change (sequence)"),
];

/// What format 2 has besides, and an upgrade makes.
pub(super) const SCHEMA_OF_2: &[Entry] = &[
    (
        "change",
        "CREATE TABLE change (id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, \
         tenant INTEGER NOT NULL)",
    ),
    (
        "origin",
        "CREATE TABLE origin (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, source BLOB NOT NULL, \
         subject INTEGER NOT NULL, sequence INTEGER NOT NULL, valid_until INTEGER NOT NULL, \
         local INTEGER NOT NULL)",
    ),
    (
        "template_by_subject",
        "CREATE INDEX template_by_subject ON template (tenant, subject, space)",
    ),
    ("change_by_sequence", "CREATE INDEX change_by_sequence ON change (tenant, sequence)"),
    (
        "origin_by_source",
        "CREATE UNIQUE INDEX origin_by_source ON origin (tenant, source, subject)",
    ),
    ("origin_by_local", "CREATE INDEX origin_by_local ON origin (local)"),
];

/// What a sealed value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Root = 1,
    Head = 2,
    TenantKey = 3,
    TenantName = 4,
    TenantCounts = 5,
    SubjectKey = 6,
    Profile = 7,
    Template = 8,
}

/// Where a sealed value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    kind: Kind,
    tenant: Tag,
    subject: Tag,
    row: i64,
    space: [u8; 32],
}

impl Place {
    /// A value of the gallery itself.
    pub(super) const fn gallery(kind: Kind, row: i64) -> Self {
        Self { kind, tenant: [0; 16], subject: [0; 16], row, space: [0; 32] }
    }

    /// A value of one tenant.
    pub(super) const fn tenant(kind: Kind, row: i64, tenant: Tag) -> Self {
        Self { kind, tenant, subject: [0; 16], row, space: [0; 32] }
    }

    /// A value of one subject.
    pub(super) const fn subject(kind: Kind, row: i64, tenant: Tag, subject: Tag) -> Self {
        Self { kind, tenant, subject, row, space: [0; 32] }
    }

    /// A template.
    pub(super) const fn template(row: i64, tenant: Tag, subject: Tag, space: SpaceId) -> Self {
        Self { kind: Kind::Template, tenant, subject, row, space: *space.as_bytes() }
    }

    /// The associated data.
    pub(super) fn aad(&self, gallery: &GalleryUid) -> Vec<u8> {
        let mut aad = Vec::with_capacity(91);
        aad.extend_from_slice(&SEALED.to_be_bytes());
        aad.extend_from_slice(gallery);
        aad.push(self.kind as u8);
        aad.extend_from_slice(&self.tenant);
        aad.extend_from_slice(&self.subject);
        aad.extend_from_slice(&self.row.to_be_bytes());
        aad.extend_from_slice(&self.space);
        aad
    }
}

/// A tag as stored.
pub(super) fn tag_from_bytes(bytes: &[u8]) -> Result<Tag> {
    bytes.try_into().map_err(|_| damaged(format!("a tag has {} bytes, not 16", bytes.len())))
}

//! The file format, version 1.
//!
//! A gallery is an SQLite 3 database: `application_id` 0x46505247 ("FPRG"), `user_version` 1 (the format),
//! pages of 16,384 bytes (a sealed 512-value template takes about 2.1 kB, and two of them do not fit a
//! page of 4 kB), write-ahead log, `secure_delete`. It holds exactly these tables and the two indexes;
//! anything else in `sqlite_schema` is an integrity error. Integers in blobs are big-endian, floats are
//! IEEE 754 little-endian, times are milliseconds since 1970 UTC.
//!
//! | table | columns | what they hold |
//! |---|---|---|
//! | `gallery` | `id` = 1, `gallery`, `epoch`, `created` | 16 random bytes that name the gallery; how often it was rekeyed; when it was made |
//! | `head` | `id` = 1, `sealed` | sealed by the head key: commits so far (u64), rows (u64), next row id (u64), hash of all rows (4 × u64), token key (32 bytes) |
//! | `slot` | `id`, `kind`, `parameters`, `wrapped` | a way in: kind 1 passphrase (salt 16 ‖ KiB u32 ‖ passes u32 ‖ lanes u32), 2 key (nothing), 3 provider (what the provider made of the slot's random key); the root key, sealed by the slot's key |
//! | `space` | `id`, `space` | the 32-byte id of an embedding space the gallery accepts |
//! | `tenant` | `id`, `tag`, `key`, `name`, `counts` | keyed tag of the name (16 bytes); the tenant key, sealed by the root's wrapping key; the name, and subjects (u64) ‖ templates (u64), sealed by the tenant's |
//! | `subject` | `id`, `tenant`, `tag`, `key`, `profile` | row of the tenant; keyed tag of the id (16 bytes); the subject key, sealed by the tenant's wrapping key; the profile, sealed by the subject key |
//! | `template` | `id`, `tenant`, `subject`, `space`, `vector` | rows of the tenant, subject and space; the template, sealed by the subject key |
//! | `change` | `id`, `sequence`, `tenant`, `subject` | which subject row a commit touched; the last 4,096 commits are kept |
//!
//! Row ids come from one counter in the head and are never given twice, in any table. Indexes:
//! `subject (tenant, tag)`, unique, and `template (tenant, subject)`; `change (sequence)`.
//!
//! *Sealed* is XChaCha20-Poly1305: nonce 24 ‖ ciphertext ‖ authenticator 16, bound to
//!
//! ```text
//! format version u16 ‖ gallery 16 ‖ kind u8 ‖ tenant tag 16 ‖ subject tag 16 ‖ row id i64 ‖ space 32
//! ```
//!
//! with zeros for what does not apply. Kinds: 1 root key in a slot (followed by the slot's kind as u8 and its
//! parameters), 2 head (the epoch stands for the row id), 3 tenant key, 4 tenant name, 5 tenant counts, 6 subject key, 7 profile, 8 template.
//! So nothing can be moved between rows, subjects, tenants, galleries or embedding spaces.
//!
//! - *profile*: id length u8 ‖ id ‖ flags u8 (1 consent, 2 expiry, 4 metadata) ‖ enrolled ‖ consent ‖ expiry
//!   (i64 each) ‖ metadata length u32 ‖ metadata ‖ zeros up to a multiple of 64, which hide the length of a name;
//! - *tenant name*: length u8 ‖ name ‖ zeros up to 256 bytes;
//! - *template*: id 16 ‖ enrolled i64 ‖ values u32 ‖ that many f32.
//!
//! Keys come from the root by HKDF-SHA256 without salt; the labels are constants of this module. Tags are
//! the first 16 bytes of HMAC-SHA256 over the name, under a key of the root for tenants and under a key
//! of the tenant for subjects: without the tenant's key nobody can tell whether two tenants know one person.
//!
//! The *hash of all rows* is the sum, lane by lane modulo 2⁶⁴, of HMAC-SHA256 over each row of every table
//! but `head`: table name ‖ columns in order, each `i` ‖ i64 or `b` ‖ length u64 ‖ bytes. Of a sealed column
//! the length, the nonce and the authenticator stand for the whole: the authenticator already binds the rest.
//! A sum is updated by each commit with what it adds and removes, and the attacker, who has no key, can neither
//! compute nor see the summands.

use crate::error::Result;
use crate::id::SpaceId;

use super::sqlite::damaged;

pub(super) const APPLICATION_ID: i32 = 0x4650_5247;
pub(super) const VERSION: u16 = 1;
pub(super) const PAGE_BYTES: u32 = 16_384;
/// Commits whose changes stay listed. A reader further behind loads everything again.
pub(super) const CHANGES_KEPT: u64 = 4_096;

pub(super) const LABEL_TENANTS: &str = "faceprint gallery 1: wrapping of tenant keys";
pub(super) const LABEL_TENANT_TAGS: &str = "faceprint gallery 1: tags of tenants";
pub(super) const LABEL_HEAD: &str = "faceprint gallery 1: head";
pub(super) const LABEL_ROWS: &str = "faceprint gallery 1: hash of rows";
pub(super) const LABEL_SUBJECTS: &str = "faceprint gallery 1: wrapping of subject keys";
pub(super) const LABEL_SUBJECT_TAGS: &str = "faceprint gallery 1: tags of subjects";
pub(super) const LABEL_TENANT_DATA: &str = "faceprint gallery 1: data of a tenant";
pub(super) const LABEL_ACCESS_KEY: &str = "faceprint gallery 1: access by key";

/// A keyed tag of a name.
pub(super) type Tag = [u8; 16];

/// What names a gallery.
pub(super) type GalleryUid = [u8; 16];

/// The tables of the ledger, in the order they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Gallery,
    Slot,
    Space,
    Tenant,
    Subject,
    Template,
    Change,
}

impl Table {
    pub(super) const ALL: [Self; 7] = [
        Self::Gallery,
        Self::Slot,
        Self::Space,
        Self::Tenant,
        Self::Subject,
        Self::Template,
        Self::Change,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gallery => "gallery",
            Self::Slot => "slot",
            Self::Space => "space",
            Self::Tenant => "tenant",
            Self::Subject => "subject",
            Self::Template => "template",
            Self::Change => "change",
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
            Self::Change => &["id", "sequence", "tenant", "subject"],
        }
    }
}

/// Everything in `sqlite_schema`: name and text, as SQLite keeps it.
pub(super) const SCHEMA: &[(&str, &str)] = &[
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
    (
        "change",
        "CREATE TABLE change (id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, \
         tenant INTEGER NOT NULL, subject INTEGER NOT NULL)",
    ),
    ("subject_by_tag", "CREATE UNIQUE INDEX subject_by_tag ON subject (tenant, tag)"),
    ("template_by_subject", "CREATE INDEX template_by_subject ON template (tenant, subject)"),
    ("change_by_sequence", "CREATE INDEX change_by_sequence ON change (sequence)"),
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
        aad.extend_from_slice(&VERSION.to_be_bytes());
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

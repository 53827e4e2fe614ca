//! The file format, version 2, and the format of bundles, version 1.
//!
//! # The file
//! A gallery is an SQLite 3 database: `application_id` 0x46505247 ("FPRG"), `user_version` 2 (the format),
//! pages of 16,384 bytes (a sealed 512-value template takes about 2.1 kB, and two of them do not fit a
//! page of 4 kB), write-ahead log, `secure_delete`. It holds exactly these tables and their indexes;
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
//! | `change` | `id`, `sequence`, `tenant` | of every subject row there ever was: the last commit that touched it, and the tenant's row. Rows of the erased stay, as numbers, until the tenant is erased |
//! | `origin` | `id`, `tenant`, `source`, `subject`, `sequence`, `valid_until`, `local` | where an imported person came from: the office's gallery (16 bytes) ‖ its tenant's row (i64); the row and the last commit there; until when the bundle was valid, or 2⁶³ - 1 for somebody who was erased; their subject row here, or 0 for none |
//!
//! Row ids come from one counter in the head and are never given twice, in any table; a row of `change` has the
//! id of its subject. Indexes: `subject (tenant, tag)`, unique; `template (tenant, subject, space)`;
//! `change (tenant, sequence)`; `origin (tenant, source, subject)`, unique; `origin (local)`.
//!
//! *Sealed* is XChaCha20-Poly1305: nonce 24 ‖ ciphertext ‖ authenticator 16, bound to
//!
//! ```text
//! 1 u16 ‖ gallery 16 ‖ kind u8 ‖ tenant tag 16 ‖ subject tag 16 ‖ row id i64 ‖ space 32
//! ```
//!
//! with zeros for what does not apply; the 1 is the number of this layout. Kinds: 1 root key in a slot (followed by the slot's kind as u8 and its
//! parameters), 2 head (the epoch stands for the row id), 3 tenant key, 4 tenant name, 5 tenant counts, 6 subject key, 7 profile, 8 template.
//! So nothing can be moved between rows, subjects, tenants, galleries or embedding spaces.
//!
//! - *profile*: id length u8 ‖ id ‖ flags u8 (1 consent, 2 expiry, 4 metadata) ‖ enrolled ‖ consent ‖ expiry
//!   (i64 each) ‖ metadata length u32 ‖ metadata ‖ zeros up to a multiple of 64, which hide the length of a name;
//! - *tenant name*: length u8 ‖ name ‖ zeros up to 256 bytes;
//! - *template*: id 16 ‖ enrolled i64 ‖ values u32 ‖ that many f32 ‖ nothing, or what is known of the picture: flags u8
//!   (1 quality, 2 landmarks) ‖ quality f32 ‖ five landmarks of two f32.
//!
//! Keys come from the root by HKDF-SHA256 without salt; the labels begin
//! with `faceprint gallery 1: ` and name what the key is for: `wrapping of tenant keys`, `tags of tenants`, `head`,
//! `hash of rows`, `access by key`, and of a tenant's key `wrapping of subject keys`, `tags of subjects`,
//! `data of a tenant`. Tags are
//! the first 16 bytes of HMAC-SHA256 over the name, under a key of the root for tenants and under a key
//! of the tenant for subjects: without the tenant's key nobody can tell whether two tenants know one person.
//!
//! The *hash of all rows* is the sum, lane by lane modulo 2⁶⁴, of HMAC-SHA256 over each row of every table
//! but `head`: table name ‖ columns in order, each `i` ‖ i64 or `b` ‖ length u64 ‖ bytes. Of a sealed column
//! the length, the nonce and the authenticator stand for the whole: the authenticator already binds the rest.
//! A sum is updated by each commit with what it adds and removes, and the attacker, who has no key, can neither
//! compute nor see the summands.
//!
//! # Format 1
//! Format 1 had no `origin`; its `change` was a list of the last 4,096 commits, with an id of its own for each
//! row and the columns `id`, `sequence`, `tenant`, `subject`; its indexes were `template (tenant, subject)` and
//! `change (sequence)`. Sealed values were the same, but for the picture behind a template's values. It is read as it
//! is by [`open_read_only`](crate::Gallery::open_read_only), and upgraded by [`open`](crate::Gallery::open), in
//! one transaction and without sealing anything again: who is enrolled and was not listed gets commit 0.
//!
//! # Bundles
//! A bundle is these bytes, one after the other:
//!
//! | | |
//! |---|---|
//! | magic | `FPBUNDLE` |
//! | format | 1, u16 |
//! | signer | the office's Ed25519 public key, 32 bytes |
//! | device | the device's X25519 public key, 32 bytes |
//! | valid until | i64 |
//! | sealed | encapsulated key 32 ‖ ciphertext ‖ authenticator 16: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305; `info` is everything above, 82 bytes; no associated data |
//! | signature | Ed25519 (RFC 8032) of everything above, 64 bytes |
//!
//! The secret keys come from the root by HKDF-SHA256 without salt, under the labels `faceprint bundle 1: device key` and
//! `faceprint bundle 1: signing key`. What is sealed:
//!
//! - the office's gallery 16 ‖ its tenant's row i64 ‖ entries u32 ‖ that many entries;
//! - an *entry*: kind u8 (1 erased, 2 person) ‖ subject row i64 ‖ last commit i64, and of a person: profile length u32 ‖
//!   profile ‖ templates u32 ‖ that many of space 32 ‖ length u32 ‖ template; profile and template as in the file.
//!
//! A bundle has 256 MiB at most, and rows, names and template ids are there once. Of the versions a device knows of a
//! row of one source the greatest (last commit, valid until) stays; an erasure counts as valid until 2⁶³ - 1.

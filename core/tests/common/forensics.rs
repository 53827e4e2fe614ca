//! A gallery opened from the page of its format alone, by somebody who does not stop at a broken seal: no
//! ledger is checked, and every key is tried on everything.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use faceprint::KeyProvider;
use hkdf::Hkdf;
use rusqlite::Connection;
use sha2::Sha256;

use crate::kms::Kms;

type Key = [u8; 32];

/// Keys that somebody has come by.
#[derive(Clone, Debug, Default)]
pub struct Loot {
    roots: Vec<Key>,
    tenants: Vec<Key>,
    subjects: Vec<Key>,
}

impl Loot {
    /// What `kms` opens in the file at `path`: the root, and all keys that it leads to.
    pub fn of(path: &Path, kms: &Kms) -> Self {
        let file = File::open(path);
        let mut loot = Self::default();
        for (id, kind, parameters, wrapped) in
            file.rows("SELECT id, kind, parameters, wrapped FROM slot")
        {
            let mut aad = file.aad(1, &[0; 16], &[0; 16], number(&id), &[0; 32]);
            aad.push(u8::try_from(number(&kind)).unwrap());
            aad.extend_from_slice(&parameters);
            let key = kms.unwrap(&parameters).ok().and_then(|key| key.try_into().ok());
            let root = key.and_then(|key| unseal(&key, &aad, &wrapped));
            loot.roots.extend(root.map(|root| Key::try_from(root).unwrap()));
        }
        file.keys(loot)
    }

    /// Whether there is any key.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.tenants.is_empty() && self.subjects.is_empty()
    }

    /// How many templates of the file at `path` these keys, and those they lead to, open. Only subjects in
    /// the rows that `wanted` picks are looked at.
    pub fn opened(&self, path: &Path, wanted: impl Fn(i64) -> bool) -> usize {
        let file = File::open(path);
        let keys = file.keys(self.clone()).subjects;
        let sql = "SELECT t.id, t.subject, x.tag || s.tag, p.space || t.vector FROM template t, \
                   subject s, tenant x, space p WHERE s.id = t.subject AND x.id = t.tenant AND p.id = t.space";
        let mut opened = 0;
        for (id, subject, tags, vector) in file.rows(sql) {
            if wanted(number(&subject)) {
                let (tags, space) = (tags.as_chunks::<16>().0, vector[..32].try_into().unwrap());
                let aad = file.aad(8, &tags[0], &tags[1], number(&id), &space);
                let is_open = keys.iter().any(|key| unseal(key, &aad, &vector[32..]).is_some());
                opened += usize::from(is_open);
            }
        }
        opened
    }
}

/// The rows of the subjects in a file.
pub fn subject_rows(path: &Path) -> Vec<i64> {
    let file = File::open(path);
    file.rows("SELECT id, id, id, id FROM subject").iter().map(|row| number(&row.0)).collect()
}

struct File {
    conn: Connection,
    gallery: Vec<u8>,
}

/// Four columns; an integer as SQLite writes it.
type Row = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

impl File {
    fn open(path: &Path) -> Self {
        let conn = Connection::open(path).unwrap();
        let gallery = conn.query_row("SELECT gallery FROM gallery", [], |row| row.get(0)).unwrap();
        Self { conn, gallery }
    }

    fn rows(&self, sql: &str) -> Vec<Row> {
        let columns = sql.split_once(" FROM ").unwrap();
        let casts =
            columns.0["SELECT ".len()..].split(", ").map(|it| format!("CAST({it} AS BLOB)"));
        let sql = format!("SELECT {} FROM {}", casts.collect::<Vec<_>>().join(", "), columns.1);
        let mut statement = self.conn.prepare(&sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    /// `loot` and the keys of this file that it leads to.
    fn keys(&self, mut loot: Loot) -> Loot {
        let wrapping: Vec<Key> = loot
            .roots
            .iter()
            .map(|root| derive(root, "faceprint gallery 1: wrapping of tenant keys"))
            .collect();
        for (id, tag, sealed, _) in self.rows("SELECT id, tag, key, name FROM tenant") {
            let aad = self.aad(3, tag[..].try_into().unwrap(), &[0; 16], number(&id), &[0; 32]);
            loot.tenants.extend(wrapping.iter().filter_map(|key| unseal_key(key, &aad, &sealed)));
        }
        let wrapping: Vec<Key> = loot
            .tenants
            .iter()
            .map(|tenant| derive(tenant, "faceprint gallery 1: wrapping of subject keys"))
            .collect();
        let sql = "SELECT s.id, t.tag, s.tag, s.key FROM subject s, tenant t WHERE t.id = s.tenant";
        for (id, tenant, tag, sealed) in self.rows(sql) {
            let (tenant, tag) = (tenant[..].try_into().unwrap(), tag[..].try_into().unwrap());
            let aad = self.aad(6, tenant, tag, number(&id), &[0; 32]);
            loot.subjects.extend(wrapping.iter().filter_map(|key| unseal_key(key, &aad, &sealed)));
        }
        loot
    }

    fn aad(
        &self,
        kind: u8,
        tenant: &[u8; 16],
        subject: &[u8; 16],
        row: i64,
        space: &Key,
    ) -> Vec<u8> {
        let row = row.to_be_bytes();
        [&[0, 1][..], &self.gallery, &[kind], tenant, subject, &row, space].concat()
    }
}

fn number(column: &[u8]) -> i64 {
    std::str::from_utf8(column).unwrap().parse().unwrap()
}

fn derive(parent: &Key, label: &str) -> Key {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, parent).expand(label.as_bytes(), &mut key).unwrap();
    key
}

fn unseal_key(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Key> {
    unseal(key, aad, sealed).and_then(|plain| plain.try_into().ok())
}

fn unseal(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<24>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
}

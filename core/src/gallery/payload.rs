//! What a bundle holds, before it is sealed and after it is opened, byte by byte.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::origin::Source;
use super::record::{Profile, Record};
use crate::error::Result;
use crate::id::{SpaceId, SubjectId};

/// A person of the source, or the mark that they were erased.
pub(super) struct Entry {
    /// Their row in the source.
    pub(super) row: i64,
    /// The source's last commit that touched it.
    pub(super) sequence: i64,
    /// None when they were erased.
    pub(super) person: Option<Carried>,
}

/// A person on the way.
pub(super) struct Carried {
    pub(super) id: SubjectId,
    pub(super) profile: Profile,
    pub(super) templates: Vec<(SpaceId, Record)>,
}

const ERASED: u8 = 1;
const PERSON: u8 = 2;

/// Writes entries one by one.
pub(super) struct PayloadWriter {
    /// Pieces, each written once: a buffer that grows leaves copies behind.
    pieces: Vec<Zeroizing<Vec<u8>>>,
    count: u32,
    bytes: usize,
}

impl PayloadWriter {
    pub(super) const fn new() -> Self {
        Self { pieces: Vec::new(), count: 0, bytes: 24 + 4 }
    }

    pub(super) fn erased(&mut self, row: i64, sequence: i64) {
        self.begin(ERASED, row, sequence);
    }

    pub(super) fn person(
        &mut self,
        row: i64,
        sequence: i64,
        profile: &Profile,
        templates: &[(SpaceId, &Record)],
    ) -> Result<()> {
        self.begin(PERSON, row, sequence);
        let profile = profile.to_bytes()?;
        self.number(profile.len());
        self.push(profile);
        self.number(templates.len());
        for (space, record) in templates {
            self.push(Zeroizing::new(space.as_bytes().to_vec()));
            let record = record.to_bytes()?;
            self.number(record.len());
            self.push(record);
        }
        Ok(())
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn finish(self, source: &Source) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes));
        bytes.extend_from_slice(source);
        bytes.extend_from_slice(&self.count.to_be_bytes());
        for piece in &self.pieces {
            bytes.extend_from_slice(piece);
        }
        bytes
    }

    fn begin(&mut self, kind: u8, row: i64, sequence: i64) {
        let mut head = vec![kind];
        head.extend_from_slice(&row.to_be_bytes());
        head.extend_from_slice(&sequence.to_be_bytes());
        self.push(Zeroizing::new(head));
        self.count += 1;
    }

    /// Lengths are those of values within the limits of a bundle, far below 2³².
    fn number(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.push(Zeroizing::new(number.to_be_bytes().to_vec()));
    }

    fn push(&mut self, piece: Zeroizing<Vec<u8>>) {
        self.bytes += piece.len();
        self.pieces.push(piece);
    }
}

/// The source and the entries of an opened bundle; what is wrong with it otherwise. Rows, names and templates
/// are there once each.
pub(super) fn parse(bytes: &[u8]) -> Result<(Source, Vec<Entry>), &'static str> {
    let mut reader = Reader(bytes);
    let source: Source = *reader.array().ok_or("it ends within its source")?;
    let count = reader.number().ok_or("it ends within its count")?;
    let mut entries = Vec::new();
    let (mut rows, mut names, mut templates) = (HashSet::new(), HashSet::new(), HashSet::new());
    for _ in 0..count {
        let entry = reader.entry().ok_or("an entry is malformed")?;
        if entry.row < 1 || entry.sequence < 0 || !rows.insert(entry.row) {
            return Err("a row is no row, or there twice");
        }
        if let Some(person) = &entry.person {
            if !names.insert(person.id.clone()) {
                return Err("a name is there twice");
            }
            if !person.templates.iter().all(|(_, record)| templates.insert(record.id)) {
                return Err("a template is there twice");
            }
        }
        entries.push(entry);
    }
    if reader.0.is_empty() { Ok((source, entries)) } else { Err("there is more than it says") }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn entry(&mut self) -> Option<Entry> {
        let [kind] = *self.array()?;
        let row = i64::from_be_bytes(*self.array()?);
        let sequence = i64::from_be_bytes(*self.array()?);
        let person = match kind {
            ERASED => None,
            PERSON => Some(self.person()?),
            _ => return None,
        };
        Some(Entry { row, sequence, person })
    }

    fn person(&mut self) -> Option<Carried> {
        let length = self.number()?;
        let profile = Profile::from_bytes(self.bytes(length)?)?;
        let count = self.number()?;
        let mut templates = Vec::new();
        for _ in 0..count {
            let space = SpaceId::from_bytes(*self.array()?);
            let length = self.number()?;
            templates.push((space, Record::from_bytes(self.bytes(length)?)?));
        }
        Some(Carried { id: profile.id.parse().ok()?, profile, templates })
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    fn bytes(&mut self, length: u32) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }
}

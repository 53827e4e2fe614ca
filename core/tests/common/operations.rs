//! Changes to a gallery as lines of text, which a child says before and after it makes them, and what they
//! make of the people enrolled.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use faceprint::gallery::{BundleRequest, Details, EnrollPolicy, NewTemplate};
use faceprint::{Error, ErrorKind, Gallery, Tenant};

use crate::common::{added, bits, id, key, space, template, tenant_id};

/// One commit, or one that may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Enroll(u64),
    /// Five people from this number on, in one commit.
    Batch(u64),
    Replace(u64, u64),
    Erase(u64),
    Rotate(u8),
    Rekey(u8),
    Compact,
    /// Five people from this number on, from another gallery.
    Import(u64),
}

/// Numbers of people who come in batches, and in bundles; others come one by one.
const BATCHES: Range<u64> = 1_000..1_500;
const IMPORTS: Range<u64> = 1_500..2_000;

impl Operation {
    /// Makes the change.
    pub fn run(&self, gallery: &Gallery, acme: &Tenant) -> Result<(), Error> {
        match *self {
            Self::Enroll(number) => {
                let (template, details) = (template(number), details(number));
                added(acme.enroll(&id(number), NewTemplate::from(&template).details(&details))?);
            }
            Self::Batch(first) => {
                let people: Vec<_> =
                    (first..first + 5).map(|it| (id(it), template(it), details(it))).collect();
                let batch: Vec<_> = people
                    .iter()
                    .map(|(id, template, details)| {
                        (id.clone(), NewTemplate::from(template).details(details))
                    })
                    .collect();
                for outcome in acme.enroll_all(&batch, |_, _| {})? {
                    added(outcome);
                }
            }
            Self::Replace(number, seed) => {
                added(acme.replace(&id(number), &template(seed))?);
            }
            Self::Erase(number) => assert_eq!(acme.erase(&id(number))?.subjects, 1),
            Self::Rotate(number) => gallery.rotate_key(&key(number))?,
            Self::Rekey(number) => gallery.rekey(&key(number))?,
            Self::Compact => gallery.compact()?,
            Self::Import(first) => import(gallery, acme, first)?,
        }
        Ok(())
    }

    /// An operation that `state` allows, by the roll of `dice`.
    pub fn choose(dice: u64, state: &State) -> Self {
        let (kind, dice) = (dice % 100, dice / 100);
        let there: Vec<u64> = state.people.keys().copied().collect();
        let absent =
            (0..).map(|it| (dice + it) % 900).find(|it| !state.people.contains_key(it)).unwrap();
        let someone = usize::try_from(dice).unwrap() % there.len().max(1);
        let other_key = 1 + (dice % 2) as u8;
        match kind {
            0..6 => Self::Rotate(other_key),
            6..12 => Self::Rekey(other_key),
            12..15 => Self::Compact,
            15..20 if !there.iter().any(|it| BATCHES.contains(it)) => {
                Self::Batch(BATCHES.start + dice % 100 * 5)
            }
            20..25 if !there.iter().any(|it| IMPORTS.contains(it)) => {
                Self::Import(IMPORTS.start + dice % 80 * 5)
            }
            20..60 if there.len() < 40 => Self::Enroll(absent),
            _ if there.is_empty() => Self::Enroll(absent),
            20..75 => Self::Erase(there[someone]),
            _ => Self::Replace(there[someone], 2_000 + dice % 900),
        }
    }

    /// The kind, for counting.
    pub fn name(&self) -> String {
        self.to_string().split(' ').next().unwrap().to_owned()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enroll(number) => write!(f, "enroll {number}"),
            Self::Batch(first) => write!(f, "batch {first}"),
            Self::Replace(number, seed) => write!(f, "replace {number} {seed}"),
            Self::Erase(number) => write!(f, "erase {number}"),
            Self::Rotate(key) => write!(f, "rotate {key}"),
            Self::Rekey(key) => write!(f, "rekey {key}"),
            Self::Compact => f.write_str("compact"),
            Self::Import(first) => write!(f, "import {first}"),
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().map_err(|_| text.to_owned());
        let small = |at: usize| words[at].parse::<u8>().map_err(|_| text.to_owned());
        Ok(match words[0] {
            "enroll" => Self::Enroll(number(1)?),
            "batch" => Self::Batch(number(1)?),
            "replace" => Self::Replace(number(1)?, number(2)?),
            "erase" => Self::Erase(number(1)?),
            "rotate" => Self::Rotate(small(1)?),
            "rekey" => Self::Rekey(small(1)?),
            "compact" => Self::Compact,
            "import" => Self::Import(number(1)?),
            _ => return Err(text.to_owned()),
        })
    }
}

/// What a gallery holds: the seed of each person's template, and the number of the key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub people: BTreeMap<u64, u64>,
    pub key: u8,
}

impl State {
    /// A new gallery.
    pub fn new() -> Self {
        Self { people: BTreeMap::new(), key: 1 }
    }

    /// Whether `operation` can be made here.
    pub fn allows(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Enroll(number) => !self.people.contains_key(number),
            Operation::Batch(first) | Operation::Import(first) => {
                self.people.range(first..&(first + 5)).next().is_none()
            }
            Operation::Replace(number, _) | Operation::Erase(number) => {
                self.people.contains_key(number)
            }
            Operation::Rotate(_) | Operation::Rekey(_) | Operation::Compact => true,
        }
    }

    /// What `operation` makes of this.
    pub fn apply(&mut self, operation: &Operation) {
        assert!(self.allows(operation), "{operation}");
        match *operation {
            Operation::Enroll(number) => {
                self.people.insert(number, number);
            }
            Operation::Batch(first) | Operation::Import(first) => {
                self.people.extend((first..first + 5).map(|number| (number, number)));
            }
            Operation::Replace(number, seed) => {
                self.people.insert(number, seed);
            }
            Operation::Erase(number) => {
                self.people.remove(&number);
            }
            Operation::Rotate(key) | Operation::Rekey(key) => self.key = key,
            Operation::Compact => {}
        }
    }

    /// What `operation` would make of this.
    pub fn after(&self, operation: &Operation) -> Self {
        let mut after = self.clone();
        after.apply(operation);
        after
    }

    /// What the file at `path` holds, every byte of it checked, and that one key opens it and no other.
    pub fn read(path: &Path) -> Self {
        let (gallery, acme, key) = open(path).unwrap();
        let other = Gallery::open(path, &crate::common::key(3 - key)).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::WrongKey, "{other}");
        gallery.check().unwrap();
        Self { people: people(&acme).unwrap(), key }
    }
}

/// Opens the gallery by the key that opens it, and a tenant that takes everybody.
pub fn open(path: &Path) -> Result<(Gallery, Tenant, u8), Error> {
    let (gallery, number) = match Gallery::open(path, &key(1)) {
        Err(error) if error.kind() == ErrorKind::WrongKey => (Gallery::open(path, &key(2))?, 2),
        other => (other?, 1),
    };
    let acme = tenant(&gallery)?;
    Ok((gallery, acme, number))
}

/// The tenant of all operations. It checks for no duplicates.
pub fn tenant(gallery: &Gallery) -> Result<Tenant, Error> {
    let acme = gallery.tenant(&tenant_id("acme"))?;
    Ok(acme.with_policy(EnrollPolicy::default().duplicate_at(None)))
}

/// What is known of a person from the moment that they are there.
pub fn details(number: u64) -> Details {
    let second = |second: u64| Some(UNIX_EPOCH + Duration::from_secs(second));
    let metadata = Some(format!("{{\"number\":{number}}}"));
    Details {
        metadata,
        consent: second(1_000 + number),
        expires_at: second(7_000_000_000 + number),
    }
}

/// Five people from `first` on, from a tenant that an office has made for them.
fn import(device: &Gallery, acme: &Tenant, first: u64) -> Result<(), Error> {
    static IMPORTS: AtomicU64 = AtomicU64::new(0);
    let office = office();
    let number = IMPORTS.fetch_add(1, Ordering::Relaxed);
    let name = tenant_id(&format!("import {} of process {}", number, std::process::id()));
    let people = office.tenant(&name)?.with_policy(EnrollPolicy::default().duplicate_at(None));
    Operation::Batch(first).run(office, &people)?;
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let bundle = people.export_bundle(&BundleRequest::new(device.device_key()?, tomorrow))?;
    office.erase_tenant(&name)?;
    let imported = acme.import_bundle(&bundle.bytes, &office.signer())?;
    assert_eq!(imported.added, 5, "{imported:?}");
    Ok(())
}

/// Another gallery, which is kept from run to run: what is done to it is not what is tested.
fn office() -> &'static Gallery {
    static OFFICE: OnceLock<Gallery> = OnceLock::new();
    OFFICE.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("office.faceprint");
        Gallery::open(&path, &key(3)).unwrap_or_else(|_| {
            let _ = std::fs::remove_file(&path);
            Gallery::create(&path, &key(3), space(1)).unwrap()
        })
    })
}

/// Everybody enrolled, with the seed of their one template. Nobody is there without what was said of them.
pub fn people(acme: &Tenant) -> Result<BTreeMap<u64, u64>, Error> {
    static SEEDS: OnceLock<HashMap<Vec<u32>, u64>> = OnceLock::new();
    let seeds =
        SEEDS.get_or_init(|| (0..3_000).map(|seed| (bits(&template(seed)), seed)).collect());
    let mut people = BTreeMap::new();
    for subject in acme.subjects()? {
        let stored = acme.templates(&subject)?;
        assert_eq!(stored.len(), 1, "half a replacement");
        let number = subject.as_str()["subject number ".len()..].parse().unwrap();
        let (found, expected) = (acme.subject(&subject)?.details, details(number));
        assert_eq!((found.metadata, found.consent), (expected.metadata, expected.consent));
        // Of who came in a bundle it is the bundle's.
        assert!(found.expires_at.is_some_and(|it| it <= expected.expires_at.unwrap()));
        people.insert(number, seeds[&bits(&stored[0].template)]);
    }
    Ok(people)
}

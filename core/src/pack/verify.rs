//! Bytes of model files, hashed before anything reads them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::pack::check::MAX_MODEL_BYTES;
use crate::pack::locations::Locations;
use crate::pack::spec::{ModelSpec, hex};

/// A model file compiled into the library: its name and its bytes.
pub(crate) type Embedded = (&'static str, &'static [u8]);

/// The bytes of `spec`'s file from those in memory or the first folder that has one. A wrong file in an
/// earlier place is an error: going on to the next would hide that a model somebody put there is not used.
pub(crate) fn load(
    spec: &ModelSpec,
    embedded: &[Embedded],
    locations: &Locations,
) -> Result<Vec<u8>> {
    if let Some((name, bytes)) = embedded.iter().find(|(name, _)| *name == spec.file) {
        check_hash(spec, name, &Sha256::digest(bytes).into())?;
        return Ok(bytes.to_vec());
    }
    match locations.find(&spec.file) {
        Some(path) => read(spec, &path),
        None => Err(not_found(spec, locations)),
    }
}

/// The bytes of the file at `path`, once its size and SHA-256 are `spec`'s.
pub(crate) fn read(spec: &ModelSpec, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_checked(spec, path, &mut |chunk| bytes.extend_from_slice(chunk))?;
    Ok(bytes)
}

/// As [`read`], keeping nothing: bytes of the file.
pub(crate) fn verify(spec: &ModelSpec, path: &Path) -> Result<u64> {
    read_checked(spec, path, &mut |_| {})
}

fn read_checked(spec: &ModelSpec, path: &Path, take: &mut dyn FnMut(&[u8])) -> Result<u64> {
    let failed = |error: std::io::Error| {
        Error::with_source(ErrorKind::Io, format!("cannot read {}", path.display()), error)
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    check_size(spec, path, length)?;
    let mut hasher = Sha256::new();
    let mut total = 0_u64;
    let mut chunk = vec![0; 1 << 16];
    // One byte more than allowed shows a file that grew since.
    let mut file = file.take(spec.size.unwrap_or(MAX_MODEL_BYTES) + 1);
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(&chunk[..count]);
        take(&chunk[..count]);
        total += count as u64;
    }
    check_size(spec, path, total)?;
    check_hash(spec, &path.display(), &hasher.finalize().into())?;
    Ok(total)
}

fn check_size(spec: &ModelSpec, path: &Path, length: u64) -> Result<()> {
    let limit = spec.size.unwrap_or(MAX_MODEL_BYTES);
    if spec.size.is_some_and(|size| size != length) || length > limit {
        let bound = if spec.size.is_some() { "the manifest says" } else { "at most" };
        return Err(Error::new(
            ErrorKind::ModelCorrupt,
            format!("{} has {length} bytes, {bound} {limit}; {}", path.display(), way_out(spec)),
        ));
    }
    Ok(())
}

/// `place` is where the bytes came from, for the message.
pub(crate) fn check_hash(
    spec: &ModelSpec,
    place: &dyn std::fmt::Display,
    actual: &[u8; 32],
) -> Result<()> {
    if *actual == spec.sha256 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ModelCorrupt,
        format!(
            "{place} has sha256 {}…, the manifest says {}…; {}",
            hex(&actual[..4]),
            spec.short_hash(),
            way_out(spec)
        ),
    ))
}

fn way_out(spec: &ModelSpec) -> String {
    match spec.url {
        Some(_) => format!("remove it and get it again with `faceprint models pull {}`", spec.name),
        None => format!("replace it by the right \"{}\"", spec.name),
    }
}

fn not_found(spec: &ModelSpec, locations: &Locations) -> Error {
    let folders: Vec<String> =
        locations.folders().iter().map(|folder| folder.display().to_string()).collect();
    let searched = if folders.is_empty() { "no folder at all".into() } else { folders.join(", ") };
    let way_out = match spec.url {
        Some(_) => format!("get it with `faceprint models pull {}`", spec.name),
        None => "its manifest has no url: copy the file into one of them".into(),
    };
    Error::new(
        ErrorKind::ModelNotFound,
        format!("model \"{}\": no {} in {searched}; {way_out}", spec.name, spec.file),
    )
}

//! Catalogues: manifests that many packs share, and the one that ships with the library.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::pack::ModelPack;
use crate::pack::locations::Locations;
use crate::pack::manifest::{MAX_BYTES, Manifest, PackSpec};
use crate::pack::spec::ModelSpec;

/// The file a pack's folder is recognised by.
pub(crate) const MANIFEST_FILE: &str = "faceprint.toml";

const BUILTIN: &str = include_str!("catalog.toml");

/// A manifest together with the places its files are looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    manifest: Manifest,
    folder: Option<PathBuf>,
    locations: Locations,
}

impl Catalog {
    /// The packs this version of the library knows, with the URLs and hashes of their upstreams. Files
    /// are looked for in [`Locations::from_env`].
    ///
    /// # Errors
    /// None, unless the library was built with a broken catalogue.
    pub fn builtin() -> Result<Self> {
        let manifest = Manifest::parse(BUILTIN)?;
        Ok(Self { manifest, folder: None, locations: Locations::from_env() })
    }

    /// A folder that holds `faceprint.toml`, or a manifest file of any name. Files are looked for
    /// beside it, then in [`Locations::from_env`].
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] when there is no manifest, [`ErrorKind::InvalidManifest`] when it
    /// is not valid, [`ErrorKind::Io`] when it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = if path.is_dir() { path.join(MANIFEST_FILE) } else { path.to_path_buf() };
        let text = read_manifest(&file)?;
        let manifest = Manifest::parse(&text)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", file.display())))?;
        let folder = file.parent().map(Path::to_path_buf);
        Ok(Self::new(manifest, folder, Locations::from_env()))
    }

    fn new(manifest: Manifest, folder: Option<PathBuf>, locations: Locations) -> Self {
        let locations = locations.beside(folder.clone());
        Self { manifest, folder, locations }
    }

    /// Looks for files in `locations` instead; beside the manifest they are looked for in any case.
    #[must_use]
    pub fn with_locations(self, locations: Locations) -> Self {
        Self::new(self.manifest, self.folder, locations)
    }

    /// The pack called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`], naming the packs it may have meant.
    pub fn find(&self, name: &str) -> Result<ModelPack> {
        match self.manifest.pack(name) {
            Some(pack) => Ok(self.resolve(pack)),
            None => Err(self.unknown(name, "pack", self.packs().iter().map(PackSpec::name))),
        }
    }

    /// The pack of a manifest that holds exactly one.
    pub(crate) fn only(&self) -> Result<ModelPack> {
        match self.packs() {
            [pack] => Ok(self.resolve(pack)),
            packs => {
                let names: Vec<&str> = packs.iter().map(PackSpec::name).collect();
                let message = match names.as_slice() {
                    [] => "manifest holds no pack: add a [[pack]] table".to_owned(),
                    _ => format!(
                        "manifest holds {} packs, name one of them: {}",
                        names.len(),
                        names.join(", ")
                    ),
                };
                Err(Error::new(ErrorKind::ModelNotFound, message))
            }
        }
    }

    /// The packs, in the order of the manifest.
    #[must_use]
    pub fn packs(&self) -> &[PackSpec] {
        self.manifest.packs()
    }

    /// The models, in the order of the manifest.
    #[must_use]
    pub fn models(&self) -> &[ModelSpec] {
        self.manifest.models()
    }

    /// The models of the pack called `name`, or the model of that name.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`], naming the packs and models it may have meant.
    pub fn models_named(&self, name: &str) -> Result<Vec<&ModelSpec>> {
        if let Some(pack) = self.manifest.pack(name) {
            return Ok(self.manifest.models_of(pack).collect());
        }
        if let Some(model) = self.manifest.model(name) {
            return Ok(vec![model]);
        }
        let models = self.models().iter().map(|model| model.name.as_str());
        let names = self.packs().iter().map(PackSpec::name).chain(models);
        Err(self.unknown(name, "pack or model", names))
    }

    /// Where files are looked for.
    #[must_use]
    pub const fn locations(&self) -> &Locations {
        &self.locations
    }

    fn resolve(&self, pack: &PackSpec) -> ModelPack {
        ModelPack::from_parts(&self.manifest, pack, self.locations.clone())
    }

    fn unknown<'a>(&self, name: &str, kind: &str, known: impl Iterator<Item = &'a str>) -> Error {
        let known: Vec<&str> = known.collect();
        let near = close_names(name, &known);
        let name: String = name.chars().take(64).collect();
        let hint = if near.is_empty() {
            format!("known are {}", known.join(", "))
        } else {
            format!("did you mean {}", near.join(" or "))
        };
        Error::new(ErrorKind::ModelNotFound, format!("no {kind} is called {name:?}; {hint}"))
    }
}

fn read_manifest(file: &Path) -> Result<String> {
    let failed = |error: std::io::Error| {
        let (kind, message) = match error.kind() {
            std::io::ErrorKind::NotFound => (ErrorKind::ModelNotFound, "no manifest at"),
            std::io::ErrorKind::InvalidData => (ErrorKind::InvalidManifest, "not UTF-8 text:"),
            _ => (ErrorKind::Io, "cannot read"),
        };
        Error::with_source(kind, format!("{message} {}", file.display()), error)
    };
    let mut text = String::new();
    // One byte more than allowed lets the parser refuse a longer file.
    let limit = MAX_BYTES as u64 + 1;
    File::open(file).and_then(|file| file.take(limit).read_to_string(&mut text)).map_err(failed)?;
    Ok(text)
}

/// Up to three of `known` that `name` may have meant, the closest first.
fn close_names<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    // Longer names are no typing mistake, and the distance costs their product.
    if name.is_empty() || name.len() > 64 {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|known| (edit_distance(name, known), *known))
        .filter(|(distance, known)| *distance <= 1 + name.len() / 4 || known.contains(name))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, known)| known).take(3).collect()
}

/// Bytes to insert, remove or replace to turn one into the other (Levenshtein).
fn edit_distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (left, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[left + 1];
            row[left + 1] = replaced.min(row[left] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_of_known_pairs() {
        for (from, to, distance) in
            [("", "", 0), ("kitten", "sitting", 3), ("abc", "", 3), ("sface", "sfcae", 2)]
        {
            assert_eq!(edit_distance(from, to), distance, "{from} {to}");
        }
    }

    #[test]
    fn close_names_come_first() {
        let known = ["yunet-sface", "yunet-sface-int8", "buffalo-l", "buffalo-sc"];
        assert_eq!(close_names("yunet-sfaec", &known), ["yunet-sface"]);
        assert_eq!(close_names("buffalo", &known), ["buffalo-l", "buffalo-sc"]);
        assert!(close_names("zzz", &known).is_empty());
    }
}

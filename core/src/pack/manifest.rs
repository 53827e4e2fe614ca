//! The manifest: one TOML schema for packs and catalogues, parsed into types that cannot be half-valid.

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::pack::check::{self, Scope};
use crate::pack::raw::{RawModel, RawPack};
use crate::pack::spec::{ModelSpec, Role};

/// Longest manifest that is read, bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// The schema this library reads: the value of `format`.
const FORMAT: i64 = 1;

/// A manifest that was read and checked whole: models, and packs that name them.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    models: Vec<ModelSpec>,
    packs: Vec<PackSpec>,
}

impl Manifest {
    /// Reads a TOML document of up to 1 MiB.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`], naming the model or pack and the path of the field.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(invalid(format!(
                "manifest has {} bytes, at most {MAX_BYTES} are read",
                text.len()
            )));
        }
        let mut root: toml::Table = text.parse().map_err(|error| syntax_error(text, &error))?;
        check_format(root.remove("format"))?;
        let models = entries(&mut root, "model")?;
        let packs = entries(&mut root, "pack")?;
        if let Some(key) = root.keys().next() {
            return Err(invalid(format!(
                "{key:?} is not a field of a manifest: format, model, pack"
            )));
        }
        let models = models
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                let scope = scope_of("model", index, &value);
                read::<RawModel>(&scope, value)?.check()
            })
            .collect::<Result<Vec<_>>>()?;
        check_models(&models)?;
        let packs = packs
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                let scope = scope_of("pack", index, &value);
                read::<RawPack>(&scope, value)?.check(&models)
            })
            .collect::<Result<Vec<_>>>()?;
        check_unique("pack", packs.iter().map(PackSpec::name))?;
        Ok(Self { models, packs })
    }

    /// The models, in the order of the document.
    #[must_use]
    pub fn models(&self) -> &[ModelSpec] {
        &self.models
    }

    /// The packs, in the order of the document.
    #[must_use]
    pub fn packs(&self) -> &[PackSpec] {
        &self.packs
    }

    /// The model called `name`.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&ModelSpec> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The pack called `name`.
    #[must_use]
    pub fn pack(&self, name: &str) -> Option<&PackSpec> {
        self.packs.iter().find(|pack| pack.name == name)
    }

    /// The models `pack` names, in the order detector, embedder, liveness.
    pub fn models_of<'a>(&'a self, pack: &'a PackSpec) -> impl Iterator<Item = &'a ModelSpec> {
        pack.detector
            .iter()
            .chain(&pack.embedder)
            .chain(&pack.liveness)
            .filter_map(|name| self.model(name))
    }
}

/// A pack as a manifest writes it: names of models of the same manifest, each of the right role.
#[derive(Clone, Debug, PartialEq)]
pub struct PackSpec {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) detector: Option<String>,
    pub(crate) embedder: Option<String>,
    pub(crate) liveness: Vec<String>,
    /// Invariant: there exactly when `liveness` is not empty.
    pub(crate) liveness_threshold: Option<f32>,
}

impl PackSpec {
    /// Unique among the packs of its manifest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A sentence for people; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Name of the detector.
    #[must_use]
    pub fn detector(&self) -> Option<&str> {
        self.detector.as_deref()
    }

    /// Name of the embedder.
    #[must_use]
    pub fn embedder(&self) -> Option<&str> {
        self.embedder.as_deref()
    }

    /// Names of the liveness models, whose scores are averaged.
    #[must_use]
    pub fn liveness(&self) -> &[String] {
        &self.liveness
    }

    /// From which mean liveness score on a face counts as live, 0..=1; for packs with liveness models.
    #[must_use]
    pub const fn liveness_threshold(&self) -> Option<f32> {
        self.liveness_threshold
    }
}

impl RawPack {
    fn check(self, models: &[ModelSpec]) -> Result<PackSpec> {
        let scope = Scope::new("pack", &self.name);
        check::name(&scope, "name", &self.name)?;
        let refer =
            |field: &str, name: String, role: Role| match models.iter().find(|m| m.name == name) {
                None => Err(scope.invalid(
                    field,
                    format!("names the model {name:?}, which is not in this manifest"),
                )),
                Some(model) if model.role() != role => Err(scope.invalid(
                    field,
                    format!("names {name:?}, whose role is {}, not {role}", model.role()),
                )),
                Some(_) => Ok(name),
            };
        let detector =
            self.detector.map(|name| refer("detector", name, Role::Detector)).transpose()?;
        let embedder =
            self.embedder.map(|name| refer("embedder", name, Role::Embedder)).transpose()?;
        let liveness = self
            .liveness
            .into_iter()
            .enumerate()
            .map(|(index, name)| refer(&format!("liveness[{index}]"), name, Role::Liveness))
            .collect::<Result<Vec<_>>>()?;
        if detector.is_none() && embedder.is_none() && liveness.is_empty() {
            return Err(scope.invalid(
                "detector",
                "is missing, and so are embedder and liveness: a pack has a model",
            ));
        }
        match self.liveness_threshold {
            Some(_) if liveness.is_empty() => {
                return Err(
                    scope.invalid("liveness_threshold", "is for packs with liveness models")
                );
            }
            Some(threshold) => {
                check::range(&scope, "liveness_threshold", threshold, 0.0..=1.0, "")?;
            }
            None if !liveness.is_empty() => {
                check::required(&scope, "liveness_threshold", self.liveness_threshold)?;
            }
            None => (),
        }
        Ok(PackSpec {
            name: self.name,
            description: self.description,
            detector,
            embedder,
            liveness,
            liveness_threshold: self.liveness_threshold,
        })
    }
}

fn check_format(format: Option<toml::Value>) -> Result<()> {
    match format {
        Some(toml::Value::Integer(FORMAT)) => Ok(()),
        Some(toml::Value::Integer(other)) => {
            Err(invalid(format!("format is {other}, this library reads {FORMAT}")))
        }
        Some(other) => Err(invalid(format!("format is a {}, must be {FORMAT}", other.type_str()))),
        None => Err(invalid(format!("format is missing, must be {FORMAT}"))),
    }
}

fn entries(root: &mut toml::Table, key: &str) -> Result<Vec<toml::Value>> {
    match root.remove(key) {
        None => Ok(Vec::new()),
        Some(toml::Value::Array(values)) => Ok(values),
        Some(other) => Err(invalid(format!(
            "{key} is a {}, must be tables headed [[{key}]]",
            other.type_str()
        ))),
    }
}

/// By its name when it has one, by its position (from 1) otherwise.
fn scope_of(kind: &'static str, index: usize, value: &toml::Value) -> Scope {
    match value.get("name").and_then(toml::Value::as_str) {
        Some(name) => Scope::new(kind, name),
        None => Scope::numbered(kind, index + 1),
    }
}

fn read<T: DeserializeOwned>(scope: &Scope, value: toml::Value) -> Result<T> {
    value.try_into().map_err(|error: toml::de::Error| {
        // The library writes the path of the field on a line of its own.
        scope.error(error.to_string().trim().replace('\n', " "))
    })
}

fn check_models(models: &[ModelSpec]) -> Result<()> {
    check_unique("model", models.iter().map(|model| model.name.as_str()))?;
    let mut files: Vec<&ModelSpec> = models.iter().collect();
    files.sort_by_key(|model| &model.file);
    match files
        .windows(2)
        .find(|pair| pair[0].file == pair[1].file && pair[0].sha256 != pair[1].sha256)
    {
        Some(pair) => Err(Scope::new("model", &pair[1].name).invalid(
            "file",
            format!(
                "is {:?}, which model \"{}\" has with another sha256",
                pair[1].file, pair[0].name
            ),
        )),
        None => Ok(()),
    }
}

fn check_unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Scope::new(kind, pair[0]).invalid("name", "is used twice")),
        None => Ok(()),
    }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> Error {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    invalid(format!("manifest line {line} is not TOML: {}", error.message().replace('\n', " ")))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidManifest, message)
}

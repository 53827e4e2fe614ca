//! Packs of models.

use std::ffi::{CString, c_char};

use faceprint::{Catalog, ModelPack};

use crate::boundary::{Flag, Out, Text, call, free, need};
use crate::error::{faceprint_error, faceprint_status};
use crate::template::faceprint_space_id;
use crate::text::{List, c_string};

/// Models that work together.
pub struct faceprint_pack {
    pub(crate) pack: ModelPack,
    name: CString,
    description: CString,
    models: List<faceprint_model>,
}

/// A model of a pack. The strings live as long as the pack.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_model {
    /// Its name.
    pub name: *const c_char,
    /// "detector", "embedder" or "liveness".
    pub role: *const c_char,
    /// "yunet", "scrfd", "retinaface", "arcface", "sface" or "minifasnet".
    pub family: *const c_char,
    /// SHA-256 of its file, 64 hexadecimal digits.
    pub sha256: *const c_char,
    /// SPDX identifier, or the upstream's words.
    pub license: *const c_char,
    /// "permissive", "non-commercial" or "unknown".
    pub license_class: *const c_char,
    /// Who made it of what.
    pub provenance: *const c_char,
}

/// A threshold for searches, and what stands behind it.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_search_threshold {
    /// Similarity (cosine, -1 to 1) from which on a template counts as found.
    pub similarity: f32,
    /// Whether it lies above all that was measured.
    pub extrapolated: Flag,
    /// The false match rate that each comparison may have.
    pub fmr: f64,
    /// The rate there by the best estimate.
    pub estimate: f64,
    /// 95 % interval of it.
    pub ci95_low: f64,
    /// Its upper end.
    pub ci95_high: f64,
}

/// The pack inside the library.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_bundled(
    pack: Out<*mut faceprint_pack>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        pack.check("pack")?.give(ModelPack::bundled().into());
        Ok(())
    })
}

/// The pack of a folder with `faceprint.toml`, or of a manifest file. `name` chooses one of several; NULL when there is
/// one.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_open(
    path: Text,
    name: Text,
    pack: Out<*mut faceprint_pack>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let pack = pack.check("pack")?;
        let path = path.get("path")?;
        let opened = match name.option("name")? {
            Some(name) => ModelPack::open_named(path, name)?,
            None => ModelPack::open(path)?,
        };
        pack.give(opened.into());
        Ok(())
    })
}

/// A pack of the library's catalogue, whose files were pulled with `faceprint models pull`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_find(
    name: Text,
    pack: Out<*mut faceprint_pack>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let pack = pack.check("pack")?;
        pack.give(Catalog::builtin()?.find(name.get("name")?)?.into());
        Ok(())
    })
}

/// Its name.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_name(pack: Option<&faceprint_pack>) -> *const c_char {
    pack.map_or(std::ptr::null(), |pack| pack.name.as_ptr())
}

/// A sentence for people; may be empty.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_description(pack: Option<&faceprint_pack>) -> *const c_char {
    pack.map_or(std::ptr::null(), |pack| pack.description.as_ptr())
}

/// How many models it has.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_models_len(pack: Option<&faceprint_pack>) -> usize {
    List::len(pack.map(|pack| &pack.models))
}

/// One of its models: detector, embedder, then those for liveness.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_models_at(
    pack: Option<&faceprint_pack>,
    index: usize,
) -> *const faceprint_model {
    List::at(pack.map(|pack| &pack.models), index)
}

/// From which mean score of its liveness models on a face counts as live, 0 to 1; -1 when it has none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_liveness_threshold(pack: Option<&faceprint_pack>) -> f32 {
    pack.and_then(|pack| pack.pack.liveness_threshold()).unwrap_or(-1.0)
}

/// The embedding space of the pack's templates.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_space(
    pack: Option<&faceprint_pack>,
    space: Out<faceprint_space_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let space = space.check("space")?;
        space.put(need(pack, "pack")?.pack.space()?.into());
        Ok(())
    })
}

/// The similarity from which two faces are the same with a false match rate of at most `fmr`, above 0 and below 1. For
/// one comparison; a search among n needs faceprint_pack_threshold_for.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_threshold(
    pack: Option<&faceprint_pack>,
    fmr: f64,
    threshold: Out<f32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let threshold = threshold.check("threshold")?;
        threshold.put(need(pack, "pack")?.pack.threshold(fmr)?);
        Ok(())
    })
}

/// The similarity from which on a search among `n` templates may name somebody, so that at most the share `fpir` of
/// the searches for people who are not among them does.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_threshold_for(
    pack: Option<&faceprint_pack>,
    fpir: f64,
    n: usize,
    threshold: Out<faceprint_search_threshold>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let threshold = threshold.check("threshold")?;
        let found = need(pack, "pack")?.pack.threshold_for(fpir, n)?;
        threshold.put(faceprint_search_threshold {
            similarity: found.similarity,
            extrapolated: found.extrapolated.into(),
            fmr: found.fmr,
            estimate: found.estimate,
            ci95_low: found.ci95.0,
            ci95_high: found.ci95.1,
        });
        Ok(())
    })
}

/// Frees a pack.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pack_free(pack: Option<Box<faceprint_pack>>) {
    free(pack);
}

impl From<ModelPack> for faceprint_pack {
    fn from(pack: ModelPack) -> Self {
        let mut texts = Vec::new();
        let mut models = Vec::new();
        for model in pack.models() {
            let mut keep = |text: &str| {
                let text = c_string(text);
                let pointer = text.as_ptr();
                texts.push(text);
                pointer
            };
            models.push(faceprint_model {
                name: keep(&model.name),
                role: keep(model.role().as_str()),
                family: keep(model.family.as_str()),
                sha256: keep(&model.sha256_hex()),
                license: keep(&model.license.name),
                license_class: keep(model.license.class.as_str()),
                provenance: keep(&model.provenance),
            });
        }
        let (name, description) = (c_string(pack.name()), c_string(pack.description()));
        Self { name, description, models: List::new(models, texts), pack }
    }
}

//! Templates, and the spaces they live in.

use faceprint::quality::agreement;
use faceprint::vector::Embedding;
use faceprint::{SpaceId, Template, TemplateId};

use crate::boundary::{Flag, Items, Out, Text, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};

/// The embedding space of templates: those of two spaces cannot be compared.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_space_id {
    /// As stored.
    pub bytes: [u8; 32],
}

/// One stored template of a subject.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_template_id {
    /// As stored.
    pub bytes: [u8; 16],
}

/// What a face is compared by: a unit vector in a space.
pub struct faceprint_template(pub(crate) Template);

/// A template of `len` values of the embedder of `space`, which are scaled to unit length.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_new(
    values: Items<f32>,
    len: usize,
    space: Option<&faceprint_space_id>,
    template: Out<*mut faceprint_template>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let template = template.check("template")?;
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        let embedding = Embedding::normalize(values.slice(len, "values")?)?;
        template.give(faceprint_template(Template::new(embedding, space)));
        Ok(())
    })
}

/// A copy, for what outlives the list a template came from.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_clone(
    template: Option<&faceprint_template>,
    copy: Out<*mut faceprint_template>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let copy = copy.check("copy")?;
        copy.give(faceprint_template(need(template, "template")?.0.clone()));
        Ok(())
    })
}

/// How many values it has.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_dimension(template: Option<&faceprint_template>) -> usize {
    template.map_or(0, |template| template.0.embedding().dimension())
}

/// The values; they live as long as the template.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_values(template: Option<&faceprint_template>) -> *const f32 {
    template.map_or(std::ptr::null(), |template| template.0.embedding().as_slice().as_ptr())
}

/// The space it lives in; all zero for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_space(
    template: Option<&faceprint_template>,
) -> faceprint_space_id {
    let zero = faceprint_space_id { bytes: [0; 32] };
    template.map_or(zero, |template| template.0.space().into())
}

/// Cosine similarity, -1 to 1.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_similarity(
    a: Option<&faceprint_template>,
    b: Option<&faceprint_template>,
    similarity: Out<f32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let similarity = similarity.check("similarity")?;
        similarity.put(need(a, "a")?.0.similarity(&need(b, "b")?.0)?.value());
        Ok(())
    })
}

/// Whether templates are of one person: the position of the most typical one, and for each whether it is of somebody else
/// (true in `outliers`, of `len` places), when similar by less than `same_person`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_templates_agreement(
    templates: Items<Option<&faceprint_template>>,
    len: usize,
    same_person: f32,
    typical: Out<usize>,
    outliers: Out<Flag>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (typical, outliers) = (typical.check("typical")?, outliers.check("outliers")?);
        let templates: Vec<_> = all(templates, len)?.into_iter().map(|it| &it.0).collect();
        let found = agreement(&templates, same_person)?;
        typical.put(found.typical);
        outliers.put_all((0..len).map(|at| found.outliers.contains(&at).into()));
        Ok(())
    })
}

/// Frees a template of the caller's. Those of lists are freed with them.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_free(template: Option<Box<faceprint_template>>) {
    free(template);
}

/// Reads 64 hexadecimal digits.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_space_id_parse(
    text: Text,
    space: Out<faceprint_space_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let space = space.check("space")?;
        space.put(text.get("text")?.parse::<SpaceId>()?.into());
        Ok(())
    })
}

/// Reads 32 hexadecimal digits.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_template_id_parse(
    text: Text,
    id: Out<faceprint_template_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let id = id.check("id")?;
        id.put(text.get("text")?.parse::<TemplateId>()?.into());
        Ok(())
    })
}

/// Templates of the caller, none of them NULL.
pub(crate) fn all(
    templates: Items<Option<&faceprint_template>>,
    len: usize,
) -> Result<Vec<&faceprint_template>, Failure> {
    let templates = templates.slice(len, "templates")?.to_vec();
    templates.into_iter().map(|template| need(template, "a template")).collect()
}

impl From<SpaceId> for faceprint_space_id {
    fn from(space: SpaceId) -> Self {
        Self { bytes: *space.as_bytes() }
    }
}

impl From<TemplateId> for faceprint_template_id {
    fn from(id: TemplateId) -> Self {
        Self { bytes: *id.as_bytes() }
    }
}

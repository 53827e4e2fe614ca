//! The people a probe is compared with: those of a folder, or those of a gallery.

use std::path::{Path, PathBuf};

use faceprint::stream::Recognize;
use faceprint::{Engine, Query, SubjectId, Template, Tenant};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;
use crate::people::KnownPicture;
use crate::samples;

/// Whom a probe may be.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Folder(Vec<Person>),
    Gallery(Tenant),
}

/// A person of a folder and the templates of their pictures.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    name: String,
    templates: Vec<Template>,
}

/// A picture of the folder that cannot be used.
#[derive(Debug, Serialize)]
pub(crate) struct Rejected {
    image: PathBuf,
    reasons: Vec<String>,
}

/// Somebody a face may be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) similarity: f32,
}

impl Known {
    /// The people of `pictures` in `folder`, and the pictures that were of no use.
    pub(crate) fn from_folder(
        engine: &Engine,
        folder: &Path,
        pictures: &[KnownPicture],
    ) -> Result<(Self, Vec<Rejected>), Failure> {
        let samples = samples::take(engine, pictures, "known people");
        let (mut people, mut rejected) = (Vec::<Person>::new(), Vec::new());
        for (picture, sample) in pictures.iter().zip(samples) {
            match (sample, people.last_mut()) {
                (Ok(sample), Some(person)) if person.name == picture.name => {
                    person.templates.push(sample.template);
                }
                (Ok(sample), _) => people
                    .push(Person { name: picture.name.clone(), templates: vec![sample.template] }),
                (Err(reasons), _) => rejected.push(Rejected {
                    image: picture.path.clone(),
                    reasons: reasons.into_iter().map(|reason| reason.message).collect(),
                }),
            }
        }
        for Rejected { image, reasons } in &rejected {
            output::note(format!("not used: {}: {}", image.display(), reasons.join("; ")));
        }
        if people.is_empty() {
            return Err(Failure::usage(format!(
                "none of the {} pictures in {} shows a usable face",
                pictures.len(),
                folder.display()
            )));
        }
        Ok((Self::Folder(people), rejected))
    }

    /// The `top` people most similar to `template`, each by the best of their templates.
    pub(crate) fn nearest(
        &self,
        template: &Template,
        top: usize,
    ) -> Result<Vec<Candidate>, Failure> {
        match self {
            Self::Folder(people) => {
                let mut all = candidates(people, template)?;
                all.truncate(top);
                Ok(all)
            }
            Self::Gallery(tenant) => {
                let hits = tenant.identify(template, &Query::top(top))?;
                let candidate = |hit: faceprint::Hit| Candidate {
                    name: hit.subject.to_string(),
                    similarity: hit.similarity.value(),
                };
                Ok(hits.into_iter().map(candidate).collect())
            }
        }
    }
}

/// For a stream. A name in a folder that is no subject id (over 255 bytes, control characters) is an error.
impl Recognize for Known {
    fn recognize(
        &self,
        probe: &Template,
        at_least: f32,
    ) -> faceprint::Result<Option<(SubjectId, f32)>> {
        match self {
            Self::Folder(people) => {
                let best = candidates(people, probe)?.into_iter().next();
                let best = best.filter(|best| best.similarity >= at_least);
                best.map(|best| Ok((best.name.parse()?, best.similarity))).transpose()
            }
            Self::Gallery(tenant) => tenant.recognize(probe, at_least),
        }
    }
}

/// All of them, most similar first.
fn candidates(people: &[Person], probe: &Template) -> faceprint::Result<Vec<Candidate>> {
    let mut all = people
        .iter()
        .map(|person| person.candidate(probe))
        .collect::<faceprint::Result<Vec<_>>>()?;
    all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    Ok(all)
}

impl Person {
    fn candidate(&self, probe: &Template) -> faceprint::Result<Candidate> {
        let mut similarity = f32::NEG_INFINITY;
        for template in &self.templates {
            similarity = similarity.max(probe.similarity(template)?.value());
        }
        Ok(Candidate { name: self.name.clone(), similarity })
    }
}

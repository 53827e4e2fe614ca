//! `faceprint enroll`: people go into a gallery, all of a command in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use faceprint::gallery::{Details, EnrollPolicy, NewTemplate};
use faceprint::{Enrollment, ErrorKind, Sample, Similarity, SpaceId, SubjectId, Template, Tenant};
use serde::Serialize;

use super::Answer;
use crate::args::{DetailsArgs, EngineArgs, EnrollArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::gallery;
use crate::output;
use crate::people::{self, KnownPicture};
use crate::samples::{self, Reason};
use crate::session::{self, Session};

/// From which similarity on two templates of one person are of one picture. Measured on `examples/images`: what
/// the two engines make of a picture agrees to 0.9999999, two pictures of a person to 0.93 at most.
const SAME_PICTURE: f32 = 0.9995;

/// What became of the pictures.
#[derive(Debug, Serialize)]
struct Report<'a> {
    gallery: &'a Path,
    tenant: &'a str,
    /// People with a picture in `enrolled`.
    subjects: usize,
    /// Pictures in `enrolled`.
    templates: usize,
    enrolled: Vec<Enrolled<'a>>,
    /// Pictures whose templates were there before.
    already: Vec<Already<'a>>,
    rejected: Vec<Rejected<'a>>,
}

#[derive(Debug, Serialize)]
struct Enrolled<'a> {
    subject: &'a str,
    image: &'a Path,
    template: String,
    /// Others who look nearly the same, most similar first.
    near_misses: Vec<Alike>,
}

#[derive(Debug, Serialize)]
struct Already<'a> {
    subject: &'a str,
    image: &'a Path,
}

#[derive(Debug, Serialize)]
struct Rejected<'a> {
    subject: &'a str,
    image: &'a Path,
    reasons: Vec<Reason>,
    /// Who looks the same, and how similar they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<Alike>,
}

#[derive(Debug, Serialize)]
struct Alike {
    of: String,
    similarity: f32,
}

pub(crate) fn run(
    args: &EnrollArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let pictures = pictures(args)?;
    if let Some(metadata) = &args.details.metadata {
        check_metadata(metadata)?;
    }
    let path = &args.tenant.gallery;
    let gallery = gallery::open(path, &args.tenant.secret)?;
    gallery::require_space(&gallery, path, &session::pack(context, engine)?, context)?;
    let session = Session::open(context, engine)?;
    let samples = samples::take(&session.engine, &pictures, "pictures");

    let policy = EnrollPolicy::default().templates_per_subject(args.templates_per_subject);
    let policy = match (args.no_duplicate_check, args.duplicate_at) {
        (true, _) => policy.duplicate_at(None),
        (false, Some(similarity)) => policy.duplicate_at(Some(similarity)),
        (false, None) => policy,
    };
    let tenant = gallery.tenant(&args.tenant.tenant)?.with_policy(policy);
    let mut report = Report {
        gallery: path,
        tenant: args.tenant.tenant.as_str(),
        subjects: 0,
        templates: 0,
        enrolled: Vec::new(),
        already: Vec::new(),
        rejected: Vec::new(),
    };
    let candidates = report.sift(&tenant, &pictures, samples, args.templates_per_subject)?;
    let added = report.store(&tenant, &candidates, &args.details)?;
    report.subjects = added.len();
    // What is said of those who were there before holds for them too.
    let before = report.already.iter().map(|it| it.subject.parse());
    let before = before.collect::<Result<BTreeSet<SubjectId>, _>>()?;
    for subject in before.difference(&added) {
        if let Some(details) = details(&tenant, subject, &args.details)? {
            tenant.set_details(subject, &details)?;
        }
    }
    report.templates = report.enrolled.len();
    if context.json {
        output::json(&report)?;
    } else {
        report.print()?;
    }
    Ok(report.rejected.is_empty().into())
}

/// The pictures that were named, or those of the folder.
fn pictures(args: &EnrollArgs) -> Result<Vec<KnownPicture>, Failure> {
    match (&args.from, &args.name) {
        (Some(folder), _) => people::list(folder),
        (None, Some(name)) => {
            let picture =
                |path: &PathBuf| KnownPicture { name: name.to_string(), path: path.clone() };
            Ok(args.images.iter().map(picture).collect())
        }
        (None, None) => Err(Failure::usage("whom to enrol: NAME IMG…, or --from FOLDER")),
    }
}

/// A picture that is to be enrolled.
struct Candidate<'a> {
    picture: &'a KnownPicture,
    subject: SubjectId,
    sample: Sample,
}

impl<'a> Report<'a> {
    /// Keeps the pictures that are usable, new, and within the limit; reports the others.
    fn sift(
        &mut self,
        tenant: &Tenant,
        pictures: &'a [KnownPicture],
        samples: Vec<Result<Sample, Vec<Reason>>>,
        limit: usize,
    ) -> Result<Vec<Candidate<'a>>, Failure> {
        let mut candidates = Vec::new();
        // Templates in this space, and the number in all spaces.
        let mut there: BTreeMap<SubjectId, (Vec<Template>, usize)> = BTreeMap::new();
        for (picture, sample) in pictures.iter().zip(samples) {
            let sample = match sample {
                Ok(sample) => sample,
                Err(reasons) => {
                    self.reject(picture, reasons, None);
                    continue;
                }
            };
            let subject = match picture.name.parse::<SubjectId>() {
                Ok(subject) => subject,
                Err(error) => {
                    self.reject(picture, vec![Reason::new("name", error.to_string())], None);
                    continue;
                }
            };
            if !there.contains_key(&subject) {
                there.insert(subject.clone(), stored(tenant, &subject, sample.template.space())?);
            }
            let Some((same_space, count)) = there.get_mut(&subject) else { continue };
            let is_same = |held: &Template| {
                held.similarity(&sample.template).is_ok_and(|it| it.value() >= SAME_PICTURE)
            };
            if same_space.iter().any(is_same) {
                self.already.push(Already { subject: &picture.name, image: &picture.path });
            } else if *count >= limit {
                let message = format!(
                    "{count} templates of this person, at most {limit} are kept; --templates-per-subject \
                     allows more"
                );
                self.reject(picture, vec![Reason::new("limit", message)], None);
            } else {
                *count += 1;
                same_space.push(sample.template.clone());
                candidates.push(Candidate { picture, subject, sample });
            }
        }
        Ok(candidates)
    }

    /// Enrols in one commit, with what is said of everybody; gives who has a new template.
    fn store(
        &mut self,
        tenant: &Tenant,
        candidates: &[Candidate<'a>],
        said: &DetailsArgs,
    ) -> Result<BTreeSet<SubjectId>, Failure> {
        if candidates.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut known = BTreeMap::new();
        for Candidate { subject, .. } in candidates {
            if !known.contains_key(subject) {
                known.insert(subject, details(tenant, subject, said)?);
            }
        }
        let batch: Vec<_> = candidates
            .iter()
            .map(|Candidate { subject, sample, .. }| {
                let details = known.get(subject).and_then(Option::as_ref);
                (subject.clone(), new_template(sample, details))
            })
            .collect();
        let bar = output::progress(batch.len(), "enrolled");
        let outcomes = tenant.enroll_all(&batch, |done, _| bar.set_position(done as u64));
        bar.finish_and_clear();
        let mut added = BTreeSet::new();
        for (Candidate { picture, subject, .. }, outcome) in candidates.iter().zip(outcomes?) {
            match outcome {
                Enrollment::Added { template, near_misses } => {
                    added.insert(subject.clone());
                    self.enrolled.push(Enrolled {
                        subject: &picture.name,
                        image: &picture.path,
                        template: template.to_string(),
                        near_misses: near_misses.into_iter().map(Alike::from).collect(),
                    });
                }
                Enrollment::Duplicate { of, similarity } => {
                    let message = format!("duplicate of {of}, similarity {similarity:.4}");
                    let duplicate = Alike::from((of, similarity));
                    self.reject(picture, vec![Reason::new("duplicate", message)], Some(duplicate));
                }
            }
        }
        Ok(added)
    }

    fn reject(
        &mut self,
        picture: &'a KnownPicture,
        reasons: Vec<Reason>,
        duplicate: Option<Alike>,
    ) {
        let (subject, image) = (picture.name.as_str(), picture.path.as_path());
        self.rejected.push(Rejected { subject, image, reasons, duplicate });
    }

    fn print(&self) -> Result<(), Failure> {
        let count = |n: usize, one, many| output::count(n as u64, one, many);
        output::line(format!(
            "{} of {} enrolled in {}, tenant {}",
            count(self.templates, "template", "templates"),
            count(self.subjects, "person", "people"),
            self.gallery.display(),
            self.tenant
        ))?;
        for Enrolled { subject, image, near_misses, .. } in &self.enrolled {
            for Alike { of, similarity } in near_misses {
                let image = image.display();
                output::line(format!(
                    "  {image}: {subject} looks nearly like {of}, similarity {similarity:.4}: are they one person?"
                ))?;
            }
        }
        if !self.already.is_empty() {
            let pictures = count(self.already.len(), "picture was", "pictures were");
            output::line(format!("{pictures} enrolled before"))?;
        }
        if !self.rejected.is_empty() {
            output::line(format!("{} rejected:", self.rejected.len()))?;
        }
        for Rejected { image, reasons, .. } in &self.rejected {
            output::line(format!("  {}: {}", image.display(), samples::summary(reasons)))?;
        }
        Ok(())
    }
}

impl From<(SubjectId, Similarity)> for Alike {
    fn from((of, similarity): (SubjectId, Similarity)) -> Self {
        Self { of: of.to_string(), similarity: similarity.value() }
    }
}

fn new_template<'a>(sample: &'a Sample, details: Option<&'a Details>) -> NewTemplate<'a> {
    let template = NewTemplate::from(&sample.template).landmarks(sample.detection.landmarks);
    details.map_or(template, |details| template.details(details))
}

/// What `subject` has: templates in `space`, and the number in all spaces.
fn stored(
    tenant: &Tenant,
    subject: &SubjectId,
    space: SpaceId,
) -> Result<(Vec<Template>, usize), Failure> {
    match tenant.templates(subject) {
        Ok(stored) => {
            let count = stored.len();
            let templates = stored.into_iter().map(|stored| stored.template);
            Ok((templates.filter(|it| it.space() == space).collect(), count))
        }
        Err(error) if error.kind() == ErrorKind::SubjectNotFound => Ok((Vec::new(), 0)),
        Err(error) => Err(error.into()),
    }
}

/// What is to be kept with `subject`; what was not said stays as it is. None when nothing was said.
fn details(
    tenant: &Tenant,
    subject: &SubjectId,
    said: &DetailsArgs,
) -> Result<Option<Details>, Failure> {
    if said.metadata.is_none() && said.expires.is_none() && said.consent.is_none() {
        return Ok(None);
    }
    let before = match tenant.subject(subject) {
        Ok(found) => found.details,
        Err(error) if error.kind() == ErrorKind::SubjectNotFound => Details::default(),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Details {
        metadata: said.metadata.clone().or(before.metadata),
        consent: said.consent.or(before.consent),
        expires_at: said.expires.or(before.expires_at),
    }))
}

/// The library refuses it too, but only when the pictures have been looked at.
fn check_metadata(metadata: &str) -> Result<(), Failure> {
    if metadata.len() > 65_536 {
        let bytes = metadata.len();
        let message = format!("the metadata has {bytes} bytes, at most 65536 are kept");
        return Err(Failure::new(ErrorKind::LimitReached, message));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(metadata).map(drop).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!("--metadata is not JSON (line {line}, column {column})"))
    })
}

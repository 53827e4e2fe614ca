//! `faceprint list`: who is enrolled.

use faceprint::ErrorKind;
use faceprint::gallery::Subject;
use serde::Serialize;
use serde_json::{Value, json};

use super::Answer;
use crate::args::ListArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::gallery;
use crate::output;
use crate::table::Table;
use crate::time;

/// Somebody who is enrolled, for scripts.
#[derive(Debug, Serialize)]
struct Entry {
    subject: String,
    templates: usize,
    enrolled_at: String,
    expires_at: Option<String>,
    consent: Option<String>,
    metadata: Option<Value>,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = gallery::read(&args.tenant.gallery, &args.tenant.secret)?;
    let tenant = gallery::tenant(&gallery, &args.tenant.tenant)?;
    // Whoever expires or is erased between the two looks is not there any more.
    let subjects = tenant.subjects()?;
    let mut found = subjects.iter().map(|id| tenant.subject(id)).collect::<Vec<_>>();
    found.retain(|it| !matches!(it, Err(error) if error.kind() == ErrorKind::SubjectNotFound));
    let subjects: Vec<_> = found.into_iter().collect::<Result<_, _>>()?;
    if context.json {
        let entries: Vec<_> = subjects.iter().map(Entry::new).collect::<Result<_, _>>()?;
        let (file, tenant) = (&args.tenant.gallery, args.tenant.tenant.as_str());
        output::json(&json!({ "gallery": file, "tenant": tenant, "subjects": entries }))?;
    } else if subjects.is_empty() {
        output::note(format!("nobody is enrolled in tenant {}", args.tenant.tenant));
    } else {
        let mut table = Table::new(["NAME", "TEMPLATES", "ENROLLED", "EXPIRES", "CONSENT"]);
        let or_none = |at: Option<_>| at.map_or_else(|| "-".to_owned(), time::short);
        for subject in &subjects {
            table.row([
                subject.id.to_string(),
                subject.templates.to_string(),
                time::short(subject.enrolled_at),
                or_none(subject.details.expires_at),
                or_none(subject.details.consent),
            ]);
        }
        table.print()?;
    }
    Ok(Answer::Yes)
}

impl Entry {
    fn new(subject: &Subject) -> Result<Self, Failure> {
        let details = &subject.details;
        let metadata = details.metadata.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            subject: subject.id.to_string(),
            templates: subject.templates,
            enrolled_at: time::exact(subject.enrolled_at),
            expires_at: details.expires_at.map(time::exact),
            consent: details.consent.map(time::exact),
            metadata: metadata.map_err(std::io::Error::from)?,
        })
    }
}

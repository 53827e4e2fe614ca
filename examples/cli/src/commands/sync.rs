//! `faceprint gallery export`, `import` and `changes`: people go from one gallery to another.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use faceprint::gallery::{BundleRequest, Change, Cursor};
use faceprint::{ErrorKind, SubjectId};
use indicatif::DecimalBytes;
use serde_json::{Value, json};

use super::Answer;
use crate::args::{ChangesArgs, ExportArgs, ImportArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::gallery;
use crate::output::{self, count};
use crate::time;

pub(crate) fn export(args: &ExportArgs, context: &Context) -> Result<Answer, Failure> {
    let mut request = BundleRequest::new(args.device, args.valid_until);
    if let Some(cursor) = args.since {
        request = request.since(cursor);
    }
    if args.subjects.is_some() || !args.subject.is_empty() {
        let mut roster: BTreeSet<_> = args.subject.iter().cloned().collect();
        if let Some(path) = &args.subjects {
            roster.extend(names(path)?);
        }
        request = request.only(&roster);
    }
    let gallery = gallery::read(&args.file.gallery, &args.file.secret)?;
    let bundle = gallery::tenant(&gallery, &args.tenant)?.export_bundle(&request)?;
    write(&args.out, &bundle.bytes).map_err(|error| Failure::file(&args.out, &error))?;

    let missing: Vec<_> = bundle.missing.iter().map(SubjectId::as_str).collect();
    if context.json {
        output::json(&json!({
            "gallery": args.file.gallery,
            "tenant": args.tenant.as_str(),
            "bundle": args.out,
            "bytes": bundle.bytes.len(),
            "subjects": bundle.subjects,
            "erased": bundle.erased,
            "missing": missing,
            "valid_until": time::exact(args.valid_until),
            "cursor": bundle.cursor.to_string(),
        }))?;
    } else {
        output::line(format!(
            "{}: {} and {}, {}, valid until {}",
            args.out.display(),
            count(bundle.subjects, "person", "people"),
            count(bundle.erased, "mark of an erased one", "marks of erased ones"),
            DecimalBytes(bundle.bytes.len() as u64),
            time::short(args.valid_until)
        ))?;
        for name in &missing {
            output::line(format!("not enrolled: {name}"))?;
        }
        output::line(format!("cursor {}", bundle.cursor))?;
    }
    Ok(missing.is_empty().into())
}

pub(crate) fn import(args: &ImportArgs, context: &Context) -> Result<Answer, Failure> {
    let bytes = fs::read(&args.bundle).map_err(|error| Failure::file(&args.bundle, &error))?;
    let gallery = gallery::open(&args.file.gallery, &args.file.secret)?;
    let tenant = gallery.tenant(&args.tenant)?;
    let imported = tenant
        .import_bundle(&bytes, &args.signer)
        .map_err(|error| Failure::from(error).at(&args.bundle))?;
    let conflicts: Vec<_> = imported.conflicts.iter().map(SubjectId::as_str).collect();
    if context.json {
        output::json(&json!({
            "gallery": args.file.gallery,
            "tenant": args.tenant.as_str(),
            "added": imported.added,
            "updated": imported.updated,
            "erased": imported.erased,
            "unchanged": imported.unchanged,
            "conflicts": conflicts,
        }))?;
    } else {
        output::line(format!(
            "{}: {} added, {} updated, {} erased, {} unchanged",
            args.file.gallery.display(),
            imported.added,
            imported.updated,
            imported.erased,
            imported.unchanged
        ))?;
        for name in &conflicts {
            output::line(format!("enrolled here already, erase them first: {name}"))?;
        }
    }
    Ok(conflicts.is_empty().into())
}

pub(crate) fn changes(args: &ChangesArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = gallery::read(&args.file.gallery, &args.file.secret)?;
    let tenant = gallery::tenant(&gallery, &args.tenant)?;
    let since = args.since.unwrap_or_else(Cursor::start);
    let page = tenant.changes_since(&since, usize::MAX)?;
    if context.json {
        let entry = |change: &Change| -> Value {
            match change {
                Change::Updated { reference, subject } => json!({
                    "change": "updated",
                    "reference": reference.to_string(),
                    "subject": subject.as_str(),
                }),
                Change::Erased { reference } => {
                    json!({ "change": "erased", "reference": reference.to_string() })
                }
            }
        };
        output::json(&json!({
            "gallery": args.file.gallery,
            "tenant": args.tenant.as_str(),
            "changes": page.changes.iter().map(entry).collect::<Vec<_>>(),
            "cursor": page.cursor.to_string(),
        }))?;
        return Ok(Answer::Yes);
    }
    for change in &page.changes {
        output::line(match change {
            Change::Updated { reference, subject } => format!("updated  {reference}  {subject}"),
            Change::Erased { reference } => format!("erased   {reference}"),
        })?;
    }
    output::line(format!("cursor   {}", page.cursor))?;
    Ok(Answer::Yes)
}

/// One name per line; empty lines are left out.
fn names(path: &Path) -> Result<Vec<SubjectId>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
    lines
        .map(|(number, line)| {
            line.parse().map_err(|error| {
                Failure::new(ErrorKind::InvalidArgument, format!("line {number}: {error}")).at(path)
            })
        })
        .collect()
}

/// Writes a file that is there whole or as it was.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let mut file = File::create(&partial)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&partial, path));
    // What was not finished is of no use.
    written.inspect_err(|_| drop(fs::remove_file(&partial)))
}

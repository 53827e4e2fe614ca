//! `faceprint erase`: people are forgotten.

use std::io::{self, BufRead, IsTerminal, Write};

use faceprint::ErrorKind;
use faceprint::gallery::Erased;
use serde_json::json;

use super::Answer;
use crate::args::EraseArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::gallery;
use crate::output;

pub(crate) fn run(args: &EraseArgs, context: &Context) -> Result<Answer, Failure> {
    let (path, id) = (&args.tenant.gallery, &args.tenant.tenant);
    let gallery = gallery::open(path, &args.tenant.secret)?;
    let tenant = gallery::tenant(&gallery, id)?;
    if !args.yes && !confirmed(&question(args))? {
        output::note("nobody was erased");
        return Ok(Answer::No);
    }
    let mut done = (0, 0);
    let mut add = |erased: Erased| done = (done.0 + erased.subjects, done.1 + erased.templates);
    let mut missing = Vec::new();
    if args.all {
        add(gallery.erase_tenant(id)?);
    } else if args.expired {
        add(tenant.purge_expired()?);
    }
    for name in &args.names {
        match tenant.erase(name) {
            Ok(erased) => add(erased),
            Err(error) if error.kind() == ErrorKind::SubjectNotFound => missing.push(name.as_str()),
            Err(error) => return Err(error.into()),
        }
    }
    let (subjects, templates) = done;
    if context.json {
        let erased = json!({ "subjects": subjects, "templates": templates });
        output::json(&json!({
            "gallery": path, "tenant": id.as_str(), "erased": erased, "missing": missing
        }))?;
    } else {
        let people = output::count(subjects, "person", "people");
        let templates = output::count(templates, "template", "templates");
        output::line(format!("{people} erased, with {templates}"))?;
        for name in &missing {
            output::line(format!("not enrolled: {name}"))?;
        }
        if subjects > 0 {
            let path = path.display();
            output::note(format!(
                "`faceprint gallery compact {path}` removes what the file still holds of the sealed bytes"
            ));
        }
    }
    Ok(missing.is_empty().into())
}

/// Asks at the terminal whether `whom` is to be erased.
pub(crate) fn confirmed(whom: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "erasing cannot be undone, and there is no terminal to ask at: pass --yes to do it",
        ));
    }
    let mut terminal = io::stderr().lock();
    write!(terminal, "Erase {whom} for good? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn question(args: &EraseArgs) -> String {
    let whom = match args.names.as_slice() {
        [] if args.all => format!("everybody in tenant {}", args.tenant.tenant),
        [] => "everybody who has expired".to_owned(),
        [name] => name.to_string(),
        names => format!("{} people", names.len()),
    };
    format!("{whom} from {}", args.tenant.gallery.display())
}

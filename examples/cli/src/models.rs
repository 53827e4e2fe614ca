//! `faceprint models`: what there is, where it lies, whether it is whole, and how to get it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use faceprint::ModelPack;
use faceprint::pack::{Catalog, Locations, ModelSpec, PullOptions};
use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::commands::Answer;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::table::Table;

/// What `models` takes.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Show the packs of the catalogue, their models and licences, and which are here.
    List,
    /// Download packs or models, into the cache folder unless told otherwise.
    ///
    /// A download that broke off is taken up where it ended. A file is put in place only when its SHA-256
    /// is the catalogue's. Set FACEPRINT_MIRROR to take files from `MIRROR/FILE`.
    Pull(PullArgs),
    /// Hash every model file that is found.
    ///
    /// Exit code 0: all are what the catalogue says; 1: one is not, or one that was named is missing; 2: an
    /// error.
    Verify(VerifyArgs),
    /// Show the folders models are looked for in, and where each file is.
    Where,
}

#[derive(Debug, Args)]
struct PullArgs {
    /// Packs or models, as `models list` names them.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,

    /// Everything in the catalogue.
    #[arg(long, conflicts_with = "names")]
    all: bool,

    /// Put the files in this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,

    /// Take files from URL/FILE instead of their upstreams.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Packs or models; everything in the catalogue without.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Runs the sub-command on the catalogue and in the folders of `context`.
pub(crate) fn run(args: &ModelsArgs, context: &Context) -> Result<Answer, Failure> {
    let catalog = match &context.catalog {
        Some(path) => Catalog::open(path)?,
        None => Catalog::builtin()?,
    };
    let locations = Locations::from_env().first(context.models.iter().cloned());
    let catalog = catalog.with_locations(locations);
    match &args.command {
        ModelsCommand::List => list(&catalog, context),
        ModelsCommand::Pull(args) => pull(args, &catalog, context),
        ModelsCommand::Verify(args) => verify(args, &catalog, context),
        ModelsCommand::Where => show_where(&catalog, context),
    }
}

fn list(catalog: &Catalog, context: &Context) -> Result<Answer, Failure> {
    let models: Vec<Entry<'_>> =
        catalog.models().iter().map(|model| Entry::new(model, catalog)).collect();
    if context.json {
        let pack = |pack: &faceprint::pack::PackSpec| {
            json!({
                "name": pack.name(),
                "description": pack.description(),
                "detector": pack.detector(),
                "embedder": pack.embedder(),
                "liveness": pack.liveness(),
            })
        };
        let packs: Vec<_> = catalog.packs().iter().map(pack).collect();
        output::json(&json!({ "packs": packs, "models": models }))?;
        return Ok(Answer::Yes);
    }
    let bundled = ModelPack::bundled();
    let names: Vec<_> = bundled.models().map(|model| model.name.as_str()).collect();
    output::line(format!(
        "{} (default): {}, inside this program\n",
        bundled.name(),
        names.join(", ")
    ))?;
    let mut table = Table::new(["PACK", "MODEL", "ROLE", "LICENCE", "SIZE", "HERE"]);
    let mut unused: BTreeSet<&str> = models.iter().map(|entry| entry.name).collect();
    for pack in catalog.packs() {
        let names = pack.detector().into_iter().chain(pack.embedder());
        let names = names.chain(pack.liveness().iter().map(String::as_str));
        let mut title = pack.name();
        for entry in names.filter_map(|name| models.iter().find(|entry| entry.name == name)) {
            unused.remove(entry.name);
            table.row(entry.cells(title));
            title = "";
        }
    }
    for entry in models.iter().filter(|entry| unused.contains(entry.name)) {
        table.row(entry.cells("-"));
    }
    table.print()?;
    Ok(Answer::Yes)
}

fn pull(args: &PullArgs, catalog: &Catalog, context: &Context) -> Result<Answer, Failure> {
    let mut options = PullOptions::from_env();
    options.into.clone_from(&args.into);
    if args.mirror.is_some() {
        options.mirror.clone_from(&args.mirror);
    }
    let (mut pulled, mut failures) = (Vec::new(), Vec::new());
    for model in select(catalog, &args.names)? {
        if !context.json {
            let license = &model.license;
            output::note(format!("{}: licence {} ({})", model.name, license.name, license.class));
        }
        match pull_one(catalog, model, &options) {
            Ok(file) => {
                if !context.json {
                    let how = if file.downloaded > 0 { "downloaded" } else { "already here" };
                    let size = DecimalBytes(file.bytes);
                    output::line(format!("{} {how}, {size}: {}", model.name, file.path.display()))?;
                }
                pulled.push(json!({
                    "model": model.name,
                    "path": file.path,
                    "bytes": file.bytes,
                    "downloaded": file.downloaded,
                    "license": License::of(model),
                }));
            }
            Err(failure) => {
                output::note(format!("error: {}: {failure}", model.name));
                failures.push(json!({ "model": model.name, "error": failure }));
            }
        }
    }
    let failed = !failures.is_empty();
    if context.json {
        output::json(&json!({ "pulled": pulled, "failed": failures }))?;
    }
    if failed { Err(Failure::told()) } else { Ok(Answer::Yes) }
}

fn pull_one(
    catalog: &Catalog,
    model: &ModelSpec,
    options: &PullOptions,
) -> Result<faceprint::pack::Pulled, Failure> {
    let bar = ProgressBar::with_draw_target(model.size, ProgressDrawTarget::stderr());
    let template =
        "  {bar:32} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let mut started = false;
    let result = catalog.pull(&model.name, options, &mut |progress| {
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        if !started {
            // What an earlier attempt left is no part of the speed.
            bar.reset_eta();
            started = true;
        }
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let file = result?.into_iter().next();
    file.ok_or_else(|| Failure::usage(format!("{} names no model", model.name)))
}

fn verify(args: &VerifyArgs, catalog: &Catalog, context: &Context) -> Result<Answer, Failure> {
    let mut table = Table::new(["MODEL", "STATE", "FILE"]);
    let mut files = Vec::new();
    let mut is_well = true;
    for model in select(catalog, &args.names)? {
        let mut is_missing = true;
        for path in catalog.locations().folders().into_iter().map(|folder| folder.join(&model.file))
        {
            if !path.exists() {
                continue;
            }
            is_missing = false;
            let problem = model.verify_file(&path).err().map(|error| error.to_string());
            is_well &= problem.is_none();
            let state = if problem.is_none() { "ok" } else { "wrong" };
            table.row([
                model.name.clone(),
                state.to_owned(),
                problem.clone().unwrap_or_else(|| path.display().to_string()),
            ]);
            files.push(
                json!({ "model": model.name, "path": path, "state": state, "problem": problem }),
            );
        }
        if is_missing && !args.names.is_empty() {
            is_well = false;
            let file = format!("no {} in any folder", model.file);
            table.row([model.name.clone(), "missing".to_owned(), file]);
            files.push(json!({ "model": model.name, "path": null, "state": "missing" }));
        }
    }
    if context.json {
        output::json(&json!({ "ok": is_well, "files": files }))?;
    } else if files.is_empty() {
        output::note("no model file is here; `faceprint models pull NAME` gets one");
    } else {
        table.print()?;
    }
    Ok(if is_well { Answer::Yes } else { Answer::No })
}

fn show_where(catalog: &Catalog, context: &Context) -> Result<Answer, Failure> {
    let locations = catalog.locations();
    let folders = locations.folders();
    if context.json {
        let folders: Vec<_> = folders
            .iter()
            .map(|folder| json!({ "path": folder, "exists": folder.is_dir() }))
            .collect();
        let files: Vec<_> = catalog
            .models()
            .iter()
            .map(|model| {
                json!({ "model": model.name, "file": model.file, "path": locations.find(&model.file) })
            })
            .collect();
        output::json(&json!({ "folders": folders, "cache": locations.cache(), "files": files }))?;
        return Ok(Answer::Yes);
    }
    output::line("Models are looked for in these folders, in this order:")?;
    for (number, folder) in (1..).zip(&folders) {
        let mut remarks = Vec::new();
        if locations.cache() == Some(folder) {
            remarks.push("downloads go here");
        }
        if !folder.is_dir() {
            remarks.push("not there yet");
        }
        let remarks =
            if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join(", ")) };
        output::line(format!("  {number}. {}{remarks}", folder.display()))?;
    }
    if folders.is_empty() {
        output::line("  none: set FACEPRINT_MODELS or HOME, or pass --models FOLDER")?;
    }
    output::line("")?;
    let mut table = Table::new(["MODEL", "FILE"]);
    for model in catalog.models() {
        let path = locations.find(&model.file);
        let place = path.map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        table.row([model.name.clone(), place]);
    }
    table.print()?;
    Ok(Answer::Yes)
}

/// The models `names` mean, each once, in the catalogue's order; all of them without names.
fn select<'a>(catalog: &'a Catalog, names: &[String]) -> Result<Vec<&'a ModelSpec>, Failure> {
    let mut chosen = BTreeSet::new();
    for name in names {
        chosen.extend(catalog.models_named(name)?.into_iter().map(|model| &model.name));
    }
    let is_chosen = |model: &&ModelSpec| names.is_empty() || chosen.contains(&model.name);
    Ok(catalog.models().iter().filter(is_chosen).collect())
}

/// A model as `list` shows it.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    role: &'static str,
    family: &'static str,
    file: &'a str,
    sha256: String,
    size: Option<u64>,
    url: Option<&'a str>,
    license: License<'a>,
    provenance: &'a str,
    path: Option<PathBuf>,
}

impl<'a> Entry<'a> {
    fn new(model: &'a ModelSpec, catalog: &Catalog) -> Self {
        Self {
            name: &model.name,
            role: model.role().as_str(),
            family: model.family.as_str(),
            file: &model.file,
            sha256: model.sha256_hex(),
            size: model.size,
            url: model.url.as_deref(),
            license: License::of(model),
            provenance: &model.provenance,
            path: catalog.locations().find(&model.file),
        }
    }

    fn cells(&self, pack: &str) -> [String; 6] {
        let size = self.size.map_or_else(|| "?".to_owned(), |size| DecimalBytes(size).to_string());
        [
            pack.to_owned(),
            self.name.to_owned(),
            self.role.to_owned(),
            // The name alone may say it already.
            match self.license.name.contains(self.license.class) {
                true => self.license.name.to_owned(),
                false => format!("{} ({})", self.license.name, self.license.class),
            },
            size,
            if self.path.is_some() { "yes" } else { "no" }.to_owned(),
        ]
    }
}

#[derive(Serialize)]
struct License<'a> {
    name: &'a str,
    class: &'static str,
    url: Option<&'a str>,
}

impl<'a> License<'a> {
    fn of(model: &'a ModelSpec) -> Self {
        let license = &model.license;
        Self { name: &license.name, class: license.class.as_str(), url: license.url.as_deref() }
    }
}

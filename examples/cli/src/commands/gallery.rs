//! `faceprint gallery`: a whole gallery is made, looked at, checked, and given other keys.

use std::path::Path;

use faceprint::gallery::{GalleryInfo, SlotInfo, SlotKind, SpaceReport};
use faceprint::{ErrorKind, Gallery, SpaceId, TenantId};
use indicatif::DecimalBytes;
use serde_json::{Value, json};

use super::{Answer, sync};
use crate::args::{
    BackupArgs, CheckArgs, EngineArgs, FileArgs, GalleryCommand, RemoveKeyArgs, RenewArgs,
    SpacesArgs,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::gallery::{open, read};
use crate::output;
use crate::secret;
use crate::session::{pack, packs_of};
use crate::table::Table;
use crate::time;

pub(crate) fn run(
    command: &GalleryCommand,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    match command {
        GalleryCommand::Create(args) => create(args, engine, context),
        GalleryCommand::Info(args) => info(args, context),
        GalleryCommand::Check(args) => check(args, context),
        GalleryCommand::Head(args) => head(args, context),
        GalleryCommand::RotateKey(args) => rotate_key(args, context),
        GalleryCommand::Rekey(args) => rekey(args, context),
        GalleryCommand::AddKey(args) => add_key(args, context),
        GalleryCommand::RemoveKey(args) => remove_key(args, context),
        GalleryCommand::Compact(args) => compact(args, context),
        GalleryCommand::Backup(args) => backup(args, context),
        GalleryCommand::Spaces(args) => spaces(args, engine, context),
        GalleryCommand::Export(args) => sync::export(args, context),
        GalleryCommand::Import(args) => sync::import(args, context),
        GalleryCommand::DeviceKey(args) => {
            let key = read(&args.gallery, &args.secret)?.device_key()?;
            public_key(args, context, "device", &key.to_string())
        }
        GalleryCommand::Signer(args) => {
            let key = read(&args.gallery, &args.secret)?.signer();
            public_key(args, context, "signer", &key.to_string())
        }
        GalleryCommand::Changes(args) => sync::changes(args, context),
    }
}

fn create(args: &FileArgs, engine: &EngineArgs, context: &Context) -> Result<Answer, Failure> {
    let (path, pack) = (args.gallery.as_path(), pack(context, engine)?);
    let space = pack.space()?;
    // Nobody should have to think of a passphrase for nothing.
    if path.exists() {
        let message = "there is a file already; choose another name for the gallery";
        return Err(Failure::new(ErrorKind::GalleryExists, message).at(path));
    }
    Gallery::create(path, &secret::first(&args.secret)?, space)?;
    done(
        context,
        path,
        json!({ "space": space.to_string(), "pack": pack.name() }),
        &format!("made for templates of the pack {} (space {space:.8})", pack.name()),
    )
}

fn info(args: &FileArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = read(&args.gallery, &args.secret)?;
    let (info, tenants) = (gallery.info()?, gallery.tenants()?);
    if context.json {
        let slot = |slot: &SlotInfo| json!({ "id": slot.id.to_string(), "kind": kind(slot.kind) });
        output::json(&json!({
            "gallery": args.gallery,
            "format": info.format,
            "created_at": time::exact(info.created_at),
            "commits": info.sequence,
            "tenants": tenants.iter().map(TenantId::as_str).collect::<Vec<_>>(),
            "subjects": info.subjects,
            "templates": info.templates,
            "spaces": info.spaces.iter().map(SpaceId::to_string).collect::<Vec<_>>(),
            "slots": info.slots.iter().map(slot).collect::<Vec<_>>(),
            "bytes": info.bytes,
            "free_bytes": info.free_bytes,
        }))?;
    } else {
        print_info(&info, &tenants, context)?;
    }
    Ok(Answer::Yes)
}

fn print_info(info: &GalleryInfo, tenants: &[TenantId], context: &Context) -> Result<(), Failure> {
    let names: Vec<_> = tenants.iter().map(TenantId::as_str).collect();
    let slot = |slot: &SlotInfo| format!("{} ({})", slot.id, kind(slot.kind));
    let slots: Vec<_> = info.slots.iter().map(slot).collect();
    let spaces: Vec<_> = info.spaces.iter().map(|space| space_line(*space, context)).collect();
    for (name, value) in [
        ("made", time::short(info.created_at)),
        ("format", info.format.to_string()),
        ("commits", info.sequence.to_string()),
        ("tenants", if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }),
        ("people", info.subjects.to_string()),
        ("templates", info.templates.to_string()),
        ("spaces", spaces.join(", ")),
        ("ways in", slots.join(", ")),
        ("size", format!("{}, {} free", DecimalBytes(info.bytes), DecimalBytes(info.free_bytes))),
    ] {
        output::line(format!("{name:<10} {value}"))?;
    }
    Ok(())
}

fn check(args: &CheckArgs, context: &Context) -> Result<Answer, Failure> {
    let path = &args.file.gallery;
    let at = |error: faceprint::Error| Failure::from(error).at(path);
    let checked = read(path, &args.file.secret).and_then(|gallery| {
        args.head.iter().try_for_each(|token| gallery.check_head(token)).map_err(at)?;
        gallery.check().map_err(at)?;
        gallery.head().map_err(at)
    });
    let is_damage = |failure: &Failure| failure.code == ErrorKind::Integrity.code();
    match checked {
        Ok(head) => done(
            context,
            path,
            json!({ "ok": true, "head": head.to_string() }),
            &format!("whole, at commit {}", head.sequence()),
        ),
        Err(failure) if is_damage(&failure) => {
            if context.json {
                output::json(&json!({ "gallery": path, "ok": false, "problem": failure }))?;
            } else {
                output::line(failure.message)?;
            }
            Ok(Answer::No)
        }
        Err(failure) => Err(failure),
    }
}

fn head(args: &FileArgs, context: &Context) -> Result<Answer, Failure> {
    let head = read(&args.gallery, &args.secret)?.head()?;
    if context.json {
        let (token, commits) = (head.to_string(), head.sequence());
        output::json(&json!({ "gallery": args.gallery, "head": token, "commits": commits }))?;
    } else {
        output::line(head.to_string())?;
    }
    Ok(Answer::Yes)
}

fn rotate_key(args: &RenewArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = open(&args.file.gallery, &args.file.secret)?;
    gallery.rotate_key(&secret::next(&args.new)?)?;
    output::note(
        "note: the keys inside are the same, and copies made before open with the old one; if it was seen, \
         use `faceprint gallery rekey`",
    );
    done(
        context,
        &args.file.gallery,
        json!({}),
        "the new passphrase or key opens it, the old one no more",
    )
}

fn rekey(args: &RenewArgs, context: &Context) -> Result<Answer, Failure> {
    let path = &args.file.gallery;
    let gallery = open(path, &args.file.secret)?;
    let ways = gallery.slots()?.len();
    gallery.rekey(&secret::next(&args.new)?)?;
    if ways > 1 {
        output::note(format!(
            "note: {ways} ways in were closed; `faceprint gallery add-key` makes others"
        ));
    }
    output::note(
        "note: its device and signer keys are new: tell who sends it bundles or takes them",
    );
    let compact = format!("`faceprint gallery compact {}`", path.display());
    output::note(format!("note: {compact} removes what the file still holds under the old keys"));
    done(context, path, json!({}), "every key is new; only the new passphrase or key opens it")
}

fn add_key(args: &RenewArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = open(&args.file.gallery, &args.file.secret)?;
    let slot = gallery.add_access(&secret::next(&args.new)?)?.to_string();
    let text = format!("the new passphrase or key opens it too; it is way in {slot}");
    done(context, &args.file.gallery, json!({ "slot": slot }), &text)
}

fn remove_key(args: &RemoveKeyArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = open(&args.file.gallery, &args.file.secret)?;
    let slots = gallery.slots()?;
    let found = slots.iter().find(|slot| slot.id.to_string() == args.slot).ok_or_else(|| {
        let numbers: Vec<_> = slots.iter().map(|slot| slot.id.to_string()).collect();
        Failure::usage(format!(
            "no way in has number {}; there are {}",
            args.slot,
            numbers.join(", ")
        ))
    })?;
    gallery.remove_access(found.id)?;
    done(
        context,
        &args.file.gallery,
        json!({ "slot": args.slot }),
        &format!("way in {} is closed", args.slot),
    )
}

fn compact(args: &FileArgs, context: &Context) -> Result<Answer, Failure> {
    let gallery = open(&args.gallery, &args.secret)?;
    let before = gallery.info()?.bytes;
    gallery.compact()?;
    let after = gallery.info()?.bytes;
    done(
        context,
        &args.gallery,
        json!({ "bytes_before": before, "bytes": after }),
        &format!("{}, was {}", DecimalBytes(after), DecimalBytes(before)),
    )
}

fn backup(args: &BackupArgs, context: &Context) -> Result<Answer, Failure> {
    read(&args.file.gallery, &args.file.secret)?.backup(&args.to)?;
    let text = format!("copied to {}", args.to.display());
    done(context, &args.file.gallery, json!({ "backup": args.to }), &text)
}

fn spaces(args: &SpacesArgs, engine: &EngineArgs, context: &Context) -> Result<Answer, Failure> {
    let (path, secret) = (&args.file.gallery, &args.file.secret);
    let gallery = if args.add {
        let space = pack(context, engine)?.space()?;
        let gallery = open(path, secret)?;
        gallery.add_space(space)?;
        gallery
    } else {
        read(path, secret)?
    };
    let spaces = gallery.spaces()?;
    if context.json {
        let entry = |report: &SpaceReport| {
            json!({
                "space": report.space.to_string(),
                "packs": packs_of(report.space, context),
                "subjects": report.subjects,
                "lacking": report.lacking,
                "templates": report.templates,
            })
        };
        let spaces: Vec<_> = spaces.iter().map(entry).collect();
        output::json(&json!({ "gallery": path, "spaces": spaces }))?;
        return Ok(Answer::Yes);
    }
    let mut table = Table::new(["SPACE", "PEOPLE", "LACKING", "TEMPLATES", "PACKS"]);
    for report in spaces {
        let numbers = [report.subjects, report.lacking, report.templates].map(|it| it.to_string());
        let [people, lacking, templates] = numbers;
        let packs = or_unknown(&packs_of(report.space, context));
        table.row([format!("{:.8}", report.space), people, lacking, templates, packs]);
    }
    table.print()?;
    Ok(Answer::Yes)
}

fn public_key(
    args: &FileArgs,
    context: &Context,
    name: &str,
    key: &str,
) -> Result<Answer, Failure> {
    if context.json {
        output::json(&json!({ "gallery": args.gallery, name: key }))?;
    } else {
        output::line(key)?;
    }
    Ok(Answer::Yes)
}

/// Says what was done to the gallery at `path`.
fn done(context: &Context, path: &Path, mut facts: Value, text: &str) -> Result<Answer, Failure> {
    if context.json {
        facts["gallery"] = json!(path);
        output::json(&facts)?;
    } else {
        output::line(format!("{}: {text}", path.display()))?;
    }
    Ok(Answer::Yes)
}

fn space_line(space: SpaceId, context: &Context) -> String {
    format!("{space:.8} ({})", or_unknown(&packs_of(space, context)))
}

fn or_unknown(packs: &[String]) -> String {
    if packs.is_empty() { "no pack here".to_owned() } else { format!("pack {}", packs.join(", ")) }
}

const fn kind(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Passphrase => "passphrase",
        SlotKind::Key => "key",
        SlotKind::Provider => "provider",
        _ => "other",
    }
}

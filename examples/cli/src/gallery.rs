//! Galleries as the commands use them: opened for what is to be done, and refused with the way out.

use std::path::Path;

use faceprint::{ErrorKind, Gallery, ModelPack, SpaceId, Tenant, TenantId};

use crate::args::SecretArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::secret;
use crate::session;

/// Opens the gallery at `path` to change it.
pub(crate) fn open(path: &Path, secret: &SecretArgs) -> Result<Gallery, Failure> {
    unlock(path, secret, true)
}

/// Opens the gallery at `path` to look at it.
pub(crate) fn read(path: &Path, secret: &SecretArgs) -> Result<Gallery, Failure> {
    unlock(path, secret, false)
}

fn unlock(path: &Path, secret: &SecretArgs, writable: bool) -> Result<Gallery, Failure> {
    // Nobody should have to type a passphrase for nothing.
    if !path.exists() {
        return Err(Failure::new(
            ErrorKind::GalleryNotFound,
            format!(
                "there is no gallery here; make it with `faceprint gallery create {}`",
                path.display()
            ),
        )
        .at(path));
    }
    let access = secret::current(secret)?;
    let open = if writable { Gallery::open } else { Gallery::open_read_only };
    open(path, &access).map_err(|error| Failure::from(error).at(path))
}

/// The tenant, which has to be there: only enrolment makes one.
pub(crate) fn tenant(gallery: &Gallery, id: &TenantId) -> Result<Tenant, Failure> {
    let there = gallery.tenants()?;
    if there.contains(id) {
        return Ok(gallery.tenant(id)?);
    }
    let names: Vec<_> = there.iter().map(TenantId::as_str).collect();
    let others = if names.is_empty() {
        "nobody is enrolled yet".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    Err(Failure::new(
        ErrorKind::TenantNotFound,
        format!("the gallery has no tenant {id}; {others}"),
    ))
}

/// Refuses a pack whose templates the gallery does not accept, before any picture is looked at.
pub(crate) fn require_space(
    gallery: &Gallery,
    path: &Path,
    pack: &ModelPack,
    context: &Context,
) -> Result<(), Failure> {
    let own = pack.space()?;
    let accepted: Vec<_> = gallery.spaces()?.into_iter().map(|report| report.space).collect();
    if accepted.contains(&own) {
        return Ok(());
    }
    let accepted: Vec<_> = accepted.into_iter().map(|space| space_name(space, context)).collect();
    Err(Failure::new(
        ErrorKind::SpaceMismatch,
        format!(
            "the pack {} makes templates of space {own:.8}, the gallery accepts {}; choose that pack with \
             --pack, or accept this one too with `faceprint gallery spaces {} --add`",
            pack.name(),
            accepted.join(" and "),
            path.display()
        ),
    )
    .at(path))
}

fn space_name(space: SpaceId, context: &Context) -> String {
    let packs = session::packs_of(space, context);
    if packs.is_empty() {
        format!("{space:.8}")
    } else {
        format!("{space:.8} (pack {})", packs.join(", "))
    }
}

//! Vectors in Fernet tokens, as Python's `cryptography` makes and reads them.

use faceprint::fernet::FernetKey;
use faceprint::{SpaceId, Template};

use crate::boundary::{Out, Text, call, free, need};
use crate::error::{faceprint_error, faceprint_status};
use crate::template::{faceprint_space_id, faceprint_template};
use crate::text::faceprint_string;

/// A key of Fernet: 44 characters.
pub struct faceprint_fernet_key(FernetKey);

/// Reads a key, as `Fernet.generate_key()` makes them.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_fernet_key_new(
    text: Text,
    key: Out<*mut faceprint_fernet_key>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let key = key.check("key")?;
        key.give(faceprint_fernet_key(text.get("text")?.parse()?));
        Ok(())
    })
}

/// A token of the template's values.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_fernet_seal(
    key: Option<&faceprint_fernet_key>,
    template: Option<&faceprint_template>,
    token: Out<*mut faceprint_string>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let token = token.check("token")?;
        let sealed = need(key, "key")?.0.seal(need(template, "template")?.0.embedding())?;
        token.give(faceprint_string::new(sealed));
        Ok(())
    })
}

/// The template in a token, of the model of `space`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_fernet_open(
    key: Option<&faceprint_fernet_key>,
    token: Text,
    space: Option<&faceprint_space_id>,
    template: Out<*mut faceprint_template>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let template = template.check("template")?;
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        let embedding = need(key, "key")?.0.open(token.get("token")?)?;
        template.give(faceprint_template(Template::new(embedding, space)));
        Ok(())
    })
}

/// Frees a key, which is wiped from memory.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_fernet_key_free(key: Option<Box<faceprint_fernet_key>>) {
    free(key);
}

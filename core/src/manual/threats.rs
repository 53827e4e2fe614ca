//! What a gallery protects against, and what not.
//!
//! A template is a face: pictures that pass for the person can be computed from it. A table of plain templates is
//! therefore a table of faces, and this file is made for whoever gets hold of it.
//!
//! - **Who has the file, and no key,** sees how many tenants, subjects and templates there are and how many people were
//!   erased, which belong together, when commits were made relative to one another, the embedding spaces, the sizes
//!   of metadata in steps of 64 bytes, and nothing else; on a device also which office's gallery its people came from,
//!   and until when. Guessing a passphrase costs 64 MiB and three passes a guess; a weak
//!   one is guessed all the same.
//! - **Who changes the file** is found out: a row that was changed, moved, added, taken out or put back is an
//!   [`Integrity`](crate::ErrorKind::Integrity) error at the next opening, or at the call that meets it, never a wrong
//!   answer. A process that has people in memory already reads only what the file lists as changed; hiding a change
//!   from it, while it runs, is found out when the gallery is next opened. Putting the *whole* file back to an earlier state needs no key and leaves no trace in it: keep
//!   [`head`](crate::Gallery::head) somewhere else and hand it to [`check_head`](crate::Gallery::check_head).
//! - **Who has a copy of the file from before an erasure, and today's passphrase,** has the erased person: the old copy
//!   holds its keys under the old access key. A bare passphrase or key cannot change that; nor can
//!   `rotate_key`, since the root stays. With a [`KeyProvider`](crate::KeyProvider) it can be changed: let the provider make a new
//!   key, [`rekey`](crate::Gallery::rekey) with it, and destroy the provider's old key. Nothing opens the old copy then.
//! - **Erased bytes** are overwritten in the file (`secure_delete`) and are gone from the log and from free pages after
//!   [`compact`](crate::Gallery::compact). Solid-state disks and snapshots keep what they like; the erased bytes they
//!   keep are sealed under a key that was erased with them.
//! - **Who reads the process's memory** while a gallery is open sees keys and templates. They are wiped when the last
//!   handle goes; copies in swap, in core dumps or by the caller are beyond this library.
//! - **Tenants** share a file and a root key. Their handles cannot see, match or infer one another; but whoever
//!   can open the gallery can open each of them.
//! - **Who gets hold of a bundle** sees the office's and the device's public keys, until when it is valid, and how
//!   large it is. Only the device opens it. Later, though, whoever gets the device's root key opens every bundle ever
//!   sent to it: [`rekey`](crate::Gallery::rekey) makes it another key.
//! - **Who makes a bundle** without the office's root key is refused, and so is who changes one. Keeping bundles back, or
//!   delivering old ones that are still valid, is possible to whoever carries them: it never brings somebody back who the
//!   device knows was erased, and a person on the device is gone when the time of their bundle is over. Choose it short.
//! - **The device's owner** holds its keys, and can keep what it was sent, whatever the time says. The time is a rule
//!   that the library keeps, by the device's clock.
//! - **Copies elsewhere,** kept by [`changes_since`](crate::Tenant::changes_since), are as safe as their own place.
//! - **An outbox** ([`stream::Outbox`](crate::stream::Outbox)) is a file of its own: what it holds of a person, undelivered events and
//!   when they were last seen, is sealed, but not erased with them in the gallery. Who can write it can remove events, and
//!   that does not show.
//! - **A Fernet token** ([`fernet`](crate::fernet)) is not bound to a person, a place or a model, and opens with a key that is
//!   all there is. It is a way to move, not a way to keep.

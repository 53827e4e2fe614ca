//! A small token of the state a gallery is in.

use std::fmt;
use std::str::FromStr;

use super::Gallery;
use super::format::GalleryUid;
use super::ledger::Guard;
use super::sqlite::damaged;
use crate::error::{Error, ErrorKind, Result};

/// Which commit a gallery is at: 40 bytes that say nothing of what is in it. Kept outside the file (a server, a
/// log, a printout), it tells a restored old file from today's.
///
/// Written as 80 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeadToken {
    gallery: GalleryUid,
    sequence: u64,
    digest: [u8; 16],
}

impl HeadToken {
    /// How many commits the gallery had.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl fmt::Display for HeadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = self.sequence.to_be_bytes();
        let bytes = self.gallery.iter().chain(&sequence).chain(&self.digest);
        f.pad(&bytes.map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl FromStr for HeadToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.is_ascii().then(|| text.split_at_checked(32)).flatten();
        let parsed = digits.and_then(|(gallery, rest)| {
            let (sequence, digest) = rest.split_at_checked(16)?;
            let all = text.len() == 80 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = |digits| u128::from_str_radix(digits, 16).ok().filter(|_| all);
            Some(Self {
                gallery: number(gallery)?.to_be_bytes(),
                sequence: u64::try_from(number(sequence)?).ok()?,
                digest: number(digest)?.to_be_bytes(),
            })
        });
        parsed.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("a head token is 80 hexadecimal digits, this has {} bytes", text.len()),
            )
        })
    }
}

impl Gallery {
    /// The state the gallery is in, to be kept elsewhere.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] when the gallery was rekeyed elsewhere, and [`ErrorKind::Integrity`].
    pub fn head(&self) -> Result<HeadToken> {
        self.shared.store.aside(|conn, guard| {
            let head = guard.read(conn)?;
            let digest = Guard::digest(&head);
            Ok(HeadToken { gallery: guard.gallery, sequence: head.sequence, digest })
        })
    }

    /// Whether the gallery is as new as it was when `token` was taken. Check it right after
    /// opening: an old file that was restored and then written as often as today's is not told from it by
    /// an old token.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for an older state, for another state with the same number of commits, and for
    /// another gallery; and those of [`head`](Self::head).
    pub fn check_head(&self, token: &HeadToken) -> Result<()> {
        let head = self.head()?;
        if head.gallery != token.gallery {
            return Err(damaged("the head token is of another gallery"));
        }
        if head.sequence < token.sequence {
            return Err(damaged(format!(
                "it is at commit {}, and was at commit {} before; an old file was put back",
                head.sequence, token.sequence
            )));
        }
        if head.sequence == token.sequence && head.digest != token.digest {
            return Err(damaged(format!("commit {} is another than it was", head.sequence)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_and_others_are_refused() {
        let token = HeadToken { gallery: [0xa1; 16], sequence: u64::MAX - 1, digest: [3; 16] };
        let text = token.to_string();
        assert_eq!(text.parse::<HeadToken>().unwrap(), token);
        for wrong in
            ["", "zz", &text[1..], &text.replace('a', "g"), &"+".repeat(80), &"é".repeat(40)]
        {
            assert!(wrong.parse::<HeadToken>().is_err(), "{wrong}");
        }
    }
}

//! Passphrases and keys: from a file, from the environment, or from the terminal without echo. Never from
//! an argument, which every process of the machine can read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use faceprint::{Access, ErrorKind};
use zeroize::Zeroizing;

use crate::args::{NewSecretArgs, SecretArgs};
use crate::failure::Failure;
use crate::output;

/// Bytes of a file with a secret that are read, at most.
const SECRET_FILE: usize = 4096;

/// What opens a gallery that is there.
pub(crate) fn current(args: &SecretArgs) -> Result<Access, Failure> {
    Source::new(args).access(false)
}

/// What is to open a gallery that is being made.
pub(crate) fn first(args: &SecretArgs) -> Result<Access, Failure> {
    Source::new(args).access(true)
}

/// What is to open a gallery from now on.
pub(crate) fn next(args: &NewSecretArgs) -> Result<Access, Failure> {
    let source = Source {
        passphrase_file: args.new_passphrase_file.as_deref(),
        key_file: args.new_key_file.as_deref(),
        variable: "FACEPRINT_NEW_PASSPHRASE",
        options: "--new-passphrase-file FILE or --new-key-file FILE",
        name: "New passphrase",
    };
    source.access(true)
}

/// Where one secret may come from, in order of preference.
struct Source<'a> {
    passphrase_file: Option<&'a Path>,
    key_file: Option<&'a Path>,
    variable: &'static str,
    options: &'static str,
    name: &'static str,
}

impl<'a> Source<'a> {
    fn new(args: &'a SecretArgs) -> Self {
        Self {
            passphrase_file: args.passphrase_file.as_deref(),
            key_file: args.key_file.as_deref(),
            variable: "FACEPRINT_PASSPHRASE",
            options: "--passphrase-file FILE or --key-file FILE",
            name: "Passphrase",
        }
    }

    /// A new secret is asked for twice, and an empty one is refused before anything is made with it.
    fn access(&self, is_new: bool) -> Result<Access, Failure> {
        if let Some(path) = self.key_file {
            let key = key(&read(path)?).map_err(|failure| failure.at(path))?;
            return Ok(Access::key(*key));
        }
        let passphrase = if let Some(path) = self.passphrase_file {
            first_line(&read(path)?).map_err(|failure| failure.at(path))?
        } else if let Some(value) = std::env::var_os(self.variable) {
            let value = value.into_string().map_err(|_| not_utf8(self.variable))?;
            Zeroizing::new(value)
        } else {
            self.ask(is_new)?
        };
        if passphrase.is_empty() {
            return Err(Failure::usage("the passphrase is empty"));
        }
        Ok(Access::passphrase(&passphrase))
    }

    fn ask(&self, is_new: bool) -> Result<Zeroizing<String>, Failure> {
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(format!(
                "{} needed, and there is no terminal to ask at: set {}, or pass {}",
                if is_new { "a new passphrase is" } else { "the gallery's passphrase is" },
                self.variable,
                self.options
            )));
        }
        let passphrase = prompt(&format!("{}: ", self.name))?;
        if is_new && passphrase != prompt(&format!("{} again: ", self.name))? {
            return Err(Failure::usage("the two passphrases differ; nothing was changed"));
        }
        Ok(passphrase)
    }
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Failure> {
    let typed = rpassword::prompt_password(text).map_err(|error| {
        Failure::new(ErrorKind::Io, format!("no passphrase was read at the terminal: {error}"))
    })?;
    Ok(Zeroizing::new(typed))
}

/// The beginning of a file with a secret, which others should not be able to read.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::file(path, &error);
    let file = File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_file() && metadata.mode() & 0o044 != 0 {
            let path = path.display();
            output::note(format!("note: {path} can be read by others; chmod 600 {path}"));
        }
    }
    // Large enough from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * SECRET_FILE));
    file.take(SECRET_FILE as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The first line without its end.
fn first_line(bytes: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() == SECRET_FILE {
        return Err(Failure::usage(format!(
            "the first line is the passphrase, and has {SECRET_FILE} bytes or more"
        )));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = str::from_utf8(line).map_err(|_| not_utf8("the first line"))?;
    Ok(Zeroizing::new(line.to_owned()))
}

/// 32 bytes as they are, or as hexadecimal digits with or without a line's end.
fn key(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, Failure> {
    if let Ok(key) = bytes.try_into() {
        return Ok(Zeroizing::new(key));
    }
    let wrong = || {
        Failure::usage(format!(
            "a key is 32 bytes or 64 hexadecimal digits, this has {} bytes; `openssl rand -hex 32` makes one",
            bytes.len()
        ))
    };
    let mut key = Zeroizing::new([0; 32]);
    let (pairs, []) = bytes.trim_ascii_end().as_chunks::<2>() else { return Err(wrong()) };
    if pairs.len() != key.len() {
        return Err(wrong());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        let (high, low) = digit(*high).zip(digit(*low)).ok_or_else(wrong)?;
        *byte = high << 4 | low;
    }
    Ok(key)
}

fn not_utf8(what: &str) -> Failure {
    Failure::usage(format!("{what} is no UTF-8; a passphrase is text, use a key file for bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line_as_it_is() {
        for (file, line) in [
            ("correct horse\n", "correct horse"),
            (" blanks stay \r\nsecond", " blanks stay "),
            ("no end", "no end"),
            ("\nempty", ""),
        ] {
            assert_eq!(*first_line(file.as_bytes()).unwrap(), line);
        }
        assert!(first_line(&[0xff, b'\n']).is_err());
        assert!(first_line(&[b'x'; SECRET_FILE]).is_err());
    }

    #[test]
    fn keys_are_bytes_or_digits() {
        let digits = "00ff".repeat(16);
        let expected: [u8; 32] = std::array::from_fn(|at| if at % 2 == 0 { 0 } else { 255 });
        assert_eq!(*key(&expected).unwrap(), expected);
        assert_eq!(*key(digits.as_bytes()).unwrap(), expected);
        assert_eq!(*key(format!("{}\n", digits.to_uppercase()).as_bytes()).unwrap(), expected);
        for wrong in
            [&b""[..], b"00ff", &[b'g'; 64], &[b'0'; 63], &[b'0'; 66], &[0; 33], &[0xff; 64]]
        {
            assert!(key(wrong).is_err(), "{wrong:?}");
        }
    }
}

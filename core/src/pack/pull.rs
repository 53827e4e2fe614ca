//! Download of catalogued models: resumed, hashed, and put in place in one step.
//!
//! Whatever fails, a file that was there before is untouched: bytes go to `FILE.part` in the same
//! folder, which replaces `FILE` only when it has the manifest's SHA-256.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::pack::catalog::Catalog;
use crate::pack::check::MAX_MODEL_BYTES;
use crate::pack::spec::ModelSpec;
use crate::pack::verify;

#[cfg(feature = "download")]
mod http;
#[cfg(not(feature = "download"))]
#[path = "pull/http_disabled.rs"]
mod http;
mod url;

/// The environment variable with the URL of a mirror.
pub const MIRROR_VARIABLE: &str = "FACEPRINT_MIRROR";

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// How models are downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullOptions {
    /// The folder files are put in, made when it is missing. `None`: the user's cache folder, and a
    /// file that is found in any folder of the catalogue's locations is not downloaded again.
    pub into: Option<PathBuf>,
    /// Files are taken from `{mirror}/{file}` instead of their upstreams. `https://`, or `http://` to
    /// this machine.
    pub mirror: Option<String>,
    /// A download fails when nothing arrives for so long. Default: 30 s.
    pub stall_timeout: Duration,
    /// A download of one file fails when it takes longer. Default: 1 h.
    pub total_timeout: Duration,
}

impl PullOptions {
    /// The defaults, with the mirror of `FACEPRINT_MIRROR` when that is set.
    #[must_use]
    pub fn from_env() -> Self {
        let mirror = env::var(MIRROR_VARIABLE).ok().filter(|mirror| !mirror.is_empty());
        Self { mirror, ..Self::default() }
    }
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            into: None,
            mirror: None,
            stall_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(3600),
        }
    }
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// Name of the model.
    pub model: &'a str,
    /// Bytes that are here, those of an earlier attempt included. Starts over when the server cannot
    /// go on where that attempt ended.
    pub done: u64,
    /// Bytes of the whole file, when the manifest or the server says.
    pub total: Option<u64>,
}

/// A model's file that is in place, with the right hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// Name of the model.
    pub model: String,
    /// Where the file is.
    pub path: PathBuf,
    /// Its size, bytes.
    pub bytes: u64,
    /// Bytes that came over the network; 0 when the file was there.
    pub downloaded: u64,
}

impl Catalog {
    /// Gets the files of the pack or model called `name`, one after the other. Several processes may
    /// pull into one folder: they take turns.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] for an unknown name, or a model without a URL;
    /// [`ErrorKind::Download`] when the server or the network fails, or a URL is neither https nor this
    /// machine; [`ErrorKind::ModelCorrupt`] when another file arrives; [`ErrorKind::Io`] when the disk
    /// fails or is full; [`ErrorKind::Unsupported`] without the feature `download`. What was there
    /// before is untouched, and the next call goes on where this one ended.
    pub fn pull(
        &self,
        name: &str,
        options: &PullOptions,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<Pulled>> {
        let models = self.models_named(name)?;
        models.into_iter().map(|model| self.pull_model(model, options, progress)).collect()
    }

    fn pull_model(
        &self,
        model: &ModelSpec,
        options: &PullOptions,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Pulled> {
        let already = match &options.into {
            Some(folder) => present(model, &folder.join(&model.file)),
            None => self.locations().find(&model.file).and_then(|path| present(model, &path)),
        };
        if let Some(pulled) = already {
            return Ok(pulled);
        }
        let folder = match (&options.into, self.locations().cache()) {
            (Some(folder), _) => folder.as_path(),
            (None, Some(cache)) => cache,
            (None, None) => {
                let message = "there is no cache folder to download to: name a folder, or set HOME";
                return Err(Error::new(ErrorKind::Io, message));
            }
        };
        let url = source_url(model, options)?;
        fs::create_dir_all(folder).map_err(|error| disk_error("make", folder, error))?;
        let _turn = lock(folder)?;
        let path = folder.join(&model.file);
        // Another process may have got it while this one waited.
        match present(model, &path) {
            Some(pulled) => Ok(pulled),
            None => Download { model, url, path, options }.run(progress),
        }
    }
}

fn present(model: &ModelSpec, path: &Path) -> Option<Pulled> {
    let bytes = verify::verify(model, path).ok()?;
    Some(Pulled { model: model.name.clone(), path: path.to_path_buf(), bytes, downloaded: 0 })
}

fn source_url(model: &ModelSpec, options: &PullOptions) -> Result<String> {
    match (&options.mirror, &model.url) {
        (Some(mirror), _) => Ok(format!("{}/{}", mirror.trim_end_matches('/'), model.file)),
        (None, Some(url)) => Ok(url.clone()),
        (None, None) => Err(Error::new(
            ErrorKind::ModelNotFound,
            format!(
                "model \"{}\" has no url: copy {} into a models folder, or set a mirror that has it",
                model.name, model.file
            ),
        )),
    }
}

/// Held while this process writes to `folder`; other processes wait.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(".faceprint.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    file.and_then(|file| file.lock().map(|()| file)).map_err(|e| disk_error("lock", &path, e))
}

/// One file on its way. The folder is locked.
struct Download<'a> {
    model: &'a ModelSpec,
    url: String,
    path: PathBuf,
    options: &'a PullOptions,
}

impl Download<'_> {
    fn run(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Pulled> {
        let mut part = Part::open(self.part_path())?;
        match self.transfer(&mut part, progress) {
            // What an earlier attempt left was of another file: all of it is fetched again.
            Err(error) if error.kind() == ErrorKind::ModelCorrupt && part.kept > 0 => {
                part = Part::open(self.part_path())?;
                self.transfer(&mut part, progress)?;
            }
            result => result?,
        }
        self.finish(part)
    }

    /// Fetches what `part` lacks. It holds the right file on success, and is gone when it can not be
    /// the beginning of it.
    fn transfer(&self, part: &mut Part, progress: &mut dyn FnMut(Progress<'_>)) -> Result<()> {
        let complete = self.model.size.is_some_and(|size| part.bytes >= size);
        if !complete {
            let mut reply = http::get(&self.url, part.bytes, self.options)?;
            if reply.start != part.bytes {
                part.clear()?;
            }
            let total = reply.length.map(|length| part.bytes.saturating_add(length));
            self.check_total(total)?;
            self.receive(&mut reply.body, part, total, progress)?;
        }
        let hash = part.hash();
        if let Err(error) = verify::check_hash(self.model, &self.url, &hash) {
            part.remove()?;
            return Err(error);
        }
        Ok(())
    }

    fn receive(
        &self,
        body: &mut dyn Read,
        part: &mut Part,
        total: Option<u64>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        let total = self.model.size.or(total);
        let mut report = |done| progress(Progress { model: &self.model.name, done, total });
        let mut chunk = vec![0; CHUNK];
        report(part.bytes);
        loop {
            let count = match body.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(part, total, &error)),
            };
            if part.bytes + count as u64 > self.limit() {
                part.remove()?;
                return Err(self.failed(format!("sends more than {} bytes", self.limit())));
            }
            part.append(&chunk[..count])?;
            report(part.bytes);
        }
        match total {
            Some(total) if part.bytes < total => Err(self.broken(part, Some(total), &"it ended")),
            _ => Ok(()),
        }
    }

    fn check_total(&self, total: Option<u64>) -> Result<()> {
        match (total, self.model.size) {
            (Some(total), Some(size)) if total != size => {
                Err(self.failed(format!("offers {total} bytes, the manifest says {size}")))
            }
            (Some(total), None) if total > MAX_MODEL_BYTES => {
                Err(self
                    .failed(format!("offers {total} bytes, at most {MAX_MODEL_BYTES} are read")))
            }
            _ => Ok(()),
        }
    }

    /// Puts the part in place, in one step that a crash cannot split.
    fn finish(&self, part: Part) -> Result<Pulled> {
        let Part { path, file, bytes, kept, .. } = part;
        file.sync_all().map_err(|error| disk_error("write", &path, error))?;
        drop(file);
        fs::rename(&path, &self.path).map_err(|error| disk_error("replace", &self.path, error))?;
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| disk_error("write", folder, error))?;
        }
        Ok(Pulled {
            model: self.model.name.clone(),
            path: self.path.clone(),
            bytes,
            downloaded: bytes.saturating_sub(kept),
        })
    }

    fn part_path(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.part", self.model.file))
    }

    fn limit(&self) -> u64 {
        self.model.size.unwrap_or(MAX_MODEL_BYTES)
    }

    fn failed(&self, message: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Download, format!("{} {message}", self.url))
    }

    fn broken(&self, part: &Part, total: Option<u64>, cause: &dyn std::fmt::Display) -> Error {
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        self.failed(format!(
            "stopped after {}{of} bytes: {cause}; run it again to go on",
            part.bytes
        ))
    }
}

/// The beginning of a file, with the hash of what is there.
struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Those of `bytes` that an earlier attempt left.
    kept: u64,
    hasher: Sha256,
}

impl Part {
    /// Takes up what an earlier attempt left, if anything.
    fn open(path: PathBuf) -> Result<Self> {
        let failed = |error| disk_error("open", &path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        let mut chunk = vec![0; CHUNK];
        // No further than `length`: what is not a regular file may have no end.
        while bytes < length {
            let count = file.read(&mut chunk).map_err(failed)?;
            if count == 0 {
                break;
            }
            hasher.update(&chunk[..count]);
            bytes += count as u64;
        }
        Ok(Self { path, file, bytes, kept: bytes, hasher })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| disk_error("write", &self.path, error))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        let file = OpenOptions::new().write(true).truncate(true).open(&self.path);
        self.file = file.map_err(|error| disk_error("write", &self.path, error))?;
        self.hasher = Sha256::new();
        (self.bytes, self.kept) = (0, 0);
        Ok(())
    }

    fn remove(&self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| disk_error("remove", &self.path, error))
    }

    fn hash(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }
}

fn disk_error(verb: &str, path: &Path, error: io::Error) -> Error {
    Error::with_source(ErrorKind::Io, format!("cannot {verb} {}", path.display()), error)
}

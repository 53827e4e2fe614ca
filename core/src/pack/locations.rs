//! Where model files are looked for.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The environment variable with the list of folders, separated as in `PATH`.
pub const MODELS_VARIABLE: &str = "FACEPRINT_MODELS";

/// The folders model files are looked for in, in this order: those named by the caller, the one
/// beside the manifest, those of `FACEPRINT_MODELS`, the user's cache folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    named: Vec<PathBuf>,
    beside: Option<PathBuf>,
    shared: Vec<PathBuf>,
    cache: Option<PathBuf>,
}

impl Locations {
    /// `folders` only: the environment is not looked at.
    #[must_use]
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { named: folders.into_iter().collect(), ..Self::default() }
    }

    /// The folders of `FACEPRINT_MODELS` and the user's cache folder.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(|name| env::var_os(name))
    }

    /// As [`from_env`](Self::from_env), with `variable` in place of the environment. Empty variables
    /// count as unset, and relative folders are never taken for the cache.
    ///
    /// The cache is `$XDG_CACHE_HOME/faceprint/models` or `~/.cache/faceprint/models`,
    /// `~/Library/Caches/faceprint/models` on Apple systems, `%LOCALAPPDATA%\faceprint\models` on
    /// Windows.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_vendor = "apple") {
            folder("HOME").map(|home| home.join("Library/Caches"))
        } else {
            folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
        };
        let shared = set(MODELS_VARIABLE).map_or_else(Vec::new, |list| {
            env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
        });
        let cache = base.map(|base| base.join("faceprint").join("models"));
        Self { shared, cache, ..Self::default() }
    }

    /// Looks in `folders` first, before those named so far.
    #[must_use]
    pub fn first(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.named.splice(..0, folders);
        self
    }

    /// Looks beside a manifest in `folder`, after the named folders.
    pub(crate) fn beside(mut self, folder: Option<PathBuf>) -> Self {
        self.beside = folder;
        self
    }

    /// Every folder, in the order of the search, each once.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        let all = self.named.iter().chain(&self.beside).chain(&self.shared).chain(&self.cache);
        let mut folders: Vec<&Path> = Vec::new();
        for folder in all {
            if !folders.contains(&folder.as_path()) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The user's cache folder, where downloads go unless told otherwise.
    #[must_use]
    pub fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    /// The first `file` that exists, whatever is in it.
    #[must_use]
    pub fn find(&self, file: &str) -> Option<PathBuf> {
        self.folders().into_iter().map(|folder| folder.join(file)).find(|path| path.exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn folders_come_in_the_documented_order() {
        let variables = |name: &str| match name {
            "FACEPRINT_MODELS" => Some(OsString::from("/a:/b::/a")),
            "XDG_CACHE_HOME" => Some(OsString::from("relative")),
            "HOME" => Some(OsString::from("/home/u")),
            _ => None,
        };
        let locations = Locations::from_variables(variables)
            .first([PathBuf::from("/named")])
            .beside(Some(PathBuf::from("/pack")));
        let cache = if cfg!(target_vendor = "apple") {
            "/home/u/Library/Caches/faceprint/models"
        } else {
            "/home/u/.cache/faceprint/models"
        };
        let expected = ["/named", "/pack", "/a", "/b", cache].map(Path::new);
        assert_eq!(locations.folders(), expected);
        assert_eq!(locations.cache(), Some(Path::new(cache)));
    }

    #[test]
    fn an_empty_environment_gives_no_folders() {
        assert!(Locations::from_variables(|_| None).folders().is_empty());
    }
}

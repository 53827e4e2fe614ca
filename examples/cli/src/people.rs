//! The folder of known people: `NAME.jpg` or `NAME/*.jpg`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Endings of the formats that can be decoded.
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "bmp"];

/// A picture of a known person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownPicture {
    /// The person: the file's name without its ending, or the folder's name.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// Every picture in `folder`, ordered by name. Hidden files, files that are no pictures and deeper
/// folders are left alone.
pub(crate) fn list(folder: &Path) -> Result<Vec<KnownPicture>, Failure> {
    let mut pictures = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let name = text(path.file_name());
            let inside = entries(&path)?.into_iter().filter(|path| is_picture(path));
            pictures.extend(inside.map(|path| KnownPicture { name: name.clone(), path }));
        } else if is_picture(&path) {
            pictures.push(KnownPicture { name: text(path.file_stem()), path });
        }
    }
    if pictures.is_empty() {
        return Err(Failure::usage(format!(
            "{}: no picture of a known person: expected NAME.jpg or NAME/*.jpg ({})",
            folder.display(),
            ENDINGS.join(", ")
        )));
    }
    pictures.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    Ok(pictures)
}

/// The pictures in `folder` itself, ordered by name.
pub(crate) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut pictures = entries(folder)?;
    pictures.retain(|path| is_picture(path));
    pictures.sort();
    Ok(pictures)
}

/// What lies in `folder`, hidden files left out.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let paths: Result<Vec<_>, _> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut paths = paths.map_err(|error| Failure::file(folder, &error))?;
    paths.retain(|path| !text(path.file_name()).starts_with('.'));
    Ok(paths)
}

/// Whether it is a file that can be decoded, by its ending.
pub(crate) fn is_picture(path: &Path) -> bool {
    let ending = text(path.extension()).to_lowercase();
    path.is_file() && ENDINGS.contains(&ending.as_str())
}

fn text(part: Option<&std::ffi::OsStr>) -> String {
    part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_people() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        };
        for path in [
            "Bob.JPG",
            "Ann/2.png",
            "Ann/1.jpg",
            "Ann/notes.txt",
            "Ann/x/3.jpg",
            ".DS_Store",
            "a.b.webp",
        ] {
            put(path);
        }
        let found = list(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|picture| picture.name.as_str()).collect();
        assert_eq!(names, ["Ann", "Ann", "Bob", "a.b"]);
        assert!(found[0].path.ends_with("Ann/1.jpg"));
    }

    #[test]
    fn an_empty_or_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(list(folder.path()).unwrap_err().to_string().contains("NAME.jpg"));
        assert!(list(&folder.path().join("no")).is_err());
    }
}

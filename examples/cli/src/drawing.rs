//! Where `--draw` puts its pictures.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use faceprint::image::RgbImage;

use crate::draw::{self, Mark};
use crate::failure::Failure;

/// The target of `--draw`: a file for each picture.
#[derive(Debug)]
pub(crate) struct Target {
    by_source: HashMap<PathBuf, PathBuf>,
}

impl Target {
    /// A path that ends in `.png` is the file for the one picture; anything else is a folder, which is
    /// made when it is not there.
    pub(crate) fn new(path: &Path, sources: &[PathBuf]) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::usage(format!("--draw {}: {what}", path.display()));
        let is_png = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
        let by_source = match sources {
            [source] if is_png && !path.is_dir() => {
                HashMap::from([(source.clone(), path.to_owned())])
            }
            _ if is_png && !path.is_dir() => {
                return Err(wrong(&format!(
                    "one file for {} pictures: give a folder",
                    sources.len()
                )));
            }
            _ if looks_like_a_picture(path) => {
                return Err(wrong("pictures are written as .png files, or into a folder"));
            }
            _ => {
                fs::create_dir_all(path).map_err(|error| Failure::file(path, &error))?;
                files_in(path, sources)
            }
        };
        Ok(Self { by_source })
    }

    /// Draws `marks` on `image`, which was read from `source`, and tells where the result lies.
    pub(crate) fn draw(
        &self,
        source: &Path,
        image: &RgbImage,
        marks: &[Mark],
    ) -> Result<PathBuf, Failure> {
        let path =
            self.by_source.get(source).cloned().ok_or_else(|| {
                Failure::usage(format!("{}: no place to draw to", source.display()))
            })?;
        let drawn = draw::draw(image.as_bytes(), image.width(), image.height(), marks)?;
        draw::save(&drawn, &path)?;
        Ok(path)
    }
}

/// `FOLDER/NAME.png` for each source; a name that comes again gets a number.
fn files_in(folder: &Path, sources: &[PathBuf]) -> HashMap<PathBuf, PathBuf> {
    let mut by_source = HashMap::new();
    let mut uses = HashMap::<String, usize>::new();
    for source in sources {
        if by_source.contains_key(source) {
            continue;
        }
        let stem = source.file_stem().map_or("picture".into(), |stem| stem.to_string_lossy());
        let count = uses.entry(stem.to_string()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{stem}.png") } else { format!("{stem}-{count}.png") };
        by_source.insert(source.clone(), folder.join(name));
    }
    by_source
}

/// `out.jpg` is a mistake, not the name of a folder.
fn looks_like_a_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    !path.is_dir() && ["jpg", "jpeg", "webp", "bmp", "gif", "svg"].contains(&ending.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_goes_to_a_file_and_several_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let sources = ["a/x.jpg", "b/x.jpg", "y.png"].map(PathBuf::from);
        let file = Target::new(&folder.path().join("o.png"), &sources[..1]).unwrap();
        assert!(file.by_source[&sources[0]].ends_with("o.png"));
        assert!(Target::new(&folder.path().join("o.png"), &sources).is_err());
        assert!(Target::new(&folder.path().join("o.jpg"), &sources[..1]).is_err());

        let out = folder.path().join("out");
        let several = Target::new(&out, &sources).unwrap();
        assert_eq!(several.by_source[&sources[0]], out.join("x.png"));
        assert_eq!(several.by_source[&sources[1]], out.join("x-2.png"));
        assert_eq!(several.by_source[&sources[2]], out.join("y.png"));
    }
}

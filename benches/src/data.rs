//! Pictures, models and engines to measure.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use faceprint::image::RgbImage;
use faceprint::pack::Locations;
use faceprint::{BackendChoice, Catalog, DetectionSize, Engine, ModelPack};

/// Six faces, 800 x 554; the picture InsightFace shows itself with.
pub const GROUP_PICTURE: &str = "golden/images/insightface_t1.png";
/// The pack with the models that InsightFace is measured with.
pub const SCRFD: &str = "scrfd-mbf";
/// A pack with the detector that OpenCV is measured with.
pub const YUNET: &str = "yunet-mbf";

/// The licence that the measured models ask for; measuring is research.
const LICENSE: &str = "InsightFace-non-commercial";

/// The folder of pictures and models: `FACEPRINT_SHARED`, or `shared` beside the repository. `None`
/// when it is not there.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FACEPRINT_SHARED")
        .map_or_else(|| repository().join("../shared"), PathBuf::from);
    folder.join("models").is_dir().then_some(folder)
}

/// A pack of the test catalogue, with its models in the `models` folder of `shared`.
///
/// # Errors
/// When the catalogue lacks the pack.
pub fn pack(shared: &Path, name: &str) -> Result<ModelPack, Box<dyn Error>> {
    let catalog = Catalog::open(repository().join("core/testdata/catalog.toml"))?;
    Ok(catalog.with_locations(Locations::new([shared.join("models")])).find(name)?)
}

/// An engine on one thread.
///
/// # Errors
/// When a model or the inference engine is missing.
pub fn engine(
    pack: &ModelPack,
    backend: BackendChoice,
    size: DetectionSize,
) -> Result<Engine, Box<dyn Error>> {
    let builder = Engine::builder(pack).backend(backend).detection_size(size).threads(1);
    Ok(builder.accept_license(LICENSE).build()?)
}

/// A name for reports, and a file's bytes.
pub type NamedFile = (&'static str, Vec<u8>);

/// The group picture and one picture with one face, with their names, as file bytes.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn two_files(shared: &Path) -> Result<Vec<NamedFile>, Box<dyn Error>> {
    let group = fs::read(shared.join(GROUP_PICTURE))?;
    let mut files = vec![("group", group)];
    if let Some(one) = first_file(&shared.join("lfw/images"))? {
        files.push(("one", fs::read(one)?));
    }
    Ok(files)
}

/// A picture of `width` x `height` with soft shapes and some noise, always the same.
///
/// # Panics
/// Never: the pixels are as many as the size needs.
#[must_use]
pub fn generated(width: u32, height: u32) -> RgbImage {
    let mut state = 1u32;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [noise, ..] = state.to_be_bytes();
            let [.., level] = (x * y / 512).to_be_bytes();
            pixels.extend([level / 2 + noise / 8, 255 - level, noise]);
        }
    }
    RgbImage::from_raw(width, height, pixels).expect("three bytes for each pixel")
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The first file, in order of names, in or under `folder`.
fn first_file(folder: &Path) -> Result<Option<PathBuf>, Box<dyn Error>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    match paths.into_iter().next() {
        Some(path) if path.is_dir() => first_file(&path),
        first => Ok(first),
    }
}

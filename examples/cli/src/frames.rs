//! Frames of a camera: pictures of a folder, or raw pixels from a pipe.

use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{ImageView, PixelFormat};

use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::people;

/// Frames per second of a folder that does not say.
const FOLDER_FPS: f64 = 10.0;

/// Frames, one after the other.
#[derive(Debug)]
pub(crate) struct Frames {
    source: Source,
    /// When the first frame was taken, and how many there are in a second; now, without.
    clock: (SystemTime, Option<f64>),
    number: u64,
}

#[derive(Debug)]
enum Source {
    Folder(std::vec::IntoIter<PathBuf>),
    Pipe { width: u32, height: u32, format: PixelFormat, buffer: Vec<u8> },
}

/// A frame, upright.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Counted from 0.
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
    pub(crate) image: RgbImage,
}

impl Frames {
    pub(crate) fn new(args: &WatchArgs) -> Result<Self, Failure> {
        let (source, fps) = match (&args.frames, args.raw) {
            (Some(folder), _) => {
                let pictures = people::pictures(folder)?;
                if pictures.is_empty() {
                    return Err(Failure::usage("there is no picture in the folder").at(folder));
                }
                (Source::Folder(pictures.into_iter()), Some(args.fps.unwrap_or(FOLDER_FPS)))
            }
            (None, Some((width, height))) => {
                let format = args.pixel_format.into();
                let bytes = frame_bytes(width, height, format);
                let pipe = Source::Pipe { width, height, format, buffer: vec![0; bytes] };
                (pipe, args.fps)
            }
            (None, None) => return Err(Failure::usage("what to watch: a folder, or --raw WxH")),
        };
        Ok(Self { source, clock: (SystemTime::now(), fps), number: 0 })
    }

    /// The next frame; none at the end. A pipe that ends within a frame is an error.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Failure> {
        let image = match &mut self.source {
            Source::Folder(paths) => {
                let Some(path) = paths.next() else { return Ok(None) };
                let bytes = std::fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
                decode(&bytes, &DecodeLimits::default())
                    .map_err(|error| Failure::from(error).at(&path))?
            }
            Source::Pipe { width, height, format, buffer } => {
                if !fill(&mut std::io::stdin().lock(), buffer)? {
                    return Ok(None);
                }
                ImageView::new(buffer, *width, *height, *format)?.raster().into_rgb()
            }
        };
        let number = self.number;
        self.number += 1;
        #[expect(clippy::cast_precision_loss, reason = "frames of centuries are below 2^52")]
        let at = match self.clock {
            (start, Some(fps)) => start + Duration::from_secs_f64(number as f64 / fps),
            (_, None) => SystemTime::now(),
        };
        Ok(Some(Frame { number, at, image }))
    }
}

/// Fills `buffer`; `false` when there is nothing more to read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<bool, Failure> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => {
                return Err(Failure::usage(format!(
                    "standard input ended after {filled} of the {} bytes of a frame; do --raw and --pixel-format fit?",
                    buffer.len()
                )));
            }
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Bytes of a frame as ffmpeg writes it; sides are 16,384 at most.
fn frame_bytes(width: u32, height: u32, format: PixelFormat) -> usize {
    let (width, height) = (width as usize, height as usize);
    match format {
        PixelFormat::Nv12 => width * height + width.next_multiple_of(2) * height.div_ceil(2),
        _ => 3 * width * height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_or_not_there() {
        let mut buffer = [0; 4];
        assert!(fill(&mut &[1, 2, 3, 4, 5][..], &mut buffer).unwrap());
        assert!(!fill(&mut &[][..], &mut buffer).unwrap());
        let error = fill(&mut &[1, 2, 3][..], &mut buffer).unwrap_err().to_string();
        assert!(error.contains("after 3 of the 4 bytes"), "{error}");
    }

    #[test]
    fn frames_have_the_bytes_the_library_asks_for() {
        for (width, height) in [(640, 480), (7, 5), (1, 1)] {
            for format in [PixelFormat::Rgb8, PixelFormat::Bgr8, PixelFormat::Nv12] {
                let bytes = frame_bytes(width, height, format);
                assert!(ImageView::new(&vec![0; bytes], width, height, format).is_ok());
                assert!(ImageView::new(&vec![0; bytes - 1], width, height, format).is_err());
            }
        }
    }
}

//! Landmarks, templates and pictures of any numbers.
#![no_main]

use faceprint::align::{AlignmentTemplate, align};
use faceprint::image::{ImageView, PixelFormat};
use faceprint::{Landmarks, Point};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    landmarks: [(f32, f32); 5],
    template: Option<(u8, u8, [(f32, f32); 5])>,
    width: u8,
    height: u8,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let points =
        |points: [(f32, f32); 5]| Landmarks::from_points(points.map(|(x, y)| Point::new(x, y)));
    let template = match input.template {
        Some((width, height, template)) => {
            AlignmentTemplate::new(width.into(), height.into(), points(template))
        }
        None => Ok(AlignmentTemplate::ARCFACE_112),
    };
    let (width, height) = (u32::from(input.width), u32::from(input.height));
    let view = ImageView::new(input.bytes, width, height, PixelFormat::Bgr8);
    let (Ok(template), Ok(view)) = (template, view) else { return };
    if let Ok(crop) = align(&view.raster(), &points(input.landmarks), &template) {
        let len = template.width() as usize * template.height() as usize * 3;
        assert_eq!(crop.as_bytes().len(), len);
        let _ = crop.mirrored();
    }
});

//! Sizes, strides and lengths of a view, and the conversions of what is accepted.
#![no_main]

use faceprint::image::{
    ChannelOrder, ImageView, Letterbox, Orientation, PixelFormat, PlanarSpec, pack, resize,
};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    width: u16,
    height: u16,
    stride: Option<u32>,
    format: u8,
    orientation: u8,
    to: (u8, u8),
    planes: Option<[(u16, u32); 3]>,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let format = PixelFormat::ALL[usize::from(input.format) % PixelFormat::ALL.len()];
    let orientation = Orientation::ALL[usize::from(input.orientation) % 8];
    let (width, height) = (u32::from(input.width), u32::from(input.height));
    let view = match input.planes {
        Some(planes) => {
            let plane = |(start, stride): (u16, u32)| {
                (input.bytes.get(usize::from(start)..).unwrap_or_default(), stride as usize)
            };
            let planes = planes.map(plane);
            ImageView::from_planes(&planes[..format.plane_count()], width, height, format)
        }
        None => ImageView::new(input.bytes, width, height, format),
    };
    let view = match (view, input.stride) {
        (Ok(view), Some(stride)) => view.with_stride(stride as usize),
        (view, _) => view,
    };
    let Ok(view) = view else { return };
    let raster = view.with_orientation(orientation).raster();
    let to = (u32::from(input.to.0), u32::from(input.to.1));
    let _ = resize(&raster, to.0, to.1);
    let letterbox = Letterbox::fit((raster.width(), raster.height()), to);
    let spec = PlanarSpec { order: ChannelOrder::Bgr, mean: [127.5; 3], std: [128.0; 3] };
    let packed = pack(&raster, &letterbox, &spec);
    assert_eq!(packed.len(), 3 * to.0.max(1) as usize * to.1.max(1) as usize);
    let _ = raster.into_rgb();
});

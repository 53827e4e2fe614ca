//! Any outputs of a detector: shapes that fit, shapes that lie, and any numbers in them.
#![no_main]

use faceprint::detect::decode;
use faceprint::pack::Family;
use faceprint::runtime::Tensor;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    family: u8,
    canvas: (u8, u8),
    threshold: f32,
    /// Values that fill the outputs over and over.
    values: Vec<f32>,
    /// Changes of single outputs: which, and by how many rows and columns it is off.
    lies: Vec<(u8, i8, i8)>,
}

fuzz_target!(|input: Input| {
    let family = [Family::Yunet, Family::Scrfd, Family::Retinaface][usize::from(input.family % 3)];
    let canvas = (u32::from(input.canvas.0 % 16) * 32, u32::from(input.canvas.1 % 16) * 32);
    let cells = [8, 16, 32].map(|stride| (canvas.0 / stride * (canvas.1 / stride)) as usize);
    let mut shapes: Vec<(usize, usize)> = match family {
        Family::Yunet => {
            [1, 1, 4, 10].iter().flat_map(|&columns| cells.map(|rows| (rows, columns))).collect()
        }
        Family::Scrfd => {
            [1, 4, 10].iter().flat_map(|&columns| cells.map(|rows| (rows * 2, columns))).collect()
        }
        _ => [4, 2, 10].map(|columns| (cells.iter().sum::<usize>() * 2, columns)).to_vec(),
    };
    for (index, rows, columns) in input.lies {
        let count = shapes.len();
        let shape = &mut shapes[usize::from(index) % count];
        shape.0 = shape.0.saturating_add_signed(rows.into());
        shape.1 = shape.1.saturating_add_signed(columns.into());
    }
    let mut values = input.values.iter().copied().cycle();
    let outputs: Vec<Tensor> = shapes
        .into_iter()
        .map(|(rows, columns)| {
            let data: Vec<f32> =
                (0..rows * columns).map(|_| values.next().unwrap_or(0.9)).collect();
            Tensor::new([1, rows, columns], data).expect("the product of the shape")
        })
        .collect();
    for face in decode(family, &outputs, canvas, input.threshold).unwrap_or_default() {
        assert!(face.bounds.area().is_finite() && face.bounds.area() > 0.0);
        assert!(face.landmarks.points().iter().all(|point| point.is_finite()));
    }
});

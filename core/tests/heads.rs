//! Whatever a network answers, decoding gives faces with finite numbers or a typed error.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

use faceprint::ErrorKind;
use faceprint::detect::decode;
use faceprint::pack::Family;
use faceprint::runtime::Tensor;
use proptest::prelude::*;

/// Rows and columns of the heads of `family` on a canvas of 64x32.
fn shapes(family: Family) -> Vec<(usize, usize)> {
    let cells = [32, 8, 2];
    match family {
        Family::Yunet => {
            [1, 1, 4, 10].iter().flat_map(|&it| cells.map(|rows| (rows, it))).collect()
        }
        Family::Scrfd => {
            [1, 4, 10].iter().flat_map(|&it| cells.map(|rows| (rows * 2, it))).collect()
        }
        _ => vec![(84, 4), (84, 2), (84, 10)],
    }
}

fn tensors(shapes: &[(usize, usize)], values: &[f32]) -> Vec<Tensor<'static>> {
    let mut values = values.iter().copied().cycle();
    let of_shape = |&(rows, columns): &(usize, usize)| {
        Tensor::new([1, rows, columns], values.by_ref().take(rows * columns).collect::<Vec<_>>())
    };
    shapes.iter().map(of_shape).map(Result::unwrap).collect()
}

fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Yunet), Just(Family::Scrfd), Just(Family::Retinaface)]
}

proptest! {
    #[test]
    fn any_numbers_give_finite_faces(
        family in families(),
        values in prop::collection::vec(any::<f32>(), 1..200),
        threshold in 0.0_f32..=1.0,
    ) {
        for face in decode(family, &tensors(&shapes(family), &values), (64, 32), threshold).unwrap() {
            let points = face.landmarks.points();
            prop_assert!(points.iter().all(|point| point.x.is_finite() && point.y.is_finite()));
            prop_assert!(face.bounds.area().is_finite() && face.bounds.area() > 0.0);
            prop_assert!((threshold - 1e-6..=1.0).contains(&face.score), "{}", face.score);
        }
    }

    #[test]
    fn a_head_of_another_shape_is_a_typed_error(
        family in families(),
        index in any::<prop::sample::Index>(),
        rows in 0_usize..90,
        columns in 0_usize..12,
    ) {
        let mut shapes = shapes(family);
        let index = index.index(shapes.len());
        prop_assume!(shapes[index] != (rows, columns) && columns > 0);
        shapes[index] = (rows, columns);
        let error = decode(family, &tensors(&shapes, &[0.9]), (64, 32), 0.5).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::ModelMismatch);
    }

    #[test]
    fn a_missing_head_is_a_typed_error(family in families(), index in any::<prop::sample::Index>()) {
        let mut shapes = shapes(family);
        shapes.remove(index.index(shapes.len()));
        let error = decode(family, &tensors(&shapes, &[0.9]), (64, 32), 0.5).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::ModelMismatch);
    }
}

/// One cell of each family by hand, from the formulas of the upstreams' own code.
#[test]
fn a_cell_is_decoded_by_its_formula() {
    // YuNet, stride 8, cell (3, 1): centre (3 + 0.5, 1 + 0.25) * 8, size exp(1) * 8 and exp(0) * 8.
    let mut heads = tensors(&shapes(Family::Yunet), &[0.0]);
    set(&mut heads, 0, 8 + 3, &[0.81]);
    set(&mut heads, 3, 8 + 3, &[1.0]);
    set(&mut heads, 6, 8 + 3, &[0.5, 0.25, 1.0, 0.0]);
    set(&mut heads, 9, 8 + 3, &[0.125; 10]);
    let found = decode(Family::Yunet, &heads, (64, 32), 0.5).unwrap();
    assert_eq!(found.len(), 1);
    let face = found[0];
    assert!((face.score - 0.9).abs() < 1e-6);
    assert!(
        (face.bounds.center().x - 28.0).abs() < 1e-4
            && (face.bounds.center().y - 10.0).abs() < 1e-4
    );
    assert!(
        (face.bounds.width - 8.0 * std::f32::consts::E).abs() < 1e-4
            && (face.bounds.height - 8.0).abs() < 1e-6
    );
    assert!(
        (face.landmarks.nose.x - 25.0).abs() < 1e-4 && (face.landmarks.nose.y - 9.0).abs() < 1e-4
    );

    // SCRFD, stride 16, second anchor of cell (2, 1) at (32, 16): distances of 1, 0.5, 2 and 1 strides.
    let mut heads = tensors(&shapes(Family::Scrfd), &[0.0]);
    let row = (4 + 2) * 2 + 1;
    set(&mut heads, 1, row, &[0.75]);
    set(&mut heads, 4, row, &[1.0, 0.5, 2.0, 1.0]);
    set(&mut heads, 7, row, &[0.25; 10]);
    let found = decode(Family::Scrfd, &heads, (64, 32), 0.5).unwrap();
    assert_eq!(found.len(), 1);
    let bounds = found[0].bounds;
    assert_eq!((bounds.x, bounds.y, bounds.right(), bounds.bottom()), (16.0, 8.0, 64.0, 32.0));
    assert_eq!((found[0].landmarks.left_eye.x, found[0].landmarks.left_eye.y), (36.0, 20.0));

    // RetinaFace, stride 32, first prior (256) of cell (1, 0), centre (48, 16).
    let mut heads = tensors(&shapes(Family::Retinaface), &[0.0]);
    let row = 64 + 16 + 2;
    set(&mut heads, 1, row, &[0.2, 0.8]);
    set(&mut heads, 0, row, &[1.0, -1.0, 0.0, 0.0]);
    set(&mut heads, 2, row, &[0.5; 10]);
    let found = decode(Family::Retinaface, &heads, (64, 32), 0.5).unwrap();
    assert_eq!(found.len(), 1);
    let face = found[0];
    assert!((face.bounds.center().x - (48.0 + 25.6)).abs() < 1e-3);
    assert!((face.bounds.center().y - (16.0 - 25.6)).abs() < 1e-3);
    assert!((face.bounds.width - 256.0).abs() < 1e-3);
    assert!((face.landmarks.right_mouth.x - (48.0 + 12.8)).abs() < 1e-3);
}

/// Puts `values` at the start of `row` of head `index`.
fn set(heads: &mut [Tensor<'static>], index: usize, row: usize, values: &[f32]) {
    let shape = heads[index].shape().to_vec();
    let mut data = heads[index].data().to_vec();
    let start = row * shape[2];
    data[start..start + values.len()].copy_from_slice(values);
    heads[index] = Tensor::new(shape, data).unwrap();
}

//! Every kernel of this processor against the scalar one, bit by bit.
#![allow(clippy::cast_possible_truncation, reason = "noise has no value to lose")]

use proptest::prelude::*;

use super::*;

/// Bytes of a row's nibbles, and codes of a probe, that a kernel may get wrong.
const NIBBLES: [u8; 6] = [0x00, 0xff, 0x0f, 0xf0, 0x80, 0x7f];
const CODES: [i8; 6] = [0, 127, -128, -127, 1, -1];

/// Numbers without structure: a linear congruential generator (Knuth, MMIX).
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

fn dimensions() -> impl Iterator<Item = usize> {
    (1..=1030).filter(|it| *it < 300 || it % 37 == 0 || [512, 1024, 1030].contains(it))
}

fn lines(count: usize, mut byte: impl FnMut() -> u8) -> Vec<Line> {
    (0..count).map(|_| std::array::from_fn(|_| byte())).collect()
}

/// A probe's codes as they are padded.
fn codes(dimension: usize, mut code: impl FnMut() -> i8) -> Vec<i8> {
    let mut codes = vec![0; dimension.next_multiple_of(PROBE_PAD)];
    codes[..dimension].fill_with(&mut code);
    codes
}

fn lists(rest: &Rest) -> (Vec<u32>, Vec<i32>, Vec<f32>, Vec<f32>) {
    let Rest { count, rows, sums, scales, residuals } = rest;
    let there = ..*count;
    let (rows, sums) = (rows[there].to_vec(), sums[there].to_vec());
    (rows, sums, scales[there].to_vec(), residuals[there].to_vec())
}

/// All kernels on `blocks` blocks and some probes.
fn compare(dimension: usize, blocks: usize, mut byte: impl FnMut() -> u8, probes: &[Vec<i8>]) {
    let per_block = coarse_lines(dimension);
    let block_lines = lines(per_block * blocks, &mut byte);
    let mut planes = |count: usize| -> Vec<_> {
        (0..LANES * blocks * count * plane_bytes(dimension)).map(|_| byte()).collect()
    };
    let planes = [1, 3, 2].map(|count| (count, planes(count)));
    let mut random = noise(dimension as u64);
    let mut fraction = || (random() % 1000) as f32 / 1000.0;
    let rows: Vec<_> = (0..blocks)
        .map(|_| Rows {
            scales: std::array::from_fn(|_| fraction()),
            residuals: std::array::from_fn(|_| fraction()),
        })
        .collect();
    let next: Vec<[f32; LANES]> =
        (0..blocks).map(|_| std::array::from_fn(|_| fraction())).collect();
    let wanted: Vec<_> = probes
        .iter()
        .map(|codes| Sought {
            codes,
            reach: Reach {
                offset: 15 * 77,
                scale: 1e-3 * fraction(),
                norm: fraction(),
                slack: 1e-3,
            },
            floor: fraction(),
        })
        .collect();
    let run = |kernel: Kernel| {
        let mut found = vec![Found::default(); blocks * probes.len()];
        kernel.coarse(&block_lines, per_block, &rows, &wanted, &mut found);
        let mut rest = Rest::default();
        let mut left = Vec::new();
        for (number, probe) in wanted.iter().enumerate() {
            // Those that reach a higher floor, then all.
            let higher = Sought { floor: probe.floor * 1.5, ..*probe };
            let of_probe = (&found[number..], wanted.len());
            kernel.reaching(of_probe, 0, &rows, &next, &higher, &mut rest);
            left.push(lists(&rest));
            let all: Vec<_> = found.iter().map(|it| Found { rows: 0xffff, ..*it }).collect();
            let anything = Sought { floor: f32::NEG_INFINITY, ..*probe };
            kernel.reaching((&all[number..], wanted.len()), 0, &rows, &next, &anything, &mut rest);
            assert_eq!(rest.count, blocks * LANES);
            for (offset, (count, bits)) in [31, 255, 1023].into_iter().zip(&planes) {
                let reach = Reach { offset: offset * 77, ..probe.reach };
                let planes = Planes { bits, count: *count };
                kernel.closer(planes, &Sought { reach, ..*probe }, &mut rest);
                left.push(lists(&rest));
                rest.sums.iter_mut().for_each(|sum| *sum /= 32);
            }
        }
        (found, left)
    };
    let expected = run(Kernel(Set::Scalar));
    for kernel in Kernel::available() {
        assert_eq!(run(kernel), expected, "{kernel:?}, {dimension} values");
    }
}

#[test]
fn extreme_codes() {
    for dimension in dimensions() {
        for byte in NIBBLES {
            let probes: Vec<_> = CODES.iter().map(|code| codes(dimension, || *code)).collect();
            compare(dimension, 2, || byte, &probes);
        }
    }
    // The longest there may be, all at their largest: no sum overflows.
    compare(MAX_DIMENSION, 1, || 0xff, &[codes(MAX_DIMENSION, || -128)]);
}

#[test]
fn random_codes() {
    for dimension in dimensions() {
        let (mut bytes, mut signed) = (noise(7), noise(8));
        let mut probe = || codes(dimension, || signed() as i8);
        // Past groups of eight, which kernels may take together.
        let probes: Vec<_> = (0..11).map(|_| probe()).collect();
        compare(dimension, 3, || bytes() as u8, &probes);
    }
}

#[test]
fn the_scalar_kernel_is_right_by_hand() {
    // Row 3, value 13: line 1, high nibble (13 - 8 = 5, group 1, place 1).
    let mut block = vec![[0; 64]; coarse_lines(20)];
    block[1][4 * 3 + 1] = 0x90;
    // Row 0, value 2: line 0, low nibble.
    block[0][2] = 0x07;
    let mut probe = codes(20, || 0);
    (probe[13], probe[2]) = (-5, 3);
    let wanted = Sought {
        codes: &probe,
        reach: Reach { offset: 10, scale: 0.5, norm: 2.0, slack: 0.25 },
        floor: 5.0,
    };
    let rows = Rows { scales: [1.0; LANES], residuals: [1.0; LANES] };
    let mut found = [Found::default()];
    Kernel(Set::Scalar).coarse(&block, 3, &[rows], &[wanted], &mut found);
    assert_eq!((found[0].sums[0], found[0].sums[3], found[0].sums[1]), (21, -45, 0));
    // 0.5 (2 * 21 - 10) + 2 + 0.25 = 18.25; the others reach -47.75 and -2.75.
    assert_eq!((found[0].rows, found[0].likely), (1, 1));
    // What the bits stand for is 16: the rest may reach 17, and is not likely to.
    let higher = Sought { floor: 17.0, ..wanted };
    let mut other = [Found::default()];
    Kernel(Set::Scalar).coarse(&block, 3, &[rows], &[higher], &mut other);
    assert_eq!((other[0].rows, other[0].likely), (1, 0));
    let mut rest = Rest::default();
    let next = [[1.0; LANES]];
    Kernel(Set::Scalar).reaching((&found, 1), 0, &[rows], &next, &higher, &mut rest);
    assert_eq!(lists(&rest), (vec![0], vec![21], vec![1.0], vec![1.0]));
    found[0].rows = 9;
    let any = Sought { floor: -60.0, ..wanted };
    Kernel(Set::Scalar).reaching((&found, 1), 7, &[rows], &next, &any, &mut rest);
    assert_eq!(rest.rows[..rest.count], [7 * 16, 7 * 16 + 3]);
    // One plane of 16 bytes a row. Of row 3 value 13, of row 0 values 2 and 17; row 1 is not looked at.
    Kernel(Set::Scalar).reaching((&found, 1), 0, &[rows], &next, &any, &mut rest);
    let mut bits = vec![0; LANES * 16];
    (bits[3 * 16 + 13], bits[2], bits[1], bits[16]) = (1, 1, 1 << 1, 0xff);
    let mut probe = probe.clone();
    probe[17] = 9;
    let wanted = Sought { codes: &probe, ..wanted };
    Kernel(Set::Scalar).closer(Planes { bits: &bits, count: 1 }, &wanted, &mut rest);
    assert_eq!(lists(&rest), (vec![0], vec![2 * 21 + 3 + 9], vec![1.0], vec![1.0]));
}

#[test]
fn planes_are_right_by_hand() {
    // Three planes of 32 bytes a row. Of row 15: the first bit of value 5, the second of 64 and the third of 130; row 2
    // has none, and row 1 is not looked at.
    let mut bits = vec![0; LANES * 96];
    (bits[15 * 96 + 5], bits[15 * 96 + 32], bits[15 * 96 + 64 + 2]) = (1, 1 << 2, 1 << 4);
    bits[96] = 0xff;
    let mut probe = codes(131, || 0);
    (probe[5], probe[64], probe[130]) = (10, -1, 2);
    let reach = Reach { offset: 10, scale: 0.5, norm: 2.0, slack: 0.25 };
    let wanted = Sought { codes: &probe, reach, floor: 30.0 };
    let rest = |rows: &[u32]| Rest {
        count: rows.len(),
        rows: rows.to_vec(),
        sums: vec![3; rows.len()],
        scales: vec![1.0; rows.len()],
        residuals: vec![1.0; rows.len()],
    };
    for kernel in Kernel::available() {
        let mut left = rest(&[2, 15]);
        kernel.closer(Planes { bits: &bits, count: 3 }, &wanted, &mut left);
        // 0.5 (2 * 64 - 10) + 2.25 = 61.25; the other reaches 21.25.
        assert_eq!(lists(&left).0, [15], "{kernel:?}");
        assert_eq!(left.sums[0], 24 + 40 - 2 + 2, "{kernel:?}");
    }
    // 80 bytes: a segment of 64 and one of 16. Value 599 is the 88th of the second.
    let mut bits = vec![0; 80];
    (bits[3], bits[64 + 7]) = (1 << 7, 1 << 5);
    let mut probe = codes(600, || 0);
    (probe[7 * 64 + 3], probe[599]) = (100, 20);
    let wanted = Sought { codes: &probe, reach, floor: 0.0 };
    for kernel in Kernel::available() {
        let mut left = rest(&[0]);
        kernel.closer(Planes { bits: &bits, count: 1 }, &wanted, &mut left);
        assert_eq!(lists(&left).1, [6 + 120], "{kernel:?}");
        kernel.closer(Planes { bits: &bits, count: 1 }, &wanted, &mut rest(&[]));
    }
    let parts: Vec<_> = segments(112).collect();
    assert_eq!(parts, [0..64, 64..96, 96..112]);
}

fn dots_agree(a: &[f32], b: &[f32]) {
    let expected = Kernel(Set::Scalar).dot(a, b).to_bits();
    for kernel in Kernel::available() {
        assert_eq!(kernel.dot(a, b).to_bits(), expected, "{kernel:?}, {} values", a.len());
        assert_eq!(kernel.dot(b, a).to_bits(), expected, "{kernel:?}, {} values", a.len());
    }
}

#[test]
fn dots_of_extremes() {
    let values = [0.0, -0.0, 1.0, -1.0, f32::MIN_POSITIVE, 1e-42, -1e-45, 3e38, 1e-30];
    for dimension in 1..=1030 {
        for seed in 0..3 {
            let mut random = noise(seed);
            let mut pick = || values[random() as usize % values.len()];
            let a: Vec<_> = (0..dimension).map(|_| pick()).collect();
            let b: Vec<_> = (0..dimension).map(|_| pick()).collect();
            dots_agree(&a, &b);
        }
    }
}

proptest! {
    #[test]
    fn dots_of_anything(pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..1030)) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        dots_agree(&a, &b);
        // Against a sum of another kind: f64, in order.
        let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        prop_assert!((f64::from(Kernel::best().dot(&a, &b)) - exact).abs() < 1e-4);
    }
}

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

/// All kernels on `blocks` blocks and some probes.
fn compare(dimension: usize, blocks: usize, mut byte: impl FnMut() -> u8, probes: &[Vec<i8>]) {
    let per_block = coarse_lines(dimension);
    let block_lines = lines(per_block * blocks, &mut byte);
    let mut planes = |count: usize| -> Vec<_> {
        (0..LANES * count * plane_bytes(dimension)).map(|_| byte()).collect()
    };
    let (one, two, three) = (planes(1), planes(2), planes(3));
    let mut random = noise(dimension as u64);
    let mut fraction = || (random() % 1000) as f32 / 1000.0;
    let rows: Vec<_> = (0..blocks)
        .map(|_| Rows {
            scales: std::array::from_fn(|_| fraction()),
            residuals: std::array::from_fn(|_| fraction()),
        })
        .collect();
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
        let coarse = found.clone();
        for (found, probe) in found.iter_mut().zip(&wanted) {
            found.rows |= 0x8421;
            found.rows &=
                kernel.reaching(&found.sums, (&rows[0].scales, &rows[0].residuals), probe);
            found.rows |= 0x2140;
            let lengths = (&rows[0].scales, &rows[0].residuals);
            let sought = |offset| Sought { reach: Reach { offset, ..probe.reach }, ..*probe };
            kernel.closer(&one, lengths, &sought(31 * 77), found);
            found.rows |= 0x1248;
            kernel.closer(&three, lengths, &sought(255 * 77), found);
            found.rows |= 0x4182;
            found.sums = found.sums.map(|sum| sum / 32);
            kernel.closer(&two, lengths, &sought(31 * 77), found);
        }
        (coarse, found)
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
    let lengths = (&rows.scales, &rows.residuals);
    assert_eq!(Kernel(Set::Scalar).reaching(&found[0].sums, lengths, &higher), 1);
    // One plane of 16 bytes a row. Of row 3 value 13, of row 0 value 2; row 1 is not looked at.
    let mut bits = vec![0; LANES * 16];
    (bits[3 * 16 + 1], bits[0], bits[16]) = (1 << 5, 1 << 2, 0xff);
    let mut found = found[0];
    found.rows = 9;
    Kernel(Set::Scalar).closer(&bits, lengths, &wanted, &mut found);
    assert_eq!((found.sums[0], found.sums[3], found.sums[1]), (45, -95, 0));
    assert_eq!(found.rows, 1);
    // Three planes of 32 bytes a row. Of row 15: the first bit of value 5, the second of 64 and the third of 130; row 2
    // has none, and row 1 is not looked at.
    let mut bits = vec![0; LANES * 96];
    (bits[15 * 96], bits[15 * 96 + 32 + 8], bits[15 * 96 + 64 + 16]) = (1 << 5, 1, 1 << 2);
    bits[96] = 0xff;
    let mut probe = codes(131, || 0);
    (probe[5], probe[64], probe[130]) = (10, -1, 2);
    let wanted = Sought { codes: &probe, floor: 30.0, ..wanted };
    let mut found = Found { rows: 0x8004, likely: 0, sums: [3; LANES] };
    Kernel(Set::Scalar).closer(&bits, lengths, &wanted, &mut found);
    assert_eq!((found.sums[15], found.sums[2], found.sums[1]), (24 + 40 - 2 + 2, 24, 3));
    // 0.5 (2 * 64 - 10) + 2.25 = 61.25, and 21.25.
    assert_eq!((found.rows, found.lanes().collect::<Vec<_>>()), (0x8000, vec![15]));
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

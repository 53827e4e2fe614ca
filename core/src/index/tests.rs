//! The index against a plain scan with `f32` values: the same ids, the same bits.
#![allow(clippy::cast_possible_truncation, reason = "noise has no value to lose")]

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::chunk::{CHUNK_ROWS, Chunk};
use super::*;

pub(super) fn owner(subject: i64, template: usize) -> Owner {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(template as u64).to_be_bytes());
    Owner { subject, template: TemplateId::from_bytes(id) }
}

/// Numbers of the normal distribution: sums of twelve, of a linear congruential generator (Knuth, MMIX).
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn normal(&mut self) -> f32 {
        (0..12).map(|_| (self.next() % 10_000) as f32 / 10_000.0).sum::<f32>() - 6.0
    }

    pub(super) fn around(&mut self, middle: &[f32], spread: f32) -> Embedding {
        let values: Vec<_> = middle.iter().map(|it| it + spread * self.normal()).collect();
        Embedding::normalize(values).unwrap()
    }

    pub(super) fn anywhere(&mut self, dimension: usize) -> Embedding {
        self.around(&vec![0.0; dimension], 1.0)
    }
}

/// What the index must say, computed with nothing of its own but the scalar dot product.
pub(super) fn plain(
    rows: &[(Owner, Embedding)],
    probe: &Embedding,
    search: &Search<'_>,
    number: usize,
) -> Vec<(Owner, Similarity)> {
    let mut best: HashMap<i64, (Owner, Similarity)> = HashMap::new();
    let before = |a: &(Owner, Similarity), b: &(Owner, Similarity)| {
        let ids = |it: &(Owner, Similarity)| (it.0.subject, it.0.template);
        b.1.value().total_cmp(&a.1.value()).then(ids(a).cmp(&ids(b)))
    };
    for (owner, embedding) in rows {
        let scalar = Kernel::available()[0];
        let new = (*owner, Similarity::with(scalar, probe.as_slice(), embedding.as_slice()));
        let asked = search.among.is_none_or(|among| among.contains(&owner.subject));
        if asked && (search.allowed)(number, owner.subject) && new.1.value() >= search.at_least {
            let held = best.entry(owner.subject).or_insert(new);
            if before(&new, held).is_lt() {
                *held = new;
            }
        }
    }
    let mut best: Vec<_> = best.into_values().collect();
    best.sort_by(before);
    best.truncate(search.limit);
    best
}

fn filled(rows: &[(Owner, Embedding)], kernel: Kernel) -> Index {
    filled_with(rows, kernel, Memory::Full)
}

fn filled_with(rows: &[(Owner, Embedding)], kernel: Kernel, memory: Memory) -> Index {
    let mut index = Index::with_kernel(rows[0].1.dimension(), memory, kernel);
    for (owner, embedding) in rows {
        index.insert(*owner, embedding).unwrap();
    }
    index
}

/// What a lean index reads from.
fn file(rows: &[(Owner, Embedding)]) -> impl Fn(Owner) -> Result<Embedding> {
    let rows: HashMap<_, _> =
        rows.iter().map(|(owner, it)| (owner.template, (*owner, it.clone()))).collect();
    move |owner| {
        let (known, embedding) = &rows[&owner.template];
        assert_eq!(*known, owner);
        Ok(embedding.clone())
    }
}

/// In both kinds of memory, every kernel, one probe at a time and all at once, on one thread and on several.
fn check(rows: &[(Owner, Embedding)], probes: &[Embedding], search: &Search<'_>) {
    let expected: Vec<_> =
        probes.iter().enumerate().map(|(at, probe)| plain(rows, probe, search, at)).collect();
    let probes: Vec<_> = probes.iter().map(Embedding::as_slice).collect();
    let read = file(rows);
    for kernel in Kernel::available() {
        let index = filled(rows, kernel);
        let lean = filled_with(rows, kernel, Memory::Lean);
        for threads in [1, 3] {
            let search = Search { threads: NonZero::new(threads).unwrap(), ..*search };
            let found = index.search(&probes, &search).unwrap();
            assert_eq!(found, expected, "{kernel:?}, {threads} threads");
            let found = lean.search_by(&probes, &search, &read).unwrap();
            assert_eq!(found, expected, "lean, {kernel:?}, {threads} threads");
        }
        for (at, probe) in probes.iter().enumerate() {
            let allowed = |_, subject| (search.allowed)(at, subject);
            let search = Search { allowed: &allowed, ..*search };
            assert_eq!(index.search(&[probe], &search).unwrap()[0], expected[at], "{kernel:?}");
            let found = lean.search_by(&[probe], &search, &read).unwrap();
            assert_eq!(found[0], expected[at], "lean, {kernel:?}");
        }
    }
}

fn searches(check: impl Fn(&Search<'_>)) {
    check(&Search::top(10));
    check(&Search::top(1));
    check(&Search { at_least: 0.3, ..Search::top(10) });
    check(&Search { at_least: -0.01, ..Search::top(300) });
    check(&Search { at_least: 0.1, ..Search::top(usize::MAX) });
    check(&Search { allowed: &|at, subject| subject % 7 != at as i64 % 7, ..Search::top(5) });
    let half: Vec<_> = (0..2000).step_by(2).collect();
    check(&Search { among: Some(&half), ..Search::top(10) });
    check(&Search { among: Some(&[3, 4, 77_777]), at_least: 0.0, ..Search::top(10) });
}

#[test]
fn isotropic() {
    for dimension in [512, 128, 200] {
        let mut noise = Noise(1);
        let row =
            |at: usize, noise: &mut Noise| (owner(at as i64 % 1500, at), noise.anywhere(dimension));
        let rows: Vec<_> = (0..2500).map(|at| row(at, &mut noise)).collect();
        let mut probes: Vec<_> = (0..6).map(|_| noise.anywhere(dimension)).collect();
        probes.extend((0..6).map(|at| noise.around(rows[at * 31].1.as_slice(), 0.06)));
        searches(|search| check(&rows, &probes, search));
    }
}

/// More rows than are scored before any is looked at closely, the most similar first and last.
#[test]
fn several_tiles() {
    let mut noise = Noise(11);
    let probes: Vec<_> = (0..3).map(|_| noise.anywhere(24)).collect();
    let mut rows: Vec<_> =
        (0..36_000).map(|at| (owner(at as i64, at), noise.anywhere(24))).collect();
    for (at, probe) in probes.iter().enumerate() {
        for row in [at, 16_384 + at, 35_990 + at] {
            rows[row].1 = noise.around(probe.as_slice(), 0.1);
        }
    }
    check(&rows, &probes, &Search::top(10));
    check(&rows, &probes, &Search { at_least: 0.8, ..Search::top(1000) });
}

/// Thousands of scores within the codes' error of one another.
#[test]
fn clustered() {
    let mut noise = Noise(2);
    let middle = noise.anywhere(512);
    let row = |at: usize, noise: &mut Noise| {
        (owner(at as i64, at), noise.around(middle.as_slice(), 1e-3))
    };
    let rows: Vec<_> = (0..2200).map(|at| row(at, &mut noise)).collect();
    let probes: Vec<_> = (0..5).map(|_| noise.around(middle.as_slice(), 0.01)).collect();
    searches(|search| check(&rows, &probes, search));
}

/// Many equal scores: one vector many times, and vectors of few values. The order of equals is that of ids.
#[test]
fn ties() {
    let mut noise = Noise(3);
    let rows: Vec<_> = (0..1400)
        .map(|at: usize| {
            let values: Vec<_> = (0..64).map(|_| [-1.0, 1.0][noise.next() as usize % 2]).collect();
            let values = if at.is_multiple_of(3) { vec![1.0; 64] } else { values };
            (owner((at as i64 * 37) % 600, at), Embedding::normalize(values).unwrap())
        })
        .collect();
    let probes: Vec<_> = rows.iter().take(4).map(|(_, embedding)| embedding.clone()).collect();
    searches(|search| check(&rows, &probes, search));
    let equal =
        filled(&rows, Kernel::best()).search(&[probes[0].as_slice()], &Search::top(50)).unwrap();
    assert!(equal[0].iter().is_sorted_by_key(|(owner, _)| owner.subject), "equals by number");
}

/// What codes are bad at: one large value among none, opposite vectors, one value, the smallest floats.
#[test]
fn lopsided() {
    for dimension in [1, 2, 7, 8, 9, 64, 513] {
        let mut rows = Vec::new();
        for at in 0..dimension.min(100) {
            for (sign, rest) in [(1.0, 0.0), (-1.0, 0.0), (1.0, 1e-4), (1.0, -1e-40)] {
                let mut values = vec![rest; dimension];
                values[at] = sign;
                let embedding = Embedding::normalize(values).unwrap();
                rows.push((owner(rows.len() as i64 / 2, rows.len()), embedding));
            }
        }
        let mut noise = Noise(4);
        let mut probes = vec![rows[0].1.clone(), rows[1].1.clone(), noise.anywhere(dimension)];
        probes.push(Embedding::normalize(vec![1.0; dimension]).unwrap());
        searches(|search| check(&rows, &probes, search));
    }
}

#[test]
fn nobody_is_found_with_no_limit_or_no_number() {
    let mut noise = Noise(5);
    let rows = vec![(owner(1, 1), noise.anywhere(8))];
    let probe = rows[0].1.clone();
    let one = std::slice::from_ref(&probe);
    check(&rows, one, &Search::top(0));
    check(&rows, one, &Search { at_least: 1.5, ..Search::top(3) });
    check(&rows, one, &Search { among: Some(&[]), ..Search::top(3) });
    check(&rows, one, &Search { at_least: f32::NAN, ..Search::top(3) });
    check(&rows, one, &Search { at_least: f32::NEG_INFINITY, ..Search::top(3) });
    assert!(filled(&rows, Kernel::best()).search(&[], &Search::top(3)).unwrap().is_empty());
    assert!(Index::new(8).search(&[probe.as_slice()], &Search::top(3)).unwrap()[0].is_empty());
}

#[test]
fn what_is_removed_is_gone_and_wiped() {
    let mut noise = Noise(6);
    let rows: Vec<_> = (0..2600).map(|at| (owner(at as i64 / 3, at), noise.anywhere(20))).collect();
    let mut indexes = [Memory::Full, Memory::Lean].map(|it| filled_with(&rows, Kernel::best(), it));
    for (owner, _) in rows.iter().filter(|(owner, _)| owner.subject % 8 != 1) {
        for index in &mut indexes {
            index.remove(&owner.template);
            index.remove(&owner.template);
        }
    }
    let left: Vec<_> = rows.into_iter().filter(|(owner, _)| owner.subject % 8 == 1).collect();
    let probe = noise.anywhere(20);
    let everybody = Search::top(usize::MAX);
    for index in indexes {
        let found = index.search_by(&[probe.as_slice()], &everybody, &file(&left)).unwrap();
        assert_eq!(found[0], plain(&left, &probe, &everybody, 0));
        assert!(index.vectors.is_wiped_behind(left.len()));
    }
}

/// A row that moves is what it would be had it been written there.
#[test]
fn rows_move_bit_by_bit() {
    let mut noise = Noise(9);
    for (memory, dimension) in
        [(Memory::Full, 512), (Memory::Lean, 512), (Memory::Full, 37), (Memory::Lean, 130)]
    {
        let (mut one, mut other) = (Chunk::new(dimension, memory), Chunk::new(dimension, memory));
        let vectors: Vec<_> = (0..40).map(|_| noise.anywhere(dimension)).collect();
        for (row, vector) in vectors.iter().enumerate() {
            one.put(row, vector.as_slice());
            other.put(row, vectors[39 - row].as_slice());
        }
        for row in 0..40 {
            assert!(one.copy(row) == other.copy(39 - row));
            assert!(one.copy(row) != other.copy(row));
        }
        for row in 0..40 {
            other.paste(row, &one.copy(row));
        }
        assert!((0..40).all(|row| one.copy(row) == other.copy(row)));
        (0..40).for_each(|_| other.pop());
        assert!(other.is_wiped_behind(0));
    }
}

/// What is held is what [`Memory`] says, but for a line of each part of a chunk, by which it is aligned.
#[test]
fn memory_is_as_stated() {
    for dimension in [128, 200, 512] {
        for memory in [Memory::Full, Memory::Lean] {
            let mut vectors = Vectors::new(dimension, Kernel::best(), memory);
            let row = vec![(dimension as f32).sqrt().recip(); dimension];
            (0..2 * CHUNK_ROWS).for_each(|_| vectors.push(&row));
            let stated = 2 * CHUNK_ROWS * memory.bytes_per_template(dimension);
            assert_eq!(vectors.bytes(), stated + 2 * 3 * 64, "{memory:?} {dimension}");
        }
    }
    assert_eq!(Memory::Full.bytes_per_template(128), 656);
    assert_eq!(Memory::Lean.bytes_per_template(128), 144);
    assert_eq!(Memory::Full.bytes_per_template(256), 1_296);
    assert_eq!(Memory::Lean.bytes_per_template(256), 272);
}

/// A lean index reads the rows that its bounds leave open, and no others; and an error of the file is its error.
#[test]
fn few_rows_are_read() {
    let mut noise = Noise(10);
    let rows: Vec<_> = (0..5000).map(|at| (owner(at as i64, at), noise.anywhere(512))).collect();
    let index = filled_with(&rows, Kernel::best(), Memory::Lean);
    let (file, read) = (file(&rows), std::cell::Cell::new(0));
    let counted = |owner| {
        read.set(read.get() + 1);
        file(owner)
    };
    let reads = |probe: &Embedding, search: &Search<'_>| {
        read.set(0);
        let found = index.search_by(&[probe.as_slice()], search, &counted).unwrap();
        assert_eq!(found[0], plain(&rows, probe, search, 0));
        read.get()
    };
    let (stranger, known) = (noise.anywhere(512), noise.around(rows[7].1.as_slice(), 0.02));
    assert_eq!(reads(&known, &Search { at_least: 0.4, ..Search::top(1) }), 1);
    assert_eq!(reads(&known, &Search::top(1)), 1);
    assert_eq!(reads(&stranger, &Search { at_least: 0.4, ..Search::top(10) }), 0);
    assert!((10..60).contains(&reads(&stranger, &Search::top(10))));
    assert_eq!(reads(&stranger, &Search { among: Some(&[3, 4]), ..Search::top(10) }), 2);
    assert_eq!(reads(&stranger, &Search::top(5000)), 5000);

    let refuse = |_| Err(Error::new(ErrorKind::Integrity, "tampered"));
    let error = index.search_by(&[known.as_slice()], &Search::top(1), &refuse).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    let short = |_| Ok(Noise(1).anywhere(511));
    let error = index.search_by(&[known.as_slice()], &Search::top(1), &short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
    let error = index.search(&[known.as_slice()], &Search::top(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn dimensions_do_not_mix() {
    let mut noise = Noise(7);
    let mut index = Index::new(2);
    let error = index.insert(owner(1, 1), &noise.anywhere(3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
    assert!(index.search(&[noise.anywhere(3).as_slice()], &Search::top(1)).is_err());
    let long = Embedding::normalize(vec![1.0; MAX_DIMENSION + 1]).unwrap();
    let error = Index::new(MAX_DIMENSION + 1).insert(owner(1, 1), &long).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    index.insert(owner(1, 1), &noise.anywhere(2)).unwrap();
    let error = index.insert(owner(2, 1), &noise.anywhere(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

proptest! {
    /// Any order of adding and removing leaves what a list would hold.
    #[test]
    fn adding_and_removing(steps in prop::collection::vec((0..40_usize, 0..6_i64, any::<bool>()), 1..200)) {
        let mut noise = Noise(8);
        let mut index = Index::new(5);
        let mut lean = Index::with_memory(5, Memory::Lean);
        let mut rows: Vec<(Owner, Embedding)> = Vec::new();
        for (template, subject, add) in steps {
            let new = owner(subject, template);
            let at = rows.iter().position(|(owner, _)| owner.template == new.template);
            match (add, at) {
                (true, None) => {
                    rows.push((new, noise.anywhere(5)));
                    index.insert(new, &rows[rows.len() - 1].1).unwrap();
                    lean.insert(new, &rows[rows.len() - 1].1).unwrap();
                }
                (true, Some(_)) => prop_assert!(index.insert(new, &noise.anywhere(5)).is_err()),
                (false, at) => {
                    at.map(|at| rows.swap_remove(at));
                    index.remove(&new.template);
                    lean.remove(&new.template);
                }
            }
            let numbers: HashSet<_> = rows.iter().map(|(owner, _)| owner.subject).collect();
            let probe = noise.anywhere(5);
            for among in [None, Some(&[1, 2, 4][..])] {
                let search = Search { among, ..Search::top(4) };
                let expected = plain(&rows, &probe, &search, 0);
                prop_assert_eq!(&index.search(&[probe.as_slice()], &search).unwrap()[0], &expected);
                let found = lean.search_by(&[probe.as_slice()], &search, &file(&rows)).unwrap();
                prop_assert_eq!(&found[0], &expected);
            }
            prop_assert!(index.people.subjects_known() == numbers.len());
        }
    }

    /// The bounds hold: no row scores more than its codes allow, coarse or fine, and none less.
    #[test]
    fn bounds_hold(
        row in prop::collection::vec(-1.0_f32..1.0, 1..600),
        other in prop::collection::vec(-1.0_f32..1.0, 600),
        mix in 0.0_f32..1.0,
        power in 0_i32..6,
    ) {
        prop_assume!(row.iter().any(|it| it.abs() > 0.01));
        // Powers make some values large and most small.
        let spiky = row.iter().map(|it| it.signum() * it.abs().powi(power + 1));
        let spiky: Vec<_> = spiky.collect();
        prop_assume!(spiky.iter().any(|it| it.abs() > 1e-6));
        let near: Vec<_> = spiky.iter().zip(&other).map(|(a, b)| a + mix * b).collect();
        let (Ok(row), Ok(probe)) = (Embedding::normalize(spiky), Embedding::normalize(near)) else {
            return Ok(());
        };
        for (row, probe) in [(&row, &probe), (&probe, &row), (&row, &row)] {
            let index = filled(&[(owner(1, 1), row.clone())], Kernel::best());
            let exact = Similarity::between(row.as_slice(), probe.as_slice()).value();
            let most = index.vectors.most(0, probe.as_slice(), exact);
            let (high, left) = most.unwrap();
            prop_assert!(high >= exact && left.most >= exact, "{high} {left:?} {exact}");
            prop_assert!(left.least <= exact, "{left:?} {exact}");
            // And they are worth something.
            prop_assert!(left.most <= exact + 0.2 && left.least >= exact - 0.2, "{left:?} {exact}");
            prop_assert!(index.vectors.most(0, probe.as_slice(), exact + 0.2).is_none());
        }
    }
}

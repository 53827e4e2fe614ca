//! Answers of the index beside those of a plain scan, bit by bit.
//!
//! `exactness ROWS… [--probes N] [--faces FILE]`: for galleries of so many rows, isotropic, clustered and (with a
//! file of raw `f32` templates of 512 values) drawn around real faces, the best ten subjects of N hard
//! probes. Prints the mismatches and ends with 1 when there are any.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program of measurements")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use faceprint::Embedding;
use faceprint::bench::{Asked, Matcher};
use faceprint_benches::vectors::{Noise, read, unit};

const DIMENSION: usize = 512;
const LIMIT: usize = 10;

/// Subject and bits of the similarity.
type Answer = Vec<(i64, u32)>;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut sizes, mut probes, mut faces) = (Vec::new(), 1000, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--probes" => probes = args.next().unwrap().parse().unwrap(),
            "--faces" => faces = args.next().map(PathBuf::from),
            rows => sizes.push(rows.parse::<usize>().unwrap()),
        }
    }
    let faces = faces.map(|path| read(&path, DIMENSION)).unwrap_or_default();
    let mut mismatches = 0;
    for rows in sizes {
        for kind in ["isotropic", "clustered", "faces"] {
            if kind != "faces" || !faces.is_empty() {
                mismatches += compare(kind, rows, probes, &faces);
            }
        }
    }
    println!("{mismatches} mismatches in all");
    if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compare(kind: &str, rows: usize, count: usize, faces: &[Embedding]) -> usize {
    let mut noise = Noise(rows as u64);
    let vectors = gallery(kind, rows, faces, &mut noise);
    let probes: Vec<_> = (0..count).map(|at| hard(at, &vectors, &mut noise)).collect();
    let expected = plain(&vectors, &probes);
    let (mut kernels, mut wrong) = (String::new(), 0);
    // Without vector instructions a large gallery takes minutes and shows nothing new.
    let available = Matcher::kernels().into_iter().enumerate();
    for (at, kernel) in available.filter(|(at, _)| *at > 0 || rows <= 10_000) {
        let mut matcher = Matcher::new(DIMENSION, Some(at));
        for (row, vector) in vectors.iter().enumerate() {
            matcher.insert(subject(row, rows), vector).unwrap();
        }
        let all: Vec<_> = probes.iter().collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let asked = Asked { limit: LIMIT, at_least: -1.0, among: None, threads };
        let started = Instant::now();
        let batches = matcher.search(&all, asked).unwrap();
        let seconds = started.elapsed().as_secs_f64();
        // Singly as well, a part of them where that takes long.
        let part = if rows * count > 100_000_000 { count / 10 } else { count };
        let single = |probe| matcher.search(&[probe], asked).unwrap().remove(0);
        let singles: Vec<_> = all[..part].iter().map(|probe| single(*probe)).collect();
        for found in [batches, singles] {
            let bits = |best: Vec<(i64, faceprint::Similarity)>| -> Answer {
                best.iter().map(|(subject, it)| (*subject, it.value().to_bits())).collect()
            };
            wrong += found.into_iter().map(bits).zip(&expected).filter(|(a, b)| a != *b).count();
        }
        kernels += &format!(", {kernel} {seconds:.2} s");
    }
    println!("{kind}, {rows} rows, {count} probes: {wrong} mismatches{kernels}");
    wrong
}

/// Some subjects have two templates.
fn subject(row: usize, rows: usize) -> i64 {
    (row % (rows * 3 / 4)) as i64
}

fn gallery(kind: &str, rows: usize, faces: &[Embedding], noise: &mut Noise) -> Vec<Embedding> {
    let middles: Vec<_> = (0..20).map(|_| noise.anywhere(DIMENSION)).collect();
    (0..rows)
        .map(|row| match kind {
            // Within a cluster, thousands of scores lie closer together than codes can tell.
            "clustered" => noise.near(&middles[row % middles.len()], 0.98),
            "faces" if row < faces.len() => faces[row].clone(),
            "faces" => noise.near(&faces[row % faces.len()], 0.8),
            _ => noise.anywhere(DIMENSION),
        })
        .collect()
}

/// A probe that is barely mated, of nobody, between two people, or of the gallery itself.
fn hard(at: usize, vectors: &[Embedding], noise: &mut Noise) -> Embedding {
    let one = vectors[noise.below(vectors.len())].clone();
    let other = &vectors[noise.below(vectors.len())];
    match at % 4 {
        0 => noise.near(&one, 0.45),
        1 => noise.anywhere(DIMENSION),
        2 => {
            let pairs = one.as_slice().iter().zip(other.as_slice());
            unit(pairs.map(|(a, b)| a + b).collect())
        }
        _ => one,
    }
}

/// The plain scan: eight running sums in order, and nothing else that the library has.
fn plain(vectors: &[Embedding], probes: &[Embedding]) -> Vec<Answer> {
    let half = probes.len().div_ceil(2);
    let part = |probes: &[Embedding]| {
        let mut best: Vec<Vec<(f32, i64)>> = vec![Vec::new(); probes.len()];
        for (row, vector) in vectors.iter().enumerate() {
            for (probe, best) in probes.iter().zip(&mut best) {
                let score = dot(probe.as_slice(), vector.as_slice()).clamp(-1.0, 1.0);
                // A subject has two templates at most.
                if best.len() < 2 * LIMIT || score >= best[2 * LIMIT - 1].0 {
                    let place = best.partition_point(|it| it.0 >= score);
                    best.insert(place, (score, subject(row, vectors.len())));
                    best.truncate(4 * LIMIT);
                }
            }
        }
        best.into_iter().map(subjects).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            probes.chunks(half).map(|probes| scope.spawn(move || part(probes))).collect();
        parts.into_iter().flat_map(|it| it.join().unwrap()).collect()
    })
}

/// The best of each subject; of equals the lower number first.
fn subjects(mut rows: Vec<(f32, i64)>) -> Answer {
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut best: Answer = Vec::new();
    for (score, subject) in rows {
        if best.iter().all(|(other, _)| *other != subject) {
            best.push((subject, score.to_bits()));
        }
    }
    best.truncate(LIMIT);
    best
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 32];
    for (a, b) in a.as_chunks::<32>().0.iter().zip(b.as_chunks::<32>().0) {
        for lane in 0..32 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let [first, second, third, fourth] =
        [0, 8, 16, 24].map(|at| std::array::from_fn::<_, 8, _>(|lane| sums[at + lane]));
    (0..8).map(|lane| (first[lane] + second[lane]) + (third[lane] + fourth[lane])).sum()
}

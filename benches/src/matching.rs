//! The measured side of `benches/compare/matching.py`: one gallery, and answers to lines on standard input.
//!
//! `matching VECTORS PROBES DIMENSION [KERNEL]` reads two files of raw `f32`, one subject a row, and then takes
//! `single LIMIT AT_LEAST THREADS`, `batch LIMIT AT_LEAST THREADS`, `roster PEOPLE LIMIT` (probes one by one) and
//! `answers LIMIT`. Each answer is a line of JSON: milliseconds of each call, or subjects with their similarity.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program of measurements")]

use std::io::stdin;
use std::path::Path;
use std::time::Instant;

use cpu_time::ThreadTime;
use faceprint::Embedding;
use faceprint::bench::{Asked, Matcher};
use faceprint_benches::vectors::read;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dimension = args[2].parse().unwrap();
    let kernel = args.get(3).map(|it| it.parse().unwrap());
    let mut matcher = Matcher::new(dimension, kernel);
    let vectors = read(Path::new(&args[0]), dimension);
    let started = Instant::now();
    for (subject, vector) in (0..).zip(&vectors) {
        matcher.insert(subject, vector).unwrap();
    }
    let rows = vectors.len();
    drop(vectors);
    let kernels = Matcher::kernels();
    let kernel = &kernels[kernel.unwrap_or(kernels.len() - 1)];
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "rows": rows, "seconds": seconds, "kernel": kernel }));
    let probes = read(Path::new(&args[1]), dimension);
    for line in stdin().lines() {
        println!("{}", answer(&matcher, rows, &probes, &line.unwrap()));
    }
}

fn answer(matcher: &Matcher, rows: usize, probes: &[Embedding], line: &str) -> serde_json::Value {
    let words: Vec<_> = line.split_whitespace().collect();
    let all: Vec<_> = probes.iter().collect();
    let number = |at: usize| words[at].parse::<usize>().unwrap();
    let plain = Asked { limit: number(1), at_least: -1.0, among: None, threads: 1 };
    let cpu = std::env::var("FACEPRINT_CLOCK").is_ok_and(|clock| clock == "cpu");
    let timed = |probes: &[&Embedding], asked: Asked<'_>| {
        // On a busy machine the time on the core says more than the clock on the wall, for one thread.
        let (started, on_core) = (Instant::now(), ThreadTime::now());
        std::hint::black_box(matcher.search(probes, asked).unwrap());
        let time = if cpu { on_core.elapsed() } else { started.elapsed() };
        1e3 * time.as_secs_f64()
    };
    match words[0] {
        "single" | "batch" => {
            let asked = Asked { at_least: words[2].parse().unwrap(), threads: number(3), ..plain };
            let each = if words[0] == "single" { 1 } else { all.len() };
            all.chunks(each).map(|probes| timed(probes, asked)).collect()
        }
        "roster" => {
            let people: Vec<_> =
                (0..number(1)).map(|at| (at * (rows / number(1))) as i64).collect();
            let asked = Asked { limit: number(2), among: Some(&people), ..plain };
            all.chunks(1).map(|probes| timed(probes, asked)).collect()
        }
        "answers" => {
            let found = matcher.search(&all, plain).unwrap();
            let pairs = |best: &Vec<(i64, faceprint::Similarity)>| -> serde_json::Value {
                best.iter().map(|(subject, it)| serde_json::json!([subject, it.value()])).collect()
            };
            found.iter().map(pairs).collect()
        }
        other => panic!("no command {other}"),
    }
}

//! The measured side of `benches/compare/hnsw.py`: one graph of this library's, asked with growing breadth.
//!
//! `graphs VECTORS PROBES BEST DIMENSION LINKS CANDIDATES THREADS BREADTH…` reads raw `f32` rows and, of each probe, the
//! number of its best row (`i64`). It builds, says so in a line of JSON, waits for a line, and prints recall and
//! milliseconds a probe for each breadth, and at the end of the exact scan.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program of measurements")]

use std::io::stdin;
use std::path::Path;
use std::time::Instant;

use faceprint::Embedding;
use faceprint::bench::graph::Graph;
use faceprint::bench::{Asked, Matcher};
use faceprint_benches::vectors::read;
use serde_json::json;

/// Runs over all probes; the fastest counts.
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = args[3..].iter().map(|it| it.parse().unwrap()).collect();
    let &[dimension, links, candidates, threads, ref breadths @ ..] = &numbers[..] else {
        panic!("too few numbers");
    };
    let vectors = read(Path::new(&args[0]), dimension);
    let probes = read(Path::new(&args[1]), dimension);
    let best = std::fs::read(&args[2]).unwrap();
    let best: Vec<i64> = best.as_chunks().0.iter().map(|it| i64::from_le_bytes(*it)).collect();

    let before = resident();
    let started = Instant::now();
    let graph = Graph::build(&vectors, links, candidates, threads).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "mib": resident() - before }));
    let mut matcher = Matcher::new(dimension, None);
    for (subject, vector) in (0..).zip(&vectors) {
        matcher.insert(subject, vector).unwrap();
    }
    stdin().read_line(&mut String::new()).unwrap();

    let exact = Asked { limit: 1, at_least: -1.0, among: None, threads: 1 };
    let (_, ms) = timed(&probes, &best, |probe| matcher.search(&[probe], exact).unwrap()[0][0].0);
    let first = |rows: Vec<usize>| i64::try_from(rows[0]).unwrap();
    for &breadth in breadths {
        let nearest = |probe: &Embedding| first(graph.nearest(probe, breadth).unwrap());
        let (recall, ms) = timed(&probes, &best, nearest);
        println!("{}", json!({ "ef": breadth, "recall": recall, "ms": ms }));
    }
    println!("{}", json!({ "exact_ms": ms }));
}

/// The share of probes whose best row is found, and the milliseconds one takes.
fn timed(probes: &[Embedding], best: &[i64], search: impl Fn(&Embedding) -> i64) -> (f64, f64) {
    let mut least = f64::INFINITY;
    let mut right = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        right = probes.iter().zip(best).filter(|(probe, best)| search(probe) == **best).count();
        least = least.min(started.elapsed().as_secs_f64());
    }
    let count = probes.len() as f64;
    (right as f64 / count, 1e3 * least / count)
}

/// MiB of memory in use, where the system says.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or(0.0, |kib| kib / 1024.0)
}

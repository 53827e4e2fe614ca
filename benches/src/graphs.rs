//! The measured side of `benches/compare/hnsw.py`: the exact scan, or one graph of this library's.
//!
//! `graphs VECTORS PROBES BEST DIMENSION scan` reads raw `f32` rows and, of each probe, the number of its best row (`i64`).
//! It fills an index, says so in a line of JSON, waits for a line, and prints recall and milliseconds a probe of the exact
//! scan, and the time of looking at one row alone, as is done with those that came after a graph was built.
//! `… graph LINKS CANDIDATES THREADS BREADTH…` builds a graph, and prints the same for each breadth. Times are those on the
//! core.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program of measurements")]

use std::collections::HashMap;
use std::io::stdin;
use std::path::Path;

use cpu_time::{ProcessTime, ThreadTime};
use faceprint::Embedding;
use faceprint::bench::graph::{Graph, similarity};
use faceprint::bench::{Asked, Matcher};
use faceprint_benches::vectors::read;
use serde_json::json;

/// Probes that are timed in one go; the fastest go counts.
const BLOCK: usize = 100;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dimension = args[3].parse().unwrap();
    let vectors = read(Path::new(&args[0]), dimension);
    let probes = read(Path::new(&args[1]), dimension);
    let best = std::fs::read(&args[2]).unwrap();
    let best: Vec<i64> = best.as_chunks().0.iter().map(|it| i64::from_le_bytes(*it)).collect();
    match &args[4][..] {
        "scan" => scan(&vectors, &probes, &best),
        "graph" => {
            let numbers: Vec<usize> = args[5..].iter().map(|it| it.parse().unwrap()).collect();
            graph(&vectors, &probes, &best, &numbers);
        }
        other => panic!("neither scan nor graph: {other}"),
    }
}

fn scan(vectors: &[Embedding], probes: &[Embedding], best: &[i64]) {
    let matcher = built(|| {
        let mut matcher = Matcher::new(vectors[0].as_slice().len(), None);
        for (subject, vector) in (0..).zip(vectors) {
            matcher.insert(subject, vector).unwrap();
        }
        matcher
    });
    let exact = Asked { limit: 1, at_least: -1.0, among: None, threads: 1 };
    let nearest = |probe: &Embedding| matcher.search(&[probe], exact).unwrap()[0][0].0;
    let (recall, ms) = timed(probes, best, nearest);
    println!("{}", json!({ "recall": recall, "ms": ms, "alone_us": alone(vectors, probes) }));
}

fn graph(vectors: &[Embedding], probes: &[Embedding], best: &[i64], numbers: &[usize]) {
    let &[links, candidates, threads, ref breadths @ ..] = numbers else {
        panic!("too few numbers");
    };
    let graph = built(|| Graph::build(vectors, links, candidates, threads).unwrap());
    for &breadth in breadths {
        let first = |rows: Vec<usize>| i64::try_from(rows[0]).unwrap();
        let nearest = |probe: &Embedding| first(graph.nearest(probe, breadth).unwrap());
        let (recall, ms) = timed(probes, best, nearest);
        println!("{}", json!({ "ef": breadth, "recall": recall, "ms": ms }));
    }
}

/// What `build` makes, once somebody asks for it.
fn built<T>(build: impl FnOnce() -> T) -> T {
    let before = resident();
    let started = ProcessTime::now();
    let made = build();
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "mib": resident() - before }));
    stdin().read_line(&mut String::new()).unwrap();
    made
}

/// The share of probes whose best row is found, and the milliseconds one takes.
fn timed(probes: &[Embedding], best: &[i64], search: impl Fn(&Embedding) -> i64) -> (f64, f64) {
    let mut least = f64::INFINITY;
    let mut right = 0;
    for (probes, best) in probes.chunks(BLOCK).zip(best.chunks(BLOCK)) {
        let started = ThreadTime::now();
        right += probes.iter().zip(best).filter(|(probe, best)| search(probe) == **best).count();
        least = least.min(started.elapsed().as_secs_f64() / probes.len() as f64);
    }
    (right as f64 / probes.len() as f64, 1e3 * least)
}

/// Microseconds of finding one row by its name, and its similarity: rows in no order, one in sixty-four a probe.
fn alone(vectors: &[Embedding], probes: &[Embedding]) -> f64 {
    let names: HashMap<u128, usize> = (0..).zip(0..vectors.len()).collect();
    let mut order: Vec<_> = names.keys().copied().collect();
    order.truncate(vectors.len() / 64 * 64);
    let pending = order.len() / 64;
    let best = |probe: &Embedding, pending: &[u128]| {
        let row = |name| similarity(probe, &vectors[names[name]]).value();
        pending.iter().map(row).fold(f32::NEG_INFINITY, f32::max)
    };
    let mut least = f64::INFINITY;
    for (probe, pending) in probes.iter().zip(order.chunks(pending).cycle()) {
        let started = ThreadTime::now();
        std::hint::black_box(best(probe, pending));
        least = least.min(started.elapsed().as_secs_f64());
    }
    1e6 * least / pending as f64
}

/// MiB of memory in use, where the system says.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or(0.0, |kib| kib / 1024.0)
}

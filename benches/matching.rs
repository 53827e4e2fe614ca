//! Searching alone: one probe, batches, rosters, and thresholds.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use faceprint::Embedding;
use faceprint::bench::{Asked, Matcher};
use faceprint_benches::vectors::Noise;

const DIMENSION: usize = 512;

fn matching(c: &mut Criterion) {
    let test = std::env::args().any(|arg| arg == "--test");
    let sizes: &[usize] = if test { &[1000] } else { &[50, 1000, 10_000, 100_000] };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for &rows in sizes {
        let mut noise = Noise(1);
        let mut matcher = Matcher::new(DIMENSION, None);
        let mut probes: Vec<Embedding> = Vec::new();
        for row in 0..rows {
            let vector = noise.anywhere(DIMENSION);
            matcher.insert(row as i64, &vector).unwrap_or_else(|error| panic!("{error}"));
            if probes.len() < 64 {
                probes.push(noise.near(&vector, 0.6));
            }
        }
        let all: Vec<_> = probes.iter().collect();
        let roster: Vec<_> = (0..50).map(|at| at * (rows / 50) as i64).collect();
        let best = Asked { limit: 10, at_least: -1.0, among: None, threads: 1 };
        let cases = [
            ("best ten", 1, best),
            ("at least 0.3", 1, Asked { at_least: 0.3, ..best }),
            ("roster of 50", 1, Asked { among: Some(&roster), ..best }),
            ("best ten, all cores", 1, Asked { threads: cores, ..best }),
            ("64 probes", 64, best),
        ];
        let mut group = c.benchmark_group("match");
        for (name, count, asked) in cases {
            group.bench_function(BenchmarkId::new(name, rows), |b| {
                let mut groups = all.chunks(count.min(all.len())).cycle();
                b.iter(|| groups.next().map(|probes| matcher.search(probes, asked)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, matching);
criterion_main!(benches);

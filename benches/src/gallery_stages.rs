//! The gallery's side of `compare/gallery.py`: does one thing in a process of its own, and answers with a
//! line of JSON.
//!
//! | arguments | answer |
//! |---|---|
//! | `cipher` | bytes per second that the cipher alone opens |
//! | `enroll PATH N` | seconds of each of N enrolments into a new gallery, each with its check for duplicates, durable |
//! | `fill PATH N` | seconds of `enroll_all` without that check, 100,000 a call, into a new gallery |
//! | `open PATH` | seconds to open it, of the first `identify`, which loads everybody, and of the next; templates |
//! | `search PATH full`, `… lean` | seconds of a probe of somebody known and of a stranger, by `Memory`; resident bytes |
//!
//! Answers also have the bytes of the file and the most memory the process had. `enroll` waits for the disk and goes by
//! the wall; the others by `FACEPRINT_CLOCK`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "what it is for")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use faceprint::gallery::Memory;
use faceprint::vector::{Embedding, Template};
use faceprint::{Gallery, Query};
use faceprint_benches::clock::Stopwatch;
use faceprint_benches::people::{
    TEMPLATE_BYTES, access, cipher_seconds, person, space, template, tenant,
};
use serde_json::{Value, json};

/// Templates in one commit.
const BATCH: u64 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["cipher"] => cipher(),
        ["enroll", path, count] => enroll(Path::new(path), count.parse()?)?,
        ["fill", path, count] => fill(Path::new(path), count.parse()?)?,
        ["open", path] => open(Path::new(path))?,
        ["search", path, "full"] => search(Path::new(path), Memory::Full)?,
        ["search", path, "lean"] => search(Path::new(path), Memory::Lean)?,
        _ => return Err("expected cipher, enroll, fill, open or search, as the source says".into()),
    };
    println!("{answer}");
    Ok(())
}

fn cipher() -> Value {
    const COUNT: usize = 200_000;
    let seconds = (0..5).map(|_| cipher_seconds(COUNT)).fold(f64::INFINITY, f64::min);
    json!({ "bytes_per_second": (COUNT * TEMPLATE_BYTES) as f64 / seconds })
}

fn enroll(path: &Path, count: u64) -> Result<Value, Box<dyn Error>> {
    let gallery = Gallery::create(path, &access(), space())?;
    let tenant = tenant(&gallery, true)?;
    let mut seconds = Vec::new();
    for number in 0..count {
        let (subject, template) = person(number)?;
        let start = Instant::now();
        tenant.enroll(&subject, &template)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(json!({ "seconds": seconds, "peak_bytes": peak_bytes()? }))
}

fn fill(path: &Path, count: u64) -> Result<Value, Box<dyn Error>> {
    let gallery = Gallery::create(path, &access(), space())?;
    let tenant = tenant(&gallery, false)?;
    let mut seconds = Vec::new();
    for first in (0..count).step_by(usize::try_from(BATCH)?) {
        let people: Vec<_> =
            (first..count.min(first + BATCH)).map(person).collect::<Result<_, _>>()?;
        let start = Stopwatch::start();
        tenant.enroll_all(&people, |_, _| {})?;
        seconds.push(start.seconds());
    }
    let peak = peak_bytes()?;
    drop((tenant, gallery));
    let bytes = fs::metadata(path)?.len();
    Ok(json!({ "seconds": seconds, "file_bytes": bytes, "peak_bytes": peak }))
}

fn open(path: &Path) -> Result<Value, Box<dyn Error>> {
    let start = Stopwatch::start();
    let gallery = Gallery::open_read_only(path, &access())?;
    let opened = start.seconds();
    let tenant = tenant(&gallery, false)?;
    let (probe, query) = (template(5)?, Query::top(1));
    let start = Stopwatch::start();
    let hits = tenant.identify(&probe, &query)?;
    let first = start.seconds();
    if hits.first().map(|hit| hit.subject.as_str()) != Some("person 0000005") {
        return Err("the probe was not identified".into());
    }
    let start = Stopwatch::start();
    tenant.identify(&probe, &query)?;
    let next = start.seconds();
    let peak = peak_bytes()?;
    Ok(json!({
        "open": opened, "first": first, "next": next,
        "templates": gallery.info()?.templates, "peak_bytes": peak,
    }))
}

/// One probe at a time, the fastest of some rounds over 32 of each sort.
fn search(path: &Path, memory: Memory) -> Result<Value, Box<dyn Error>> {
    let gallery = Gallery::open_read_only(path, &access())?.with_memory(memory);
    let tenant = tenant(&gallery, false)?;
    let (mut known, mut strangers) = (Vec::new(), Vec::new());
    for number in 0..32 {
        let stranger = template(1_000_000_000 + number)?;
        let pairs = template(37 * number)?;
        let pairs = pairs.embedding().as_slice().iter().zip(stranger.embedding().as_slice());
        let mixed: Vec<_> = pairs.map(|(a, b)| 0.6 * a + 0.8 * b).collect();
        known.push(Template::new(Embedding::normalize(mixed)?, space()));
        strangers.push(stranger);
    }
    let mut seconds = Vec::new();
    for (probes, query, found) in [
        (&known, Query::top(1).at_least(0.4), 1),
        (&strangers, Query::top(10).at_least(0.4), 0),
        (&strangers, Query::top(10), 10),
    ] {
        let mut fastest = f64::INFINITY;
        for _ in 0..6 {
            let start = Stopwatch::start();
            for probe in probes {
                if tenant.identify(probe, &query)?.len() != found {
                    return Err("a probe was not answered as it should be".into());
                }
            }
            fastest = fastest.min(start.seconds() / probes.len() as f64);
        }
        seconds.push(fastest);
    }
    Ok(json!({
        "known": seconds[0], "stranger": seconds[1], "ten": seconds[2],
        "templates": gallery.info()?.templates, "resident_bytes": status_bytes("VmRSS:")?,
    }))
}

/// The most memory this process had, by Linux; none elsewhere.
fn peak_bytes() -> Result<Option<u64>, Box<dyn Error>> {
    status_bytes("VmHWM:")
}

fn status_bytes(name: &str) -> Result<Option<u64>, Box<dyn Error>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let peak = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = peak.and_then(|it| it.trim().strip_suffix(" kB"));
    Ok(kib.map(|kib| kib.trim().parse::<u64>()).transpose()?.map(|kib| kib * 1024))
}

//! The gallery in small: what calls cost. `compare/gallery.py` measures it at full size.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faceprint::{Gallery, Query};
use faceprint_benches::people::{
    TEMPLATE_BYTES, access, cipher_seconds, person, space, template, tenant,
};

/// People in the gallery that is opened and searched.
const PEOPLE: u64 = 1_000;

fn gallery(c: &mut Criterion) {
    if let Err(error) = measure(c) {
        panic!("{error}");
    }
}

fn measure(c: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("g.faceprint");
    let gallery = Gallery::create(&path, &access(), space())?;
    let people = (0..PEOPLE).map(person).collect::<Result<Vec<_>, _>>()?;
    tenant(&gallery, false)?.enroll_all(&people, |_, _| {})?;
    drop(gallery);

    let mut group = c.benchmark_group("gallery");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(PEOPLE * TEMPLATE_BYTES as u64));
    group.bench_function("cipher alone, 1000 templates", |b| {
        b.iter(|| cipher_seconds(black_box(1_000)));
    });
    group.bench_function("open, 1000 templates", |b| {
        b.iter(|| Gallery::open_read_only(&path, &access()));
    });
    group.bench_function("open and identify, 1000 templates", |b| {
        b.iter(|| {
            let gallery = Gallery::open_read_only(&path, &access())?;
            tenant(&gallery, false)?.identify(&template(5)?, &Query::top(1))
        });
    });
    group.bench_function("enroll_all, 1000 templates", |b| {
        b.iter_custom(|times| {
            let fill = || {
                let folder = tempfile::tempdir()?;
                let gallery =
                    Gallery::create(folder.path().join("g.faceprint"), &access(), space())?;
                let tenant = tenant(&gallery, false)?;
                let start = Instant::now();
                tenant.enroll_all(&people, |_, _| {})?;
                Ok::<_, Box<dyn Error>>(start.elapsed())
            };
            (0..times).map(|_| fill().unwrap_or_else(|error| panic!("{error}"))).sum()
        });
    });
    group.finish();

    let mut group = c.benchmark_group("gallery, one call");
    group.sample_size(20);
    let gallery = Gallery::open(&path, &access())?;
    let checked = tenant(&gallery, true)?;
    let (subject, face) = person(PEOPLE)?;
    group.bench_function("enroll and erase among 1000", |b| {
        b.iter(|| {
            checked.enroll(&subject, &face)?;
            checked.erase(&subject)
        });
    });
    group.bench_function("identify among 1000", |b| {
        b.iter(|| checked.identify(black_box(&people[5].1), &Query::top(1)));
    });
    group.bench_function("rotate_key", |b| b.iter(|| gallery.rotate_key(&access())));
    group.finish();
    Ok(())
}

criterion_group!(benches, gallery);
criterion_main!(benches);

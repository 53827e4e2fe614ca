//! `gallery.tsv`: operations on one gallery file.

use std::time::{Duration, SystemTime};

use faceprint::gallery::Details;
use faceprint::vector::Embedding;
use faceprint::{
    Access, Enrollment, Gallery, Query, Result, SpaceId, SubjectId, Template, Tenant, Verdict,
};

use crate::table::Row;

const VALUES: usize = 128;
const COSINE: f32 = 1e-4;

pub(crate) fn run(rows: &[Row]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    let mut gallery: Option<Gallery> = None;
    for row in rows {
        let answer = match row["op"].as_str() {
            "create" => Gallery::create(&path, &key(row), space(1)).map(|it| {
                gallery = Some(it);
                "ok".to_owned()
            }),
            "open" => Gallery::open(&path, &key(row)).map(|it| {
                gallery = Some(it);
                "ok".to_owned()
            }),
            _ => answer(gallery.as_ref().unwrap(), row),
        };
        let answer = answer.unwrap_or_else(|error| format!("error {}", error.kind().code()));
        assert!(alike(&answer, &row["expected"]), "{row:?}: {answer}");
    }
}

fn answer(gallery: &Gallery, row: &Row) -> Result<String> {
    let tenant = || -> Result<Tenant> { gallery.tenant(&row["tenant"].parse()?) };
    let subject = || row["a"].parse::<SubjectId>();
    let done = |()| "ok".to_owned();
    match row["op"].as_str() {
        "enroll" => Ok(match tenant()?.enroll(&subject()?, &vector(&row["b"]))? {
            Enrollment::Added { .. } => "added".to_owned(),
            Enrollment::Duplicate { of, similarity } => {
                format!("duplicate {of} {:.5}", similarity.value())
            }
        }),
        "identify" => {
            let mut query = Query::top(row.number("b")).at_least(row.number("c"));
            let roster: Vec<SubjectId> = match row["d"].as_str() {
                "*" | "-" => Vec::new(),
                names => names.split(',').map(|name| name.parse().unwrap()).collect(),
            };
            if row["d"] != "*" {
                query = query.among(&roster);
            }
            let hits = tenant()?.identify(&vector(&row["a"]), &query)?;
            Ok(list(hits.iter().map(|hit| format!("{}={:.5}", hit.subject, hit.similarity))))
        }
        "decide" => {
            let query = Query::top(3).at_least(row.number("b")).ambiguity_margin(row.number("c"));
            Ok(match tenant()?.decide(&vector(&row["a"]), &query)? {
                Verdict::Match(hit) => format!("match {}", hit.subject),
                Verdict::Ambiguous(hits) => {
                    format!("ambiguous {}", list(hits.iter().map(|hit| hit.subject.to_string())))
                }
                Verdict::NoMatch => "nobody".to_owned(),
            })
        }
        "verify" => {
            let similarity = tenant()?.verify(&subject()?, &vector(&row["b"]))?;
            Ok(format!("{:.5}", similarity.value()))
        }
        "subjects" => Ok(list(tenant()?.subjects()?.iter().map(ToString::to_string))),
        "tenants" => Ok(list(gallery.tenants()?.iter().map(ToString::to_string))),
        "expire" => {
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(row.number("b"));
            let details = Details { expires_at: Some(at), ..Details::default() };
            tenant()?.set_details(&subject()?, &details).map(done)
        }
        "erase" => {
            let erased = tenant()?.erase(&subject()?)?;
            Ok(format!("erased {} {}", erased.subjects, erased.templates))
        }
        "erase_tenant" => {
            let erased = gallery.erase_tenant(&row["tenant"].parse()?)?;
            Ok(format!("erased {} {}", erased.subjects, erased.templates))
        }
        "rotate" => gallery.rotate_key(&key(row)).map(done),
        "rekey" => gallery.rekey(&key(row)).map(done),
        "check" => gallery.check().map(done),
        "compact" => gallery.compact().map(done),
        other => panic!("the operation {other}"),
    }
}

/// Word by word the same, cosines within the tolerance.
fn alike(answer: &str, expected: &str) -> bool {
    let words =
        |text: &str| -> Vec<String> { text.split([' ', ',', '=']).map(str::to_owned).collect() };
    let (answer, expected) = (words(answer), words(expected));
    let same = |(one, other): (&String, &String)| {
        let numbers = one.contains('.').then(|| (one.parse::<f32>(), other.parse::<f32>()));
        match numbers {
            Some((Ok(one), Ok(other))) => (one - other).abs() <= COSINE,
            _ => one == other,
        }
    };
    answer.len() == expected.len() && answer.iter().zip(&expected).all(same)
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

fn key(row: &Row) -> Access {
    Access::key([row.number("a"); 32])
}

pub(crate) fn space(number: u8) -> SpaceId {
    SpaceId::from_bytes([number; 32])
}

/// `7`, or `7+0.5*9`.
pub(crate) fn vector(text: &str) -> Template {
    vector_in(space(1), text)
}

pub(crate) fn vector_in(space: SpaceId, text: &str) -> Template {
    let (base, rest) = text.split_once('+').unwrap_or((text, "0*0"));
    let (weight, other) = rest.split_once('*').unwrap();
    let weight: f64 = weight.parse().unwrap();
    let sums = values(base).zip(values(other)).map(|(a, b)| a + weight * b);
    #[expect(clippy::cast_possible_truncation, reason = "what the README says")]
    let values: Vec<f32> = sums.map(|sum| sum as f32).collect();
    Template::new(Embedding::normalize(values).unwrap(), space)
}

fn values(seed: &str) -> impl Iterator<Item = f64> {
    let mut state: u64 = seed.parse().unwrap();
    (0..VALUES).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let value = (state >> 40) as f64 / 8_388_608.0 - 1.0;
        value
    })
}

//! Bundles and Fernet tokens against Python's `cryptography`, which is not ours. Skipped, and said so, where `python3`
//! (or what `FACEPRINT_PYTHON` names) has no `cryptography`, or an old one without HPKE.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use common::*;
use faceprint::Gallery;
use faceprint::fernet::FernetKey;
use faceprint::gallery::{BundleRequest, Details, NewTemplate};
use faceprint::vector::Embedding;

/// What the program prints, given `input`; none, after saying so, when a module is missing.
fn python(program: &str, input: &str) -> Option<String> {
    let interpreter = std::env::var("FACEPRINT_PYTHON").unwrap_or_else(|_| "python3".into());
    let child = Command::new(interpreter)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = child.and_then(|mut child| {
        // A program that ends at its imports reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output()
    });
    let missing = match &output {
        Ok(output) => {
            String::from_utf8_lossy(&output.stderr).contains("ImportError:")
                || String::from_utf8_lossy(&output.stderr).contains("ModuleNotFoundError:")
        }
        Err(_) => true,
    };
    if missing {
        let message = "SKIPPED: Python's cryptography (46 or later); install it, or name another python in \
                       FACEPRINT_PYTHON";
        let _ = writeln!(std::io::stderr(), "{message}");
        return None;
    }
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The program knows the format page and the root key, which it takes out of the file by the access key: it finds
/// the device's key, checks the signature, and opens what the office sent.
#[test]
fn python_opens_a_bundle_by_the_format_page() {
    let folder = tempfile::tempdir().unwrap();
    let office = Gallery::create(folder.path().join("office"), &key(1), space(1)).unwrap();
    let path = folder.path().join("device");
    let device = Gallery::create(&path, &key(2), space(1)).unwrap();
    let people = office.tenant(&tenant_id("people")).unwrap();
    let template = template(7);
    added(people.enroll(&id(1), NewTemplate::from(&template).quality(0.25)).unwrap());
    let details = Details { metadata: Some("{\"floor\": 3}".into()), ..Details::default() };
    people.set_details(&id(1), &details).unwrap();
    added(people.enroll(&id(2), &self::template(8)).unwrap());
    people.erase(&id(2)).unwrap();
    let valid_until = SystemTime::now() + Duration::from_secs(3_600);
    let request = BundleRequest::new(device.device_key().unwrap(), valid_until);
    let bundle = people.export_bundle(&request).unwrap();
    let conn = rusqlite::Connection::open(&path).unwrap();
    let gallery: Vec<u8> =
        conn.query_row("SELECT gallery FROM gallery", [], |row| row.get(0)).unwrap();
    let (slot, wrapped): (i64, Vec<u8>) = conn
        .query_row("SELECT id, wrapped FROM slot", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let input = [
        hex(&bundle.bytes),
        office.signer().to_string(),
        device.device_key().unwrap().to_string(),
        hex(&gallery),
        slot.to_string(),
        hex(&wrapped),
    ];
    let Some(printed) = python(include_str!("common/open_bundle.py"), &input.join("\n")) else {
        return;
    };
    let values: Vec<u8> =
        template.embedding().as_slice().iter().flat_map(|it| it.to_le_bytes()).collect();
    let erased = people.changes_since(&faceprint::gallery::Cursor::start(), 9).unwrap().changes;
    let stored = people.templates(&id(1)).unwrap();
    let expected = [
        format!("person {} {} {}", id(1), "{\"floor\": 3}", erased.len() - 1),
        format!("template {} {} {}", stored[0].id, 0.25, hex(&values)),
        "erased".to_owned(),
    ];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn fernet_tokens_go_both_ways() {
    let program = "import sys\nfrom cryptography.fernet import Fernet\nlines = sys.stdin.read().split()\n\
                   key = Fernet(lines[0])\nprint(key.decrypt(lines[1]).hex())\n\
                   print(key.encrypt(bytes.fromhex(lines[2])).decode())\nprint(Fernet.generate_key().decode())";
    let text = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    let key: FernetKey = text.parse().unwrap();
    let embedding = Embedding::normalize(values(3)).unwrap();
    let bytes: Vec<u8> = embedding.as_slice().iter().flat_map(|it| it.to_le_bytes()).collect();
    let long: Vec<u8> = values(4).iter().flat_map(|it| (20.0 * it).to_le_bytes()).collect();
    let token = key.seal(&embedding).unwrap();
    assert_eq!(key.open(&token).unwrap(), embedding);
    let Some(printed) = python(program, &[text, &token, &hex(&long)].join("\n")) else { return };
    let [opened, sealed, generated] = printed.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(opened, hex(&bytes));
    // A vector that is not of unit length is made so.
    let expected = Embedding::normalize(values(4)).unwrap();
    let read = key.open(sealed).unwrap();
    let worst = read.as_slice().iter().zip(expected.as_slice()).map(|(a, b)| (a - b).abs());
    assert!(worst.fold(0.0, f32::max) < 1e-7);
    let other: FernetKey = generated.parse().unwrap();
    assert_eq!(other.open(&token).unwrap_err().kind(), faceprint::ErrorKind::WrongKey);
    assert_eq!(format!("{other:?}"), "FernetKey(..)");
}

//! A gallery's life from the command line, with the bundled pack and the generated people.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::Path;

use common::home::{Home, image, refused, text};
use common::{Run, faceprint, faceprint_with};
use serde_json::{Value, json};

#[test]
fn a_gallery_lives() {
    let home = Home::new();
    let known = home.folder(&["elva", "gisa", "benno"]);
    let details = ["--metadata", r#"{"badge":7}"#, "--expires", "30d", "--consent=2026-01-31"];
    let run = home.people("enroll", &[&["--from", &known, "--json"], &details[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json()[0];
    assert_eq!((&report["subjects"], &report["templates"]), (&json!(3), &json!(6)));
    assert_eq!(report["enrolled"][0]["subject"], "benno");
    assert_eq!(report["enrolled"][0]["template"].as_str().unwrap().len(), 32);
    assert_eq!((&report["rejected"], &report["already"]), (&json!([]), &json!([])));

    // The same folder with one more person: what was there is left as it is.
    let run = home.people("enroll", &["--from", &home.folder(&["faro"])]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("2 templates of 1 person enrolled"), "{}", run.stdout);
    assert!(run.stdout.contains("6 pictures were enrolled before"), "{}", run.stdout);

    let list = home.people("list", &["--json"]).json()[0].clone();
    assert_eq!(
        (&list["tenant"], list["subjects"].as_array().unwrap().len()),
        (&json!("default"), 4)
    );
    let benno = &list["subjects"][0];
    assert_eq!((&benno["subject"], &benno["templates"]), (&json!("benno"), &json!(2)));
    assert_eq!(benno["metadata"], json!({ "badge": 7 }));
    assert_eq!(benno["consent"], "2026-01-31T00:00:00.000Z");
    assert!(text(&benno["expires_at"]) > text(&benno["enrolled_at"]));
    let faro = &list["subjects"][2];
    assert_eq!((&faro["metadata"], &faro["expires_at"]), (&Value::Null, &Value::Null));

    let run = home.people("identify", &[&image("group.jpg"), "--top", "2", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = run.json()[0].clone();
    let faces = report["faces"].as_array().unwrap();
    let mut names: Vec<_> = faces.iter().filter_map(|face| face["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["benno", "elva", "faro", "gisa"]);
    for face in faces {
        assert_eq!(face["candidates"].as_array().unwrap().len(), 2);
        assert_eq!(face["candidates"][0]["name"], face["nearest"]);
    }

    let info = home.gallery("info", &["--json"]).json()[0].clone();
    assert_eq!((&info["subjects"], &info["templates"]), (&json!(4), &json!(8)));
    assert_eq!(info["spaces"][0].as_str().unwrap().len(), 64);
    assert_eq!((&info["tenants"], &info["slots"][0]["kind"]), (&json!(["default"]), &json!("key")));

    assert_eq!(home.gallery("backup", &[&home.path("copy")]).code, Some(0));
    refused(&home.gallery("backup", &[&home.path("copy"), "--json"]), 301, "choose another path");
    assert_eq!(home.people("erase", &["gisa", "--yes"]).code, Some(0));
    assert_eq!(home.names(), ["benno", "elva", "faro"]);
    let gone = home.people("identify", &[&image("probes/gisa-3.jpg"), "--json"]);
    assert_eq!((gone.code, &gone.json()[0]["faces"][0]["name"]), (Some(1), &Value::Null));

    let before = home.gallery("head", &["--json"]).json()[0].clone();
    let compact = home.gallery("compact", &["--json"]).json()[0].clone();
    assert!(compact["bytes"].as_u64() <= compact["bytes_before"].as_u64(), "{compact}");
    let whole = home.gallery("check", &["--head", before["head"].as_str().unwrap(), "--json"]);
    assert_eq!((whole.code, &whole.json()[0]["ok"]), (Some(0), &json!(true)));
}

#[test]
fn an_old_file_and_a_changed_one_are_found_out() {
    let home = Home::with_people();
    let old = fs::read(home.path("g")).unwrap();
    assert_eq!(home.people("erase", &["elva", "--yes"]).code, Some(0));
    let head = home.gallery("head", &[]).stdout.trim().to_owned();
    assert_eq!(home.gallery("check", &["--head", &head]).code, Some(0));
    fs::write(home.path("g"), &old).unwrap();
    assert_eq!(home.gallery("check", &[]).code, Some(0));
    let run = home.gallery("check", &["--head", &head]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("an old file was put back"), "{}", run.stdout);

    // SQLite fills its pages from the end: the last byte of most is a row's. Where it is that of the only way
    // in, no key fits any more.
    let mut codes = Vec::new();
    for page in (2..=old.len() / 16384).map(|page| page * 16384) {
        let mut changed = old.clone();
        changed[page - 1] ^= 1;
        fs::write(home.path("g"), &changed).unwrap();
        let run = home.gallery("check", &["--json"]);
        let report = run.json()[0].clone();
        match run.code {
            Some(0) => assert_eq!(report["ok"], true),
            Some(1) => {
                assert_eq!(
                    (&report["ok"], &report["problem"]["code"]),
                    (&json!(false), &json!(303))
                );
                // Where only the check looks, the people are still who they were.
                let list = home.people("list", &["--json"]);
                if list.code == Some(2) {
                    refused(&list, 303, "damaged");
                } else {
                    assert_eq!(home.names(), ["elva", "gisa"]);
                }
            }
            _ => refused(&run, 302, "check the passphrase or key"),
        }
        codes.push(run.code);
    }
    assert!(codes.iter().filter(|code| **code == Some(1)).count() > 3, "{codes:?}");
}

#[test]
fn rejected_pictures_are_reported_with_the_reason() {
    let home = Home::with_people();
    let folder = home.folder(&["benno"]);
    let put = |name: &str, from: &str| {
        fs::copy(image(from), Path::new(&folder).join(name)).unwrap();
    };
    put("crowd.jpg", "group.jpg");
    put("twin.jpg", "probes/elva-3.jpg");
    let tiny = image::open(image("people/hemo/1.jpg")).unwrap();
    let tiny = tiny.resize(48, 48, image::imageops::FilterType::Triangle).to_rgb8();
    let mut wall = image::RgbImage::from_pixel(320, 240, image::Rgb([128; 3]));
    wall.save(Path::new(&folder).join("wall.png")).unwrap();
    image::imageops::overlay(&mut wall, &tiny, 100, 100);
    wall.save(Path::new(&folder).join("far.png")).unwrap();
    fs::write(Path::new(&folder).join("torn.jpg"), b"\xff\xd8\xff\xe0 torn").unwrap();

    let run = home.people("enroll", &["--from", &folder, "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let report = run.json()[0].clone();
    assert_eq!((&report["subjects"], &report["templates"]), (&json!(1), &json!(2)));
    let mut rejected: Vec<_> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["subject"]), text(&it["reasons"][0]["kind"])))
        .collect();
    rejected.sort_unstable();
    let expected = [
        ("crowd", "several_faces"),
        ("far", "too_small"),
        ("torn", "unreadable"),
        ("twin", "duplicate"),
        ("wall", "no_face"),
    ];
    assert_eq!(rejected, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    let twin = report["rejected"].as_array().unwrap().iter().find(|it| it["subject"] == "twin");
    let duplicate = &twin.unwrap()["duplicate"];
    assert_eq!(duplicate["of"], "elva");
    assert!(duplicate["similarity"].as_f64().unwrap() > 0.6);

    let run = home.people("enroll", &["--from", &folder]);
    for line in ["6 pictures were enrolled before", "5 rejected:", "twin.jpg: duplicate of elva"] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let twin = image("probes/elva-3.jpg");
    // Somewhat less than a duplicate, and far from one.
    let nearly = format!("{:.4}", duplicate["similarity"].as_f64().unwrap() + 0.05);
    let run = home.people("enroll", &["triplet", &twin, "--duplicate-at", &nearly]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stdout.contains("triplet looks nearly like elva"), "{}", run.stdout);
    assert_eq!(home.people("erase", &["triplet", "--yes"]).code, Some(0));
    let run = home.people("enroll", &["triplet", &twin, "--duplicate-at", &nearly, "--json"]);
    let near = run.json()[0]["enrolled"][0]["near_misses"].clone();
    assert_eq!(
        (&near[0]["of"], &near[0]["similarity"]),
        (&json!("elva"), &duplicate["similarity"])
    );
    assert_eq!(home.people("erase", &["triplet", "--yes"]).code, Some(0));
    let run = home.people("enroll", &["twin", &twin, "--duplicate-at", "0.99", "--json"]);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.json()[0]["enrolled"][0]["near_misses"], json!([]));
    assert_eq!(home.people("enroll", &["twin2", &twin]).code, Some(1));
    assert_eq!(home.people("enroll", &["twin2", &twin, "--no-duplicate-check"]).code, Some(0));
    let more = [image("probes/gisa-3.jpg"), image("probes/gisa-4.jpg")];
    let args = ["gisa", &more[0], &more[1], "--templates-per-subject", "3", "--json"];
    let report = home.people("enroll", &args).json()[0].clone();
    assert_eq!(report["templates"], 1);
    assert_eq!(report["rejected"][0]["reasons"][0]["kind"], "limit");
}

#[test]
fn erasing_asks_and_says_who_was_not_there() {
    let home = Home::with_people();
    refused(&home.people("erase", &["elva", "--json"]), 100, "--yes");
    assert_eq!(home.names(), ["elva", "gisa"]);
    let run = home.people("erase", &["elva", "nobody", "--yes", "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.json()[0]["erased"], json!({ "subjects": 1, "templates": 2 }));
    assert_eq!(run.json()[0]["missing"], json!(["nobody"]));
    let run = home.people("enroll", &["gisa", &image("people/gisa/1.jpg"), "--expires", "1s"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    while !home.names().is_empty() {}
    let run = home.people("erase", &["--expired", "--yes", "--json"]);
    assert_eq!((run.code, &run.json()[0]["erased"]["subjects"]), (Some(0), &json!(1)));
    assert_eq!(home.people("erase", &["--all", "--yes"]).code, Some(0));
    refused(&home.people("list", &["--json"]), 307, "nobody is enrolled");
}

#[test]
fn tenants_do_not_see_one_another() {
    let home = Home::with_people();
    let benno = [image("people/benno/1.jpg"), image("probes/benno-3.jpg")];
    let run = home.people("enroll", &["benno", &benno[0], "--tenant", "acme"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(home.people("identify", &[&benno[1], "--tenant", "acme"]).code, Some(0));
    assert_eq!(home.people("identify", &[&benno[1]]).code, Some(1));
    refused(&home.people("identify", &[&benno[1], "--tenant", "acne"]), 307, "acme, default");
    refused(&home.people("erase", &["benno", "--yes", "--tenant", "acne"]), 307, "acme, default");
}

#[test]
fn keys_are_changed_and_the_old_ones_open_nothing() {
    let home = Home::with_people();
    let group = image("group.jpg");
    let before = home.people("identify", &[&group, "--json"]).stdout;
    let (old, new) = (home.path("key"), home.key("new", 2));
    let copy = home.path("copy");
    assert_eq!(home.gallery("backup", &[&copy]).code, Some(0));

    let rotated = home.gallery("rotate-key", &["--new-key-file", &new]);
    assert_eq!(rotated.code, Some(0), "{}", rotated.stderr);
    assert!(rotated.stderr.contains("faceprint gallery rekey"), "{}", rotated.stderr);
    refused(&home.gallery("info", &["--json"]), 302, "check the passphrase or key");
    assert_eq!(faceprint(["gallery", "check", &copy, "--key-file", &old]).code, Some(0));

    fs::rename(&new, &old).unwrap();
    let second = home.key("second", 3);
    assert_eq!(home.gallery("add-key", &["--new-key-file", &second]).code, Some(0));
    let slots = home.gallery("info", &["--json"]).json()[0]["slots"].clone();
    assert_eq!(slots.as_array().unwrap().len(), 2);
    refused(&home.gallery("remove-key", &["99", "--json"]), 100, "there are ");
    let slot = text(&slots[0]["id"]);
    let other = |args: &[&str]| {
        faceprint(
            [&["gallery", args[0], &home.path("g"), "--key-file", &second], &args[1..]].concat(),
        )
    };
    assert_eq!(other(&["remove-key", &slot]).code, Some(0));
    refused(&home.gallery("info", &["--json"]), 302, "none of the 1 access slots");
    let last = home.key("last", 4);
    assert_eq!(other(&["rekey", "--new-key-file", &last]).code, Some(0));
    refused(&other(&["info"]), 302, "check the passphrase or key");
    fs::rename(&last, &old).unwrap();
    assert_eq!(home.gallery("compact", &[]).code, Some(0));
    assert_eq!(home.gallery("check", &[]).code, Some(0));
    assert_eq!(home.people("identify", &[&group, "--json"]).stdout, before);
}

const PASSPHRASE: &str = "xyzzy plugh 7";

#[test]
fn passphrases_come_from_files_and_the_environment_and_are_never_shown() {
    let home = Home::empty();
    let (g, file) = (home.path("g"), home.write("pass", format!("{PASSPHRASE}\nmore").as_bytes()));
    let shown = |run: &Run| run.stdout.contains(PASSPHRASE) || run.stderr.contains(PASSPHRASE);
    let new = "hocus pocus";
    let env = [("FACEPRINT_PASSPHRASE", PASSPHRASE), ("FACEPRINT_NEW_PASSPHRASE", new)];
    let step = |args: &[&str], env: &[(&str, &str)], code| {
        let run = faceprint_with(args, env);
        assert_eq!(run.code, Some(code), "{args:?}: {}", run.stderr);
        assert!(!shown(&run) && !run.stdout.contains(new) && !run.stderr.contains(new));
    };
    step(&["gallery", "create", &g, "--passphrase-file", &file], &[], 0);
    step(&["gallery", "info", &g], &env[..1], 0);
    step(&["gallery", "rotate-key", &g], &env, 0);
    step(&["gallery", "info", &g, "--json"], &env[..1], 2);
    let renewed = [("FACEPRINT_PASSPHRASE", new)];
    step(&["gallery", "rekey", &g, "--new-passphrase-file", &file], &renewed, 0);
    step(&["gallery", "check", &g, "--passphrase-file", &file], &renewed, 0);

    for args in [["--passphrase=xyzzy plugh 7", "--json"], ["--passphrase", PASSPHRASE]] {
        let run = faceprint([&["gallery", "info", &g], &args[..]].concat());
        assert_eq!(run.code, Some(2));
        assert!(!shown(&run), "{}", run.stderr);
    }
    let run = faceprint(["gallery", "info", &g, "--json"]);
    refused(&run, 100, "FACEPRINT_PASSPHRASE");
    assert!(
        run.stderr.contains("no terminal") && run.stderr.contains("--key-file"),
        "{}",
        run.stderr
    );
    let run = faceprint_with(["gallery", "rekey", &g, "--json"], &env[..1]);
    refused(&run, 100, "FACEPRINT_NEW_PASSPHRASE");
    refused(
        &faceprint_with(["gallery", "info", &g], &[("FACEPRINT_PASSPHRASE", "")]),
        100,
        "empty",
    );
    let wrong = home.write("short", b"0123");
    refused(
        &faceprint(["gallery", "info", &g, "--key-file", &wrong, "--json"]),
        100,
        "openssl rand",
    );
    let (missing, both) =
        (home.path("nothing"), ["--key-file", &wrong, "--passphrase-file", &file]);
    refused(&faceprint(["gallery", "info", &g, "--key-file", &missing, "--json"]), 401, "nothing");
    assert_eq!(faceprint([&["gallery", "info", &g], &both[..]].concat()).code, Some(2));
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_remarked_on() {
    let home = Home::new();
    assert!(home.gallery("info", &[]).stderr.is_empty());
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(home.path("key"), open).unwrap();
    let run = home.gallery("info", &[]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("note: ") && run.stderr.contains("chmod 600"), "{}", run.stderr);
}

#[test]
fn a_pack_of_another_space_is_refused_until_it_is_accepted() {
    let home = Home::empty();
    home.key("key", 1);
    assert_eq!(home.gallery("create", &["--pack", "yunet-sface"]).code, Some(0));
    let elva = image("people/elva/1.jpg");
    let run = home.people("enroll", &["elva", &elva, "--json"]);
    refused(&run, 103, "pack yunet-sface");
    assert!(run.stderr.contains("--pack") && run.stderr.contains("spaces"), "{}", run.stderr);
    let run = home.gallery("spaces", &["--add", "--json"]);
    let spaces = run.json()[0]["spaces"].clone();
    assert_eq!(spaces[0]["packs"], json!(["yunet-sface", "retinaface-sface"]));
    assert_eq!(spaces[1]["packs"], json!(["bundled"]));
    assert_eq!(home.people("enroll", &["elva", &elva]).code, Some(0));
    assert_eq!(home.people("identify", &[&elva]).code, Some(0));
    let spaces = home.gallery("spaces", &["--json"]).json()[0]["spaces"].clone();
    assert_eq!((&spaces[0]["lacking"], &spaces[1]["lacking"]), (&json!(1), &json!(0)));
}

#[test]
fn what_cannot_be_done_exits_with_2_and_says_what_can() {
    let home = Home::with_people();
    refused(&home.gallery("create", &["--json"]), 301, "choose another name");
    let nothing = home.path("nothing");
    refused(&faceprint(["gallery", "info", &nothing, "--json"]), 300, "faceprint gallery create");
    let file = home.write("text", b"no gallery");
    refused(&faceprint(["gallery", "info", &file, "--key-file", &home.path("key")]), 303, "");
    let elva = image("people/elva/1.jpg");
    refused(&home.people("enroll", &["new", &elva, "--metadata", "{", "--json"]), 100, "not JSON");
    assert_eq!(home.names(), ["elva", "gisa"]);
    for (args, word) in [
        (&["enroll", "elva"][..], "IMG"),
        (&["enroll", "elva", "a.jpg", "--expires", "2001-01-01"], "time to come"),
        (&["enroll", "elva", "a.jpg", "--consent=soon"], "expected a date"),
        (&["enroll", "a\nb", "a.jpg"], "control characters"),
        (&["enroll", "elva", "a.jpg", "--from", "people"], "cannot be used with"),
        (&["list", "--tenant", ""], "tenant"),
        (&["identify", "a.jpg", "--known", "people"], "cannot be used with"),
        (&["erase"], "NAME"),
    ] {
        let run = home.people(args[0], &args[1..]);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(run.stderr.contains(word), "{args:?}: {}", run.stderr);
    }
    let run = faceprint(["identify", "a.jpg"]);
    assert!(run.code == Some(2) && run.stderr.contains("--known <FOLDER>"), "{}", run.stderr);
}

/// The library's hint names a setting that the command line does not have.
#[test]
fn a_locked_gallery_is_an_error_after_a_while() {
    use faceprint::{Access, Embedding, Gallery, Template};
    let home = Home::new();
    let gallery = Gallery::open(home.path("g"), &Access::key([1; 32])).unwrap();
    let space = gallery.spaces().unwrap()[0].space;
    let tenant = gallery.tenant(&"default".parse().unwrap()).unwrap();
    let somebody = Template::new(Embedding::normalize(vec![1.0; 256]).unwrap(), space);
    let mut run = None;
    let people = [("somebody".parse().unwrap(), somebody)];
    let outcome = tenant.enroll_all(&people, |_, _| {
        run = Some(home.people("erase", &["somebody", "--yes", "--json"]));
    });
    assert!(outcome.is_ok());
    refused(&run.unwrap(), 304, "try again when it is done");
}

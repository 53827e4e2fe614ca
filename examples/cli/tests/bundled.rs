//! What works on a fresh machine: the bundled pack, and the generated people of `examples/images`.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::Path;

use common::faceprint;

fn image(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images").join(name).display().to_string()
}

/// The README's main job.
#[test]
fn the_group_picture_is_named_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("group.png").display().to_string();
    let (known, group) = (image("people"), image("group.jpg"));
    let run = faceprint(["identify", "--known", &known, &group, "--draw", &drawing]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for name in ["benno", "elva", "doran", "faro", "gisa"] {
        let line = run.stdout.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.ends_with("known"), "{line}");
    }
    assert!(run.stdout.contains("6 faces, 5 known"), "{}", run.stdout);
    assert!(fs::metadata(&drawing).unwrap().len() > 10_000);
}

#[test]
fn compare_answers_by_its_exit_code() {
    let (elva, again, gisa) =
        (image("people/elva/1.jpg"), image("probes/elva-3.jpg"), image("people/gisa/1.jpg"));
    assert_eq!(faceprint(["compare", &elva, &again]).code, Some(0));
    assert_eq!(faceprint(["compare", &elva, &gisa]).code, Some(1));
    let missing = faceprint(["compare", &elva, "no-such-picture.jpg", "--json"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.starts_with("error: "), "{}", missing.stderr);
    assert_eq!(missing.json()[0]["error"]["kind"], "Io");
}

#[test]
fn a_stranger_is_a_no() {
    let run =
        faceprint(["identify", "--known", &image("people"), &image("probes/unknown-1-1.jpg")]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
}

/// Eight people with two pictures: three are strangers, five are found in every split. A picture that
/// shows nobody is counted, as one that is not found.
#[test]
fn identification_is_measured_on_a_folder_of_people() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    for person in fs::read_dir(image("people")).unwrap() {
        let person = person.unwrap();
        fs::create_dir_all(people.join(person.file_name())).unwrap();
        for picture in ["1.jpg", "2.jpg"] {
            let to = people.join(person.file_name()).join(picture);
            fs::copy(person.path().join(picture), to).unwrap();
        }
    }
    let plot = folder.path().join("det.svg").display().to_string();
    let run = |splits: &str| {
        let images = people.to_str().unwrap();
        let args =
            ["eval", "identification", "--images", images, "--splits", splits, "--plot", &plot];
        let run =
            faceprint(args.into_iter().chain(["--json", "--fpir", "0.1,0.01", "--gallery", "3,9"]));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("no gallery of 9: 8 people, less a third"), "{}", run.stderr);
        run.json()[0].clone()
    };
    let report = run("10");
    assert_eq!((&report["people"], &report["pictures"]), (&8.into(), &16.into()));
    let [small, all] = &report["galleries"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&small["size"], &all["size"]), (&3.into(), &5.into()));
    let point = &all["operating_points"][1];
    assert_eq!(point["measured"]["fnir"]["trials"], 50);
    assert_eq!(point["measured"]["fpir"]["trials"], 60);
    assert_eq!(point["measured"]["fnir"]["errors"], 0);
    // At the threshold of the pack's own statistics too: everyone is found, and no stranger is.
    assert_eq!(point["pack"]["fnir"]["errors"], 0, "{point}");
    assert_eq!(point["pack"]["fpir"]["errors"], 0, "{point}");
    assert!(fs::read_to_string(&plot).unwrap().contains("N = 5"));
    assert_eq!(report["galleries"], run("10")["galleries"], "a seed gives the same splits");

    let nobody = people.join("alva/2.jpg");
    fs::remove_file(&nobody).unwrap();
    let bytes = vec![0x80; 3 * 64 * 64];
    image::save_buffer(people.join("alva/2.png"), &bytes, 64, 64, image::ColorType::Rgb8).unwrap();
    let blind = run("40");
    assert_eq!(blind["pictures_without_face"].as_array().unwrap().len(), 1);
    let all = &blind["galleries"][1]["operating_points"][0]["measured"]["fnir"];
    let (errors, trials) = (all["errors"].as_u64().unwrap(), all["trials"].as_u64().unwrap());
    // Enrolled in about five of eight splits, and missed in each.
    assert_eq!(trials, 200);
    assert!((15..=35).contains(&errors), "{errors}");
}

//! Downloads from a server that breaks every rule in turn: a typed error each, the old file untouched,
//! and the next pull succeeds.
#![cfg(feature = "download")]
#![allow(clippy::unwrap_used)]

#[path = "common/server.rs"]
#[allow(dead_code, unreachable_pub)]
mod server;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use faceprint::pack::{Catalog, Locations, PullOptions, Pulled};
use faceprint::{Error, ErrorKind};
use server::{Request, Server, answer, answer_well};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Larger than every buffer on the way.
fn model() -> Vec<u8> {
    (0..700_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A catalogue of one model, a folder to pull into, and an old file of that name in it.
struct Setup {
    folder: TempDir,
    catalog: Catalog,
}

const OLD: &[u8] = b"what was there before";

impl Setup {
    fn new(with_size: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hash: String = Sha256::digest(model()).iter().map(|b| format!("{b:02x}")).collect();
        let size = if with_size { format!("size = {}", model().len()) } else { String::new() };
        let manifest = folder.path().join("catalog.toml");
        fs::write(
            &manifest,
            format!(
                r#"
                format = 1
                [[model]]
                name = "m"
                role = "embedder"
                family = "arcface"
                file = "m.onnx"
                sha256 = "{hash}"
                {size}
                license = {{ name = "MIT", class = "permissive" }}
                provenance = "made here"
                input = {{ size = [112, 112], channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }}
                dimension = 4
                alignment = "arcface-112"
                [[pack]]
                name = "p"
                embedder = "m"
                "#
            ),
        )
        .unwrap();
        let catalog = Catalog::open(&manifest).unwrap().with_locations(Locations::new([]));
        let setup = Self { folder, catalog };
        fs::create_dir(setup.models()).unwrap();
        fs::write(setup.file(), OLD).unwrap();
        setup
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    fn file(&self) -> PathBuf {
        self.models().join("m.onnx")
    }

    fn part(&self) -> PathBuf {
        self.models().join("m.onnx.part")
    }

    fn pull(&self, server: &Server) -> Result<Pulled, Error> {
        let mut options = PullOptions::default();
        options.into = Some(self.models());
        options.mirror = Some(server.url());
        options.stall_timeout = Duration::from_millis(500);
        options.total_timeout = Duration::from_secs(20);
        self.catalog.pull("p", &options, &mut |_| {}).map(|mut pulled| pulled.remove(0))
    }

    /// The pull fails as told and leaves the old file; with a good server the next one succeeds.
    fn fails(
        &self,
        handler: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static,
        kind: ErrorKind,
        words: &str,
    ) {
        let bad = Server::start(handler);
        let error = self.pull(&bad).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(fs::read(self.file()).unwrap(), OLD);
        self.succeeds();
    }

    fn succeeds(&self) -> Pulled {
        let good = Server::start(|request, stream| answer_well(request, stream, &model()));
        let pulled = self.pull(&good).unwrap();
        assert_eq!(fs::read(self.file()).unwrap(), model());
        assert!(!self.part().exists());
        pulled
    }
}

fn whole(body: &[u8]) -> String {
    format!("Content-Length: {}\r\n", body.len())
}

#[test]
fn a_good_server_replaces_the_old_file() {
    let setup = Setup::new(true);
    let server = Server::start(|request, stream| answer_well(request, stream, &model()));
    let mut last = 0;
    let mut options = PullOptions::default();
    options.into = Some(setup.models());
    options.mirror = Some(server.url() + "/");
    let pulled = setup
        .catalog
        .pull("m", &options, &mut |progress| {
            assert_eq!((progress.model, progress.total), ("m", Some(model().len() as u64)));
            assert!(progress.done >= last);
            last = progress.done;
        })
        .unwrap();
    assert_eq!(last, model().len() as u64);
    assert_eq!((pulled[0].downloaded, pulled[0].bytes), (last, last));
    assert_eq!(pulled[0].path, setup.file());
    assert_eq!(fs::read(setup.file()).unwrap(), model());
    // What is there is not asked for again.
    assert_eq!(setup.pull(&server).unwrap().downloaded, 0);
    assert_eq!(server.requests(), [Request { path: "/m.onnx".into(), range: None }]);
}

#[test]
fn a_truncated_file_is_resumed() {
    let setup = Setup::new(true);
    let body = model();
    let server = Server::start(move |_, stream| {
        answer(stream, "200 OK", &whole(&model()), &model()[..1_000_000]);
    });
    let error = setup.pull(&server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
    assert!(error.to_string().contains("stopped after 1000000 of 2800000 bytes"), "{error}");
    assert_eq!(fs::read(setup.file()).unwrap(), OLD);
    assert_eq!(fs::read(setup.part()).unwrap(), body[..1_000_000]);
    assert_eq!(setup.succeeds().downloaded, 1_800_000);
}

#[test]
fn a_truncated_file_of_unknown_length_is_refused() {
    for with_size in [true, false] {
        let setup = Setup::new(with_size);
        let (kind, words) = match with_size {
            true => (ErrorKind::Download, "stopped after 5000 of 2800000 bytes"),
            false => (ErrorKind::ModelCorrupt, "has sha256"),
        };
        setup.fails(|_, stream| answer(stream, "200 OK", "", &model()[..5000]), kind, words);
    }
}

#[test]
fn a_wrong_hash_is_refused_and_not_kept() {
    let setup = Setup::new(true);
    let server = Server::start(|_, stream| {
        let mut body = model();
        body[12345] ^= 1;
        answer(stream, "200 OK", &whole(&body), &body);
    });
    let error = setup.pull(&server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "{error}");
    assert_eq!(fs::read(setup.file()).unwrap(), OLD);
    assert!(!setup.part().exists());
    assert_eq!(setup.succeeds().downloaded, 2_800_000);
}

#[test]
fn a_part_of_another_file_is_fetched_again() {
    for (with_size, left) in
        [(true, 1000), (false, 1000), (true, 2_800_000), (true, 2_900_000), (false, 2_900_000)]
    {
        let setup = Setup::new(with_size);
        fs::write(setup.part(), vec![7; left]).unwrap();
        assert_eq!(setup.succeeds().downloaded, 2_800_000, "{with_size} {left}");
    }
}

#[test]
fn a_whole_part_needs_no_network() {
    let setup = Setup::new(true);
    fs::write(setup.part(), model()).unwrap();
    let server = Server::start(|_, _| {});
    assert_eq!(setup.pull(&server).unwrap().downloaded, 0);
    assert!(server.requests().is_empty());
    assert_eq!(fs::read(setup.file()).unwrap(), model());
}

#[test]
fn a_server_that_ignores_the_range_starts_over() {
    let setup = Setup::new(true);
    fs::write(setup.part(), &model()[..1_000_000]).unwrap();
    let server = Server::start(|_, stream| answer(stream, "200 OK", &whole(&model()), &model()));
    assert_eq!(setup.pull(&server).unwrap().downloaded, 2_800_000);
    assert_eq!(fs::read(setup.file()).unwrap(), model());
}

#[test]
fn a_server_that_answers_another_range_is_asked_for_everything() {
    let setup = Setup::new(true);
    fs::write(setup.part(), &model()[..1_000_000]).unwrap();
    let server = Server::start(|request, stream| {
        let moved = Request { range: request.range.map(|start| start - 10), ..request.clone() };
        answer_well(&moved, stream, &model());
    });
    assert_eq!(setup.pull(&server).unwrap().downloaded, 2_800_000);
    let ranges: Vec<_> = server.requests().iter().map(|request| request.range).collect();
    assert_eq!(ranges, [Some(1_000_000), None]);
}

#[test]
fn a_larger_file_is_refused() {
    let larger = || [model(), vec![0; 100_000]].concat();
    Setup::new(true).fails(
        move |_, stream| answer(stream, "200 OK", &whole(&larger()), &larger()),
        ErrorKind::Download,
        "offers 2900000 bytes, the manifest says 2800000",
    );
    Setup::new(true).fails(
        move |_, stream| answer(stream, "200 OK", "", &larger()),
        ErrorKind::Download,
        "sends more than 2800000 bytes",
    );
    Setup::new(false).fails(
        |_, stream| answer(stream, "200 OK", "Content-Length: 999999999999\r\n", b"x"),
        ErrorKind::Download,
        "offers 999999999999 bytes, at most 536870912",
    );
}

#[test]
fn redirects_are_followed_on_this_machine() {
    let setup = Setup::new(true);
    let server = Server::start(|request, stream| match request.path.as_str() {
        "/m.onnx" => {
            answer(stream, "302 Found", "Location: /there/a\r\nContent-Length: 0\r\n", b"")
        }
        "/there/a" => {
            answer(stream, "307 Temporary Redirect", "Location: b\r\nContent-Length: 0\r\n", b"")
        }
        "/there/b" => answer_well(request, stream, &model()),
        _ => answer(stream, "404 Not Found", "Content-Length: 0\r\n", b""),
    });
    assert_eq!(setup.pull(&server).unwrap().downloaded, 2_800_000);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn bad_redirects_are_refused() {
    for (location, words) in [
        ("http://example.org/m.onnx", "plain http is for this machine only"),
        ("http://127.0.0.1@example.org/m.onnx", "must name a host and no user"),
        ("ftp://127.0.0.1/m.onnx", "only https is followed"),
        ("file:///etc/passwd", "must name a host"),
        ("/m.onnx", "redirects more than 5 times"),
    ] {
        Setup::new(true).fails(
            move |_, stream| {
                let headers = format!("Location: {location}\r\nContent-Length: 0\r\n");
                answer(stream, "301 Moved Permanently", &headers, b"");
            },
            ErrorKind::Download,
            words,
        );
    }
    Setup::new(true).fails(
        |_, stream| answer(stream, "302 Found", "Content-Length: 0\r\n", b""),
        ErrorKind::Download,
        "without saying where to go",
    );
}

#[test]
fn a_stalled_server_is_given_up() {
    let stall = |body: &'static [u8]| {
        move |_: &Request, stream: &mut TcpStream| {
            if !body.is_empty() {
                answer(stream, "200 OK", &whole(&model()), body);
            }
            thread::sleep(Duration::from_secs(3));
        }
    };
    let start = Instant::now();
    Setup::new(true).fails(stall(b""), ErrorKind::Download, "timeout");
    Setup::new(true).fails(
        stall(b"0123456789"),
        ErrorKind::Download,
        "stopped after 10 of 2800000",
    );
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_drips_is_given_up() {
    let setup = Setup::new(true);
    let server = Server::start(|_, stream| {
        answer(stream, "200 OK", &whole(&model()), b"");
        for _ in 0..40 {
            let _ = stream.write_all(b"x");
            thread::sleep(Duration::from_millis(100));
        }
    });
    let mut options = PullOptions::default();
    options.into = Some(setup.models());
    options.mirror = Some(server.url());
    options.total_timeout = Duration::from_secs(1);
    let start = Instant::now();
    let error = setup.catalog.pull("m", &options, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(fs::read(setup.file()).unwrap(), OLD);
    // The drops were of another file; that is found and mended.
    setup.succeeds();
}

#[test]
fn error_statuses_are_download_errors() {
    for (status, words) in [
        ("404 Not Found", "answers 404 Not Found; it may have moved"),
        ("403 Forbidden", "answers 403"),
        ("500 Internal Server Error", "answers 500 Internal Server Error; try again later"),
        ("206 Partial Content", "a part nobody asked for"),
        ("204 No Content", "answers 204"),
    ] {
        let length = if status.starts_with("204") { "" } else { "Content-Length: 4\r\n" };
        Setup::new(true).fails(
            move |_, stream| answer(stream, status, length, b"oops"),
            ErrorKind::Download,
            words,
        );
    }
}

#[test]
fn answers_that_are_not_http_are_download_errors() {
    for bytes in
        [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b""]
    {
        Setup::new(true).fails(
            move |_, stream| {
                let _ = stream.write_all(bytes);
            },
            ErrorKind::Download,
            "cannot get http://127.0.0.1",
        );
    }
}

#[test]
fn no_server_is_a_download_error() {
    let setup = Setup::new(true);
    // The port is free again once the server is gone.
    let url = Server::start(|_, _| {}).url();
    let mut options = PullOptions::default();
    options.into = Some(setup.models());
    for (mirror, words) in [
        (url.as_str(), "cannot get"),
        ("http://example.org", "plain http is for this machine only"),
        ("example.org", "not a URL"),
    ] {
        options.mirror = Some(mirror.to_owned());
        let error = setup.catalog.pull("m", &options, &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Download, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(fs::read(setup.file()).unwrap(), OLD);
    setup.succeeds();
}

/// `/dev/full` fails every write with the kernel's own "no space left on device".
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_file() {
    let setup = Setup::new(true);
    std::os::unix::fs::symlink("/dev/full", setup.part()).unwrap();
    let server = Server::start(|request, stream| answer_well(request, stream, &model()));
    let error = setup.pull(&server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert_eq!(fs::read(setup.file()).unwrap(), OLD);
    // Space is made.
    fs::remove_file(setup.part()).unwrap();
    setup.succeeds();
}

#[test]
fn a_folder_that_cannot_be_made_is_an_io_error() {
    let setup = Setup::new(true);
    let server = Server::start(|request, stream| answer_well(request, stream, &model()));
    let mut options = PullOptions::default();
    options.into = Some(setup.file().join("below a file"));
    options.mirror = Some(server.url());
    let error = setup.catalog.pull("m", &options, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn pulls_of_one_file_take_turns() {
    let setup = Setup::new(true);
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let server = Server::start(move |request, stream| {
        count.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        answer_well(request, stream, &model());
    });
    let barrier = Barrier::new(4);
    let downloaded: u64 = thread::scope(|scope| {
        let pulls: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    setup.pull(&server).unwrap().downloaded
                })
            })
            .collect();
        pulls.into_iter().map(|pull| pull.join().unwrap()).sum()
    });
    assert_eq!((downloaded, served.load(Ordering::SeqCst)), (2_800_000, 1));
    assert_eq!(fs::read(setup.file()).unwrap(), model());
}

#[test]
fn a_file_in_any_folder_is_not_downloaded_without_a_target() {
    let setup = Setup::new(true);
    fs::write(setup.file(), model()).unwrap();
    let catalog = setup.catalog.clone().with_locations(Locations::new([setup.models()]));
    let pulled = catalog.pull("m", &PullOptions::default(), &mut |_| {}).unwrap();
    assert_eq!((pulled[0].downloaded, &pulled[0].path), (0, &setup.file()));
}

#[test]
fn what_cannot_be_pulled_says_why() {
    let setup = Setup::new(true);
    let mut options = PullOptions::default();
    let pull = |name: &str, options: &PullOptions| {
        setup.catalog.pull(name, options, &mut |_| {}).unwrap_err()
    };
    assert_eq!(pull("q", &options).kind(), ErrorKind::ModelNotFound);
    assert!(pull("m", &options).to_string().contains("no cache folder"));
    options.into = Some(setup.models());
    let error = pull("m", &options);
    assert!(error.to_string().contains("model \"m\" has no url"), "{error}");
}

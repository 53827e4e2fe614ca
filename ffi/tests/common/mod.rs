//! Building and running programs against the library that cargo has just built.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

#[derive(Clone, Copy)]
pub enum Language {
    C,
    Cpp,
}

pub struct Built {
    pub path: PathBuf,
    scratch: tempfile::TempDir,
}

/// Compiles `source` against the shared library.
pub fn build(language: Language, source: &Path, name: &str) -> Built {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join(name);
    let (compiler, standard) = match language {
        Language::C => ("cc", ["-std=c11", "-xc"]),
        Language::Cpp => ("c++", ["-std=c++17", "-xc++"]),
    };
    let mut command = Command::new(compiler);
    // Sections are named by POSIX in the programs with threads.
    command.args(standard).args(["-D_POSIX_C_SOURCE=200809L", "-g"]);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg(source).args(["-xnone", "-o"]);
    command.arg(&path).arg("-I").arg(here().join("include"));
    command.arg(format!("-L{0}", library().display()));
    command.arg(format!("-Wl,-rpath,{}", library().display()));
    command.args(["-lfaceprint", "-lm", "-lpthread"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Built { path, scratch }
}

/// Runs what was built, which must succeed.
pub fn run(built: &Built, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(&built.path);
    command.envs(variables.iter().copied());
    built.check(command)
}

impl Built {
    pub fn check(&self, mut command: Command) -> String {
        command.env("EXAMPLES", root().join("examples/images"));
        command.env("CONFORMANCE", root().join("core/testdata/conformance"));
        command.env("SCRATCH", self.scratch.path());
        let output = command.output().unwrap();
        let (out, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(
            output.status.success(),
            "{}: {}\n{out}{error}",
            self.path.display(),
            output.status
        );
        out.into_owned()
    }
}

/// A folder with the library under the names it is installed by.
pub fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lib-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["libfaceprint.so", &format!("libfaceprint.so.{}", abi())] {
            let link = folder.join(name);
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(shared_library(), link).unwrap();
        }
        folder
    })
}

/// As cargo built it, beside the tests.
pub fn shared_library() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("libfaceprint_ffi.so")
}

/// The version in the library's SONAME.
pub fn abi() -> String {
    match env!("CARGO_PKG_VERSION_MAJOR") {
        "0" => format!("0.{}", env!("CARGO_PKG_VERSION_MINOR")),
        major => major.to_owned(),
    }
}

pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success())
}

pub fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn root() -> PathBuf {
    here().parent().unwrap().to_owned()
}

/// Past the capture of the test harness: a test that had nothing to test should be seen.
pub fn skipped(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}

//! What `install.sh` installs can be built against with pkg-config and with CMake, shared and static.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{abi, has, here, root, shared_library};

#[test]
fn programs_are_built_with_pkg_config() {
    if !has("pkg-config") {
        common::skipped("SKIPPED: pkg-config is not installed");
        return;
    }
    let installed = Installed::new();
    let source = root().join("examples/c/identify.c");
    for kind in ["shared", "static"] {
        let program = installed.folder.path().join(kind);
        let (source, program_) = (source.display(), program.display());
        let script = match kind {
            "shared" => format!(
                "cc -std=c11 {source} $(pkg-config --cflags --libs faceprint) -o {program_}"
            ),
            // `-l` alone prefers the shared library.
            _ => format!(
                "cc -std=c11 {source} $(pkg-config --cflags faceprint) -o {program_} \
                 $(pkg-config --libs --static faceprint | sed 's/-lfaceprint/-l:libfaceprint.a/')"
            ),
        };
        installed.shell(&script);
        installed.names_people(&program);
    }
    let needed =
        Command::new("readelf").arg("-d").arg(installed.folder.path().join("shared")).output();
    let needed = String::from_utf8(needed.unwrap().stdout).unwrap();
    assert!(needed.contains(&format!("[libfaceprint.so.{}]", abi())), "{needed}");
    let needed =
        Command::new("readelf").arg("-d").arg(installed.folder.path().join("static")).output();
    assert!(!String::from_utf8(needed.unwrap().stdout).unwrap().contains("libfaceprint"));
}

#[test]
fn programs_are_built_with_cmake() {
    if !has("cmake") {
        common::skipped("SKIPPED: cmake is not installed");
        return;
    }
    let installed = Installed::new();
    let project = installed.folder.path().join("project");
    std::fs::create_dir(&project).unwrap();
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(door C CXX)\nset(CMAKE_CXX_STANDARD 17)\n\
         find_package(faceprint {} REQUIRED)\n\
         add_executable(shared {c})\ntarget_link_libraries(shared faceprint::faceprint)\n\
         add_executable(cpp {cpp})\ntarget_link_libraries(cpp faceprint::faceprint)\n\
         add_executable(fixed {c})\ntarget_link_libraries(fixed faceprint::static)\n",
        env!("CARGO_PKG_VERSION"),
        c = root().join("examples/c/identify.c").display(),
        cpp = root().join("examples/cpp/identify.cpp").display(),
    );
    std::fs::write(project.join("CMakeLists.txt"), text).unwrap();
    let prefix = installed.prefix.display();
    installed.shell(&format!(
        "cd {} && cmake -S . -B build -DCMAKE_PREFIX_PATH={prefix} && cmake --build build",
        project.display()
    ));
    for program in ["shared", "cpp", "fixed"] {
        installed.names_people(&project.join("build").join(program));
    }
    // A later version than there is is not found.
    let asked = std::fs::read_to_string(project.join("CMakeLists.txt")).unwrap();
    let asked =
        asked.replace(&format!("faceprint {}", env!("CARGO_PKG_VERSION")), "faceprint 0.99");
    std::fs::write(project.join("CMakeLists.txt"), asked).unwrap();
    let later = Command::new("cmake")
        .arg("-S")
        .arg(&project)
        .arg("-B")
        .arg(project.join("later"))
        .arg(format!("-DCMAKE_PREFIX_PATH={prefix}"))
        .output();
    assert!(!later.unwrap().status.success());
}

struct Installed {
    folder: tempfile::TempDir,
    prefix: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("prefix");
        let output = Command::new(here().join("install.sh"))
            .arg(&prefix)
            .env("FACEPRINT_BUILT", shared_library().parent().unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder, prefix }
    }

    fn shell(&self, script: &str) {
        let output = Command::new("sh")
            .args(["-ec", script])
            .env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig"))
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{script}\n{out}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn names_people(&self, program: &Path) {
        let output = Command::new(program)
            .arg(root().join("examples/images"))
            .env("LD_LIBRARY_PATH", self.prefix.join("lib"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("benno 0.") && said.lines().count() == 6, "{said}{error}");
    }
}

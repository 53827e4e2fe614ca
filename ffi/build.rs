//! Gives the shared library its SONAME: the version up to what may break programs.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|it| it == "linux" || it == "android") {
        let part =
            |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}")).unwrap_or_default();
        let abi = if part("MAJOR") == "0" { format!("0.{}", part("MINOR")) } else { part("MAJOR") };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libfaceprint.so.{abi}");
    }
}

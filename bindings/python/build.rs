//! What the linker of macOS has to be told of a library whose symbols come from the interpreter.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}

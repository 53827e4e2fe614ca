//! Any bytes as an ONNX file: read, freed of its input size, and read again.
#![no_main]

use faceprint::runtime::Graph;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = Graph::parse(bytes) else { return };
    if let Some(freed) = graph.with_free_size() {
        // What was freed stays a model, and has nothing left to free.
        assert!(Graph::parse(&freed).is_ok_and(|again| again.with_free_size().is_none()));
    }
});

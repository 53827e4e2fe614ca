//! `faceprint runtime`: which engine runs here, and how to get the faster one.

use std::path::PathBuf;

use faceprint::runtime::{BackendInfo, Runtime};
use serde::Serialize;

use super::Answer;
use crate::args::EngineArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::session;

/// What runs, for scripts.
#[derive(Debug, Serialize)]
struct Report {
    engine: &'static str,
    version: String,
    library: Option<PathBuf>,
    providers: Vec<String>,
    threads: usize,
    architecture: &'static str,
    cpu_features: Vec<&'static str>,
    hint: Option<&'static str>,
}

/// How to get ONNX Runtime, when the pure-Rust engine runs.
const HINT: &str = "ONNX Runtime is usually faster: install it (for example `pip install onnxruntime`, \
                    or a release archive from github.com/microsoft/onnxruntime) and name its library \
                    with --onnxruntime PATH or ORT_DYLIB_PATH";

pub(crate) fn run(engine: &EngineArgs, context: &Context) -> Result<Answer, Failure> {
    let runtime = Runtime::new(&session::runtime_options(engine))?;
    let report = report(runtime.info());
    if context.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(Answer::Yes)
}

fn report(info: &BackendInfo) -> Report {
    Report {
        engine: info.name,
        version: info.version.clone(),
        library: info.library.clone(),
        providers: info.available_providers.iter().map(|name| format!("{name:?}")).collect(),
        threads: info.threads,
        architecture: std::env::consts::ARCH,
        cpu_features: cpu_features(),
        // Only ONNX Runtime comes from a library.
        hint: info.library.is_none().then_some(HINT),
    }
}

fn print(report: &Report) -> Result<(), Failure> {
    let library = report.library.as_ref().map_or("built in".into(), |path| path.to_string_lossy());
    output::line(format!("engine      {} {}", report.engine, report.version))?;
    output::line(format!("library     {library}"))?;
    output::line(format!("providers   {}", report.providers.join(", ")))?;
    output::line(format!("threads     {}", report.threads))?;
    let features = if report.cpu_features.is_empty() {
        "no vector instructions that matter here".to_owned()
    } else {
        report.cpu_features.join(", ")
    };
    output::line(format!("processor   {}: {features}", report.architecture))?;
    report.hint.map_or(Ok(()), |hint| output::line(format!("hint        {hint}")))
}

/// The vector instructions that inference and matching profit from, as far as this processor has them.
fn cpu_features() -> Vec<&'static str> {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let features = {
        use std::arch::is_x86_feature_detected as has;
        [
            ("avx", has!("avx")),
            ("avx2", has!("avx2")),
            ("fma", has!("fma")),
            ("avxvnni", has!("avxvnni")),
            ("avx512f", has!("avx512f")),
            ("avx512bw", has!("avx512bw")),
            ("avx512vnni", has!("avx512vnni")),
        ]
    };
    #[cfg(target_arch = "aarch64")]
    let features = {
        use std::arch::is_aarch64_feature_detected as has;
        [
            ("neon", has!("neon")),
            ("dotprod", has!("dotprod")),
            ("fp16", has!("fp16")),
            ("i8mm", has!("i8mm")),
            ("bf16", has!("bf16")),
            ("sve", has!("sve")),
        ]
    };
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let features: [(&str, bool); 0] = [];
    features.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
}

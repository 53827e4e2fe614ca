//! Pictures in, faces and templates out.

use std::ffi::{CString, c_char};

use faceprint::image::RgbImage;
use faceprint::runtime::Provider;
use faceprint::{BackendChoice, Capture, DetectionSize, Engine};

use crate::boundary::{Flag, Growing, Items, Options, Out, Text, User, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::face::{
    faceprint_detection, faceprint_detections, faceprint_faces, faceprint_landmarks,
    faceprint_liveness, faceprint_sample,
};
use crate::image::{faceprint_image, faceprint_picture};
use crate::pack::faceprint_pack;
use crate::quality::{faceprint_issues, faceprint_policy, faceprint_quality};
use crate::search::faceprint_progress;
use crate::template::faceprint_template;
use crate::text::c_string;

/// Which inference engine runs the networks.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_backend_choice {
    /// ONNX Runtime when its library is found, the one inside this library otherwise.
    Auto = 0,
    /// ONNX Runtime, or an error.
    OnnxRuntime = 1,
    /// The one inside this library, rten.
    Rten = 2,
}

/// Where ONNX Runtime executes.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_provider {
    /// The processor.
    Cpu = 0,
    /// NVIDIA GPUs.
    Cuda = 1,
    /// Apple's accelerators.
    CoreMl = 2,
    /// Android's accelerators.
    Nnapi = 3,
    /// DirectX 12.
    DirectMl = 4,
}

/// A count for which the library or the pack has a default.
pub const FACEPRINT_DEFAULT: u32 = u32::MAX;
/// A share for which the pack has a default. In the header by hand, as a float in brackets.
/// cbindgen:ignore
pub const FACEPRINT_DEFAULT_SHARE: f32 = -1.0;
/// Pictures are scaled for the detector as suits them and the smallest face.
pub const FACEPRINT_DETECTION_SIZE_AUTO: u32 = 0;
/// Pictures are not scaled for the detector.
pub const FACEPRINT_DETECTION_SIZE_NATIVE: u32 = 1;

/// How an engine works; FACEPRINT_ENGINE_OPTIONS_INIT. Strings and lists are needed while the engine is made.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_engine_options {
    /// sizeof(faceprint_engine_options).
    pub struct_size: usize,
    /// A faceprint_backend_choice.
    pub backend: u32,
    /// A faceprint_provider.
    pub provider: u32,
    /// ONNX Runtime's shared library; NULL to look for it.
    pub library: Text,
    /// Threads of each run of a network; FACEPRINT_DEFAULT: all cores for a run that is alone, one for those that overlap.
    pub threads: u32,
    /// The most faces of a picture; FACEPRINT_DEFAULT for all.
    pub max_faces: u32,
    /// Shorter side of the smallest face that matters, pixels; FACEPRINT_DEFAULT for none.
    pub min_face: u32,
    /// FACEPRINT_DETECTION_SIZE_AUTO, FACEPRINT_DETECTION_SIZE_NATIVE or the side of a square, a multiple of 32.
    pub detection_size: u32,
    /// The lowest detection score, 0 to 1, or FACEPRINT_DEFAULT_SHARE.
    pub score_threshold: f32,
    /// The largest overlap of two faces, 0 to 1, or FACEPRINT_DEFAULT_SHARE.
    pub nms_threshold: f32,
    /// Whether a template is the mean of the face's and its mirror image's.
    pub flip_averaging: Flag,
    /// Whether the pack's liveness models are loaded and asked by faceprint_engine_capture.
    pub liveness: Flag,
    /// What faceprint_engine_capture asks of a face; NULL for that of a kiosk.
    pub policy: Option<&'static faceprint_policy>,
    /// Names of licences, or of models, whose restrictions are accepted.
    pub accepted_licenses: Items<Text>,
    /// How many.
    pub accepted_licenses_len: usize,
}

/// What runs the networks. The strings live as long as the engine.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_backend {
    /// "ONNX Runtime" or "rten".
    pub name: *const c_char,
    /// Its version.
    pub version: *const c_char,
    /// ONNX Runtime's library; NULL for rten.
    pub library: *const c_char,
    /// A faceprint_provider.
    pub provider: u32,
    /// Threads of a run that is alone.
    pub threads: usize,
}

/// Loaded models, ready for pictures.
pub struct faceprint_engine {
    pub(crate) engine: Engine,
    backend: faceprint_backend,
    _texts: [CString; 3],
}

/// Loads the models of `pack`; `options` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_new(
    pack: Option<&faceprint_pack>,
    options: Options<faceprint_engine_options>,
    engine: Out<*mut faceprint_engine>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let engine = engine.check("engine")?;
        let options = options.read("options")?;
        engine.give(faceprint_engine::new(options.build(need(pack, "pack")?)?));
        Ok(())
    })
}

/// The faces in `image`, best score first.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_detect(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    detections: Out<*mut faceprint_detections>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let detections = detections.check("detections")?;
        let found = need(engine, "engine")?.engine.detect(&need(image, "image")?.view()?)?;
        detections.give(faceprint_detections::new(found));
        Ok(())
    })
}

/// The faces in `image` with a template and their quality each, best score first. Nothing is judged.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_analyze(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    faces: Out<*mut faceprint_faces>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let faces = faces.check("faces")?;
        let found = need(engine, "engine")?.engine.analyze(&need(image, "image")?.view()?)?;
        faces.give(faceprint_faces::new(found));
        Ok(())
    })
}

/// faceprint_engine_analyze for `len` images on all cores: `faces` has `len` places, all of which are filled, or none.
/// `progress` may be NULL, and is called from several threads.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_analyze_all(
    engine: Option<&faceprint_engine>,
    images: Items<faceprint_image>,
    len: usize,
    progress: faceprint_progress,
    user: *mut std::ffi::c_void,
    faces: Out<*mut faceprint_faces>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (faces, user) = (faces.check("faces")?, User(user));
        let images = images.slice(len, "images")?;
        let views = images.iter().map(|image| image.view()).collect::<Result<Vec<_>, _>>()?;
        let found = need(engine, "engine")?.engine.batch(
            &views,
            |engine, view| engine.analyze(view),
            |done, all| crate::search::tell(progress, user, done, all),
        );
        let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        faces
            .put_all(found.into_iter().map(|it| Box::into_raw(Box::new(faceprint_faces::new(it)))));
        Ok(())
    })
}

/// The one prominent face of `image`, if it is good enough: `sample` gets it and `issues` NULL. Otherwise `sample` gets
/// NULL and `issues` the reasons. A poor picture is no error.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_capture(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    sample: Out<*mut faceprint_sample>,
    issues: Out<*mut faceprint_issues>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (sample, issues) = (sample.check("sample")?, issues.check("issues")?);
        match need(engine, "engine")?.engine.capture(&need(image, "image")?.view()?)? {
            Capture::Usable(usable) => {
                sample.give(faceprint_sample::new(usable));
                issues.put(std::ptr::null_mut());
            }
            Capture::Rejected(why) => {
                sample.put(std::ptr::null_mut());
                issues.give(faceprint_issues::new(why));
            }
        }
        Ok(())
    })
}

/// How good a face is, taken as alone in the picture. To be freed.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_quality(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    detection: Option<&faceprint_detection>,
    quality: Out<*mut faceprint_quality>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let quality = quality.check("quality")?;
        let face = (*need(detection, "detection")?).into();
        let view = need(image, "image")?.view()?;
        quality.give(faceprint_quality(need(engine, "engine")?.engine.quality(&view, &face)?));
        Ok(())
    })
}

/// The template of the face at `landmarks`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_template(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    landmarks: Option<&faceprint_landmarks>,
    template: Out<*mut faceprint_template>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let template = template.check("template")?;
        let landmarks = (*need(landmarks, "landmarks")?).into();
        let view = need(image, "image")?.view()?;
        let made = need(engine, "engine")?.engine.template(&view, &landmarks)?;
        template.give(faceprint_template(made));
        Ok(())
    })
}

/// The face at `landmarks`, aligned as the pack's embedder sees it.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_crop(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    landmarks: Option<&faceprint_landmarks>,
    crop: Out<*mut faceprint_picture>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let crop = crop.check("crop")?;
        let landmarks = (*need(landmarks, "landmarks")?).into();
        let view = need(image, "image")?.view()?;
        crop.give(faceprint_picture(need(engine, "engine")?.engine.crop(&view, &landmarks)?));
        Ok(())
    })
}

/// The templates of `len` crops that are aligned already: `templates` has `len` places, all of which are filled, or
/// none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_templates_of_crops(
    engine: Option<&faceprint_engine>,
    crops: Items<Option<&faceprint_picture>>,
    len: usize,
    templates: Out<*mut faceprint_template>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let templates = templates.check("templates")?;
        let crops = crops.slice(len, "crops")?.iter();
        let crops: Vec<RgbImage> = crops
            .map(|crop| Ok(need(*crop, "a crop")?.0.clone()))
            .collect::<Result<_, Failure>>()?;
        let made = need(engine, "engine")?.engine.templates_of_crops(&crops)?;
        templates
            .put_all(made.into_iter().map(|it| Box::into_raw(Box::new(faceprint_template(it)))));
        Ok(())
    })
}

/// What the pack's liveness models say of a face. `image` is the whole frame.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_liveness(
    engine: Option<&faceprint_engine>,
    image: Option<&faceprint_image>,
    detection: Option<&faceprint_detection>,
    liveness: Out<faceprint_liveness>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let liveness = liveness.check("liveness")?;
        let face = (*need(detection, "detection")?).into();
        let view = need(image, "image")?.view()?;
        let said = need(engine, "engine")?.engine.liveness(&view, &face)?;
        liveness.put(faceprint_liveness { score: said.score, threshold: said.threshold });
        Ok(())
    })
}

/// Whether the engine was made with liveness models; false for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_has_liveness(engine: Option<&faceprint_engine>) -> bool {
    engine.is_some_and(|engine| engine.engine.has_liveness())
}

/// faceprint_pack_threshold of the engine's pack.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_threshold(
    engine: Option<&faceprint_engine>,
    fmr: f64,
    threshold: Out<f32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let threshold = threshold.check("threshold")?;
        threshold.put(need(engine, "engine")?.engine.threshold(fmr)?);
        Ok(())
    })
}

/// A copy of what faceprint_engine_capture asks of a face.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_policy(
    engine: Option<&faceprint_engine>,
    policy: Out<*mut faceprint_policy>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let policy = policy.check("policy")?;
        policy.give(faceprint_policy::new(need(engine, "engine")?.engine.policy().clone()));
        Ok(())
    })
}

/// What runs the networks; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_backend(
    engine: Option<&faceprint_engine>,
) -> *const faceprint_backend {
    engine.map_or(std::ptr::null(), |engine| &raw const engine.backend)
}

/// Frees an engine.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_free(engine: Option<Box<faceprint_engine>>) {
    free(engine);
}

// SAFETY: repr(C), `struct_size` first, then numbers, pointers and an optional reference, whose promise is the header's.
unsafe impl Growing for faceprint_engine_options {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            backend: faceprint_backend_choice::Auto as u32,
            provider: faceprint_provider::Cpu as u32,
            library: Text::NULL,
            threads: FACEPRINT_DEFAULT,
            max_faces: FACEPRINT_DEFAULT,
            min_face: FACEPRINT_DEFAULT,
            detection_size: FACEPRINT_DETECTION_SIZE_AUTO,
            score_threshold: FACEPRINT_DEFAULT_SHARE,
            nms_threshold: FACEPRINT_DEFAULT_SHARE,
            flip_averaging: 0,
            liveness: 0,
            policy: None,
            accepted_licenses: Items::NULL,
            accepted_licenses_len: 0,
        }
    }
}

impl faceprint_engine_options {
    fn build(&self, pack: &faceprint_pack) -> Result<Engine, Failure> {
        let mut builder = Engine::builder(&pack.pack)
            .backend(match self.backend {
                0 => BackendChoice::Auto,
                1 => BackendChoice::OnnxRuntime,
                2 => BackendChoice::Rten,
                other => {
                    return Err(Failure::argument(format!("backend is {other}, must be 0 to 2")));
                }
            })
            .provider(match self.provider {
                0 => Provider::Cpu,
                1 => Provider::Cuda,
                2 => Provider::CoreMl,
                3 => Provider::Nnapi,
                4 => Provider::DirectMl,
                other => {
                    return Err(Failure::argument(format!("provider is {other}, must be 0 to 4")));
                }
            })
            .detection_size(match self.detection_size {
                FACEPRINT_DETECTION_SIZE_AUTO => DetectionSize::Auto,
                FACEPRINT_DETECTION_SIZE_NATIVE => DetectionSize::Native,
                side => DetectionSize::Square(side),
            })
            .flip_averaging(self.flip_averaging != 0)
            .liveness(self.liveness != 0);
        let count = |count: u32| (count != FACEPRINT_DEFAULT).then_some(count);
        let share = |share: f32| (share != FACEPRINT_DEFAULT_SHARE).then_some(share);
        if let Some(library) = self.library.option("library")? {
            builder = builder.onnxruntime_library(library);
        }
        if let Some(threads) = count(self.threads) {
            builder = builder.threads(threads as usize);
        }
        if let Some(faces) = count(self.max_faces) {
            builder = builder.max_faces(faces as usize);
        }
        if let Some(pixels) = count(self.min_face) {
            builder = builder.min_face(pixels);
        }
        if let Some(score) = share(self.score_threshold) {
            builder = builder.score_threshold(score);
        }
        if let Some(overlap) = share(self.nms_threshold) {
            builder = builder.nms_threshold(overlap);
        }
        if let Some(policy) = self.policy {
            builder = builder.policy(policy.get());
        }
        for name in self.accepted_licenses.slice(self.accepted_licenses_len, "accepted_licenses")? {
            builder = builder.accept_license(name.get("an accepted licence")?);
        }
        Ok(builder.build()?)
    }
}

impl faceprint_engine {
    fn new(engine: Engine) -> Self {
        let info = engine.backend();
        let library = info.library.as_ref().map(|library| library.display().to_string());
        let texts = [
            c_string(info.name),
            c_string(&info.version),
            c_string(library.as_deref().unwrap_or_default()),
        ];
        let backend = faceprint_backend {
            name: texts[0].as_ptr(),
            version: texts[1].as_ptr(),
            library: library.map_or(std::ptr::null(), |_| texts[2].as_ptr()),
            provider: match info.provider {
                Provider::Cuda => 1,
                Provider::CoreMl => 2,
                Provider::Nnapi => 3,
                Provider::DirectMl => 4,
                _ => 0,
            },
            threads: info.threads,
        };
        Self { engine, backend, _texts: texts }
    }
}

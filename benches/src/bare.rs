//! Bare runs: ONNX Runtime's C interface on a tensor that lies ready, and nothing around it.
//!
//! It is the floor that no pipeline on these models can go below. The crate `ort` keeps the process's
//! environment to whom made it first, which is the library; the C interface hands out the same one.

use std::error::Error;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

use ort::sys;

/// A network and its inputs.
#[derive(Debug)]
pub struct BareRun {
    session: *mut sys::OrtSession,
    inputs: Vec<*mut sys::OrtValue>,
    input_name: CString,
    output_names: Vec<CString>,
    /// What `inputs` point to: never touched again, so never moved.
    _data: Vec<Vec<f32>>,
}

impl BareRun {
    /// Opens the model in `onnx` with the library's settings on one thread, for inputs of `shape`
    /// (N, C, H, W). ONNX Runtime must have been loaded: an engine on it must have been built.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn new(
        onnx: &[u8],
        shape: [usize; 4],
        data: Vec<Vec<f32>>,
    ) -> Result<Self, Box<dyn Error>> {
        if data.iter().any(|it| shape.iter().product::<usize>() != it.len()) {
            return Err("the shape is not that of the data".into());
        }
        let mut data = data;
        let shape = shape.map(|side| i64::try_from(side).unwrap_or(i64::MAX));
        let api = ort::api();
        let (mut environment, mut options) = (ptr::null_mut(), ptr::null_mut());
        let (mut memory, mut session) = (ptr::null_mut(), ptr::null_mut());
        let mut inputs = vec![ptr::null_mut(); data.len()];
        // SAFETY: each out-pointer is a local, each in-pointer was filled by the call before or is a
        // literal, the model outlives the call that copies it, and `data` outlives `inputs` in `Self`.
        unsafe {
            let level = sys::OrtLoggingLevel::ORT_LOGGING_LEVEL_WARNING;
            check((api.CreateEnv)(level, c"bare".as_ptr(), &raw mut environment))?;
            check((api.CreateSessionOptions)(&raw mut options))?;
            check((api.SetIntraOpNumThreads)(options, 1))?;
            let all = sys::GraphOptimizationLevel::ORT_ENABLE_ALL;
            check((api.SetSessionGraphOptimizationLevel)(options, all))?;
            let bytes = onnx.as_ptr().cast();
            check((api.CreateSessionFromArray)(
                environment,
                bytes,
                onnx.len(),
                options,
                &raw mut session,
            ))?;
            (api.ReleaseSessionOptions)(options);
            let arena = sys::OrtAllocatorType::OrtArenaAllocator;
            let default = sys::OrtMemType::OrtMemTypeDefault;
            check((api.CreateCpuMemoryInfo)(arena, default, &raw mut memory))?;
            for (data, input) in data.iter_mut().zip(&mut inputs) {
                check((api.CreateTensorWithDataAsOrtValue)(
                    memory,
                    data.as_mut_ptr().cast(),
                    size_of_val(data.as_slice()),
                    shape.as_ptr(),
                    shape.len(),
                    sys::ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                    input,
                ))?;
            }
            (api.ReleaseMemoryInfo)(memory);
        }
        let (input_name, output_names) = names(session)?;
        Ok(Self { session, inputs, input_name, output_names, _data: data })
    }

    /// Runs the network once on each input; its outputs are released unread.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let api = ort::api();
        let input_names = [self.input_name.as_ptr()];
        let output_names: Vec<_> = self.output_names.iter().map(|name| name.as_ptr()).collect();
        let mut outputs = vec![ptr::null_mut(); output_names.len()];
        for input in &self.inputs {
            // SAFETY: session and inputs live as long as `self`; names and outputs are as many as is
            // said; what a run put into `outputs` is released and forgotten before the next.
            unsafe {
                check((api.Run)(
                    self.session,
                    ptr::null(),
                    input_names.as_ptr(),
                    [input.cast_const()].as_ptr(),
                    1,
                    output_names.as_ptr(),
                    output_names.len(),
                    outputs.as_mut_ptr(),
                ))?;
                outputs.iter().for_each(|output| (api.ReleaseValue)(*output));
            }
            outputs.fill(ptr::null_mut());
        }
        Ok(())
    }
}

impl Drop for BareRun {
    fn drop(&mut self) {
        // SAFETY: all were made in `new` and are released once.
        unsafe {
            self.inputs.iter().for_each(|input| (ort::api().ReleaseValue)(*input));
            (ort::api().ReleaseSession)(self.session);
        }
    }
}

/// The names of the one input and of all outputs.
fn names(session: *const sys::OrtSession) -> Result<(CString, Vec<CString>), Box<dyn Error>> {
    let api = ort::api();
    let mut allocator = ptr::null_mut();
    let mut count = 0;
    // SAFETY: `session` is open; a name belongs to the allocator, is copied and then freed by it.
    unsafe {
        check((api.GetAllocatorWithDefaultOptions)(&raw mut allocator))?;
        check((api.SessionGetOutputCount)(session, &raw mut count))?;
        let take = |name: *mut c_char| -> Result<CString, Box<dyn Error>> {
            let owned = CStr::from_ptr(name).to_owned();
            check((api.AllocatorFree)(allocator, name.cast()))?;
            Ok(owned)
        };
        let mut name = ptr::null_mut();
        check((api.SessionGetInputName)(session, 0, allocator, &raw mut name))?;
        let input = take(name)?;
        let mut outputs = Vec::new();
        for index in 0..count {
            check((api.SessionGetOutputName)(session, index, allocator, &raw mut name))?;
            outputs.push(take(name)?);
        }
        Ok((input, outputs))
    }
}

/// A status is null when all went well; otherwise it holds a message.
fn check(status: sys::OrtStatusPtr) -> Result<(), Box<dyn Error>> {
    if status.0.is_null() {
        return Ok(());
    }
    // SAFETY: a status that is not null is valid until it is released, here.
    unsafe {
        let message =
            CStr::from_ptr((ort::api().GetErrorMessage)(status.0)).to_string_lossy().into_owned();
        (ort::api().ReleaseStatus)(status.0);
        Err(message.into())
    }
}

//! The one call that the wrapper of NVML lacks: a field of another scope than the GPU.
#![expect(
    unsafe_code,
    reason = "the wrapper always asks with scope 0, and the power of a whole module (GH200, GB200) is scope 1"
)]

use nvml_wrapper::error::{NvmlError, nvml_sym, nvml_try};
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::nvmlFieldValue_t;

/// `NVML_POWER_SCOPE_MODULE`.
const MODULE: u32 = 1;
/// `NVML_VALUE_TYPE_UNSIGNED_INT`, the type in which power comes.
const UNSIGNED_INT: u32 = 1;

/// A field with power, of the whole module, milliwatts.
///
/// # Errors
/// What NVML says; mostly that it is not supported.
pub(crate) fn module_power_mw(
    nvml: &Nvml,
    device: &Device<'_>,
    field: u32,
) -> Result<u32, NvmlError> {
    let call = nvml_sym(nvml.lib().nvmlDeviceGetFieldValues.as_ref())?;
    // SAFETY: a C struct of numbers and a union of numbers, for which all zeros are valid.
    let mut value: nvmlFieldValue_t = unsafe { std::mem::zeroed() };
    value.fieldId = field;
    value.scopeId = MODULE;
    // SAFETY: the handle is of this library, which `nvml` keeps open; one value is asked for, and there is room for one.
    nvml_try(unsafe { call(device.handle(), 1, &raw mut value) })?;
    nvml_try(value.nvmlReturn)?;
    if value.valueType != UNSIGNED_INT {
        return Err(NvmlError::UnexpectedVariant(value.valueType));
    }
    // SAFETY: the type says that this member of the union was written.
    Ok(unsafe { value.value.uiVal })
}

//! What the image is told to do, under `Parameters` of its service key.
//!
//! | value | type | meaning |
//! |---|---|---|
//! | `Drivers` | `REG_MULTI_SZ` | the services to load, in this order |
//! | `Adapters` | `REG_DWORD` | so many adapters each of them has that is a miniport's, 1 without it |
//! | `Settings` | `REG_MULTI_SZ` | settings of those adapters, none without it: `service\Name=dword:4`, `service\Name=text` |
//! | `Report` | `REG_SZ` | the file for the account, as a path of NT (`\??\C:\report.json`) |
//! | `Seed` | `REG_DWORD` | the seed of the schedule, 1 without it |
//! | `Readings` | `REG_SZ` | answers to open questions (`crossing_close: Delivered, ...`), none without it |
//! | `Watchdog` | `REG_DWORD` | so many milliseconds may pass without a call, 60,000 without it; 0 is no limit |
//! | `Steps` | `REG_DWORD` | so often the baton may be handed on; 0, or without it, is no limit |
//!
//! A reading or a setting that the host does not know is the failure of the account.

use crate::account;
use crate::kernel::{self, HANDLE, NTSTATUS, UNICODE_STRING};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ndis_host::{AdapterSettings, Readings, UnknownReading};

/// What to do.
pub struct Settings {
    pub seed: u64,
    pub readings: Readings,
    pub watchdog: u32,
    pub steps: u64,
    pub drivers: Vec<String>,
    /// Of each miniport driver.
    pub adapters: u32,
    /// What the registry has for them, by their drivers.
    pub of_adapters: BTreeMap<String, AdapterSettings>,
}

const SZ: u32 = 1;
const MULTI_SZ: u32 = 7;
const INVALID_PARAMETER: NTSTATUS = ndis_sys::NDIS_STATUS_INVALID_PARAMETER;

/// How long a driver may say nothing, in milliseconds, as in a test.
const WATCHDOG: u32 = 60_000;

impl Settings {
    /// Reads the settings. From now on accounts go where they say.
    ///
    /// # Safety
    ///
    /// `path` is the registry path of `DriverEntry`.
    pub unsafe fn read(path: *const UNICODE_STRING) -> Result<Self, NTSTATUS> {
        // SAFETY: the registry path, by the caller.
        let mut path = unsafe { kernel::units(path) }.to_vec();
        path.extend(kernel::wide("\\Parameters"));
        let key = Key::open(&mut path)?;
        let mut report = key.strings("Report", SZ)?;
        account::begin(&report.pop().ok_or(INVALID_PARAMETER)?);
        let readings = match key.strings("Readings", SZ) {
            Ok(text) => text.concat().parse().map_err(|unknown: UnknownReading| {
                account::write_failure(&unknown.to_string());
                INVALID_PARAMETER
            })?,
            Err(ndis_sys::STATUS_OBJECT_NAME_NOT_FOUND) => Readings::default(),
            Err(status) => return Err(status),
        };
        let lines = match key.strings("Settings", MULTI_SZ) {
            Err(ndis_sys::STATUS_OBJECT_NAME_NOT_FOUND) => Vec::new(),
            lines => lines?,
        };
        let of_adapters = of_adapters(&lines).map_err(|unknown| {
            account::write_failure(&unknown);
            INVALID_PARAMETER
        })?;
        Ok(Self {
            of_adapters,
            seed: key.number("Seed", 1)?.into(),
            readings,
            watchdog: key.number("Watchdog", WATCHDOG)?,
            steps: match key.number("Steps", 0)? {
                0 => u64::MAX,
                steps => steps.into(),
            },
            drivers: key.strings("Drivers", MULTI_SZ)?,
            adapters: key.number("Adapters", 1)?,
        })
    }
}

/// The settings of adapters that the lines say; an error is a line that says none.
fn of_adapters(lines: &[String]) -> Result<BTreeMap<String, AdapterSettings>, String> {
    let mut all = BTreeMap::new();
    for line in lines {
        let (service, setting) = line
            .split_once('\\')
            .ok_or_else(|| alloc::format!("{line:?} names no driver: `service\\Name=text`"))?;
        let settings: AdapterSettings = all.remove(service).unwrap_or_default();
        let settings = settings
            .line(setting)
            .map_err(|unknown| unknown.to_string())?;
        all.insert(service.to_string(), settings);
    }
    Ok(all)
}

struct Key(HANDLE);

impl Key {
    fn open(path: &mut [u16]) -> Result<Self, NTSTATUS> {
        let mut name = kernel::counted(path);
        let mut attributes = kernel::named(&mut name);
        let mut key: HANDLE = core::ptr::null_mut();
        let open = kernel::ZwOpenKey();
        // SAFETY: PASSIVE_LEVEL; the structures live for the call.
        let status = unsafe { open(&mut key, ndis_sys::KEY_READ, &mut attributes) };
        if status < 0 {
            Err(status)
        } else {
            Ok(Self(key))
        }
    }

    /// The bytes of a value of type `kind`.
    fn value(&self, name: &str, kind: u32) -> Result<Vec<u8>, NTSTATUS> {
        // Title, type and length, then the data, at most so much of it.
        let mut answer = [0_u32; 1024];
        let mut name = kernel::wide(name);
        let mut name = kernel::counted(&mut name);
        let mut length = 0;
        let query = kernel::ZwQueryValueKey();
        // SAFETY: PASSIVE_LEVEL; the structures live for the call, and the
        // answer has as many bytes as is said.
        let status = unsafe {
            query(
                self.0,
                &mut name,
                ndis_sys::KeyValuePartialInformation,
                answer.as_mut_ptr().cast(),
                size_of_val(&answer) as u32,
                &mut length,
            )
        };
        if status != 0 {
            return Err(status);
        }
        let [_, found, length, data @ ..] = &answer;
        if *found != kind {
            return Err(INVALID_PARAMETER);
        }
        let bytes = data.iter().flat_map(|word| word.to_le_bytes());
        Ok(bytes.take(*length as usize).collect())
    }

    /// A number; `absent` when there is none of this name.
    fn number(&self, name: &str, absent: u32) -> Result<u32, NTSTATUS> {
        match self.value(name, ndis_sys::REG_DWORD) {
            Ok(bytes) => {
                let number = bytes.first_chunk().ok_or(INVALID_PARAMETER)?;
                Ok(u32::from_le_bytes(*number))
            }
            Err(ndis_sys::STATUS_OBJECT_NAME_NOT_FOUND) => Ok(absent),
            Err(status) => Err(status),
        }
    }

    /// The strings of a value, which are separated by zeros.
    fn strings(&self, name: &str, kind: u32) -> Result<Vec<String>, NTSTATUS> {
        let bytes = self.value(name, kind)?;
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| pair.first_chunk().map(|pair| u16::from_le_bytes(*pair)))
            .collect();
        let strings = units.split(|unit| *unit == 0);
        Ok(strings
            .filter(|string| !string.is_empty())
            .map(String::from_utf16_lossy)
            .collect())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        kernel::close(self.0);
    }
}

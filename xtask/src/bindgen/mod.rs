//! `cargo xtask bindgen`: writes `ndis-sys/src/generated` from Microsoft's own
//! headers, so that the crate itself needs neither headers nor libclang.
//!
//! bindgen reads the headers once for each architecture (`headers.rs`), its
//! output is put in order (`tidy.rs`, `names.rs`), clang is asked for what bindgen does not
//! see (`probe.rs`), and what is equal everywhere is written once (`emit.rs`).
//!
//! A second time bindgen reads them as the crate `wdk-sys` does (`wdk.rs`), to find which names
//! the two crates share (`definitions.rs`) and to write a crate that stands in for the other.

mod definitions;
mod emit;
mod headers;
mod names;
mod probe;
mod tidy;
mod types;
mod wdk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use headers::{Arch, Headers};
use probe::{Answer, Clang};
use tidy::Tidied;
use wdk::Wdk;

/// The version of what this module writes.
const GENERATOR: &str = "2";

/// The pinned bindgen; its library does not tell.
const BINDGEN: &str = "0.73.2";

#[derive(clap::Args)]
pub struct BindgenArgs {
    /// A WDK's `Include/<version>` folder, or one of the same shape.
    #[arg(long, value_name = "DIR")]
    include: PathBuf,
    /// Write nothing; fail where the tree differs from what would be written.
    #[arg(long)]
    check: bool,
}

/// The functions of ntoskrnl.exe that a network driver needs beside NDIS.
const NT_FUNCTIONS: &[&str] = &[
    "DbgPrint",
    "ExAllocatePool2",
    "ExAllocatePoolWithTag",
    "ExDeleteNPagedLookasideList",
    "ExFreePool",
    "ExFreePoolWithTag",
    "ExInitializeNPagedLookasideList",
    "ExInterlockedAddUlong",
    "ExInterlockedInsertHeadList",
    "ExInterlockedInsertTailList",
    "ExInterlockedPopEntryList",
    "ExInterlockedPushEntryList",
    "ExInterlockedRemoveHeadList",
    "ExQueryDepthSList",
    "ExpInterlockedFlushSList",
    "ExpInterlockedPopEntrySList",
    "ExpInterlockedPushEntrySList",
    "InitializeSListHead",
    "IoAllocateDriverObjectExtension",
    "IoAllocateMdl",
    "IoAllocateWorkItem",
    "IoFreeMdl",
    "IoFreeWorkItem",
    "IoGetDriverObjectExtension",
    "IoGetStackLimits",
    "IoQueueWorkItemEx",
    "KeAcquireSpinLockAtDpcLevel",
    "KeAcquireSpinLockRaiseToDpc",
    "KeBugCheckEx",
    "KeClearEvent",
    "KeDelayExecutionThread",
    "KeFlushQueuedDpcs",
    "KeGetCurrentProcessorNumberEx",
    "KeInitializeEvent",
    "KeInitializeMutex",
    "KeReleaseMutex",
    "KeReleaseSpinLock",
    "KeReleaseSpinLockFromDpcLevel",
    "KeResetEvent",
    "KeSetEvent",
    "KeWaitForSingleObject",
    "MmBuildMdlForNonPagedPool",
    "MmMapLockedPagesSpecifyCache",
    "MmUnmapLockedPages",
    "ObReferenceObjectByHandle",
    "PsCreateSystemThread",
    "PsTerminateSystemThread",
    "RtlAnsiStringToUnicodeString",
    "RtlEqualUnicodeString",
    "RtlInitString",
    "RtlInitUnicodeString",
    "RtlUnicodeStringToAnsiString",
    "RtlUpcaseUnicodeString",
    "ZwClose",
];

/// The integer macros of the NT headers that go with them.
const NT_MACROS: &[&str] = &[
    "APC_LEVEL",
    "DISPATCH_LEVEL",
    "FALSE",
    "FILE_ANY_ACCESS",
    "FILE_DEVICE_PHYSICAL_NETCARD",
    "HIGH_LEVEL",
    "IF_TYPE_ATM",
    "IF_TYPE_ETHERNET_CSMACD",
    "IF_TYPE_ISDN",
    "IF_TYPE_OTHER",
    "IF_TYPE_PPP",
    "IF_TYPE_PROP_VIRTUAL",
    "IF_TYPE_SOFTWARE_LOOPBACK",
    "IF_TYPE_TUNNEL",
    "IO_NO_INCREMENT",
    "IRP_MJ_CLEANUP",
    "IRP_MJ_CLOSE",
    "IRP_MJ_CREATE",
    "IRP_MJ_DEVICE_CONTROL",
    "IRP_MJ_MAXIMUM_FUNCTION",
    "MAXIMUM_PROCESSORS",
    "MAXIMUM_WAIT_OBJECTS",
    "MDL_ALLOCATED_FIXED_SIZE",
    "MDL_IO_PAGE_READ",
    "MDL_IO_SPACE",
    "MDL_LOCKED_PAGE_TABLES",
    "MDL_MAPPED_TO_SYSTEM_VA",
    "MDL_MAPPING_CAN_FAIL",
    "MDL_MAPPING_FLAGS",
    "MDL_NETWORK_HEADER",
    "MDL_PAGES_LOCKED",
    "MDL_PARENT_MAPPED_SYSTEM_VA",
    "MDL_PARTIAL",
    "MDL_PARTIAL_HAS_BEEN_MAPPED",
    "MDL_SOURCE_IS_NONPAGED_POOL",
    "MDL_WRITE_OPERATION",
    "METHOD_BUFFERED",
    "METHOD_IN_DIRECT",
    "METHOD_NEITHER",
    "METHOD_OUT_DIRECT",
    "MdlMappingNoExecute",
    "MdlMappingNoWrite",
    "MdlMappingWithGuardPtes",
    "OBJ_KERNEL_HANDLE",
    "PAGE_SHIFT",
    "PAGE_SIZE",
    "PASSIVE_LEVEL",
    "POOL_FLAG_NON_PAGED",
    "POOL_FLAG_UNINITIALIZED",
    "POOL_NX_ALLOCATION",
    "STATUS_ACCESS_DENIED",
    "STATUS_ALERTED",
    "STATUS_BUFFER_ALL_ZEROS",
    "STATUS_BUFFER_OVERFLOW",
    "STATUS_BUFFER_TOO_SMALL",
    "STATUS_CANCELLED",
    "STATUS_DATA_ERROR",
    "STATUS_DEVICE_BUSY",
    "STATUS_DEVICE_NOT_READY",
    "STATUS_INFO_LENGTH_MISMATCH",
    "STATUS_INSUFFICIENT_RESOURCES",
    "STATUS_INVALID_BUFFER_SIZE",
    "STATUS_INVALID_DEVICE_REQUEST",
    "STATUS_INVALID_DEVICE_STATE",
    "STATUS_INVALID_PARAMETER",
    "STATUS_MORE_PROCESSING_REQUIRED",
    "STATUS_NOT_FOUND",
    "STATUS_NOT_SUPPORTED",
    "STATUS_NO_MEMORY",
    "STATUS_OBJECT_NAME_COLLISION",
    "STATUS_PENDING",
    "STATUS_REVISION_MISMATCH",
    "STATUS_SUCCESS",
    "STATUS_TIMEOUT",
    "STATUS_UNEXPECTED_IO_ERROR",
    "STATUS_UNSUCCESSFUL",
    "STATUS_USER_APC",
    "STATUS_WAIT_0",
    "SYNCHRONIZE",
    "THREAD_ALL_ACCESS",
    "TRUE",
];

/// NT types that nothing above mentions by itself.
const NT_TYPES: &str = "P?(DRIVER_OBJECT|DEVICE_OBJECT|IRP|IO_STACK_LOCATION|MDL|LIST_ENTRY|\
    SINGLE_LIST_ENTRY|SLIST_HEADER|SLIST_ENTRY|LONG|LONGLONG|ULONGLONG|UNICODE_STRING|\
    ANSI_STRING|OBJECT_ATTRIBUTES|KSTART_ROUTINE|KSPIN_LOCK|KEVENT|KTIMER|KDPC|KMUTEX|KIRQL|\
    LARGE_INTEGER|ULARGE_INTEGER|GENERAL_LOOKASIDE|NPAGED_LOOKASIDE_LIST|IO_STATUS_BLOCK|NTSTATUS)|\
    DRIVER_INITIALIZE|DRIVER_UNLOAD|DRIVER_DISPATCH|DRIVER_ADD_DEVICE|KPRIORITY|_?MM_PAGE_PRIORITY|\
    _?POOL_TYPE|_?MODE|_?EVENT_TYPE|_?KWAIT_REASON|_?MEMORY_CACHING_TYPE|_?WORK_QUEUE_TYPE";

/// All that is known about one architecture.
struct Facts {
    arch: Arch,
    tidied: Tidied,
    wdk: Wdk,
    /// In the order of the headers.
    constants: Vec<(String, Answer)>,
    layouts: Vec<Layout>,
    /// The same records where they are `wdk-sys`'s.
    wdk_layouts: Vec<Layout>,
}

/// A record with its size, its alignment and the offsets of its members.
struct Layout {
    record: String,
    size: u64,
    align: u64,
    offsets: Vec<Offset>,
}

struct Offset {
    /// How Rust and how C reach the member.
    rust: String,
    c: String,
    value: u64,
}

pub fn run(args: BindgenArgs) -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let scratch = std::env::temp_dir().join(format!("ndis-bindgen-{}", std::process::id()));
    let result = generate(&args.include, &scratch).and_then(|files| {
        let folder = workspace.join("ndis-sys");
        if args.check {
            emit::compare(&folder, &files)
        } else {
            emit::write(&folder, &files)
        }
    });
    // Only scratch: that it stays behind harms nothing.
    let _ = std::fs::remove_dir_all(&scratch);
    result
}

fn generate(include: &Path, scratch: &Path) -> Result<BTreeMap<String, String>> {
    let headers = Headers::find(include, scratch)?;
    let clang = Clang::find()?;
    let mut all = Vec::new();
    for arch in Arch::ALL {
        eprintln!("reading the headers for {}", arch.name());
        all.push(facts(&headers, &clang, arch, scratch)?);
    }
    let head = format!(
        "// Generated by cargo xtask bindgen {GENERATOR} (bindgen {BINDGEN}, {}) from the headers of WDK {}, NDIS 6.87; do not edit.\n",
        libclang_version(),
        headers.version,
    );
    emit::files(&head, &all)
}

fn libclang_version() -> String {
    let full = bindgen::clang_version().full;
    let number = full
        .split_whitespace()
        .find(|w| w.chars().next().is_some_and(|c| c.is_ascii_digit()))
        .unwrap_or(&full)
        .to_string();
    format!("libclang {number}")
}

fn facts(headers: &Headers, clang: &Clang, arch: Arch, scratch: &Path) -> Result<Facts> {
    let mut builder = bindgen::Builder::default()
        .header(headers.wrapper.to_string_lossy())
        .clang_args(headers.args(arch))
        .use_core()
        .layout_tests(false)
        .generate_comments(false)
        .derive_debug(false)
        .derive_default(false)
        .prepend_enum_name(false)
        .merge_extern_blocks(true)
        .generate_inline_functions(false)
        .formatter(bindgen::Formatter::None)
        .allowlist_function(NT_FUNCTIONS.join("|"))
        .allowlist_type(NT_TYPES);
    for files in headers.wanted_files() {
        builder = builder.allowlist_file(files);
    }
    let text = builder.generate().context("bindgen")?.to_string();
    let file = syn::parse_file(&text).context("bindgen's output")?;

    let macros = clang.macros(headers, arch)?;
    let mut names = macros.object_like.clone();
    names.extend(NT_MACROS.iter().map(|s| s.to_string()));
    let aliases = tidy::function_aliases(&file);
    let nested = names::nested_candidates(&file);
    let mut questions = names.clone();
    questions.extend(aliases.iter().map(|a| format!("__is_function({a})")));
    questions.extend(nested.iter().map(|(_, c)| format!("sizeof({c})")));
    let mut answers = clang.ask(headers, arch, &questions, scratch)?.into_iter();
    let mut constants = Vec::new();
    for name in names {
        if let Some(answer) = answers.next().flatten().filter(emit::is_integer) {
            constants.push((name, answer));
        }
    }
    let mut functions = BTreeSet::new();
    for alias in aliases {
        match answers.next().flatten() {
            Some(answer) if answer.value == 1 => drop(functions.insert(alias)),
            Some(_) => {}
            None => bail!("is {alias} a function type? clang does not say"),
        }
    }
    let mut inner = BTreeMap::new();
    for (name, path) in nested {
        if answers.next().flatten().is_some() {
            inner.insert(name, path);
        }
    }
    let tidied = tidy::tidy(file, &functions, &inner)?;
    let layouts = layouts(headers, clang, arch, scratch, &tidied)?;
    let wdk = wdk::read(headers, arch, scratch, &tidied)?;
    let wdk_layouts = wdk_layouts(&layouts, &wdk)?;
    Ok(Facts {
        arch,
        tidied,
        wdk,
        constants,
        layouts,
        wdk_layouts,
    })
}

/// Asks for the layout of every record that has a name in C; the levels that
/// have none are reached through their owner.
fn layouts(
    headers: &Headers,
    clang: &Clang,
    arch: Arch,
    scratch: &Path,
    tidied: &Tidied,
) -> Result<Vec<Layout>> {
    let mut questions = Vec::new();
    let mut plan = Vec::new();
    for (name, record) in &tidied.records {
        let Some(c_name) = record.c_name.as_ref().filter(|_| !record.opaque) else {
            continue;
        };
        let mut paths = Vec::new();
        walk(tidied, name, "", "", &mut paths);
        questions.push(format!("sizeof({c_name})"));
        questions.push(format!("alignof({c_name})"));
        questions.extend(
            paths
                .iter()
                .map(|(_, c)| format!("__builtin_offsetof({c_name}, {c})")),
        );
        plan.push((name, paths));
    }
    let mut answers = clang.ask(headers, arch, &questions, scratch)?.into_iter();
    let mut next = || answers.next().flatten();
    let mut layouts = Vec::new();
    for (name, paths) in plan {
        let (size, align) = (next(), next());
        let mut offsets = Vec::new();
        for (rust, c) in paths {
            match next() {
                Some(answer) => offsets.push(Offset {
                    rust,
                    c,
                    value: answer.value,
                }),
                None => bail!("{name}: clang does not know the field {c}"),
            }
        }
        let (Some(size), Some(align)) = (size, align) else {
            bail!("{name}: no size")
        };
        layouts.push(Layout {
            record: name.clone(),
            size: size.value,
            align: align.value,
            offsets,
        });
    }
    Ok(layouts)
}

/// What clang said of each record that `wdk-sys` has, by the paths that lead to its members there.
fn wdk_layouts(layouts: &[Layout], wdk: &Wdk) -> Result<Vec<Layout>> {
    let mut theirs = Vec::new();
    for layout in layouts {
        let Some(members) = wdk.members.get(&layout.record) else {
            continue;
        };
        let mut offsets = Vec::new();
        for ours in &layout.offsets {
            let Some((rust, _)) = members.iter().find(|(_, c)| *c == ours.c) else {
                bail!("{}: wdk-sys has no member {}", layout.record, ours.c);
            };
            offsets.push(Offset {
                rust: rust.clone(),
                c: ours.c.clone(),
                value: ours.value,
            });
        }
        theirs.push(Layout {
            record: layout.record.clone(),
            size: layout.size,
            align: layout.align,
            offsets,
        });
    }
    Ok(theirs)
}

/// Every field of a record as Rust and as C reach it.
fn walk(tidied: &Tidied, record: &str, rust: &str, c: &str, out: &mut Vec<(String, String)>) {
    let Some(record) = tidied.records.get(record) else {
        return;
    };
    for field in &record.fields {
        let rust = if rust.is_empty() {
            field.rust.clone()
        } else {
            format!("{rust}.{}", field.rust)
        };
        let inner = match &field.c {
            Some(name) => {
                let path = if c.is_empty() {
                    name.clone()
                } else {
                    format!("{c}.{name}")
                };
                out.push((rust.clone(), path.clone()));
                path
            }
            None => c.to_string(),
        };
        if let Some(level) = &field.inline {
            walk(tidied, level, &rust, &inner, out);
        }
    }
}

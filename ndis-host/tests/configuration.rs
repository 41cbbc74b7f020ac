//! Configurations as raw drivers open, read and write them: each answer is what the pages say,
//! and what a driver must not do is reported by its rule, and by the driver's name.

use crate::common;

use common::{Bench, Twist, header, host_under, only, plain, zeroed};
use ndis_host::{Adapter, AdapterSettings, ConfigurationText, Host, Readings, RegistryValue};
use ndis_sys as n;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;

const FAILURE: i32 = n::NDIS_STATUS_FAILURE;
const CALLED_OFTEN: u64 = 40;

/// A counted string over `units`.
fn counted(units: &mut [u16]) -> n::UNICODE_STRING {
    let bytes = size_of_val(units) as u16;
    n::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_mut_ptr(),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn object(handle: n::NDIS_HANDLE) -> n::NDIS_CONFIGURATION_OBJECT {
    let mut object: n::NDIS_CONFIGURATION_OBJECT = zeroed();
    object.Header = header(
        n::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
        n::NDIS_CONFIGURATION_OBJECT_REVISION_1,
        n::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1,
    );
    object.NdisHandle = handle;
    object
}

fn open_with(mut object: n::NDIS_CONFIGURATION_OBJECT) -> Result<n::NDIS_HANDLE, i32> {
    let mut configuration = null_mut();
    // SAFETY: a structure, and a place for the handle.
    let status = unsafe { n::NdisOpenConfigurationEx(&raw mut object, &raw mut configuration) };
    if status == n::NDIS_STATUS_SUCCESS {
        Ok(configuration)
    } else {
        Err(status)
    }
}

fn open(handle: n::NDIS_HANDLE) -> Result<n::NDIS_HANDLE, i32> {
    open_with(object(handle))
}

fn close(configuration: n::NDIS_HANDLE) {
    // SAFETY: a handle may be anything here.
    unsafe { n::NdisCloseConfiguration(configuration) };
}

/// What a read gives.
#[derive(Debug, PartialEq, Eq)]
enum Value {
    Integer(u32),
    Text(i32, Vec<u16>),
    Bytes(Vec<u8>),
}

fn text(text: &str) -> Result<Value, i32> {
    Ok(Value::Text(n::NdisParameterString, units(text)))
}

fn read_raw(
    configuration: n::NDIS_HANDLE,
    name: &str,
    kind: i32,
) -> Result<*mut n::NDIS_CONFIGURATION_PARAMETER, i32> {
    let mut name = units(name);
    let mut name = counted(&mut name);
    let mut status = i32::MIN;
    let mut value = null_mut();
    // SAFETY: a name, and places for the status and the value.
    unsafe {
        n::NdisReadConfiguration(
            &raw mut status,
            &raw mut value,
            configuration,
            &raw mut name,
            kind,
        );
    };
    if status == n::NDIS_STATUS_SUCCESS {
        Ok(value)
    } else {
        Err(status)
    }
}

fn read(configuration: n::NDIS_HANDLE, name: &str, kind: i32) -> Result<Value, i32> {
    let value = read_raw(configuration, name, kind)?;
    // SAFETY: the structure that NDIS shows.
    let value = unsafe { &*value };
    Ok(match value.ParameterType {
        n::NdisParameterInteger => {
            // SAFETY: the type says so.
            Value::Integer(unsafe { value.ParameterData.IntegerData })
        }
        kind @ (n::NdisParameterString | n::NdisParameterMultiString) => {
            // SAFETY: as above.
            let string = unsafe { value.ParameterData.StringData };
            let length = usize::from(string.Length) / 2;
            // SAFETY: so many units are there.
            let units = unsafe { std::slice::from_raw_parts(string.Buffer, length) };
            Value::Text(kind, units.to_vec())
        }
        n::NdisParameterBinary => {
            // SAFETY: as above.
            let binary = unsafe { value.ParameterData.BinaryData };
            let length = usize::from(binary.Length);
            // SAFETY: so many bytes are there.
            let bytes = unsafe { std::slice::from_raw_parts(binary.Buffer.cast(), length) };
            Value::Bytes(bytes.to_vec())
        }
        other => panic!("{other} is no type"),
    })
}

fn write(
    configuration: n::NDIS_HANDLE,
    name: &str,
    kind: i32,
    data: n::NDIS_CONFIGURATION_PARAMETER_ParameterData,
) -> i32 {
    let mut name = units(name);
    let mut name = counted(&mut name);
    let mut value = n::NDIS_CONFIGURATION_PARAMETER {
        ParameterType: kind,
        ParameterData: data,
    };
    let mut status = i32::MIN;
    // SAFETY: a name, a value, and a place for the status.
    unsafe {
        n::NdisWriteConfiguration(
            &raw mut status,
            configuration,
            &raw mut name,
            &raw mut value,
        );
    };
    status
}

fn write_number(configuration: n::NDIS_HANDLE, name: &str, number: u32) -> i32 {
    let data = n::NDIS_CONFIGURATION_PARAMETER_ParameterData {
        IntegerData: number,
    };
    write(configuration, name, n::NdisParameterInteger, data)
}

fn address(configuration: n::NDIS_HANDLE) -> Result<Vec<u8>, i32> {
    let mut status = i32::MIN;
    let mut place = null_mut();
    let mut length = 0;
    // SAFETY: places for the status, the address and its length.
    unsafe {
        n::NdisReadNetworkAddress(
            &raw mut status,
            &raw mut place,
            &raw mut length,
            configuration,
        );
    };
    if status != n::NDIS_STATUS_SUCCESS {
        return Err(status);
    }
    // SAFETY: so many bytes are there.
    let bytes = unsafe { std::slice::from_raw_parts(place.cast::<u8>(), length as usize) };
    Ok(bytes.to_vec())
}

fn key(configuration: n::NDIS_HANDLE, name: &str) -> Result<n::NDIS_HANDLE, i32> {
    let mut name = units(name);
    let mut name = counted(&mut name);
    let mut status = i32::MIN;
    let mut key = null_mut();
    // SAFETY: a name, and places for the status and the handle.
    unsafe {
        n::NdisOpenConfigurationKeyByName(
            &raw mut status,
            configuration,
            &raw mut name,
            &raw mut key,
        );
    };
    if status == n::NDIS_STATUS_SUCCESS {
        Ok(key)
    } else {
        Err(status)
    }
}

fn key_at(
    configuration: n::NDIS_HANDLE,
    index: u32,
    room: usize,
) -> Result<(String, n::NDIS_HANDLE), i32> {
    let mut buffer = vec![0_u16; room];
    let mut name = counted(&mut buffer);
    let mut status = i32::MIN;
    let mut key = null_mut();
    // SAFETY: room for a name, and places for the status and the handle.
    unsafe {
        n::NdisOpenConfigurationKeyByIndex(
            &raw mut status,
            configuration,
            index,
            &raw mut name,
            &raw mut key,
        );
    };
    if status != n::NDIS_STATUS_SUCCESS {
        return Err(status);
    }
    buffer.truncate(usize::from(name.Length) / 2);
    Ok((String::from_utf16(&buffer).unwrap(), key))
}

/// A handle, to be taken to a thread of the driver's.
#[derive(Clone, Copy)]
struct Handle(usize);

impl Handle {
    fn get(self) -> n::NDIS_HANDLE {
        std::ptr::without_provenance_mut(self.0)
    }
}

/// An adapter that is up, with a client's binding to it.
struct Scene {
    bench: Bench,
    adapter: Adapter,
}

impl Scene {
    fn new(settings: AdapterSettings) -> Self {
        Self::under(plain(), settings)
    }

    fn under(readings: Readings, settings: AdapterSettings) -> Self {
        Self::on(host_under(readings), settings)
    }

    fn on(host: Host, settings: AdapterSettings) -> Self {
        let bench = Bench::on(host, Twist::None, Twist::None);
        bench.host.set_adapter_settings("raw-mcm", settings);
        let adapter = bench.up();
        Self { bench, adapter }
    }

    /// Has the miniport do something with its adapter's handle.
    fn miniport<R: Send + 'static>(
        &self,
        body: impl FnOnce(n::NDIS_HANDLE) -> R + Send + 'static,
    ) -> R {
        let handle = Handle(self.bench.mcm.shared.adapter().addr());
        self.run(self.bench.mcm.driver, handle, body)
    }

    /// Has the client do something with its binding's handle.
    fn client<R: Send + 'static>(
        &self,
        body: impl FnOnce(n::NDIS_HANDLE) -> R + Send + 'static,
    ) -> R {
        let handle = Handle(self.bench.a.shared.binding.load(SeqCst).addr());
        self.run(self.bench.a.driver, handle, body)
    }

    fn run<R: Send + 'static>(
        &self,
        driver: ndis_host::Driver,
        handle: Handle,
        body: impl FnOnce(n::NDIS_HANDLE) -> R + Send + 'static,
    ) -> R {
        let (tell, told) = mpsc::channel();
        self.bench.host.spawn_of(&driver, "a thread", move || {
            let _ = tell.send(body(handle.get()));
        });
        self.bench.host.run();
        told.recv().expect("the thread has ended")
    }

    /// Takes everything down; no rule may be broken that was not announced.
    fn clean(self) {
        let report = self.down();
        assert!(report.is_clean(), "{report}");
    }

    fn down(self) -> ndis_host::Report {
        self.bench.host.remove_adapter(&self.adapter);
        self.bench.down()
    }

    /// The run broke this rule, as announced, by this driver, and no other.
    fn broke(self, rule: &str, who: &str) {
        let report = self.down();
        only(&report, &[rule]);
        for found in &report.expected {
            assert_eq!(&*found.who, who, "{report}");
        }
        assert!(report.is_clean(), "{report}");
    }
}

fn some() -> AdapterSettings {
    AdapterSettings::new()
        .value("Number", 7)
        .value("Text", "12")
        .value("List", RegistryValue::list(&["one", "two"]))
        .value("Bytes", RegistryValue::binary([1, 2, 3]))
        .value("NetworkAddress", "02-00-00-00-00-07")
        .value("Lines\\First\\Number", 1)
        .value("Lines\\Second\\Number", 2)
        .of_binding("client-a", "Number", 8)
}

#[test]
fn values_of_every_type_are_read() {
    let scene = Scene::new(some());
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        for kind in n::NdisParameterInteger..=n::NdisParameterBinary {
            let read = |name| read(configuration, name, kind);
            assert_eq!(read("nUMBER"), Ok(Value::Integer(7)));
            assert_eq!(read("Text"), text("12"));
            let list = Value::Text(n::NdisParameterMultiString, units("one\0two\0\0"));
            assert_eq!(read("List"), Ok(list));
            assert_eq!(read("Bytes"), Ok(Value::Bytes(vec![1, 2, 3])));
            assert_eq!(read("Nothing"), Err(FAILURE));
            assert_eq!(read("Lines"), Err(FAILURE));
            assert!(
                matches!(read("NdisVersion"), Ok(Value::Integer(version)) if version >> 16 == 6)
            );
            assert!(matches!(read("ProcessorType"), Ok(Value::Integer(_))));
        }
        assert_eq!(address(configuration), Ok(vec![2, 0, 0, 0, 0, 7]));
        close(configuration);
    });
    scene.client(|binding| {
        let configuration = open(binding).expect("opens");
        let number = read(configuration, "Number", n::NdisParameterInteger);
        assert_eq!(number, Ok(Value::Integer(8)));
        let other = read(configuration, "Text", n::NdisParameterString);
        assert_eq!(other, Err(FAILURE));
        close(configuration);
    });
    scene.clean();
}

#[test]
fn text_is_what_the_reading_makes_of_it() {
    for reading in ConfigurationText::ALL {
        let readings = Readings {
            configuration_text: *reading,
            ..plain()
        };
        let scene = Scene::under(readings, some());
        let read = scene.miniport(|adapter| {
            let configuration = open(adapter).expect("opens");
            let kinds = [
                n::NdisParameterInteger,
                n::NdisParameterHexInteger,
                n::NdisParameterString,
            ];
            let read = kinds.map(|kind| read(configuration, "Text", kind));
            close(configuration);
            read
        });
        let wanted = match reading {
            ConfigurationText::AsStored => [text("12"), text("12"), text("12")],
            ConfigurationText::Converted => {
                [Ok(Value::Integer(12)), Ok(Value::Integer(18)), text("12")]
            }
            ConfigurationText::Terminated => [text("12\0"), text("12\0"), text("12\0")],
        };
        assert_eq!(read, wanted, "{reading:?}");
        scene.clean();
    }
}

#[test]
fn what_is_written_is_there() {
    let scene = Scene::new(some());
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        assert_eq!(write_number(configuration, "number", 9), 0);
        let mut value = units("new");
        let data = n::NDIS_CONFIGURATION_PARAMETER_ParameterData {
            StringData: counted(&mut value),
        };
        assert_eq!(write(configuration, "New", n::NdisParameterString, data), 0);
        let mut bytes = [4_u8, 5];
        let data = n::NDIS_CONFIGURATION_PARAMETER_ParameterData {
            BinaryData: n::BINARY_DATA {
                Length: 2,
                Buffer: bytes.as_mut_ptr().cast(),
            },
        };
        assert_eq!(write(configuration, "Raw", n::NdisParameterBinary, data), 0);
        let number = read(configuration, "Number", n::NdisParameterInteger);
        assert_eq!(number, Ok(Value::Integer(9)));
        close(configuration);
    });
    let value = |name| scene.bench.host.adapter_value(&scene.adapter, name);
    assert_eq!(value("Number"), Some(9.into()));
    assert_eq!(value("New"), Some("new".into()));
    assert_eq!(value("Raw"), Some(RegistryValue::binary([4, 5])));
    assert_eq!(value("None"), None);
    scene.client(|binding| {
        let configuration = open(binding).expect("opens");
        assert_eq!(write_number(configuration, "Number", 10), 0);
        close(configuration);
    });
    let host = &scene.bench.host;
    let value = host.binding_value(&scene.adapter, "Client-A", "Number");
    assert_eq!(value, Some(10.into()));
    assert_eq!(host.binding_value(&scene.adapter, "other", "Number"), None);
    scene.clean();
}

#[test]
fn keys_below_are_opened_by_name_and_by_index() {
    let scene = Scene::new(some());
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        let lines = key(configuration, "LINES").expect("it is there");
        let mut found = Vec::new();
        for index in 0.. {
            let Ok((name, line)) = key_at(lines, index, 20) else {
                break;
            };
            found.push((name, read(line, "Number", n::NdisParameterInteger)));
            close(line);
        }
        let wanted = [("First", 1), ("Second", 2)];
        let wanted = wanted.map(|(name, number)| (name.to_owned(), Ok(Value::Integer(number))));
        assert_eq!(found, wanted);
        assert_eq!(key(lines, "Third"), Err(FAILURE));
        assert_eq!(key(configuration, "First"), Err(FAILURE));
        // The keys above may be closed first.
        let second = key(lines, "Second").expect("it is there");
        close(configuration);
        close(lines);
        assert_eq!(write_number(second, "Number", 3), 0);
        close(second);
    });
    let value = scene
        .bench
        .host
        .adapter_value(&scene.adapter, "Lines\\Second\\Number");
    assert_eq!(value, Some(3.into()));
    scene.clean();
}

/// The settings of the driver as a whole: those of its service.
#[test]
fn the_handle_of_a_registration_opens_the_services_parameters() {
    let scene = Scene::new(some());
    scene.bench.host.set_parameter("client-a", "Number", 11);
    let handle = Handle(scene.bench.a.shared.handle.load(SeqCst).addr());
    scene.run(scene.bench.a.driver, handle, |protocol| {
        let configuration = open(protocol).expect("opens");
        let number = read(configuration, "Number", n::NdisParameterInteger);
        assert_eq!(number, Ok(Value::Integer(11)));
        assert_eq!(write_number(configuration, "Number", 12), 0);
        let number = read(configuration, "Number", n::NdisParameterInteger);
        assert_eq!(number, Ok(Value::Integer(12)));
        close(configuration);
    });
    scene.clean();
}

/// Within a bind its parameters stand for the binding that there is not yet.
#[test]
fn the_parameters_of_a_bind_open_the_bindings_configuration() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.set_adapter_settings("raw-mcm", some());
    let (tell, told) = mpsc::channel();
    let body = move |parameters: *mut n::NDIS_BIND_PARAMETERS| {
        let configuration = open(parameters.cast()).expect("opens");
        let number = read(configuration, "Number", n::NdisParameterInteger);
        close(configuration);
        tell.send(number).unwrap();
    };
    *bench.a.shared.binding_to.lock().unwrap() = Some(Box::new(body));
    let adapter = bench.up();
    assert_eq!(told.recv().unwrap(), Ok(Value::Integer(8)));
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn each_call_fails_on_order() {
    let scene = Scene::new(some());
    let host = &scene.bench.host;
    host.fail_allocation(1);
    assert_eq!(
        scene.miniport(|adapter| open(adapter).map(drop)),
        Err(n::NDIS_STATUS_RESOURCES)
    );
    for call in [
        "NdisOpenConfigurationEx",
        "NdisReadConfiguration",
        "NdisWriteConfiguration",
        "NdisReadNetworkAddress",
        "NdisOpenConfigurationKeyByName",
        "NdisOpenConfigurationKeyByIndex",
    ] {
        host.fail_call(call, 1, n::NDIS_STATUS_RESOURCES);
        let failed = scene.miniport(|adapter| {
            let Ok(configuration) = open(adapter) else {
                return 1;
            };
            let failed = [
                read(configuration, "Number", 0).is_err(),
                write_number(configuration, "Number", 7) != 0,
                address(configuration).is_err(),
                key(configuration, "Lines").map(close).is_err(),
                key_at(configuration, 0, 20)
                    .map(|(_, key)| close(key))
                    .is_err(),
            ];
            close(configuration);
            failed.iter().filter(|failed| **failed).count()
        });
        assert_eq!(failed, 1, "{call}");
    }
    // Each of these has one allocation: of the open handle, and of what is shown.
    let configuration = Handle(scene.miniport(|adapter| open(adapter).expect("opens").addr()));
    let calls: [fn(n::NDIS_HANDLE) -> i32; 5] = [
        |it| read(it, "Number", 0).err().unwrap_or(0),
        |it| write_number(it, "Number", 7),
        |it| address(it).err().unwrap_or(0),
        |it| key(it, "Lines").map(close).err().unwrap_or(0),
        |it| {
            key_at(it, 0, 20)
                .map(|(_, it)| close(it))
                .err()
                .unwrap_or(0)
        },
    ];
    let wanted = [
        n::NDIS_STATUS_RESOURCES,
        n::NDIS_STATUS_RESOURCES,
        FAILURE,
        FAILURE,
        FAILURE,
    ];
    for (call, wanted) in calls.into_iter().zip(wanted) {
        scene.bench.host.fail_allocation(1);
        assert_eq!(scene.miniport(move |_| call(configuration.get())), wanted);
        assert_eq!(scene.miniport(move |_| call(configuration.get())), 0);
    }
    scene.miniport(move |_| close(configuration.get()));
    scene.clean();
}

#[test]
fn cfg_01_cfg_02_not_at_dispatch_level() {
    let scene = Scene::new(some());
    for rule in ["CFG-01", "CFG-02"] {
        scene.bench.host.expect(rule);
    }
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        let raised = |body: &dyn Fn()| {
            // SAFETY: lowered below, by the same thread.
            let before = unsafe { n::KeRaiseIrqlToDpcLevel() };
            body();
            // SAFETY: as it was.
            unsafe { n::KeLowerIrql(before) };
        };
        raised(&|| close(open(adapter).expect("opens")));
        raised(&|| drop(read(configuration, "Number", 0)));
        raised(&|| _ = write_number(configuration, "Number", 7));
        raised(&|| drop(address(configuration)));
        raised(&|| _ = key(configuration, "None"));
        raised(&|| drop(key_at(configuration, 9, 20)));
        close(configuration);
    });
    let report = scene.down();
    only(&report, &["CFG-01", "CFG-02"]);
    let count = |rule| report.expected.iter().filter(|v| v.rule == rule).count();
    assert_eq!((count("CFG-01"), count("CFG-02")), (5, 2), "{report}");
    assert!(
        report.expected.iter().all(|v| &*v.who == "raw-mcm"),
        "{report}"
    );
}

#[test]
fn cfg_03_opened_with_what_is_no_such_handle() {
    for which in 0..5 {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-03");
        let binding = Handle(scene.bench.a.shared.binding.load(SeqCst).addr());
        scene.miniport(move |adapter| {
            // SAFETY: no particular owner; freed below.
            let item = unsafe { n::NdisAllocateIoWorkItem(adapter) };
            let handle = match which {
                0 => null_mut(),
                1 => std::ptr::without_provenance_mut(0x1230),
                2 => item,
                // Another driver's.
                3 => binding.get(),
                _ => (&raw const which).cast::<c_void>().cast_mut(),
            };
            assert_eq!(open(handle), Err(FAILURE), "{which}");
            // SAFETY: a live item.
            unsafe { n::NdisFreeIoWorkItem(item) };
        });
        scene.broke("CFG-03", "raw-mcm");
    }
}

/// After its end a bind's parameters open nothing.
#[test]
fn cfg_03_opened_with_the_parameters_of_a_past_bind() {
    let bench = Bench::new(Twist::None, Twist::None);
    let (tell, told) = mpsc::channel();
    let body = move |parameters: *mut n::NDIS_BIND_PARAMETERS| {
        tell.send(parameters.addr()).unwrap();
    };
    *bench.a.shared.binding_to.lock().unwrap() = Some(Box::new(body));
    let adapter = bench.up();
    let scene = Scene { bench, adapter };
    scene.bench.host.expect("CFG-03");
    let past = Handle(told.recv().unwrap());
    let answer = scene.client(move |_| open(past.get()).map(drop));
    assert_eq!(answer, Err(FAILURE));
    scene.broke("CFG-03", "client-a");
}

#[test]
fn cfg_04_a_structure_that_is_not_right() {
    let wrong: [fn(&mut n::NDIS_CONFIGURATION_OBJECT); 4] = [
        |object| object.Header.Type = 0,
        |object| object.Header.Revision = 0,
        |object| object.Header.Size -= 1,
        |object| object.Flags = 1,
    ];
    for wrong in wrong {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-04");
        scene.miniport(move |adapter| {
            let mut object = object(adapter);
            wrong(&mut object);
            assert_eq!(open_with(object), Err(FAILURE));
        });
        scene.broke("CFG-04", "raw-mcm");
    }
}

#[test]
fn cfg_05_used_after_it_is_closed() {
    let calls: [fn(n::NDIS_HANDLE); 6] = [
        close,
        |it| assert_eq!(read(it, "Number", 0), Err(FAILURE)),
        |it| assert_eq!(write_number(it, "Number", 0), FAILURE),
        |it| assert_eq!(address(it), Err(FAILURE)),
        |it| assert_eq!(key(it, "Lines"), Err(FAILURE)),
        |it| assert_eq!(key_at(it, 0, 20), Err(FAILURE)),
    ];
    for call in calls {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-05");
        scene.miniport(move |adapter| {
            let configuration = open(adapter).expect("opens");
            close(configuration);
            call(configuration);
        });
        scene.broke("CFG-05", "raw-mcm");
    }
}

#[test]
fn what_is_no_handle_of_a_configuration_is_refused() {
    let scene = Scene::new(some());
    scene.bench.host.expect("AF-27");
    scene.miniport(|adapter| {
        assert_eq!(read(adapter, "Number", 0), Err(FAILURE));
        close(null_mut());
    });
    scene.broke("AF-27", "raw-mcm");
}

#[test]
fn dv_16_left_open_at_the_halt() {
    for below in [false, true] {
        let scene = Scene::new(some());
        scene.bench.host.expect("DV-16");
        scene.miniport(move |adapter| {
            let configuration = open(adapter).expect("opens");
            if below {
                key(configuration, "Lines").expect("it is there");
                close(configuration);
            }
        });
        scene.broke("DV-16", "raw-mcm");
    }
}

#[test]
fn init_10_left_open_by_a_failed_initialization() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("INIT-10");
    let body = |adapter| {
        open(adapter).expect("opens");
        false
    };
    *bench.mcm.shared.starting.lock().unwrap() = Some(Box::new(body));
    assert!(bench.host.add_adapter(&bench.mcm.driver).is_err());
    let report = bench.down();
    only(&report, &["INIT-10"]);
    assert_eq!(&*report.expected[0].who, "raw-mcm");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn cfg_06_left_open_at_the_close_of_the_binding() {
    let scene = Scene::new(some());
    scene.bench.host.expect("CFG-06");
    scene.client(|binding| _ = open(binding).expect("opens"));
    scene.broke("CFG-06", "client-a");
}

#[test]
fn cfg_07_left_open_at_the_end_of_the_bind() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("CFG-07");
    let body = |parameters: *mut n::NDIS_BIND_PARAMETERS| {
        open(parameters.cast()).expect("opens");
    };
    *bench.a.shared.binding_to.lock().unwrap() = Some(Box::new(body));
    let adapter = bench.up();
    Scene { bench, adapter }.broke("CFG-07", "client-a");
}

#[test]
fn cfg_08_left_open_at_the_deregistration() {
    for protocol in [false, true] {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-08");
        let (driver, handle, who) = if protocol {
            let client = &scene.bench.a;
            (client.driver, client.shared.handle.load(SeqCst), "client-a")
        } else {
            let mcm = &scene.bench.mcm;
            (mcm.driver, mcm.shared.driver.load(SeqCst), "raw-mcm")
        };
        let handle = Handle(handle.addr());
        scene.run(driver, handle, |handle| _ = open(handle).expect("opens"));
        scene.broke("CFG-08", who);
    }
}

/// What was read is poisoned when the handle is closed.
#[test]
#[cfg_attr(miri, ignore = "Miri sees the access itself")]
fn cfg_09_what_was_read_goes_with_the_handle() {
    let scene = Scene::new(some());
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        let value = read_raw(configuration, "Number", 0).expect("it is there");
        close(configuration);
        // SAFETY: not given back to the system yet.
        let kind = unsafe { (*value).ParameterType };
        assert_eq!(kind as u32, 0xDDDD_DDDD);
    });
    scene.clean();
}

/// What was read is NDIS's to free.
#[test]
fn cfg_09_what_was_read_is_not_freed() {
    let scene = Scene::new(some());
    scene.bench.host.expect("HOST-MEMORY");
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        let value = read_raw(configuration, "Number", 0).expect("it is there");
        // SAFETY: the host checks what it is given.
        unsafe { n::NdisFreeMemory(value.cast(), 0, 0) };
        close(configuration);
    });
    scene.broke("HOST-MEMORY", "raw-mcm");
}

/// Two threads, one handle: some schedule has them at it at the same time.
#[test]
fn cfg_10_two_reads_at_once() {
    let mut broken = 0;
    for seed in 0..CALLED_OFTEN {
        let host = Host::builder()
            .seed(seed)
            .raise(0, 1)
            .readings(plain())
            .build();
        let scene = Scene::on(host, some());
        let configuration = scene.miniport(|adapter| Handle(open(adapter).expect("opens").addr()));
        for name in ["one", "other"] {
            let driver = scene.bench.mcm.driver;
            scene.bench.host.spawn_of(&driver, name, move || {
                for _ in 0..4 {
                    drop(read(configuration.get(), "Number", 0));
                    write_number(configuration.get(), "Number", 7);
                }
            });
        }
        scene.bench.host.run();
        scene.miniport(move |_| close(configuration.get()));
        let report = scene.down();
        if !report.violations.is_empty() {
            only(&report, &["CFG-10"]);
            assert!(
                report.violations.iter().all(|v| &*v.who == "raw-mcm"),
                "{report}"
            );
            broken += 1;
        }
    }
    assert!(broken > 0, "no schedule showed it");
}

/// Two handles are two configurations.
#[test]
fn two_reads_by_two_handles_may_go_on_at_once() {
    for seed in 0..CALLED_OFTEN / 4 {
        let host = Host::builder()
            .seed(seed)
            .raise(0, 1)
            .readings(plain())
            .build();
        let scene = Scene::on(host, some());
        let adapter = Handle(scene.bench.mcm.shared.adapter().addr());
        for name in ["one", "other"] {
            let driver = scene.bench.mcm.driver;
            scene.bench.host.spawn_of(&driver, name, move || {
                let configuration = open(adapter.get()).expect("opens");
                for _ in 0..4 {
                    let number = read(configuration, "Number", 0);
                    assert_eq!(number, Ok(Value::Integer(7)));
                }
                close(configuration);
            });
        }
        scene.bench.host.run();
        scene.clean();
    }
}

#[test]
fn cfg_12_the_network_address_of_what_is_no_adapter() {
    for below in [false, true] {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-12");
        let body = move |handle| {
            let configuration = open(handle).expect("opens");
            let asked = if below {
                key(configuration, "Lines").expect("it is there")
            } else {
                configuration
            };
            assert_eq!(address(asked), Err(FAILURE));
            if below {
                close(asked);
            }
            close(configuration);
        };
        if below {
            scene.miniport(body);
            scene.broke("CFG-12", "raw-mcm");
        } else {
            scene.client(body);
            scene.broke("CFG-12", "client-a");
        }
    }
}

#[test]
fn cfg_15_a_value_of_no_type_is_not_written() {
    let scene = Scene::new(some());
    scene.bench.host.expect("CFG-15");
    scene.miniport(|adapter| {
        let configuration = open(adapter).expect("opens");
        let data = n::NDIS_CONFIGURATION_PARAMETER_ParameterData { IntegerData: 1 };
        let answer = write(configuration, "Number", 5, data);
        assert_eq!(answer, n::NDIS_STATUS_NOT_SUPPORTED);
        close(configuration);
    });
    let value = scene.bench.host.adapter_value(&scene.adapter, "Number");
    assert_eq!(value, Some(7.into()));
    scene.broke("CFG-15", "raw-mcm");
}

#[test]
fn cfg_16_no_room_for_the_name_of_a_key() {
    for room in [0, 4] {
        let scene = Scene::new(some());
        scene.bench.host.expect("CFG-16");
        scene.miniport(move |adapter| {
            let configuration = open(adapter).expect("opens");
            assert_eq!(key_at(configuration, 0, room), Err(FAILURE));
            close(configuration);
        });
        scene.broke("CFG-16", "raw-mcm");
    }
}

#[test]
fn null_pointers_are_refused_and_reported() {
    let scene = Scene::new(some());
    scene.bench.host.expect("HOST-ARGUMENT");
    scene.miniport(|adapter| {
        let mut object = object(adapter);
        let null = null_mut();
        // SAFETY: the host checks what it is given.
        let answer = unsafe { n::NdisOpenConfigurationEx(&raw mut object, null_mut()) };
        assert_eq!(answer, FAILURE);
        let mut out = null_mut();
        // SAFETY: as above.
        let answer = unsafe { n::NdisOpenConfigurationEx(null_mut(), &raw mut out) };
        assert_eq!((answer, out), (FAILURE, null));
        let configuration = open(adapter).expect("opens");
        let mut status = 0;
        let mut value = null_mut();
        // SAFETY: as above.
        unsafe {
            n::NdisReadConfiguration(
                &raw mut status,
                &raw mut value,
                configuration,
                null_mut(),
                0,
            );
        };
        assert_eq!((status, value), (FAILURE, null_mut()));
        assert_eq!(read(configuration, "Number", 5), Err(FAILURE));
        // SAFETY: as above.
        unsafe {
            n::NdisReadNetworkAddress(&raw mut status, null_mut(), null_mut(), configuration);
        };
        assert_eq!(status, FAILURE);
        let data = n::NDIS_CONFIGURATION_PARAMETER_ParameterData {
            BinaryData: n::BINARY_DATA {
                Length: 2,
                Buffer: null_mut(),
            },
        };
        assert_eq!(
            write(configuration, "Raw", n::NdisParameterBinary, data),
            FAILURE
        );
        close(configuration);
    });
    scene.broke("HOST-ARGUMENT", "raw-mcm");
}

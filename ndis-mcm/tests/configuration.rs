//! What drivers read of their adapters' and bindings' settings: under every reading of what NDIS
//! makes of a text, with what is missing or wrong, and with no memory.

use ndis_co::{
    AsClient, Binding, NewBinding, Protocol,
    client::{Af, AfOffer, Client, Entry as ClientEntry, OpenAf, Received, Vc},
    configuration::{AdapterConfiguration, Configuration},
    params::CallParameters,
    utf16,
};
use ndis_host::{
    Adapter as HostAdapter, AdapterSettings, ConfigurationText, Host, Readings, RegistryValue,
};
use ndis_mcm::{Entry, prelude::*};
use std::sync::mpsc;

type Looks = Box<dyn Fn(&AdapterConfiguration<'_>) -> Result<(), Status> + Send + Sync>;

/// A miniport that looks at its settings while it is initialized, and again afterwards.
struct Line(Looks);

impl Miniport for Line {
    type Adapter = ();
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        (self.0)(&init.configuration(irql)?)?;
        let init = init.attributes(&Attributes::wan(), irql)?;
        // There is a way to it in every state.
        init.configuration(irql)?;
        let init = init.adapter(())?;
        init.configuration(irql)?;
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let again = adapter.configuration(irql);
        // No memory is the one thing that may have come between.
        if let Ok(again) = again {
            let _ = (self.0)(&again);
        }
    }
}

/// A client that looks at its settings for each adapter: within the bind, and when it is open.
struct Looker(mpsc::SyncSender<(&'static str, Option<u32>)>);

impl Looker {
    fn look(&self, when: &'static str, configuration: &Configuration<'_>) {
        let calls = configuration.get_u32("Calls").expect("it is a number");
        self.0.send((when, calls)).expect("the test waits");
    }
}

impl Protocol for Looker {
    const NAME: &'static str = "LOOKER";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, irql: &mut Passive) -> Result<(), Status> {
        self.look("bind", &adapter.configuration(irql)?);
        Ok(())
    }

    fn opened(&self, binding: &ndis_co::OpenedBinding<'_, Self>, irql: &mut Passive) {
        let configuration = binding.configuration(irql).expect("it opens");
        self.look("opened", &configuration);
        configuration
            .set_str("State", "open")
            .expect("it is written");
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        let configuration = binding.configuration(irql).expect("it opens");
        self.look("unbind", &configuration);
    }
}

/// It opens nothing.
impl Client for Looker {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, _: AfOffer<'_, Self>, _: &mut Passive) {}

    fn af_opened(&self, _: OpenAf<Self>, _: &mut Passive) {}

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Err(Status::NOT_SUPPORTED)
    }

    fn call_connected(&self, _: &Vc<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {}

    fn receive(&self, _: &Vc<Self>, lists: Received<'_, Self>, _: &mut UpToDispatch) {
        drop(lists);
    }
}

/// Starts an adapter with these settings, whose driver does `look`; the end of it is clean.
fn with(
    host: Host,
    settings: AdapterSettings,
    look: impl Fn(&AdapterConfiguration<'_>) -> Result<(), Status> + Send + Sync + 'static,
    then: impl FnOnce(&Host, Result<HostAdapter, i32>),
) {
    host.set_adapter_settings("line", settings);
    let entry = Entry::new(Line(Box::new(look)));
    let driver = host
        .load_with("line", |object, path| {
            // SAFETY: the host calls this as Windows calls a DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .expect("it loads");
    let adapter = host.add_adapter(&driver);
    host.run();
    then(&host, adapter);
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

fn under(text: ConfigurationText) -> Host {
    let readings = Readings {
        configuration_text: text,
        ..Readings::default()
    };
    Host::builder().readings(readings).build()
}

fn settings() -> AdapterSettings {
    AdapterSettings::new()
        .value("Number", 7)
        .value("Decimal", "12")
        .value("Negative", "-3")
        .value("Text", "Straße 7")
        .value("Empty", "")
        .value("List", RegistryValue::list(&["one", "two"]))
        .value("Bytes", RegistryValue::binary([1, 2, 3]))
        .value("NoBytes", RegistryValue::binary([]))
        .value("Lines\\First\\On", 1)
        .value("Lines\\Second\\On", 0)
}

#[test]
fn every_reading_gives_the_same_values() {
    for text in ConfigurationText::ALL {
        let look = |it: &AdapterConfiguration<'_>| {
            assert_eq!(it.get_u32("number"), Ok(Some(7)));
            assert_eq!(it.get_u32(utf16!("Decimal")), Ok(Some(12)));
            assert_eq!(it.get_hex_u32("Decimal"), Ok(Some(0x12)));
            assert_eq!(it.get_hex_u32("Number"), Ok(Some(7)));
            assert_eq!(it.get_u32("Negative"), Ok(Some(-3_i32 as u32)));
            let text = it.get_str("Text")?.expect("it is there");
            assert!(text == *"Straße 7" && text.is("STRAßE 7"));
            assert!(it.get_str("Empty")?.is_some_and(|text| text == *""));
            let list = it.get_multi_str("List")?.expect("it is there");
            let list: Vec<String> = list.map(|text| text.to_string()).collect();
            assert_eq!(list, ["one", "two"]);
            assert_eq!(it.get_bytes("Bytes"), Ok(Some(&[1, 2, 3][..])));
            assert_eq!(it.get_bytes("NoBytes"), Ok(Some(&[][..])));
            Ok(())
        };
        with(under(*text), settings(), look, |_, adapter| {
            assert!(adapter.is_ok(), "{text:?}");
        });
    }
}

#[test]
fn missing_is_none_and_wrong_is_an_error() {
    for text in ConfigurationText::ALL {
        let look = |it: &AdapterConfiguration<'_>| {
            const WRONG: Status = Status::INVALID_DATA;
            assert_eq!(it.get_u32("None"), Ok(None));
            assert_eq!(it.get_str("None"), Ok(None));
            assert!(it.get_multi_str("None")?.is_none());
            assert_eq!(it.get_bytes("None"), Ok(None));
            assert_eq!(it.get_u32("Lines"), Ok(None));
            assert!(it.key("None")?.is_none());
            for name in ["Text", "Empty", "List", "Bytes"] {
                assert_eq!(it.get_u32(name), Err(WRONG), "{name}");
                assert_eq!(it.get_hex_u32(name), Err(WRONG), "{name}");
            }
            for name in ["Number", "List", "Bytes"] {
                assert_eq!(it.get_str(name), Err(WRONG), "{name}");
            }
            for name in ["Number", "Text", "Bytes"] {
                assert_eq!(it.get_multi_str(name).err(), Some(WRONG), "{name}");
            }
            for name in ["Number", "Text", "List"] {
                assert_eq!(it.get_bytes(name), Err(WRONG), "{name}");
            }
            let long = "x".repeat(0x8000);
            let refused = Status::INVALID_PARAMETER;
            assert_eq!(it.get_u32(long.as_str()), Err(refused));
            assert_eq!(it.set_str("Text", long.as_str()), Err(refused));
            Ok(())
        };
        with(under(*text), settings(), look, |_, adapter| {
            assert!(adapter.is_ok(), "{text:?}");
        });
    }
}

#[test]
fn what_is_set_is_there() {
    let look = |it: &AdapterConfiguration<'_>| {
        it.set_u32(utf16!("Number"), 9)?;
        it.set_str("New", "grün")?;
        let first = it.key("Lines")?.expect("it is there");
        first.key("First")?.expect("it is there").set_u32("On", 5)?;
        assert_eq!(it.get_u32("Number"), Ok(Some(9)));
        assert!(it.get_str("New")?.is_some_and(|text| text == *"grün"));
        Ok(())
    };
    with(
        under(ConfigurationText::AsStored),
        settings(),
        look,
        |host, adapter| {
            let adapter = adapter.expect("it starts");
            assert_eq!(host.adapter_value(&adapter, "Number"), Some(9.into()));
            assert_eq!(host.adapter_value(&adapter, "new"), Some("grün".into()));
            let on = host.adapter_value(&adapter, "Lines\\First\\On");
            assert_eq!(on, Some(5.into()));
        },
    );
}

#[test]
fn keys_are_gone_through_by_index() {
    let look = |it: &AdapterConfiguration<'_>| {
        let lines = it.key("LINES")?.expect("it is there");
        let mut found = Vec::new();
        for index in 0.. {
            let Some(line) = lines.key_at(index)? else {
                break;
            };
            found.push((line.name().to_string(), line.get_u32("On")?));
        }
        let wanted = [("First", 1), ("Second", 0)];
        let wanted = wanted.map(|(name, on)| (name.to_owned(), Some(on)));
        assert_eq!(found, wanted);
        Ok(())
    };
    with(
        under(ConfigurationText::AsStored),
        settings(),
        look,
        |_, adapter| {
            assert!(adapter.is_ok());
        },
    );
}

#[test]
fn an_address_is_six_bytes_of_one_station() {
    const WRONG: Result<Option<[u8; 6]>, Status> = Err(Status::INVALID_DATA);
    let cases = [
        ("02-00-00-00-00-0a", Ok(Some([2, 0, 0, 0, 0, 10]))),
        ("02000000000A", Ok(Some([2, 0, 0, 0, 0, 10]))),
        ("not an address", Ok(None)),
        ("02-00-00-00-00", WRONG),
        ("02-00-00-00-00-0a-00", WRONG),
        ("01-00-00-00-00-0a", WRONG),
        ("00-00-00-00-00-00", WRONG),
    ];
    for (text, wanted) in cases {
        let settings = AdapterSettings::new().value("NetworkAddress", text);
        let look = move |it: &AdapterConfiguration<'_>| {
            assert_eq!(it.mac_address(), wanted, "{text}");
            let length = it.network_address()?.map(<[u8]>::len);
            let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
            if wanted != Ok(None) {
                assert_eq!(length, Some(digits / 2), "{text}");
            }
            Ok(())
        };
        with(
            under(ConfigurationText::AsStored),
            settings,
            look,
            |_, adapter| {
                assert!(adapter.is_ok());
            },
        );
    }
    let settings = AdapterSettings::new().value("NetworkAddress", 7);
    let look = |it: &AdapterConfiguration<'_>| {
        assert_eq!(it.mac_address(), Ok(None));
        Ok(())
    };
    with(
        under(ConfigurationText::AsStored),
        settings,
        look,
        |_, adapter| {
            assert!(adapter.is_ok());
        },
    );
}

#[test]
fn a_protocol_looks_at_its_bindings_own() {
    let host = Host::builder().build();
    let (tell, told) = mpsc::sync_channel(8);
    let entry = ClientEntry::new(Looker(tell));
    let looker = host
        .load_with("looker", |object, path| {
            // SAFETY: the host calls this as Windows calls a DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .expect("it loads");
    let settings = settings()
        .value("Calls", 1)
        .of_binding("looker", "Calls", 3);
    with(
        host,
        settings,
        |_| Ok(()),
        |host, adapter| {
            let adapter = adapter.expect("it starts");
            let state = host.binding_value(&adapter, "looker", "State");
            assert_eq!(state, Some("open".into()));
            host.unload(&looker);
        },
    );
    let seen: Vec<_> = told.try_iter().collect();
    let calls = Some(3);
    assert_eq!(
        seen,
        [("bind", calls), ("opened", calls), ("unbind", calls)]
    );
}

/// Each allocation can fail: that is an error, or for what NDIS has no status for, nothing there;
/// and nothing is left.
#[test]
fn no_memory_is_an_error() {
    let long = "a name that is longer than what needs no memory of its own, by some letters";
    let mut failures = 0;
    for nth in 1.. {
        let host = under(ConfigurationText::AsStored);
        host.set_adapter_settings("line", settings());
        let look = move |it: &AdapterConfiguration<'_>| {
            let lines = it.key("Lines")?.ok_or(Status::RESOURCES)?;
            let first = lines.key_at(0)?.ok_or(Status::RESOURCES)?;
            let results = [
                it.get_u32("Number").map(|number| number == Some(7)),
                it.get_u32(long).map(|number| number.is_none()),
                it.get_str("Text").map(|text| text.is_some()),
                it.set_u32("Number", 7).map(|()| true),
                first.get_u32("On").map(|on| on == Some(1)),
            ];
            for result in results {
                assert!([Ok(true), Err(Status::RESOURCES)].contains(&result));
            }
            results.into_iter().try_for_each(|result| result.map(drop))
        };
        let entry = Entry::new(Line(Box::new(look)));
        let driver = host
            .load_with("line", |object, path| {
                // SAFETY: the host calls this as Windows calls a DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .expect("it loads");
        host.fail_allocation(nth);
        let adapter = host.add_adapter(&driver);
        host.unload(&driver);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
        match adapter {
            Ok(_) => break,
            Err(status) => assert_eq!(Status::from_raw(status), Status::RESOURCES, "{nth}"),
        }
        failures += 1;
    }
    // Of the looking alone: three handles, the buffer for a name, three values and one written,
    // and the long name.
    assert!(failures > 9, "{failures}");
}

//! What a miniport says about an adapter that it initializes.

use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES, NDIS_OBJECT_HEADER};

const SET_ATTRIBUTES: Call = Call::new("NdisMSetMiniportAttributes").passive("IRQL-110");

enum Attributes {
    Registration {
        context: Context,
        /// With a bus driver beneath.
        wdm: bool,
        /// No connection-oriented device, of a driver that can serve both.
        connectionless: bool,
        /// It wants to be called when the system has failed.
        bug_checks: bool,
    },
    General {
        media: i32,
        /// Whether the medium is connected.
        connection: i32,
        /// With what it can do about power.
        power: bool,
        /// The OIDs that it supports.
        oids: alloc::vec::Vec<u32>,
    },
    Other,
}

impl State {
    fn set_attributes(&mut self, call: &'static str, raw: usize, found: Attributes) -> i32 {
        let Some(number) = self.take(call, raw, Kind::Adapter) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let object = ObjectId::new(Kind::Adapter, number);
        let Some(adapter) = self.world.adapters.get_mut(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        if adapter.phase != AdapterPhase::Initializing {
            let message = alloc::format!("{call} after MiniportInitializeEx has returned");
            self.violate("INIT-01", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        let (mut version, mut by_wdm) = ((0, 0), false);
        if let Some(miniport) = self.world.miniports.get(&adapter.miniport) {
            let table = &miniport.handlers.0;
            version = (table.MajorNdisVersion, table.MinorNdisVersion);
            by_wdm = table.Flags & n::NDIS_WDM_DRIVER as u32 != 0;
        }
        let edge = |wdm| {
            if wdm {
                "there is a bus driver beneath"
            } else {
                "there is none"
            }
        };
        match found {
            Attributes::Registration {
                context,
                wdm,
                connectionless,
                bug_checks,
            } => {
                adapter.context = Some(context);
                adapter.wants_bug_checks = bug_checks;
                adapter.connectionless = connectionless;
                if wdm != by_wdm {
                    let message = alloc::format!(
                        "{call}: the registration attributes say {}, the driver's characteristics {}",
                        edge(wdm),
                        edge(by_wdm)
                    );
                    self.violate("INIT-29", Some(object), message);
                }
                n::NDIS_STATUS_SUCCESS
            }
            Attributes::General {
                media,
                connection,
                power,
                oids,
            } => {
                if adapter.context.is_none() {
                    let message = alloc::format!(
                        "{call}: general attributes before the registration attributes"
                    );
                    self.violate("INIT-02", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                adapter.general = true;
                adapter.oids = oids;
                adapter.media = media;
                // Unknown is as good as disconnected (STATUS-14).
                adapter.connected = connection == n::MediaConnectStateConnected;
                if version >= (6, 20) && !power {
                    let message = alloc::format!(
                        "{call}: no PowerManagementCapabilitiesEx from a driver for NDIS {}.{}",
                        version.0,
                        version.1
                    );
                    self.violate("INIT-32", Some(object), message);
                }
                n::NDIS_STATUS_SUCCESS
            }
            Attributes::Other => {
                if !adapter.general {
                    let message =
                        alloc::format!("{call}: other attributes before the general ones");
                    self.violate("INIT-02", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                n::NDIS_STATUS_SUCCESS
            }
        }
    }
}

exports! { EXPORTS {
    /// Tells NDIS about an adapter that is being initialized.
    fn NdisMSetMiniportAttributes(
        adapter: NDIS_HANDLE,
        attributes: *mut NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    ) -> i32 {
        let cx = Cx::enter(SET_ATTRIBUTES, &[adapter]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if attributes.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        // SAFETY: each of the union's structures starts with a header.
        let header = unsafe { attributes.cast::<NDIS_OBJECT_HEADER>().read() };
        let registration = n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES as u8;
        let general = n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES as u8;
        let found = if header.Type == registration {
            let structure = attributes.cast::<n::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES>();
            // SAFETY: the header announces this structure.
            let structure = unsafe { &*structure };
            let wdm = n::NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM as u32;
            let not_co = n::NDIS_MINIPORT_ATTRIBUTES_NOT_CO_NDIS as u32;
            let bug_checks = n::NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK as u32;
            Attributes::Registration {
                context: Context(structure.MiniportAdapterContext),
                wdm: structure.AttributeFlags & wdm != 0,
                connectionless: structure.AttributeFlags & not_co != 0,
                bug_checks: structure.AttributeFlags & bug_checks != 0,
            }
        } else if header.Type == general {
            let structure = attributes.cast::<n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES>();
            // SAFETY: the header announces this structure.
            let media = unsafe { (*structure).MediaType };
            // SAFETY: as above.
            let connection = unsafe { (*structure).MediaConnectState };
            let power = i32::from(header.Revision)
                >= n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2
                // SAFETY: the structure of this revision has the member.
                && unsafe { !(*structure).PowerManagementCapabilitiesEx.is_null() };
            // SAFETY: the header announces this structure.
            let list = unsafe { (*structure).SupportedOidList };
            // SAFETY: as above.
            let length = unsafe { (*structure).SupportedOidListLength };
            let oids = if list.is_null() {
                alloc::vec::Vec::new()
            } else {
                // SAFETY: the driver's list of that many bytes.
                unsafe { core::slice::from_raw_parts(list, length as usize / size_of::<u32>()) }
                    .to_vec()
            };
            Attributes::General {
                media,
                connection,
                power,
                oids,
            }
        } else {
            Attributes::Other
        };
        cx.done(cx.with(|s| {
            s.set_attributes("NdisMSetMiniportAttributes", adapter.addr(), found)
        }))
    }
}}

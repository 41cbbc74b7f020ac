//! A request that is none: the host looks at it before it goes anywhere.

use crate::common;

use common::zeroed;
use ndis_host::Host;
use ndis_sys as n;
use std::ptr::null_mut;

#[test]
fn oid_64_an_empty_header() {
    let host = Host::builder().seed(1).build();
    host.expect("OID-64");
    let driver = host
        .load_with("driver", move |_, _| {
            let request = Box::into_raw(Box::new(zeroed::<n::NDIS_OID_REQUEST>()));
            // SAFETY: memory for a request; handles may be anything.
            let status = unsafe {
                n::NdisCoOidRequest(null_mut(), null_mut(), null_mut(), null_mut(), request)
            };
            assert_eq!(status, n::NDIS_STATUS_FAILURE);
            // SAFETY: made above.
            drop(unsafe { Box::from_raw(request) });
            0
        })
        .expect("loads");
    host.unload(&driver);
    let report = host.finish();
    assert_eq!(report.rules(), ["OID-64"]);
    assert_eq!(&*report.expected[0].who, "driver");
    let says = "the header of the request says type 0x0, revision 0, size 0";
    assert!(report.expected[0].message.ends_with(says), "{report}");
}

//! What a test has the two drivers ask: of the adapter and of its call manager, about all of it
//! and about one call.

use crate::support;

use ndis_co::{
    Status,
    oid::number,
    tapi::{CallDiagnostics, CmCaps, LineCaps},
    wan::{Info, LinkInfo},
};
use ndis_host::Readings;
use ndis_wan_models::{Settings, Subject};
use support::*;

#[test]
fn whoever_is_asked_answers() {
    let (config, settings) = (Config::default(), Settings::default());
    on(1, Readings::default(), config, settings, |world| {
        let (call, _) = world.connect(0, 0, "1");
        let asked = |subject, oid, about: &[u8]| {
            world.windows().query_oid(subject, oid, about);
            world.host.run();
            world.windows().oid_answer(subject, oid).unwrap()
        };
        let info = asked(Subject::Adapter(0), number::WAN_CO_GET_INFO, &[]).unwrap();
        let info = Info::parse(&info).unwrap();
        assert_eq!(Ok(info), world.windows().info(0).unwrap());
        let link = asked(Subject::Link(call), number::WAN_CO_GET_LINK_INFO, &[]).unwrap();
        assert_eq!(
            Ok(LinkInfo::parse(&link).unwrap()),
            world.windows().link(call).unwrap().set
        );
        let caps = asked(Subject::Manager(0), number::CO_TAPI_CM_CAPS, &[]).unwrap();
        let lines = world.windows().lines(0).len();
        assert_eq!(CmCaps::parse(&caps).unwrap().lines as usize, lines);
        let mut about = [0; 32];
        LineCaps::ask(0, &mut about).unwrap();
        let line = asked(Subject::Manager(0), number::CO_TAPI_LINE_CAPS, &about).unwrap();
        assert_eq!(LineCaps::parse(&line).unwrap().line, 0);
        let end = asked(
            Subject::Call(call),
            number::CO_TAPI_GET_CALL_DIAGNOSTICS,
            &[],
        );
        CallDiagnostics::parse(&end.unwrap()).unwrap();
    });
}

#[test]
fn what_cannot_be_asked_says_why() {
    let (config, settings) = (Config::default(), Settings::default());
    on(1, Readings::default(), config, settings, |world| {
        let windows = world.windows();
        let (call, _) = world.connect(0, 0, "1");
        let oid = number::WAN_CO_SET_LINK_INFO;
        let asked = |subject, data: &[u8]| {
            windows.set_oid(subject, oid, data);
            world.host.run();
            windows.oid_answer(subject, oid).unwrap()
        };
        let short = Err(Status::INVALID_LENGTH);
        assert_eq!(asked(Subject::Link(call), &[0; 3]), short);
        assert_eq!(
            asked(Subject::Adapter(9), &[0; 3]),
            Err(Status::TAPI_NODEVICE)
        );
        assert_eq!(
            asked(Subject::Manager(9), &[0; 3]),
            Err(Status::TAPI_NODEVICE)
        );
        windows.drop_call(call);
        world.host.run();
        assert_eq!(
            asked(Subject::Link(call), &[0; 3]),
            Err(Status::TAPI_INVALCALLSTATE)
        );
        assert_eq!(
            asked(Subject::Call(call), &[0; 3]),
            Err(Status::TAPI_INVALCALLHANDLE)
        );
        let long = [0; 2000];
        windows.query_oid(Subject::Manager(0), oid, &long);
        world.host.run();
        assert_eq!(windows.oid_answer(Subject::Manager(0), oid), Some(short));
    });
}

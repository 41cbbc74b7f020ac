//! What the tests of stand-alone call managers and of connection-oriented miniports run, each
//! with a slip of its own.

use super::alone::{Alone, Slip};
use super::link::{Flaw, Link};
use super::{Client, Twist, host};
use ndis_host::{Adapter, Host, Report};

/// A miniport, a call manager above it, and two clients.
pub struct Bench {
    pub host: Host,
    pub link: Link,
    pub alone: Alone,
    pub a: Client,
    pub b: Client,
    pub adapter: Option<Adapter>,
}

/// What is wrong with the drivers.
#[derive(Clone, Copy)]
pub struct Wrong {
    pub flaw: Flaw,
    /// The miniport takes its time with some requests.
    pub pends: bool,
    pub slip: Slip,
    pub twist: Twist,
}

impl Bench {
    /// On a host that expects these rules to be broken.
    pub fn new(wrong: Wrong, rules: &[&str]) -> Self {
        let host = host();
        for rule in rules {
            host.expect(rule);
        }
        Self::on(host, wrong)
    }

    pub fn on(host: Host, wrong: Wrong) -> Self {
        let link = Link::load(&host, wrong.flaw, wrong.pends);
        let alone = Alone::load(&host, wrong.slip);
        let a = Client::load(&host, "client-a", wrong.twist, false);
        let b = Client::load(&host, "client-b", wrong.twist, true);
        let adapter = Some(host.add_adapter(&link.driver).expect("initialize"));
        host.run();
        Self {
            host,
            link,
            alone,
            a,
            b,
            adapter,
        }
    }

    pub fn run(&self, body: impl FnOnce() + Send + 'static) {
        self.host.spawn("test", body);
        self.host.run();
    }

    /// A call that carries a frame.
    pub fn call(&self) {
        for act in [Client::call, Client::send, Client::hang_up] {
            let a = self.a.clone();
            self.run(move || act(&a));
        }
    }

    pub fn down(mut self) -> Report {
        if let Some(adapter) = self.adapter.take() {
            self.host.remove_adapter(&adapter);
        }
        self.host.run();
        for driver in [&self.a.driver, &self.b.driver, &self.alone.driver] {
            self.host.unload(driver);
        }
        self.host.unload(&self.link.driver);
        self.host.finish()
    }
}

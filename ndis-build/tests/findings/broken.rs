//! A good INF that is broken in one way.

use crate::common;
use ndis_build::inf::{Arch, Rule, Severity, check_for};

/// A good INF, with edits.
pub struct Broken {
    pub text: String,
}

/// A virtual adapter.
pub fn adapter() -> Broken {
    good(common::example("loopback-mcm").render(Arch::X64), Arch::X64)
}

/// A protocol; for x86, where it has one install section.
pub fn protocol() -> Broken {
    good(common::example("echo-client").render(Arch::X86), Arch::X86)
}

/// An adapter on a bus.
pub fn usb() -> Broken {
    good(
        common::driver(common::USB).unwrap().render(Arch::X64),
        Arch::X64,
    )
}

/// The same with settings on its page of advanced properties.
pub fn settings() -> Broken {
    let driver = common::driver(&common::usb_with_params()).unwrap();
    good(driver.render(Arch::X64), Arch::X64)
}

pub fn good(text: String, arch: Arch) -> Broken {
    assert_eq!(check_for(&text, arch), []);
    Broken { text }
}

impl Broken {
    /// Replaces what occurs once.
    pub fn replace(mut self, old: &str, new: &str) -> Self {
        assert_eq!(self.text.matches(old).count(), 1, "{old} in\n{}", self.text);
        self.text = self.text.replace(old, new);
        self
    }

    pub fn replace_all(mut self, old: &str, new: &str) -> Self {
        assert!(self.text.contains(old), "{old} in\n{}", self.text);
        self.text = self.text.replace(old, new);
        self
    }

    /// Removes the line that begins so, and only it.
    pub fn without(mut self, start: &str) -> Self {
        let before = self.text.lines().count();
        let kept = self.text.lines().filter(|line| !line.starts_with(start));
        self.text = kept.map(|line| format!("{line}\r\n")).collect();
        assert_eq!(self.text.lines().count(), before - 1, "{start}");
        self
    }

    /// Appends a line to a section.
    pub fn with(self, section: &str, line: &str) -> Self {
        let header = format!("[{section}]\r\n");
        self.replace(&header, &format!("{header}{line}\r\n"))
    }

    pub fn without_section(mut self, name: &str) -> Self {
        let start = self.text.find(&format!("[{name}]\r\n")).unwrap();
        let length = self.text[start..].find("\r\n\r\n").unwrap() + 4;
        self.text.replace_range(start..start + length, "");
        self
    }

    /// A case: the rule that is broken, and the beginning of the line.
    pub fn breaks(self, rule: Rule, line: &str) -> Case {
        let number = match line {
            "" => 1,
            line => {
                let mut lines = self.text.lines();
                1 + lines.position(|text| text.starts_with(line)).expect(line)
            }
        };
        Case {
            text: self.text,
            rule,
            severity: rule.severity(),
            line: number,
        }
    }
}

/// An INF with one thing wrong: what, how grave, and where.
pub struct Case {
    pub text: String,
    pub rule: Rule,
    pub severity: Severity,
    pub line: usize,
}

impl Case {
    /// Other than the rule is in general.
    pub fn only(self, severity: Severity) -> Self {
        assert_ne!(severity, self.rule.severity(), "it is in general");
        self.graded(severity)
    }

    pub fn graded(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

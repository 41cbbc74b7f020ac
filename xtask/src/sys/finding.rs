//! What a check of an image says, graded as findings about INF files are.

use std::fmt;

use ndis_build::inf::{self, Severity};

/// Something about an image, or about the INF file beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub severity: Severity,
    pub what: String,
}

impl Finding {
    /// Windows refuses the image, or it crashes.
    pub fn error(what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            what: what.into(),
        }
    }

    /// Windows takes it, and it may go wrong.
    pub fn warning(what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            what: what.into(),
        }
    }

    /// It does no harm.
    pub fn hint(what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Hint,
            what: what.into(),
        }
    }
}

impl From<&inf::Finding> for Finding {
    fn from(found: &inf::Finding) -> Self {
        Self {
            severity: found.severity(),
            what: format!(
                "INF line {}: {} [{}]",
                found.line(),
                found.message(),
                found.rule()
            ),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.what)
    }
}

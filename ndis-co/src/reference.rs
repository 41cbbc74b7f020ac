//! [`reference!`](crate::reference): what every counted reference to an object of NDIS's has.
//!
//! An address family, a SAP, a VC, a binding and an adapter are each one allocation that NDIS
//! has a reference to, as its context, and that a driver has any number of references to. They
//! are cloned and compared in the same way, so that is written once.

/// Makes a type with a field `shared: Arc<..>` a counted reference.
#[doc(hidden)]
#[macro_export]
macro_rules! reference {
    ($name:ident<$driver:ident: $bound:path> to $what:literal) => {
        impl<$driver: $bound> Clone for $name<$driver> {
            fn clone(&self) -> Self {
                Self {
                    shared: self.shared.clone(),
                }
            }
        }

        impl<$driver: $bound> $name<$driver> {
            #[doc = concat!("Whether both are the same ", $what, ".")]
            #[must_use]
            pub fn is(&self, other: &Self) -> bool {
                $crate::mem::Arc::ptr_eq(&self.shared, &other.shared)
            }
        }
    };
}

//! Structures of words: how each is read and written.

/// Defines a structure of words: a type with public fields, read by `parse` and `from_raw`,
/// written as `Flat` and by `to_raw`.
macro_rules! structure {
    (
        $(#[$doc:meta])*
        $name:ident = $raw:ident {
            $($(#[$field_doc:meta])* $field:ident: $kind:ty = $member:ident;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl $name {
            /// Reads the structure; what is behind it does not matter.
            ///
            /// # Errors
            ///
            /// [`Status::INVALID_LENGTH`](crate::Status::INVALID_LENGTH) when there are too few
            /// bytes.
            pub fn parse(bytes: &[u8]) -> Result<Self, $crate::Status> {
                use $crate::tapi::bytes::word;
                Ok(Self {
                    $($field: <$kind>::from(word::<u32>(
                        bytes,
                        core::mem::offset_of!(ndis_sys::$raw, $member),
                    )?),)*
                })
            }

            /// From the C form.
            #[must_use]
            pub fn from_raw(raw: &ndis_sys::$raw) -> Self {
                Self { $($field: <$kind>::from(raw.$member),)* }
            }

            /// Each word as it is.
            fn words(&self) -> ndis_sys::$raw {
                ndis_sys::$raw { $($member: u32::from(self.$field),)* }
            }

            /// Writes the words of the C form into room that is large enough.
            fn put(raw: &ndis_sys::$raw, room: &mut [u8]) -> Result<usize, $crate::Status> {
                use $crate::tapi::bytes::Field;
                let len = size_of::<ndis_sys::$raw>();
                let own = $crate::tapi::flat::cleared(room, len)?;
                $(raw.$member.write(own, core::mem::offset_of!(ndis_sys::$raw, $member));)*
                Ok(len)
            }
        }
    };
}

/// What is written just as it is.
macro_rules! as_it_is {
    ($name:ident = $raw:ident) => {
        impl $name {
            /// The C form.
            #[must_use]
            pub fn to_raw(self) -> ndis_sys::$raw {
                self.words()
            }
        }

        $crate::wan::structure::flat!($name = $raw);
    };
}

/// Writes the C form.
macro_rules! flat {
    ($name:ident = $raw:ident) => {
        impl $crate::tapi::Flat for $name {
            fn size(&self) -> usize {
                size_of::<ndis_sys::$raw>()
            }

            fn write_to(&self, room: &mut [u8]) -> Result<usize, $crate::Status> {
                Self::put(&self.to_raw(), room)
            }
        }
    };
}

/// Conversions of a set of flags from and to a word.
macro_rules! word_flags {
    ($name:ident) => {
        impl From<u32> for $name {
            fn from(bits: u32) -> Self {
                Self::from_bits_retain(bits)
            }
        }

        impl From<$name> for u32 {
            fn from(flags: $name) -> Self {
                flags.bits()
            }
        }
    };
}

pub(super) use {as_it_is, flat, structure, word_flags};

//! Text in a header.

use core::fmt;
use core::ops::Deref;

use serde::{Serialize, Serializer};

/// Text that lies in a model file.
///
/// Its bytes are checked when the file is read, by code that is a fifth of `core::str::from_utf8`'s; that is linked into
/// firmware only where the text is asked for.
///
/// ```
/// use refrain::format::Text;
///
/// let name = Text::from("gestures");
/// assert_eq!(name.as_str(), "gestures");
/// assert_eq!(name.len(), 8); // and whatever else a str can do
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    pub(super) const EMPTY: Self = Self(&[]);

    /// The text, if the bytes are some.
    pub(super) fn from_utf8(bytes: &'a [u8]) -> Option<Self> {
        is_utf8(bytes).then_some(Self(bytes))
    }

    /// The text itself.
    pub fn as_str(self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// Its bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Whether bytes are UTF-8: characters of one to four bytes, none longer than it need be, no surrogates.
#[inline(never)]
fn is_utf8(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter();
    while let Some(&first) = bytes.next() {
        let length = first.leading_ones();
        if length == 0 {
            continue;
        }
        // the bits of the first byte behind its ones, then six of each byte that follows
        let mut character = u32::from(first) & (0x7f >> length);
        for _ in 1..length {
            match bytes.next() {
                Some(&byte) if byte >> 6 == 0b10 => character = character << 6 | u32::from(byte & 0x3f),
                _ => return false,
            }
        }
        // the first character that does not fit into one byte less
        let least = match length {
            2 => 0x80,
            3 => 0x800,
            4 => 0x1_0000,
            _ => return false,
        };
        if character < least || char::from_u32(character).is_none() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of three classes or four of any value, so that whole characters and almost whole ones are common.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![any::<u8>(), 0x80u8..=0xbf, 0xc0u8..=0xf8, 0x8eu8..=0xa1];
        prop_oneof![
            proptest::collection::vec(byte, 0..8),
            any::<String>().prop_map(String::into_bytes),
            (any::<char>(), 0usize..4, any::<u8>()).prop_map(|(character, at, byte)| {
                let mut bytes = character.to_string().into_bytes();
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
                bytes
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn text_is_what_the_standard_library_takes_for_text(bytes in bytes()) {
            let expected = core::str::from_utf8(&bytes).ok();
            prop_assert_eq!(Text::from_utf8(&bytes).map(Text::as_str), expected);
        }
    }

    #[test]
    fn every_beginning_is_taken_or_refused_as_by_the_standard_library() {
        for first in 0..=u16::MAX {
            for rest in [&[][..], &[0x80], &[0xbf, 0xbf], &[0x80, 0x80], &[0x41]] {
                let bytes = [&first.to_be_bytes(), rest].concat();
                assert_eq!(is_utf8(&bytes), core::str::from_utf8(&bytes).is_ok(), "{bytes:02x?}");
            }
        }
    }
}

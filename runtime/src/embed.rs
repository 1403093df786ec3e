//! Models inside a program.

/// Bytes that begin at a multiple of 16, as a model file must in memory.
///
/// ```
/// use refrain::Aligned;
///
/// static MODEL: &Aligned<[u8]> = &Aligned(*b"RFRN...");
/// assert_eq!(MODEL.0.as_ptr().addr() % 16, 0);
/// ```
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Aligned<T: ?Sized>(
    /// The bytes.
    pub T,
);

/// The bytes of a model file, embedded in the program at a multiple of 16.
///
/// The path is relative to the source file, as for [`include_bytes!`].
///
/// ```
/// // any file shows the alignment; a program would name its `.rfn`
/// let bytes: &'static [u8] = refrain::include_model!("embed.rs");
/// assert_eq!(bytes.as_ptr().addr() % 16, 0);
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        static MODEL: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
        &MODEL.0
    }};
}

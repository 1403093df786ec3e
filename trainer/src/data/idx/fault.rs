//! What can be wrong with an idx file, each as the rest of a sentence that begins with the file's name.

/// What is wrong with an idx file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxFault {
    /// One of the four files is not in the folder.
    #[error("no such file, and none of that name with .gz either; the folder must hold all four idx files")]
    Missing,

    /// The file does not start as an idx file does.
    #[error("not an idx file: it starts with the bytes {found:02x?} where 00 00 08 {rank:02x} was expected")]
    NotIdx {
        /// Its first four bytes, uncompressed.
        found: [u8; 4],
        /// The rank that was expected: 3 for images, 1 for labels.
        rank: u8,
    },

    /// An idx file whose elements are not bytes.
    #[error("its elements are of idx type 0x{found:02x}, but only unsigned bytes (0x08) are supported")]
    ElementType {
        /// The type code found.
        found: u8,
    },

    /// An idx file of another number of dimensions than wanted.
    #[error("it has {found} dimension(s) where {expected} was expected (images have 3, labels 1)")]
    Rank {
        /// Dimensions found.
        found: u8,
        /// Dimensions expected.
        expected: u8,
    },

    /// Images have no rows or no columns.
    #[error("its images have no pixels: its sizes are {shape:?} (count, rows, columns)")]
    NoPixels {
        /// Its sizes: `[count, rows, columns]` or `[count]`.
        shape: Vec<usize>,
    },

    /// The sizes in the header multiply to more than this machine can address.
    #[error("the sizes in its header, {shape:?}, multiply to more than this machine can address")]
    TooLarge {
        /// The sizes in the header.
        shape: Vec<usize>,
    },

    /// The file ends before its header says it does.
    #[error("truncated: {found} bytes (uncompressed) where {expected} were expected; copy or fetch it again")]
    Truncated {
        /// Bytes found.
        found: usize,
        /// Bytes that the header needs.
        expected: usize,
    },

    /// The file goes on after its header says it ends.
    #[error("bytes follow after the {expected} (uncompressed) that its header announces")]
    TrailingBytes {
        /// Bytes that the header needs.
        expected: usize,
    },

    /// A compressed file that does not decompress.
    #[error("corrupt gzip data: {source}; copy or fetch it again")]
    Gzip {
        /// The decompressor's reason.
        source: std::io::Error,
    },

    /// An idx file that is sound but is not the one it should be.
    #[error(
        "not the MNIST file of that name: its sizes are {found:?}, expected {expected:?}; give a set of your own by --data FOLDER"
    )]
    WrongShape {
        /// The sizes in its header.
        found: Vec<usize>,
        /// The sizes of the published file.
        expected: Vec<usize>,
    },

    /// A file with other bytes than the published ones.
    #[error(
        "not the MNIST file of that name: the SHA-256 of its uncompressed bytes is {found}, expected {expected}; give a set of your own by --data FOLDER"
    )]
    WrongSum {
        /// The sum found, in hexadecimal.
        found: String,
        /// The sum of the published file.
        expected: String,
    },
}

//! What can be wrong with an `.npz` file, each as the rest of a sentence that begins with the file's name.

/// What is wrong with an `.npz` file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzFault {
    /// The file is no zip archive.
    #[error("it is not an .npz file, which is a zip archive of arrays: {0}")]
    NotZip(zip::result::ZipError),

    /// An array is missing.
    #[error("it has no array {wanted}; it holds {found}")]
    Missing {
        /// The array that was looked for.
        wanted: String,
        /// The arrays that there are, listed.
        found: String,
    },

    /// Two arrays of one name.
    #[error("{array}: the file holds two arrays of this name; write it again with one of them")]
    Twice {
        /// The name.
        array: String,
    },

    /// An array that cannot be read.
    #[error("{array}: cannot read it: {reason}; write the file again")]
    Unreadable {
        /// The array.
        array: String,
        /// Why not.
        reason: std::io::Error,
    },

    /// An array with fewer or more bytes than its head announces.
    #[error(
        "{array}: it has other than the {expected} bytes that its shape {shape} and type {dtype} need; write the file again"
    )]
    Size {
        /// The array.
        array: String,
        /// The bytes that belong there.
        expected: usize,
        /// The shape, as Python writes it.
        shape: String,
        /// NumPy's name of the element type.
        dtype: String,
    },

    /// A shape that no machine has room for.
    #[error("{array}: its shape {shape} multiplies to more than this machine can address")]
    TooLarge {
        /// The array.
        array: String,
        /// The shape, as Python writes it.
        shape: String,
    },

    /// Elements of another type.
    #[error("{array}: its elements are of type {found}, but {expected}")]
    Dtype {
        /// The array.
        array: String,
        /// NumPy's name of the element type.
        found: String,
        /// What is needed, and how to get it.
        expected: &'static str,
    },

    /// Another shape.
    #[error("{array}: its shape is {found}, but {expected}")]
    Shape {
        /// The array.
        array: String,
        /// The shape, as Python writes it.
        found: String,
        /// What is needed.
        expected: String,
    },

    /// An integer that no float holds exactly.
    #[error(
        "{array}: {place} is {value}, which neither a 16-bit integer nor an f32 holds exactly; scale it down, or take float32"
    )]
    Inexact {
        /// The array.
        array: String,
        /// Which number.
        place: String,
        /// What is there.
        value: String,
    },

    /// A label that numbers no class.
    #[error("{array}: {place} is the label {value}; labels are whole numbers from 0 to 255")]
    Label {
        /// The array.
        array: String,
        /// Which entry.
        place: String,
        /// What is there.
        value: String,
    },

    /// A label that is the name of no class.
    #[error("{array}: {place} is the label {value:?}, but the classes are {classes}")]
    UnknownName {
        /// The array.
        array: String,
        /// Which entry.
        place: String,
        /// What is there.
        value: String,
        /// The names, listed.
        classes: String,
    },

    /// More classes than a model can have.
    #[error("{array}: it names {found} classes, at most 256 are supported")]
    Classes {
        /// The array.
        array: String,
        /// How many.
        found: usize,
    },

    /// Two classes of one name.
    #[error("classes: it names the class {name:?} twice")]
    ClassTwice {
        /// The name.
        name: String,
    },

    /// A length of a sequence that is none.
    #[error("{array}: sample {sample} has length {found}, where 1 to {most} timesteps belong")]
    Length {
        /// The array.
        array: String,
        /// Which sample.
        sample: usize,
        /// What is there.
        found: String,
        /// The timesteps of the padded array.
        most: usize,
    },

    /// A word that names no task.
    #[error("task: {found:?} is no task; expected one of {expected}")]
    Task {
        /// What is there.
        found: String,
        /// The words, listed.
        expected: String,
    },
}

//! The `.npz` reader on sound files of every supported type and shape, and on every kind of unsound one.

#[path = "../data_support/npz.rs"]
mod arrays;
mod bench;
mod sound;
mod unsound;

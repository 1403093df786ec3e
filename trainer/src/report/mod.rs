//! One HTML page on one or more runs, to read and to send on: learning curves, confusion matrices, the worst mistakes,
//! what quantisation costs and what the board needs.
//!
//! [`Page`] is what such a page shows, as plain data, and [`Page::to_html`] writes it.

mod page;

pub use page::{
    Board, ClassResults, Data, Epoch, Layer, Measure, Mistake, Network, OutputResults, Page, Picture,
    Results, Run, Task, Timeline, Track, Training, ValueResults,
};

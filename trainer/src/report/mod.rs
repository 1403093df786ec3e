//! One HTML page on one or more runs, to read and to send on: learning curves, confusion matrices, the worst mistakes,
//! what quantisation costs and what the board needs.
//!
//! [`Page`] is what such a page shows, as plain data, and [`Page::to_html`] writes it; [`results`] picks it out of what
//! a model answered.

mod page;
mod results;

pub use page::{
    Board, ClassResults, Data, Epoch, Layer, Measure, Mistake, Network, OutputResults, Page, Picture,
    Results, Run, Task, Timeline, Track, Training, ValueResults,
};
pub use results::{Outputs, results};

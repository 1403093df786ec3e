//! One HTML page on one or more runs, to read and to send on: learning curves, confusion matrices, the worst mistakes,
//! what quantisation costs and what the board needs.
//!
//! A [`ValidationPage`] is the same for one model on the board that it is to run on.
//!
//! [`Page`] is what such a page shows, as plain data, and [`Page::to_html`] writes it. [`results`] picks out of what a
//! model answered what is worth seeing, and [`Findings`] join that to what a run's folder tells.

mod page;
mod results;
mod runs;
mod validation;

pub use page::{
    Board, ClassResults, Compared, Data, Epoch, Figure, Layer, Line, Measure, Measured, Mistake, Network,
    OutputResults, Page, Part, Picture, Place, Results, Run, Task, Timeline, Track, Training, ValidationPage,
    ValueResults,
};
pub use results::{Outputs, results};
pub use runs::{Findings, names};

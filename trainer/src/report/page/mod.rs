//! The page: what it shows ([`Page`], plain data) and how that becomes HTML.
//!
//! One file with everything in it: pictures are inline SVG or PNG, and a content security policy forbids the browser to
//! fetch anything and to run or apply anything but the page's own script and style. Without the script the page lacks
//! nothing but the numbers under the pointer.

mod chart;
mod confusion;
mod costs;
mod curves;
mod document;
mod mistakes;
mod picture;
mod repeat;
mod scale;
mod summary;
mod text;
mod timeline;
mod trade;
mod validation;
mod values;
mod view;

pub(super) use text::significant;
pub use validation::{Compared, Figure, Line, Measured, Part, Place, ValidationPage};
pub use view::{
    Board, ClassResults, Data, Epoch, Layer, Measure, Mistake, Network, OutputResults, Page, Picture,
    Results, Run, Task, Timeline, Track, Training, ValueResults,
};

impl Page {
    /// The page as one HTML file; equal pages give equal bytes.
    pub fn to_html(&self) -> String {
        document::document(self).into_string()
    }
}

impl ValidationPage {
    /// The page as one HTML file; equal pages give equal bytes.
    pub fn to_html(&self) -> String {
        validation::document(self).into_string()
    }
}

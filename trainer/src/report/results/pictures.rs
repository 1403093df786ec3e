//! What a sequence of a data set looks like.

use super::super::page::Picture;
use crate::data::{Dataset, InputScaling, SplitView, ValuesView};

/// Features beyond which lines cannot be told apart.
const MOST_LINES: usize = 8;
/// What is shown black and white in a picture of standardised features.
const REACH: f32 = 3.0;

/// Sequence `index` as a picture: an image where it is one, else its standardised features as lines, or as grey values
/// where there are too many of them.
pub(super) fn picture(dataset: &Dataset, samples: SplitView<'_>, index: usize) -> Picture {
    let (width, scaling) = (samples.inputs(), dataset.scaling());
    if let (ValuesView::U8(pixels), InputScaling::Uniform { .. }) = (samples.sequence(index), scaling) {
        return Picture::Image { width, pixels: pixels.to_vec() };
    }
    let mut values = vec![0.0; samples.length(index) * width];
    samples.gather(index, scaling, &mut values);
    if width > MOST_LINES {
        let grey = |value: &f32| (255.0 * (value + REACH) / (2.0 * REACH)).round() as u8;
        return Picture::Image { width, pixels: values.iter().map(grey).collect() };
    }
    let feature = |feature: usize| values.iter().skip(feature).step_by(width).copied().collect();
    Picture::Lines((0..width).map(feature).collect())
}

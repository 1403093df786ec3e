//! From the numbers of the data to those that a network sees.

use serde::{Deserialize, Serialize};

use super::ValuesView;

/// What one unit of a raw pixel is worth: networks see `pixel * PIXEL_SCALE`, from 0 to 1.
pub const PIXEL_SCALE: f32 = 1.0 / 255.0;

/// How raw numbers become the numbers that a network sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputScaling {
    /// `x = scale * raw` for every feature, so that zero stays zero: images.
    Uniform {
        /// Above zero.
        scale: f32,
    },
    /// `x = (raw - mean) / deviation`, feature by feature: measurements, each with a unit of its own.
    PerFeature {
        /// `[inputs]`: the mean over the training samples.
        mean: Vec<f32>,
        /// `[inputs]`: the standard deviation over the training samples, above zero.
        deviation: Vec<f32>,
    },
}

impl InputScaling {
    /// That of images: bytes from 0 to 255 become numbers from 0 to 1.
    pub const PIXELS: Self = Self::Uniform { scale: PIXEL_SCALE };

    /// Writes `raw`, whole rows of features, as a network sees it into `out`, which has as many numbers.
    ///
    /// # Panics
    /// If the two differ in length, or `raw` is no whole number of rows of a per-feature scaling.
    pub fn apply(&self, raw: ValuesView<'_>, out: &mut [f32]) {
        match raw {
            ValuesView::U8(raw) => self.apply_to(raw, out),
            ValuesView::I16(raw) => self.apply_to(raw, out),
            ValuesView::F32(raw) => self.apply_to(raw, out),
        }
    }

    fn apply_to<T: Copy + Into<f32>>(&self, raw: &[T], out: &mut [f32]) {
        assert_eq!(raw.len(), out.len(), "as many numbers come out as go in");
        match self {
            Self::Uniform { scale } => {
                out.iter_mut().zip(raw).for_each(|(x, &raw)| *x = scale * raw.into());
            }
            Self::PerFeature { mean, deviation } => {
                assert_eq!(raw.len() % mean.len(), 0, "numbers come in whole rows");
                for (out, raw) in out.chunks_exact_mut(mean.len()).zip(raw.chunks_exact(mean.len())) {
                    for (((x, &raw), mean), deviation) in out.iter_mut().zip(raw).zip(mean).zip(deviation) {
                        *x = (raw.into() - mean) / deviation;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_numbers_from_zero_to_one() {
        let mut x = [9.0; 3];
        InputScaling::PIXELS.apply(ValuesView::U8(&[0, 255, 51]), &mut x);
        assert_eq!(x, [0.0, 1.0, PIXEL_SCALE * 51.0]);
    }

    #[test]
    fn each_feature_has_its_own_scale() {
        let scaling = InputScaling::PerFeature { mean: vec![10.0, -1.0], deviation: vec![5.0, 0.25] };
        let mut x = [9.0; 4];
        scaling.apply(ValuesView::I16(&[20, -1, 0, 1]), &mut x);
        assert_eq!(x, [2.0, 0.0, -2.0, 8.0]);
        scaling.apply(ValuesView::F32(&[10.0, 0.0, 2.5, -1.5]), &mut x);
        assert_eq!(x, [0.0, 4.0, -1.5, -2.0]);
    }
}

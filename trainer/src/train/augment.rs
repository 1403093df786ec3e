//! Images drawn anew: slightly turned, slanted, scaled and moved.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// How far an image may be changed. Every draw is even between plus and minus these.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Augmentation {
    /// Change of width and of height, as a part of them.
    pub scale: f32,
    /// Turn and slant: what a pixel moves across for each pixel that it lies from the middle.
    pub shear: f32,
    /// Shift, in pixels, each way.
    pub shift: f32,
}

impl Augmentation {
    /// What helps handwritten digits.
    pub const DEFAULT: Self = Self { scale: 0.12, shear: 0.15, shift: 2.0 };

    /// Draws `image` `[height][width]`, bytes, into `out` of the same size, in real values `byte * scale`.
    ///
    /// Each pixel of the result is read from where an affine map puts it, between the four pixels around that
    /// place; outside the image all is zero.
    ///
    /// # Panics
    /// If `image` and `out` differ in size or are no whole number of rows.
    pub fn draw(&self, image: &[u8], width: usize, scale: f32, rng: &mut ChaCha8Rng, out: &mut [f32]) {
        assert_eq!(image.len(), out.len(), "an image is drawn into one of its size");
        assert_eq!(image.len() % width, 0, "an image is a whole number of rows");
        let height = image.len() / width;
        let mut even = |most: f32| most * (2.0 * (rng.next_u32() >> 8) as f32 / (1 << 24) as f32 - 1.0);
        let (xx, yy) = (1.0 + even(self.scale), 1.0 + even(self.scale));
        let (xy, yx) = (even(self.shear), even(self.shear));
        let (dx, dy) = (even(self.shift), even(self.shift));
        let (middle_x, middle_y) = (0.5 * (width as f32 - 1.0), 0.5 * (height as f32 - 1.0));
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let y = row as f32 - middle_y;
            for (column, out) in out.iter_mut().enumerate() {
                let x = column as f32 - middle_x;
                let from_x = xx * x + xy * y + middle_x + dx;
                let from_y = yx * x + yy * y + middle_y + dy;
                *out = scale * between(image, width, height, from_x, from_y);
            }
        }
    }
}

/// The value of the image at a place between its pixels.
fn between(image: &[u8], width: usize, height: usize, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right_part, lower_part) = (x - left, y - top);
    let (left, top) = (left as i32, top as i32);
    let pixel = |row: i32, column: i32| {
        let inside = (0..height as i32).contains(&row) && (0..width as i32).contains(&column);
        if inside { f32::from(image[row as usize * width + column as usize]) } else { 0.0 }
    };
    let across = |row| {
        let (a, b) = (pixel(row, left), pixel(row, left + 1));
        a + right_part * (b - a)
    };
    let (upper, lower) = (across(top), across(top + 1));
    upper + lower_part * (lower - upper)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn picture() -> Vec<u8> {
        (0..12u8).flat_map(|row| (0..10u8).map(move |column| row * 16 + column)).collect()
    }

    #[test]
    fn no_change_draws_the_image_itself() {
        let still = Augmentation { scale: 0.0, shear: 0.0, shift: 0.0 };
        let mut out = vec![0.0; 120];
        still.draw(&picture(), 10, 0.5, &mut ChaCha8Rng::seed_from_u64(1), &mut out);
        let expected: Vec<f32> = picture().iter().map(|&byte| 0.5 * f32::from(byte)).collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn a_place_between_pixels_is_weighed() {
        let image = [0, 100, 200, 40];
        assert_eq!(between(&image, 2, 2, 0.5, 0.0), 50.0);
        assert_eq!(between(&image, 2, 2, 0.0, 0.25), 50.0);
        assert_eq!(between(&image, 2, 2, 0.5, 0.5), 85.0);
        assert_eq!(between(&image, 2, 2, 1.5, 0.0), 50.0);
        assert_eq!(between(&image, 2, 2, -2.0, 0.0), 0.0);
    }

    #[test]
    fn draws_differ_and_stay_near() {
        let mut image = vec![0; 28 * 28];
        image[14 * 28 + 14] = 255;
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut centres = Vec::new();
        for _ in 0..20 {
            let mut out = vec![0.0; image.len()];
            Augmentation::DEFAULT.draw(&image, 28, 1.0 / 255.0, rng, &mut out);
            let brightest = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
            let (row, column) = (brightest / 28, brightest % 28);
            assert!(row.abs_diff(14) <= 3 && column.abs_diff(14) <= 3, "{row}, {column}");
            centres.push(brightest);
        }
        centres.sort();
        centres.dedup();
        assert!(centres.len() > 5, "{centres:?}");
    }
}

//! What a sequence looks like: an image, or a line for each feature.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, html};

use super::chart::{path, stretch};
use super::scale::{Scale, Spread};
use super::view::Picture;

/// Colours of features; more features begin again.
pub(super) const FEATURE_STYLES: usize = 6;

/// The picture; `label` says what it shows.
pub(super) fn draw(picture: &Picture, label: &str) -> Markup {
    match picture {
        Picture::Image { width, pixels } => image(*width, pixels, label),
        Picture::Lines(features) => lines(features, label),
    }
}

fn image(width: usize, pixels: &[u8], label: &str) -> Markup {
    let height = pixels.len() / width.max(1);
    html! {
        img.pixels src={ "data:image/png;base64," (BASE64_STANDARD.encode(png(width, height, pixels))) }
            width=(width) height=(height) alt=(label);
    }
}

/// A grey PNG of `[height * width]` pixels.
fn png(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
    let size = |size| u32::try_from(size).expect("an image's sides are far below 2^32");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size(width), size(height));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("an image has a row and a column at least");
    writer.write_image_data(pixels).expect("there are as many pixels as the image's sides say");
    writer.finish().expect("memory takes all that is written");
    bytes
}

fn lines(features: &[Vec<f32>], label: &str) -> Markup {
    let values = features.iter().flatten().map(|&value| f64::from(value));
    let y = Scale::around(Spread::Linear, values);
    let length = features.iter().map(Vec::len).max().unwrap_or(0);
    let x = Scale::linear(0.0, length.saturating_sub(1) as f64);
    let paths = html! {
        @for (index, feature) in features.iter().enumerate() {
            path class={ "feature-" (index % FEATURE_STYLES) }
                d=(path(feature.iter().enumerate().map(|(t, &value)| (x.at(t as f64), y.at(value.into()))))) {}
        }
    };
    html! { svg.spark.plot role="img" aria-label=(label) { (stretch(&paths)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_becomes_a_png_of_its_pixels() {
        let pixels = [0, 50, 100, 150, 200, 250];
        let bytes = png(3, 2, &pixels);
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut found = [0; 6];
        let info = reader.next_frame(&mut found).unwrap();
        assert_eq!((info.width, info.height, found), (3, 2, pixels));
    }
}

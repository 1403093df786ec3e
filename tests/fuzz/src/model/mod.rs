//! Model files.

mod forge;
mod reference;
mod typed;

use refrain::{AnyModel, Header, ModelError, Numbers};

use forge::{forged, sealed};
use typed::Case;

/// Rows that a model steps through.
const TIMESTEPS: usize = 6;

/// Most bytes of a model file here, as small networks have: a header may ask for megabytes.
const MAX_FILE_BYTES: usize = 4 << 10;

/// Whatever bytes are said to be a model file, no reader panics, each one comes to the same verdict, and what is accepted
/// computes the logits that the documentation says, however its rows are handed over.
///
/// ```text
/// 0  what is done to the file first, the lowest two bits: nothing; it is sealed again, see `sealed`; it is forged, see
///    `forged`
/// 1  bytes that rows are made of
/// 2  those bytes, then the file
/// ```
///
/// # Panics
/// Where any of that does not hold.
pub fn model(data: &[u8]) {
    let Some(([kind, length], rest)) = data.split_first_chunk() else { return };
    let (samples, file) = rest.split_at(rest.len().min((*length).into()));
    let file = match kind & 3 {
        0 => file.to_vec(),
        1 => sealed(file.to_vec()),
        _ => forged(file),
    };
    refused_where_misaligned(&file, usize::from(kind >> 4).max(1));
    let mut place = Place::default();
    let file = place.put(&file, 0);
    let header = Header::read(file).map(|(header, _)| header);
    let read = AnyModel::from_bytes(file);
    let rows = match &read {
        Ok(model) => {
            assert_eq!(header.as_ref(), Ok(model.header()));
            let rows = rows(model.header().row_bytes(), samples);
            computes(model, file, &rows);
            rows
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Vec::new()
        }
    };
    typed::agree(Case { file, header: header.as_ref().ok(), any: read.as_ref().ok(), rows: &rows });
}

/// Memory in which a file can lie anywhere; it begins at a multiple of 16.
#[derive(Default)]
struct Place(Vec<u128>);

impl Place {
    /// Puts a file at so many bytes behind a multiple of 16.
    fn put(&mut self, file: &[u8], offset: usize) -> &[u8] {
        self.0.clear();
        self.0.resize((offset + file.len()).div_ceil(size_of::<u128>()), 0);
        let place = &mut bytemuck::cast_slice_mut::<_, u8>(&mut self.0)[offset..][..file.len()];
        place.copy_from_slice(file);
        place
    }
}

/// A file that begins at no multiple of 16 is refused, and for that.
fn refused_where_misaligned(file: &[u8], remainder: usize) {
    let mut place = Place::default();
    let misaligned = place.put(file, remainder);
    assert_eq!(AnyModel::from_bytes(misaligned).err(), Some(ModelError::Misaligned { remainder }));
}

/// Rows of so many bytes, all that the samples give, over and over.
fn rows(row_bytes: usize, samples: &[u8]) -> Vec<u8> {
    let endless = samples.iter().copied().cycle().chain(std::iter::repeat(0));
    endless.take(TIMESTEPS * row_bytes).collect()
}

/// A model that was accepted can be asked for all that it offers, and gives the logits of the documentation.
fn computes(model: &AnyModel<'_>, file: &[u8], rows: &[u8]) {
    let header = model.header();
    let names = header.output_names().count();
    assert!(names == 0 || names == usize::from(header.shape.outputs));
    // whether a forged file passes its own self-test is up to the file
    let _ = model.self_test();

    let logits = logits(model, rows);
    let (mut last, outputs) = (vec![0; logits.len() / TIMESTEPS], usize::from(header.shape.outputs));
    for timesteps in 1..=TIMESTEPS {
        model.classify(&rows[..timesteps * header.row_bytes()], &mut last).expect("whole rows");
        let last = comparable(header.numbers, last.clone());
        assert_eq!(last, logits[(timesteps - 1) * 4 * outputs..][..4 * outputs], "{timesteps} timesteps");
    }
    model.values(&logits, &mut vec![0.0; TIMESTEPS * outputs]);
    let units = usize::from(header.shape.units) * usize::from(header.shape.layers);
    model.trace(rows, &mut vec![0.0; TIMESTEPS * units]).expect("whole rows");
    assert!(model.leading_blank_rows(rows).expect("whole rows") <= TIMESTEPS);
    let cut = header.row_bytes() > 1;
    assert_eq!(model.classify(&rows[1..], &mut last).is_err(), cut, "no whole rows");
    if header.numbers != Numbers::F32 {
        let expected: Vec<u8> =
            reference::logits(header, file, rows).into_iter().flat_map(i32::to_le_bytes).collect();
        assert_eq!(logits, expected, "{header:?}");
    }
}

/// The logits after every timestep, as they travel on the link.
fn logits(model: &AnyModel<'_>, rows: &[u8]) -> Vec<u8> {
    let mut logits = vec![0; TIMESTEPS * usize::from(model.header().shape.outputs) * 4];
    model.classify_every_step(rows, &mut logits).expect("whole rows");
    comparable(model.header().numbers, logits)
}

/// Logits with one way of being no number: which one a processor makes depends on the order of operands, which compilers
/// may change.
fn comparable(numbers: Numbers, mut logits: Vec<u8>) -> Vec<u8> {
    if numbers == Numbers::F32 {
        for logit in logits.as_chunks_mut().0 {
            if f32::from_le_bytes(*logit).is_nan() {
                *logit = f32::NAN.to_le_bytes();
            }
        }
    }
    logits
}

//! The slots of all models: which model is used, and how another one takes its place.

use core::ops::Range;

use refrain::link::{FlashFault, Source, UpdateRefusal, Upload};

use super::flash::{self, HeldFlash, MappedFlash};
use super::record::Record;
use super::slot::{HEAD_UNITS, Slot};
use super::trial::{BuiltIn, check_start, stored_crc};
use super::upload::Writer;

/// Bytes at the end of a model file that hold the CRC-32 of those before.
const CRC_BYTES: u32 = 4;

/// The model that is used in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// Where it is read from.
    pub source: Source,
    /// Its revision; 0 where it is built in.
    pub revision: u32,
}

impl Active {
    /// The model in the program.
    pub const BUILT_IN: Self = Self { source: Source::BuiltIn, revision: 0 };
}

/// What a session needs of a [`Store`], whatever the flash.
pub trait Updates {
    /// Which model is used in that place.
    fn active(&self, model: u8) -> Active;

    /// Begins an upload, or takes it up again; how many of its bytes are there already.
    ///
    /// # Errors
    /// [`UpdateRefusal`].
    fn begin(&mut self, upload: Upload) -> Result<u32, UpdateRefusal>;

    /// Takes bytes of the upload whose [`Upload::crc`] is `upload`, from `offset` on; how many of its bytes are there then.
    /// Bytes that have come before are passed over.
    ///
    /// # Errors
    /// [`UpdateRefusal`].
    fn chunk(&mut self, upload: u32, offset: u32, bytes: &[u8]) -> Result<u32, UpdateRefusal>;

    /// Makes the uploaded model the one that is used after a restart.
    ///
    /// # Errors
    /// [`UpdateRefusal`]; where the model is at fault its upload is forgotten.
    fn commit(&mut self, upload: u32) -> Result<(), UpdateRefusal>;
}

/// A program that takes no other models than its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoUpdates;

impl Updates for NoUpdates {
    fn active(&self, _: u8) -> Active {
        Active::BUILT_IN
    }

    fn begin(&mut self, _: Upload) -> Result<u32, UpdateRefusal> {
        Err(UpdateRefusal::NoStorage)
    }

    fn chunk(&mut self, _: u32, _: u32, _: &[u8]) -> Result<u32, UpdateRefusal> {
        Err(UpdateRefusal::NotBegun)
    }

    fn commit(&mut self, _: u32) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NotBegun)
    }
}

/// The slots of so many models in a flash.
#[derive(Debug)]
pub struct Store<'m, F, const MODELS: usize> {
    flash: F,
    places: [Place<'m>; MODELS],
    upload: Option<Current>,
}

/// A model of the program and its two slots.
#[derive(Clone, Copy, Debug)]
struct Place<'m> {
    built_in: BuiltIn<'m>,
    /// Its number.
    model: u8,
    /// Where slot A begins; slot B lies behind it.
    start: u32,
    /// Erase units for a model in each slot; none where the flash is too small.
    units: u32,
    active: Active,
    /// Where the model that is used lies in flash; nowhere where it is built in.
    in_use: Option<(u32, u32)>,
    /// What was committed and waits for a restart.
    pending: Option<(Source, u32)>,
}

/// The upload that goes on, or the one that has just ended.
#[derive(Clone, Debug)]
struct Current {
    writer: Writer,
    /// The slot that it goes to.
    target: Source,
    is_committed: bool,
}

impl Place<'_> {
    fn slot<F: MappedFlash>(&self, source: Source) -> Option<Slot> {
        match source {
            Source::BuiltIn => None,
            Source::SlotA => Some(Slot { start: self.start }),
            Source::SlotB => {
                Some(Slot { start: self.start + (HEAD_UNITS + self.units) * F::ERASE_SIZE as u32 })
            }
        }
    }

    /// Bytes that a slot has for a model.
    fn room<F: MappedFlash>(&self) -> u32 {
        self.units * F::ERASE_SIZE as u32
    }

    /// Whether a committed upload is one for this place.
    fn is_ours<F: MappedFlash>(&self, Record { upload, replaces }: Record) -> bool {
        upload.model == self.model && replaces == self.built_in.crc() && upload.length <= self.room::<F>()
    }

    /// Whether the model of that record can be used, and if not, why.
    fn try_model<F: MappedFlash>(&self, flash: &F, slot: Slot, record: Record) -> Result<(), UpdateRefusal> {
        let Upload { length, crc, .. } = record.upload;
        let bytes = flash.bytes(slot.model::<F>(), length);
        let bytes = bytes.ok_or(UpdateRefusal::Flash(FlashFault::Read))?;
        // the model's own CRC-32 covers all the others
        let found = stored_crc(bytes);
        if found != crc {
            return Err(UpdateRefusal::Crc { found, expected: crc });
        }
        (self.built_in.trial)(self.built_in.file, bytes)
    }

    /// Finds the model that is to be used.
    fn choose<F: MappedFlash>(&mut self, flash: &mut F) {
        for source in [Source::SlotA, Source::SlotB] {
            let Some(slot) = self.slot::<F>(source) else { continue };
            for head in slot.heads::<F>() {
                let Some(record) = head.committed(flash).filter(|&record| self.is_ours::<F>(record)) else {
                    continue;
                };
                let Upload { revision, length, .. } = record.upload;
                if revision > self.active.revision && self.try_model(flash, slot, record).is_ok() {
                    self.active = Active { source, revision };
                    self.in_use = Some((slot.model::<F>(), length));
                }
            }
        }
    }

    /// The slot for that upload: not the one in use, and of two that are not, the one that holds a part of it, or that does
    /// not wait for a restart.
    fn target<F: MappedFlash>(&self, flash: &mut F, record: Record) -> Source {
        match (self.active.source, self.pending, self.slot::<F>(Source::SlotB)) {
            (Source::SlotA, ..) => Source::SlotB,
            (Source::SlotB, ..) => Source::SlotA,
            (_, Some((Source::SlotA, _)), _) => Source::SlotB,
            (_, Some(_), _) => Source::SlotA,
            (_, None, Some(slot)) if slot.holds(flash, record) => Source::SlotB,
            _ => Source::SlotA,
        }
    }

    /// The newest revision that can be used, now or after a restart.
    fn newest(&self) -> u32 {
        self.pending.map_or(self.active.revision, |(_, revision)| revision.max(self.active.revision))
    }
}

impl<'m, F: MappedFlash, const MODELS: usize> Store<'m, F, MODELS> {
    /// Looks which models are to be used. The slots lie in the order of the models, from the start of the flash on; each has
    /// room for a model that is a quarter longer than the one in the program. Models that the flash has no room for have no
    /// slots.
    pub fn open(flash: F, built_in: [BuiltIn<'m>; MODELS]) -> Self {
        const { flash::check_units::<F>() };
        let mut store = Self { flash, places: Self::lay_out(built_in), upload: None };
        let end = store.flash.capacity();
        for place in &mut store.places {
            let is_inside = place.start as usize + Self::bytes_of(place.built_in) as usize <= end;
            if !is_inside {
                place.units = 0;
                continue;
            }
            place.choose(&mut store.flash);
        }
        store
    }

    /// Where slots lie in a flash without end.
    fn lay_out(built_in: [BuiltIn<'m>; MODELS]) -> [Place<'m>; MODELS] {
        let (mut start, mut model) = (0, 0);
        built_in.map(|built_in| {
            let units = Self::units_of(built_in);
            let (active, in_use, pending) = (Active::BUILT_IN, None, None);
            let place = Place { built_in, model, start, units, active, in_use, pending };
            start = start.saturating_add(Self::bytes_of(built_in));
            model = model.saturating_add(1);
            place
        })
    }

    /// Erase units for a model in the place of that one.
    fn units_of(built_in: BuiltIn<'_>) -> u32 {
        let bytes = built_in.file.len() + built_in.file.len() / 4;
        bytes.div_ceil(F::ERASE_SIZE) as u32
    }

    /// Bytes of both slots for that model.
    fn bytes_of(built_in: BuiltIn<'_>) -> u32 {
        2 * (HEAD_UNITS + Self::units_of(built_in)) * F::ERASE_SIZE as u32
    }

    /// Where in flash the model lies that is used in that place; `None` where that is the one in the program.
    pub fn in_use(&self, model: u8) -> Option<Range<u32>> {
        let (start, length) = self.places.get(usize::from(model))?.in_use?;
        Some(start..start + length)
    }

    /// The model in use in that place, in flash, for ever; `None` where that is the one in the program.
    pub fn hold(&mut self, model: u8) -> Option<&'static [u8]>
    where
        F: HeldFlash,
    {
        let Range { start, end } = self.in_use(model)?;
        self.flash.hold(start, end - start)
    }

    /// Uses the model in the program in that place after all.
    pub fn use_built_in(&mut self, model: u8) {
        if let Some(place) = self.places.get_mut(usize::from(model)) {
            (place.active, place.in_use) = (Active::BUILT_IN, None);
        }
    }

    /// The flash.
    pub fn flash_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Whether what was uploaded may be committed.
    fn check(flash: &mut F, place: &Place<'_>, writer: &Writer) -> Result<(), UpdateRefusal> {
        let Writer { slot, record, .. } = *writer;
        let Upload { length, crc, .. } = record.upload;
        let body = length.saturating_sub(CRC_BYTES);
        let found = flash::crc32_of(flash, 0, slot.model::<F>(), body)?;
        if found != crc {
            return Err(UpdateRefusal::Crc { found, expected: crc });
        }
        place.try_model(flash, slot, record)
    }
}

impl<F: MappedFlash, const MODELS: usize> Updates for Store<'_, F, MODELS> {
    fn active(&self, model: u8) -> Active {
        self.places.get(usize::from(model)).map_or(Active::BUILT_IN, |place| place.active)
    }

    fn begin(&mut self, upload: Upload) -> Result<u32, UpdateRefusal> {
        let place = self.places.get_mut(usize::from(upload.model)).ok_or(UpdateRefusal::NoStorage)?;
        let room = place.room::<F>();
        if room == 0 {
            return Err(UpdateRefusal::NoStorage);
        }
        if let Some(current) = self.upload.as_ref().filter(|current| current.writer.record.upload == upload) {
            return Ok(current.writer.taken());
        }
        if upload.revision == u32::MAX {
            return Err(UpdateRefusal::LastRevision);
        }
        let newest = place.newest();
        if upload.revision <= newest {
            return Err(UpdateRefusal::NotNewer { found: upload.revision, newest });
        }
        if upload.length > room {
            return Err(UpdateRefusal::TooLong { found: upload.length, room });
        }
        self.upload = None;
        let record = Record { upload, replaces: place.built_in.crc() };
        let target = place.target(&mut self.flash, record);
        let slot = place.slot::<F>(target).ok_or(UpdateRefusal::NoStorage)?;
        // what waited there for a restart gives way
        place.pending = place.pending.filter(|&(source, _)| source != target);
        let progress = slot.begin(&mut self.flash, record)?;
        let writer = Writer::new(slot, record, progress);
        let taken = writer.taken();
        self.upload = Some(Current { writer, target, is_committed: false });
        Ok(taken)
    }

    fn chunk(&mut self, upload: u32, offset: u32, bytes: &[u8]) -> Result<u32, UpdateRefusal> {
        let Current { writer, .. } = current(&mut self.upload, upload)?;
        let (taken, length) = (writer.taken(), writer.length());
        let known = taken.checked_sub(offset).ok_or(UpdateRefusal::Offset { expected: taken })?;
        if bytes.len() > (length - offset) as usize {
            return Err(UpdateRefusal::Beyond { length });
        }
        if offset == 0 {
            let place = self.places.get(usize::from(writer.record.upload.model));
            place.map_or(Ok(()), |place| check_start(place.built_in.file, bytes))?;
        }
        let new = bytes.get(known as usize..).unwrap_or_default();
        let outcome = writer.take(&mut self.flash, new).map(|()| writer.taken());
        if outcome.is_err() {
            // how far it came is looked up in flash when it is begun again
            self.upload = None;
        }
        outcome
    }

    fn commit(&mut self, upload: u32) -> Result<(), UpdateRefusal> {
        let Current { writer, target, is_committed } = current(&mut self.upload, upload)?;
        if *is_committed {
            return Ok(());
        }
        if writer.taken() != writer.length() {
            return Err(UpdateRefusal::Offset { expected: writer.taken() });
        }
        let (slot, Upload { model, revision, .. }) = (writer.slot, writer.record.upload);
        let place = self.places.get_mut(usize::from(model)).ok_or(UpdateRefusal::NoStorage)?;
        if let Err(refusal) = Self::check(&mut self.flash, place, writer) {
            // what came is of no use, so it is not taken up again where it ended
            self.upload = None;
            slot.clear(&mut self.flash)?;
            return Err(refusal);
        }
        if let Err(refusal) = writer.commit(&mut self.flash) {
            self.upload = None;
            return Err(refusal);
        }
        place.pending = Some((*target, revision));
        *is_committed = true;
        Ok(())
    }
}

/// The current upload, where it is the one of that CRC-32.
fn current(current: &mut Option<Current>, upload: u32) -> Result<&mut Current, UpdateRefusal> {
    let current = current.as_mut().filter(|current| current.writer.record.upload.crc == upload);
    current.ok_or(UpdateRefusal::NotBegun)
}

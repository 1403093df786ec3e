//! How much stack a piece of work takes.

/// Marks the stack, and sees later how deep it was used.
///
/// ```text
/// gauge.mark();
/// // work
/// let bytes = gauge.depth();
/// ```
pub trait DepthGauge {
    /// Marks all that lies below the stack's present end. Inlined, so that this is the end of the caller's part of it.
    fn mark(&mut self);

    /// Bytes below that end that were used since.
    fn depth(&self) -> u32;
}

//! What a board is to do.

/// Chosen when the board starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum Mode {
    /// Answer requests on the serial line, for ever.
    Link,
    /// Do the [job in memory](crate::memory), then end.
    Memory,
    /// Check models and hardware, then end with the result.
    SelfTest,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Link, Self::Memory, Self::SelfTest];

    /// The name by which a host chooses it: `link`, `memory` or `self-test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Memory => "memory",
            Self::SelfTest => "self-test",
        }
    }

    /// The mode of that [`name`](Self::name), if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_chosen_by_its_whole_name() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_name(mode.name()), Some(mode));
        }
        for name in ["", "self", "self-test ", "Memory"] {
            assert_eq!(Mode::from_name(name), None, "{name:?}");
        }
    }
}

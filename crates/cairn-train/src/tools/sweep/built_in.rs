//! The sweeps that come with cairn.

/// The sweeps that come with cairn, by name.
pub const BUILT_IN_SWEEPS: &[(&str, &str)] = &[
    ("sweep-initialisation", include_str!("../../../recipes/sweep-initialisation.toml")),
    ("sweep-schedule", include_str!("../../../recipes/sweep-schedule.toml")),
    ("sweep-schedule-small", include_str!("../../../recipes/sweep-schedule-small.toml")),
];

/// Their names, for error messages.
pub(crate) fn names() -> String {
    BUILT_IN_SWEEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

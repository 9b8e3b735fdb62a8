//! The recipes that come with cairn.

/// The recipes that come with cairn, by name.
pub const BUILT_IN_RECIPES: &[(&str, &str)] = &[
    ("demo", include_str!("../../recipes/demo.toml")),
    ("quick", include_str!("../../recipes/quick.toml")),
    ("probe", include_str!("../../recipes/probe.toml")),
    ("probe-lite0", include_str!("../../recipes/probe-lite0.toml")),
    ("best-scratch", include_str!("../../recipes/best-scratch.toml")),
    ("few-shot", include_str!("../../recipes/few-shot.toml")),
    ("best-transfer", include_str!("../../recipes/best-transfer.toml")),
    ("best-transfer-lite0", include_str!("../../recipes/best-transfer-lite0.toml")),
    ("shipped", include_str!("../../recipes/shipped.toml")),
    ("system-a-resnet34", include_str!("../../recipes/system-a-resnet34.toml")),
    ("system-a-scratch", include_str!("../../recipes/system-a-scratch.toml")),
    ("system-b-plain", include_str!("../../recipes/system-b-plain.toml")),
    ("system-b-residual", include_str!("../../recipes/system-b-residual.toml")),
    ("system-b-resnet34", include_str!("../../recipes/system-b-resnet34.toml")),
    ("system-c-alexnet", include_str!("../../recipes/system-c-alexnet.toml")),
    ("system-c-scratch", include_str!("../../recipes/system-c-scratch.toml")),
];

/// Their names, for error messages.
pub(crate) fn names() -> String {
    BUILT_IN_RECIPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

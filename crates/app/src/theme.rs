//! Colours and sizes, all of them, from `theme/light.toml` and `theme/dark.toml`.

/// Colours and sizes of one theme.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Whether it is dark.
    pub dark: bool,
}

//! What stands in a scenario file about those who share the site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of those who share the site's GPUs; jobs name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// Name of the tenant.
    pub name: String,
    /// Share of the GPUs of its racks that are its own; rounded to whole nodes.
    #[serde(default = "whole")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: f64,
    /// Rack groups it has a share of: the same as another tenant's, or none in common with it. Default: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
}

fn whole() -> f64 {
    1.0
}

//! Why a plant cannot start.

/// A plant that cannot be built or has no steady state at the load it should start with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlantError {
    /// A value in the plant's description contradicts another one or its range.
    #[error("{path}: {message}; {help}")]
    Spec {
        /// Place in the description, as `sets.0.governor.t5_s`.
        path: String,
        /// What is wrong, with the values.
        message: String,
        /// What would be right.
        help: String,
    },
    /// The step is too long for a time constant.
    #[error(
        "set \"{set}\": a step of {step_s} s is too long for {constant} = {value_s} s; use {needed_s} s or less"
    )]
    StepTooCoarse {
        /// Name of the set.
        set: String,
        /// The time constant, as `governor.t5_s`.
        constant: String,
        /// Its value, seconds.
        value_s: f64,
        /// The step asked for, seconds.
        step_s: f64,
        /// Longest step that resolves it, seconds.
        needed_s: f64,
    },
    /// The step is zero, negative or not a number.
    #[error("a step of {step_s} s is not a positive length of time")]
    StepNotPositive {
        /// The step asked for, seconds.
        step_s: f64,
    },
    /// The load is negative: this plant cannot be motored.
    #[error("the load at the start is {:.1} kW: the sets cannot take power in", .load_w / 1e3)]
    LoadNegative {
        /// Load at the start, watts.
        load_w: f64,
    },
    /// The load is not a finite number.
    #[error("the load at the start is {load_w} W: not a finite power")]
    LoadNotFinite {
        /// Load at the start, watts.
        load_w: f64,
    },
    /// The load is above the rated power of all sets and of the connection to a grid.
    #[error(
        "the load at the start is {:.1} kW, above the {:.1} kW the sets are rated for", .load_w / 1e3, .rated_w / 1e3
    )]
    LoadAboveRating {
        /// Load at the start, watts.
        load_w: f64,
        /// Rated power of all sets and of the connection to a grid, watts.
        rated_w: f64,
    },
    /// A set's share of the load needs a throttle outside its limits.
    #[error(
        "set \"{set}\": its share of the load needs a throttle of {throttle_pu}, limits {min_pu} to {max_pu}"
    )]
    ThrottleOutsideLimits {
        /// Name of the set.
        set: String,
        /// Throttle its share needs, per unit of `rated_kva`.
        throttle_pu: f64,
        /// Lower limit (less friction), per unit.
        min_pu: f64,
        /// Upper limit, per unit.
        max_pu: f64,
    },
    /// A set's field at the start lies outside what its exciter can give.
    #[error(
        "set \"{set}\": its {what} at the start is {value_pu:.4}, limits {min_pu} to {max_pu}; less reactive power, or an exciter with a wider range"
    )]
    ExciterOutsideLimits {
        /// Name of the set.
        set: String,
        /// What is outside: "field voltage", "regulator output", "exciter voltage".
        what: &'static str,
        /// Value needed, per unit.
        value_pu: f64,
        /// Lower limit, per unit.
        min_pu: f64,
        /// Upper limit, per unit.
        max_pu: f64,
    },
    /// Droop from the dispatched power to the load leads outside 0.5 to 1.5 of nominal speed, or nowhere.
    #[error(
        "no steady speed between 0.5 and 1.5 of nominal: governors hold nominal speed at {:.1} kW, the load is {:.1} kW", .dispatch_w / 1e3, .load_w / 1e3
    )]
    NoSteadySpeed {
        /// Power at which the droop governors hold nominal speed, watts.
        dispatch_w: f64,
        /// Load at the start, watts.
        load_w: f64,
    },
    /// The grid cannot carry the load: no voltage of the bus above half of nominal goes with it.
    #[error(
        "the grid, {:.1} MVA of short-circuit power, cannot carry the load of {:.1} kW at the start", .short_circuit_w / 1e6, .load_w / 1e3
    )]
    NoVoltage {
        /// Load at the start, watts.
        load_w: f64,
        /// Short-circuit power of the grid at the bus, volt-amperes.
        short_circuit_w: f64,
    },
}

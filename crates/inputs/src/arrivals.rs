//! Requests of a service, from the file that its job names.

use ballast_scenario::{ArrivalSpec, Loaded, Problem};
use ballast_study::{ArrivalInput, RawArrivals, placed};
use ballast_tables::{ArrivalOptions, read_arrivals};

use crate::place::{table_problem, time_unit};

/// Keys of arrivals that name a column or a unit.
const ARRIVAL_COLUMNS: [&str; 5] = [
    "time_unit",
    "time_column",
    "prompt_column",
    "output_column",
    "rate_column",
];

/// Requests of job number `index`, if it names a file.
pub(crate) fn arrivals(
    loaded: &Loaded,
    index: usize,
    spec: &ArrivalSpec,
) -> Result<Option<ArrivalInput>, Vec<Problem>> {
    let ArrivalSpec::File {
        file,
        time_column,
        time_unit: unit,
        prompt_column,
        output_column,
        rate_column,
        ..
    } = spec
    else {
        return Ok(None);
    };
    let options = ArrivalOptions {
        time_column: time_column.clone(),
        time_unit: unit.map(time_unit),
        prompt_column: prompt_column.clone(),
        output_column: output_column.clone(),
        rate_column: rate_column.clone(),
    };
    let at = format!("jobs.{index}.arrivals");
    let table = read_arrivals(&loaded.base_dir.join(file), &options).map_err(|found| {
        let stated = [
            ("time_column", time_column.as_ref()),
            ("prompt_column", prompt_column.as_ref()),
            ("output_column", output_column.as_ref()),
            ("rate_column", rate_column.as_ref()),
        ];
        let place = |p| table_problem(loaded, &at, "file", &ARRIVAL_COLUMNS, &stated, p);
        found.0.into_iter().map(place).collect::<Vec<_>>()
    })?;
    let raw = RawArrivals {
        time_s: table.time_s,
        prompt_tokens: table.prompt_tokens,
        output_tokens: table.output_tokens,
        per_s: table.per_s,
        sha256: table.sha256,
        found: table.found,
    };
    ArrivalInput::new(index, file, raw)
        .map(Some)
        .map_err(|p| placed(loaded, vec![p]))
}

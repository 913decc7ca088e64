//! Rows of several devices (GPUs, nodes, columns of a joined table) become one power per poll.
//!
//! A poll is one pass of a logger over its devices. `nvidia-smi` and `dcgmi dmon` print their rows in the same order each
//! time, so a poll ends where that order begins anew; the rows of one poll may have stamps some milliseconds apart, and the
//! first one counts. A file with one block of rows per device is put together by equal times. A poll in which a device is
//! missing has no sum: it is left out, which is a gap like any other, and told; more than a tenth of such polls is a problem.

use std::collections::BTreeMap;

use crate::problem::{Kind, Problems};
use crate::samples::{Moment, fault};
use crate::unit::{TimeUnit, Unit};

/// Share of polls that may be left out because a device is missing.
const MAY_MISS: f64 = 0.1;

/// A device as the file names it: its index, UUID and so on.
pub(crate) type Device = Vec<String>;

/// One device's value in one poll.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) time: Moment,
    pub(crate) device: usize,
    /// `None` where the logger wrote that it has no value.
    pub(crate) value: Option<f64>,
}

/// Sum over the devices at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Poll {
    pub(crate) line: u64,
    pub(crate) time: Moment,
    pub(crate) sum: f64,
}

/// The sums of all polls.
pub(crate) struct Sums {
    pub(crate) polls: Vec<Poll>,
    /// Devices that were not there all the time, in words for the person who runs it.
    pub(crate) notices: Vec<String>,
}

/// Names devices as a message shows them.
pub(crate) fn shown(device: &Device) -> &str {
    device.first().map_or("?", String::as_str)
}

/// The name of a device that no other one has, such as the label `gpu=0` of a series; the first one if all are shared.
fn telling<'a>(device: &'a Device, all: &[Device]) -> &'a str {
    let own = |name: &&String| all.iter().filter(|d| d.contains(name)).count() == 1;
    device
        .iter()
        .find(own)
        .map_or_else(|| shown(device), String::as_str)
}

/// Whether the logger says in this cell that it has no value: `[N/A]`, `[Not Supported]`, `N/A`, nothing at all.
pub(crate) fn is_absent(cell: &str) -> bool {
    cell.is_empty()
        || cell.starts_with('[') && cell.ends_with(']')
        || ["n/a", "nan", "null", "-"].contains(&cell.to_ascii_lowercase().as_str())
}

/// Which devices are meant by `devices = "0,1"`: those with a name, index, UUID or label that is one of the words.
pub(crate) fn chosen(
    devices: &[Device],
    stated: Option<&str>,
    problems: &mut Problems,
) -> Vec<bool> {
    let Some(stated) = stated else {
        return vec![true; devices.len()];
    };
    let words: Vec<&str> = stated.split(',').map(str::trim).collect();
    for word in &words {
        if !devices.iter().any(|d| d.iter().any(|n| n == word)) {
            let all: Vec<&str> = devices.iter().map(|d| telling(d, devices)).collect();
            problems.column(
                None,
                format!("no device `{word}` is in the file"),
                format!(
                    "set `devices` to some of {}, separated by commas",
                    crate::find::list(&all)
                ),
            );
        }
    }
    devices
        .iter()
        .map(|d| d.iter().any(|n| words.contains(&n.as_str())))
        .collect()
}

/// What one reading must be: the sum would hide a device's wrong one.
fn readings(
    rows: &[Row],
    devices: &[Device],
    (column, unit): (&str, Unit),
    problems: &mut Problems,
) {
    for row in rows {
        if let Some(fault) = row.value.and_then(|value| fault(value, unit)) {
            let of = format!(" of device `{}`", shown(&devices[row.device]));
            fault.tell(Some(row.line), column, &of, problems);
        }
    }
}

/// Sums the rows poll by poll; `None` when there are problems. `rows` are in the order of the file; `power` is the name of the
/// column or field with the power, and its unit.
pub(crate) fn sum(
    mut rows: Vec<Row>,
    devices: &[Device],
    power: (&str, Unit),
    unit: TimeUnit,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Sums> {
    readings(&rows, devices, power, problems);
    if !problems.is_empty() {
        return None;
    }
    let rank = ranks(devices);
    let used: Vec<usize> = {
        let mut seen = vec![false; devices.len()];
        for row in &rows {
            seen[row.device] = true;
        }
        (0..devices.len()).filter(|d| seen[*d]).collect()
    };
    let origin = rows.first()?.time;
    let at = |row: &Row| row.time.seconds_since(origin, unit);
    let blocks = in_blocks(&rows, devices.len(), &at);
    if blocks {
        rows.sort_by(|a, b| {
            at(a)
                .total_cmp(&at(b))
                .then(rank[a.device].cmp(&rank[b.device]))
        });
    }
    let mut polls: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let same = polls.last().is_some_and(|poll| {
            let equal_time = poll[0].time == row.time;
            let fresh = poll.iter().all(|r| r.device != row.device);
            let onward = poll
                .last()
                .is_some_and(|r| rank[r.device] < rank[row.device]);
            fresh && (equal_time || onward && !blocks)
        });
        match polls.last_mut() {
            Some(poll) if same => poll.push(row),
            _ => polls.push(vec![row]),
        }
    }
    spread(&polls, &at, problems);
    if used.len() > 1 {
        let names: Vec<&str> = used.iter().map(|d| shown(&devices[*d])).collect();
        found.push(format!(
            "{} devices are summed poll by poll: {}",
            used.len(),
            crate::find::list(&names)
        ));
    }
    let whole = |poll: &[Row]| poll.len() == used.len() && poll.iter().all(|r| r.value.is_some());
    let first = polls.iter().position(|p| whole(p));
    let last = polls.iter().rposition(|p| whole(p));
    let (Some(first), Some(last)) = (first, last) else {
        missing(&polls, &used, devices, problems);
        return None;
    };
    if first > 0 || last + 1 < polls.len() {
        found.push(format!(
            "{} incomplete polls at the beginning and {} at the end are left out",
            first,
            polls.len() - 1 - last
        ));
    }
    let notices = absent(&polls, (first, last), &used, devices);
    let inner = &polls[first..=last];
    let left_out: Vec<&Vec<Row>> = inner.iter().filter(|p| !whole(p)).collect();
    if left_out.len() as f64 > MAY_MISS * inner.len() as f64 {
        missing(inner, &used, devices, problems);
        return None;
    }
    if !left_out.is_empty() {
        let lines: Vec<String> = left_out
            .iter()
            .take(5)
            .map(|p| p[0].line.to_string())
            .collect();
        let more = if left_out.len() > 5 { ", …" } else { "" };
        found.push(format!(
            "{} polls are left out because a device has no value in them (line {}{more}): gaps, bridged as `max_gap_s` allows",
            left_out.len(),
            lines.join(", ")
        ));
    }
    let sums = inner
        .iter()
        .filter(|p| whole(p))
        .map(|poll| Poll {
            line: poll[0].line,
            time: poll[0].time,
            sum: poll.iter().filter_map(|r| r.value).sum(),
        })
        .collect();
    Some(Sums {
        polls: sums,
        notices,
    })
}

/// Devices that begin after the others or end before them, where that cuts off more than the poll that a logger was stopped in.
fn absent(
    polls: &[Vec<Row>],
    (first, last): (usize, usize),
    used: &[usize],
    devices: &[Device],
) -> Vec<String> {
    const USUAL: usize = 1;
    let has = |poll: &[Row], device: usize| {
        poll.iter()
            .find(|r| r.device == device && r.value.is_some())
            .copied()
    };
    let mut notices = Vec::new();
    for &device in used {
        let name = shown(&devices[device]);
        let begins = polls.iter().position(|p| has(p, device).is_some());
        let ends = polls.iter().rposition(|p| has(p, device).is_some());
        if let Some(row) = begins
            .filter(|at| *at > USUAL && *at == first)
            .and_then(|at| has(&polls[at], device))
        {
            notices.push(format!(
                "device `{name}` starts late, at {} (line {}), after {first} polls of the others, which are left out",
                row.time.text(),
                row.line
            ));
        }
        if let Some(row) = ends
            .filter(|at| *at == last && polls.len() - 1 - at > USUAL)
            .and_then(|at| has(&polls[at], device))
        {
            notices.push(format!(
                "device `{name}` stops early: its last value is at {} (line {}), and {} polls of the others after it are left out",
                row.time.text(),
                row.line,
                polls.len() - 1 - last
            ));
        }
    }
    notices
}

/// Place of each device in a poll: by its index where all have one, else as they first come.
fn ranks(devices: &[Device]) -> Vec<u64> {
    let numbers: Option<Vec<u64>> = devices.iter().map(|d| shown(d).parse().ok()).collect();
    numbers.unwrap_or_else(|| (0..devices.len() as u64).collect())
}

/// Whether each device has its rows in one block: time steps back just where a new device begins.
fn in_blocks(rows: &[Row], devices: usize, at: &impl Fn(&Row) -> f64) -> bool {
    let mut seen = vec![false; devices];
    let mut back = 0;
    for (i, row) in rows.iter().enumerate() {
        let new = !std::mem::replace(&mut seen[row.device], true);
        if i > 0 && at(row) < at(&rows[i - 1]) {
            if !new {
                return false;
            }
            back += 1;
        }
    }
    back > 0
}

/// Rows of one poll must be close together, or they are none.
fn spread(polls: &[Vec<Row>], at: &impl Fn(&Row) -> f64, problems: &mut Problems) {
    let mut steps: Vec<f64> = polls
        .windows(2)
        .map(|w| at(&w[1][0]) - at(&w[0][0]))
        .collect();
    steps.sort_by(f64::total_cmp);
    let Some(&interval_s) = steps.get(steps.len() / 2) else {
        return;
    };
    for poll in polls {
        let (Some(first), Some(last)) = (poll.first(), poll.last()) else {
            continue;
        };
        let took_s = at(last) - at(first);
        if took_s > 0.5 * interval_s && interval_s > 0.0 {
            problems.add(Kind::Order, Some(first.line), None, || {
                (
                    format!("the rows of one poll, lines {} to {}, are {took_s:.3} s apart, and polls are {interval_s:.3} s apart", first.line, last.line),
                    "log one file per device and list them in `files`, or choose one with `devices`".into(),
                )
            });
        }
    }
}

/// Says which devices have no value in how many polls.
fn missing(polls: &[Vec<Row>], used: &[usize], devices: &[Device], problems: &mut Problems) {
    let mut count: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for poll in polls {
        for &device in used {
            let there = poll.iter().any(|r| r.device == device && r.value.is_some());
            if !there {
                let entry = count.entry(device).or_insert((0, poll[0].line));
                entry.0 += 1;
            }
        }
    }
    let good: Vec<&str> = used
        .iter()
        .filter(|d| !count.contains_key(d))
        .map(|d| shown(&devices[*d]))
        .collect();
    for (device, (n, line)) in count {
        problems.add(Kind::Gap, Some(line), None, || {
            let message = format!(
                "device `{}` has no value in {n} of {} polls, first here",
                shown(&devices[device]),
                polls.len()
            );
            let help = if good.is_empty() {
                "cut the file to the time in which all devices report, or choose some with `devices`".to_owned()
            } else {
                format!("leave it out with `devices = \"{}\"`, or cut the file to the time in which it reports", good.join(","))
            };
            (message, help)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Time and sum of each poll.
    type Times = Vec<(f64, f64)>;

    fn run(
        rows: &[(f64, usize, Option<f64>)],
        devices: usize,
    ) -> (Option<Times>, Vec<String>, usize) {
        let names: Vec<Device> = (0..devices).map(|d| vec![d.to_string()]).collect();
        let rows = rows
            .iter()
            .zip(2..)
            .map(|(&(t, device, value), line)| Row {
                line,
                time: Moment::Number(t),
                device,
                value,
            })
            .collect();
        let mut problems = Problems::new(Path::new("x"));
        let mut found = Vec::new();
        let polls = sum(
            rows,
            &names,
            ("power_w", Unit::W),
            TimeUnit::S,
            &mut found,
            &mut problems,
        );
        let polls = polls.map(|p| {
            p.polls
                .iter()
                .map(|p| {
                    (
                        p.time.seconds_since(Moment::Number(0.0), TimeUnit::S),
                        p.sum,
                    )
                })
                .collect()
        });
        (polls, found, problems.into_problems().0.len())
    }

    #[test]
    fn polls_are_cut_where_the_order_begins_anew() {
        let mut rows = Vec::new();
        for k in 0..12_u32 {
            let t = f64::from(k);
            // GPU 0 is missing in the first poll, GPU 1 in the sixth.
            if k > 0 {
                rows.push((t, 0, Some(1.0)));
            }
            if k != 5 {
                rows.push((t + 0.003, 1, Some(10.0)));
            }
            rows.push((t + 0.006, 2, Some(100.0)));
        }
        let (polls, found, problems) = run(&rows, 3);
        let polls = polls.unwrap();
        assert_eq!(problems, 0);
        assert_eq!(polls.len(), 10);
        assert!(polls.iter().all(|p| p.1 == 111.0));
        assert_eq!((polls[0].0, polls[4].0), (1.0, 6.0));
        assert!(
            found.iter().any(|f| f.starts_with("1 polls are left out")),
            "{found:?}"
        );
        assert!(
            found.iter().any(|f| f.starts_with("1 incomplete polls")),
            "{found:?}"
        );
    }

    #[test]
    fn blocks_of_devices_are_joined_by_time() {
        let (polls, _, problems) = run(
            &[
                (0.0, 0, Some(1.0)),
                (1.0, 0, Some(2.0)),
                (0.0, 1, Some(3.0)),
                (1.0, 1, Some(4.0)),
            ],
            2,
        );
        assert_eq!(problems, 0);
        assert_eq!(polls.unwrap(), [(0.0, 4.0), (1.0, 6.0)]);
    }

    #[test]
    fn a_device_that_never_reports_is_a_problem() {
        let (polls, _, problems) = run(
            &[
                (0.0, 0, Some(1.0)),
                (0.0, 1, None),
                (1.0, 0, Some(1.0)),
                (1.0, 1, None),
            ],
            2,
        );
        assert_eq!((polls, problems), (None, 1));
    }
}

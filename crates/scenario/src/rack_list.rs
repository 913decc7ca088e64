//! A planner's list of racks, read from CSV.

use std::collections::BTreeMap;

use ballast_profile::RackSpec;

use crate::problem::{Problem, Problems};
use crate::{hostlist, suggest};

/// Columns a list may have; the nameplate is in one of two units.
const COLUMNS: [&str; 9] = [
    "row",
    "rack",
    "model",
    "count",
    "nameplate_kw",
    "nameplate_w",
    "feed",
    "tenant",
    "nodes",
];

/// What a model's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    /// Servers, by node preset.
    Node(&'static str),
    /// A whole rack, by rack preset.
    Rack(&'static str),
}

impl System {
    /// Name of the preset.
    pub(crate) fn preset(self) -> &'static str {
        match self {
            Self::Node(name) | Self::Rack(name) => name,
        }
    }

    /// Preset of its nodes, and how many one system has; `None` if there is no such preset.
    pub(crate) fn node(self) -> Option<(String, u32)> {
        match self {
            Self::Node(name) => Some((name.to_owned(), 1)),
            Self::Rack(name) => {
                let text = crate::preset_text(crate::PresetKind::Rack, name)?;
                let rack: RackSpec = toml::from_str(text).ok()?;
                Some((rack.node, rack.nodes_per_rack))
            }
        }
    }
}

/// What planners call a system, written without anything but letters and digits. The first that a model's name contains is meant.
const MODELS: [(&str, System); 15] = [
    ("gb300nvl72", System::Rack("gb300-nvl72")),
    ("gb200nvl72", System::Rack("gb200-nvl72")),
    ("gb300tray", System::Node("gb300-tray")),
    ("gb200tray", System::Node("gb200-tray")),
    ("h100pcie", System::Node("h100-pcie-8")),
    ("hgxh100", System::Node("hgx-h100")),
    ("dgxh100", System::Node("hgx-h100")),
    ("hgxb200", System::Node("hgx-b200")),
    ("dgxb200", System::Node("hgx-b200")),
    ("hgxh200", System::Node("hgx-h200")),
    ("dgxh200", System::Node("hgx-h200")),
    ("hgxa100", System::Node("hgx-a100")),
    ("dgxa100", System::Node("hgx-a100")),
    ("l40s", System::Node("l40s-8")),
    ("dgxspark", System::Node("dgx-spark")),
];

/// Names that mean just one system when they are the whole name.
const WHOLE: [(&str, &str); 5] = [
    ("b200", "hgx-b200"),
    ("h200", "hgx-h200"),
    ("h100", "hgx-h100"),
    ("a100", "hgx-a100"),
    ("gb10", "dgx-spark"),
];

/// One line of the list: equal systems in one rack.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RackLine {
    pub(crate) row: String,
    pub(crate) rack: String,
    /// What stands in the rack, and how many of it.
    pub(crate) system: System,
    pub(crate) systems: u32,
    /// Nodes in all systems of the line.
    pub(crate) nodes: u32,
    /// Nameplate power of all systems of the line, kilowatts.
    pub(crate) nameplate_kw: f64,
    pub(crate) feed: String,
    pub(crate) tenant: String,
    /// Line in the list.
    pub(crate) line: u32,
    /// Names of the nodes, where the list has them: as many as `nodes`.
    pub(crate) node_names: Vec<String>,
}

/// What a model's name means: a preset by its own name, or one of the names that planners use.
fn find_model(model: &str) -> Option<System> {
    let own = |kind| {
        crate::preset_names(kind)
            .into_iter()
            .find(|n| n.eq_ignore_ascii_case(model.trim()))
    };
    if let Some(name) = own(crate::PresetKind::Rack) {
        return Some(System::Rack(name));
    }
    if let Some(name) = own(crate::PresetKind::Node) {
        return Some(System::Node(name));
    }
    let compact: String = model
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let whole = compact.strip_prefix("nvidia").unwrap_or(&compact);
    if let Some((_, preset)) = WHOLE.iter().find(|(name, _)| *name == whole) {
        return Some(System::Node(preset));
    }
    MODELS
        .iter()
        .find(|(name, _)| whole.contains(name))
        .map(|(_, system)| *system)
}

/// Collects problems of the list.
struct Report<'a> {
    file: &'a str,
    found: Vec<Problem>,
}

impl Report<'_> {
    fn add(&mut self, line: Option<u32>, key: &str, message: String, help: impl Into<String>) {
        self.found.push(Problem {
            file: self.file.to_owned(),
            line,
            column: None,
            key: key.to_owned(),
            message,
            help: help.into(),
        });
    }
}

/// Reads a list of racks.
pub(crate) fn read(file: &str, text: &str) -> Result<Vec<RackLine>, Problems> {
    let mut report = Report {
        file,
        found: Vec::new(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text
        .lines()
        .find(|l| !l.trim().is_empty() && !l.starts_with('#'))
        .unwrap_or("");
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .rev()
        .max_by_key(|d| first.bytes().filter(|b| b == d).count())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader
        .records()
        .filter_map(Result::ok)
        .map(|record| (line_of(text, &record), record));
    let header = records.next();
    let Some(columns) = header.and_then(|(line, h)| columns(line, &h, &mut report)) else {
        if report.found.is_empty() {
            let help = format!("write a header line: {}", COLUMNS.join(","));
            report.add(None, "", "the list of racks is empty".to_owned(), help);
        }
        return Err(Problems(report.found));
    };
    let mut racks: Vec<RackLine> = Vec::new();
    let mut seen = BTreeMap::new();
    for (line, record) in records {
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != columns.cells {
            let message = format!(
                "the row has {} cells, the header has {}",
                record.len(),
                columns.cells
            );
            report.add(Some(line), "", message, "write one cell for each column");
            continue;
        }
        let Some(rack) = columns.rack(line, &record, &mut report) else {
            continue;
        };
        let key = (rack.row.clone(), rack.rack.clone(), rack.system);
        let twin = seen.insert(key, line);
        if let Some(twin) = twin {
            let message = format!(
                "rack `{}` with this model stands in line {} already",
                rack.rack, twin
            );
            report.add(
                Some(line),
                "rack",
                message,
                "give each rack its own name, or add up the count in one line",
            );
        }
        racks.push(rack);
    }
    if racks.is_empty() && report.found.is_empty() {
        let help = "write a line for each rack below the header";
        report.add(None, "", "the list names no rack".to_owned(), help);
    }
    if report.found.is_empty() {
        Ok(racks)
    } else {
        Err(Problems(report.found))
    }
}

/// Line on which a row begins. The csv crate's position is that of the blank lines and comments before it.
fn line_of(text: &str, record: &csv::StringRecord) -> u32 {
    let Some(position) = record.position() else {
        return 0;
    };
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = text
        .get(at..)
        .unwrap_or("")
        .lines()
        .take_while(|l| l.is_empty() || l.starts_with('#'))
        .count();
    u32::try_from(position.line()).unwrap_or(u32::MAX) + skipped as u32
}

/// Places of the columns.
struct Columns {
    at: [Option<usize>; COLUMNS.len()],
    cells: usize,
}

fn columns(line: u32, header: &csv::StringRecord, report: &mut Report<'_>) -> Option<Columns> {
    let before = report.found.len();
    let mut at = [None; COLUMNS.len()];
    for (cell, name) in header.iter().enumerate() {
        let lower = name.to_lowercase();
        match COLUMNS.iter().position(|c| *c == lower) {
            Some(i) if at[i].is_some() => report.add(
                Some(line),
                name,
                "the column is there more than once".to_owned(),
                "keep one of them",
            ),
            Some(i) => at[i] = Some(cell),
            None => report.add(
                Some(line),
                name,
                "a list of racks has no such column".to_owned(),
                suggest::help(name, "columns", &COLUMNS),
            ),
        }
    }
    for (i, name) in COLUMNS.iter().enumerate().take(4).skip(1) {
        if at[i].is_none() {
            let help = format!("add it; the columns are {}", COLUMNS.join(", "));
            report.add(Some(line), name, "the column is missing".to_owned(), help);
        }
    }
    match (at[4], at[5]) {
        (None, None) => report.add(
            Some(line),
            "nameplate_kw",
            "the column is missing".to_owned(),
            "add nameplate_kw or nameplate_w: rated power of all systems of the line",
        ),
        (Some(_), Some(_)) => report.add(
            Some(line),
            "nameplate_w",
            "the nameplate is given in two units".to_owned(),
            "keep nameplate_kw or nameplate_w",
        ),
        _ => {}
    }
    (report.found.len() == before).then_some(Columns {
        at,
        cells: header.len(),
    })
}

impl Columns {
    fn rack(
        &self,
        line: u32,
        record: &csv::StringRecord,
        report: &mut Report<'_>,
    ) -> Option<RackLine> {
        let cell = |i: usize| self.at[i].and_then(|at| record.get(at)).unwrap_or("");
        let model = find_model(cell(2));
        if model.is_none() {
            let mut known: Vec<&str> = crate::preset_names(crate::PresetKind::Node);
            known.extend(crate::preset_names(crate::PresetKind::Rack));
            known.extend(["GB200 NVL72", "GB300 NVL72", "DGX H100", "DGX B200"]);
            let message = format!("no system `{}` is known", cell(2));
            let help = format!("models: {}", known.join(", "));
            report.add(Some(line), "model", message, help);
        }
        let count = cell(3)
            .parse::<u32>()
            .ok()
            .filter(|n| (1..=1000).contains(n));
        if count.is_none() {
            let message = format!("`{}` is no number of systems", cell(3));
            let help = "write a whole number from 1 to 1000: systems of this model in the rack";
            report.add(Some(line), "count", message, help);
        }
        let (at, factor) = if self.at[4].is_some() {
            (4, 1.0)
        } else {
            (5, 1e-3)
        };
        let nameplate_kw = cell(at)
            .parse::<f64>()
            .ok()
            .map(|v| v * factor)
            .filter(|v| v.is_finite() && *v > 0.0 && *v < 1e5);
        if nameplate_kw.is_none() {
            let message = format!("`{}` is no power", cell(at));
            let help = "write a number above 0, with a decimal point: rated power of all systems of the line";
            report.add(Some(line), COLUMNS[at], message, help);
        }
        if cell(1).is_empty() {
            let help = "give each rack a name";
            report.add(Some(line), "rack", "the cell is empty".to_owned(), help);
            return None;
        }
        let (system, systems) = (model?, count?);
        let nodes = systems * system.node()?.1;
        if nodes > 1000 {
            let message = format!("{systems} such systems are {nodes} nodes in one rack");
            let help = "a rack has at most 1000 nodes";
            report.add(Some(line), "count", message, help);
            return None;
        }
        let node_names = node_names(line, cell(8), nodes, report)?;
        Some(RackLine {
            line,
            node_names,
            row: cell(0).to_owned(),
            rack: cell(1).to_owned(),
            system,
            systems,
            nodes,
            nameplate_kw: nameplate_kw?,
            feed: cell(6).to_owned(),
            tenant: cell(7).to_owned(),
        })
    }
}

/// Names of a rack's nodes, none where the cell is empty; `None` with a problem where they are not as many as the nodes.
fn node_names(line: u32, cell: &str, nodes: u32, report: &mut Report<'_>) -> Option<Vec<String>> {
    if cell.is_empty() {
        return Some(Vec::new());
    }
    let help =
        "write the names as Slurm does, in quotes where there is a comma: \"gpu[001-004,007]\"";
    let Some(names) = hostlist::expand(cell) else {
        report.add(
            Some(line),
            "nodes",
            format!("`{cell}` is no list of nodes"),
            help,
        );
        return None;
    };
    if names.len() != nodes as usize {
        let message = format!("{} names for {nodes} nodes", names.len());
        report.add(
            Some(line),
            "nodes",
            message,
            "name each node of the rack once; `count` counts systems",
        );
        return None;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_as_planners_write_them() {
        let (node, rack) = (|n| Some(System::Node(n)), |r| Some(System::Rack(r)));
        for (model, expected) in [
            ("HGX H100", node("hgx-h100")),
            ("NVIDIA DGX-H100 80GB", node("hgx-h100")),
            ("h100", node("hgx-h100")),
            ("H100 PCIe", node("h100-pcie-8")),
            ("DGX B200", node("hgx-b200")),
            ("GB200 NVL72", rack("gb200-nvl72")),
            ("NVIDIA GB300-NVL72", rack("gb300-nvl72")),
            ("hgx-h100-4", rack("hgx-h100-4")),
            ("gb200-tray", node("gb200-tray")),
            ("Supermicro 8x L40S", node("l40s-8")),
            ("DGX Spark", node("dgx-spark")),
            ("DGX A100", node("hgx-a100")),
            ("H100 NVL", None),
            ("GH200", None),
            ("GB200", None),
            ("B300", None),
            ("MI300X", None),
            ("", None),
        ] {
            assert_eq!(find_model(model), expected, "{model}");
        }
    }

    #[test]
    fn every_model_is_a_preset() {
        let whole = WHOLE.iter().map(|w| System::Node(w.1));
        for system in MODELS.iter().map(|m| m.1).chain(whole) {
            let kind = match system {
                System::Node(_) => crate::PresetKind::Node,
                System::Rack(_) => crate::PresetKind::Rack,
            };
            let presets = crate::preset_names(kind);
            assert!(presets.contains(&system.preset()), "{system:?}");
        }
    }

    #[test]
    fn all_problems_come_at_once_with_their_lines() {
        let header = read("r.csv", "Row,Rack,Modle,colour\n").unwrap_err().0;
        let shown = Problems(header.clone()).to_string();
        assert!(shown.contains("did you mean `model`?"), "{shown}");
        assert!(
            shown.contains("colour") && shown.contains("nameplate_kw"),
            "{shown}"
        );
        assert_eq!(header.len(), 5, "{shown}");
        let text = "rack;model;count;nameplate_w\nA1;H100;0;40800\n\nA2;MI300X;4;x\nA2\nA3;H100;4;1\nA3;H100;4;1\n";
        let found = read("r.csv", text).unwrap_err().0;
        let places: Vec<_> = found.iter().map(|p| (p.line, p.key.as_str())).collect();
        assert_eq!(
            places,
            [
                (Some(2), "count"),
                (Some(4), "model"),
                (Some(4), "nameplate_w"),
                (Some(5), ""),
                (Some(7), "rack"),
            ]
        );
        assert_eq!(read("r.csv", "").unwrap_err().0.len(), 1);
        assert_eq!(
            read("r.csv", "rack,model,count,nameplate_kw\n")
                .unwrap_err()
                .0
                .len(),
            1
        );
    }
}

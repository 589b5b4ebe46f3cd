//! The table of figures and ratios, and the same as JSON.

use std::fmt::Write as _;

use serde::Serialize;

/// One figure of Kluis, beside its floor and its bar.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) floor: Option<f64>,
    pub(crate) kluis: f64,
    /// Kluis divided by the floor.
    pub(crate) ratio: Option<f64>,
    pub(crate) bar: String,
    pub(crate) holds: Option<bool>,
}

/// What a figure must hold.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    /// Shown, not judged.
    None,
    AtLeastOfFloor(f64),
    AtMostOfFloor(f64),
    AtMost(f64),
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, floor: Option<f64>, kluis: f64, bar: Bar) -> Self {
        let ratio = floor.filter(|floor| *floor > 0.0).map(|floor| kluis / floor);
        let holds = match bar {
            Bar::None => None,
            Bar::AtLeastOfFloor(least) => ratio.map(|ratio| ratio >= least),
            Bar::AtMostOfFloor(most) => ratio.map(|ratio| ratio <= most),
            Bar::AtMost(most) => Some(kluis <= most),
        };
        let bar = match bar {
            Bar::None => String::new(),
            Bar::AtLeastOfFloor(least) => format!("at least {least} of the floor"),
            Bar::AtMostOfFloor(most) => format!("at most {most} of the floor"),
            Bar::AtMost(most) => format!("at most {most} {unit}"),
        };
        Self { what: what.into(), unit, floor, kluis, ratio, bar, holds }
    }
}

/// The rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| what | unit | floor | Kluis | ratio | bar | holds |\n|---|---|---:|---:|---:|---|---|\n");
    for row in rows {
        let holds = row.holds.map_or("", |holds| if holds { "yes" } else { "NO" });
        // Writing to a String cannot fail.
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {holds} |",
            row.what,
            row.unit,
            row.floor.map_or_else(String::new, number),
            number(row.kluis),
            row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            row.bar,
        );
    }
    text
}

fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Row};

    #[test]
    fn a_bar_is_judged_against_the_floor_or_alone() {
        let row = |kluis, bar| Row::new("x", "u", Some(10.0), kluis, bar).holds;
        assert_eq!(row(5.0, Bar::AtLeastOfFloor(0.5)), Some(true));
        assert_eq!(row(16.0, Bar::AtMostOfFloor(1.5)), Some(false));
        assert_eq!(row(25.0, Bar::AtMost(25.0)), Some(true));
        assert_eq!(row(25.0, Bar::None), None);
    }
}

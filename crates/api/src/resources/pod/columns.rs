//! The row of a pod in a Table: `printPod` of `pkg/printers/internalversion/printers.go`.

use super::totals::is_sidecar;
use crate::resources::Cell;
use crate::time;
use crate::value::Value;

const NOTHING: &str = "<none>";

/// What the statuses of containers add up to.
struct Row<'a> {
    pod: &'a Value,
    reason: String,
    ready: usize,
    restarts: Restarts,
    is_starting: bool,
}

/// How often, and when last.
#[derive(Default, Clone, Copy)]
struct Restarts {
    count: i64,
    last: Option<i64>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += status.integer(&["restartCount"]).unwrap_or_default();
        let finished = time::seconds(status.text(&["lastState", "terminated", "finishedAt"]));
        self.last = self.last.max(finished);
    }

    fn cell(self) -> Cell {
        match self.last {
            Some(last) if self.count != 0 => Cell::AgeWithin(format!("{} (", self.count).into(), last, " ago)".into()),
            _ => Cell::Text(self.count.to_string().into()),
        }
    }
}

/// The cells in the order of the columns.
pub(super) fn cells(pod: &Value) -> Vec<Cell> {
    let mut row = Row { pod, reason: reason_of_pod(pod), ready: 0, restarts: Restarts::default(), is_starting: false };
    let of_sidecars = row.read_init_statuses();
    if !row.is_starting || has_condition(pod, "Initialized") {
        row.restarts = of_sidecars;
        row.read_main_statuses();
    }
    row.read_deletion();
    let init = pod.list(&["spec", "initContainers"]);
    let total = pod.list(&["spec", "containers"]).len() + init.iter().filter(|container| is_sidecar(container)).count();
    vec![
        Cell::Text(pod.name().into()),
        Cell::Text(format!("{}/{total}", row.ready).into()),
        Cell::Text(row.reason.into()),
        row.restarts.cell(),
        Cell::Age(time::creation(pod)),
        text_or_nothing(pod.list(&["status", "podIPs"]).first().map_or("", |ip| ip.text(&["ip"]))),
        text_or_nothing(pod.text(&["spec", "nodeName"])),
        text_or_nothing(pod.text(&["status", "nominatedNodeName"])),
        readiness_gates(pod),
    ]
}

fn text_or_nothing(text: &str) -> Cell {
    Cell::Text(if text.is_empty() { NOTHING } else { text }.into())
}

fn conditions(pod: &Value) -> &[Value] {
    pod.list(&["status", "conditions"])
}

fn has_condition(pod: &Value, kind: &str) -> bool {
    conditions(pod).iter().any(|one| one.text(&["type"]) == kind && one.text(&["status"]) == "True")
}

/// The phase, or what the status or the scheduler say more exactly.
fn reason_of_pod(pod: &Value) -> String {
    let is_gated = |one: &Value| one.text(&["type"]) == "PodScheduled" && one.text(&["reason"]) == "SchedulingGated";
    if conditions(pod).iter().any(is_gated) {
        return "SchedulingGated".to_owned();
    }
    let reason = pod.text(&["status", "reason"]);
    if reason.is_empty() { pod.text(&["status", "phase"]) } else { reason }.to_owned()
}

fn readiness_gates(pod: &Value) -> Cell {
    let gates = pod.list(&["spec", "readinessGates"]);
    if gates.is_empty() {
        return Cell::Text(NOTHING.into());
    }
    let is_passed = |gate: &&Value| {
        let kind = gate.text(&["conditionType"]);
        let first = conditions(pod).iter().find(|one| one.text(&["type"]) == kind);
        first.is_some_and(|one| one.text(&["status"]) == "True")
    };
    Cell::Text(format!("{}/{}", gates.iter().filter(is_passed).count(), gates.len()).into())
}

/// `Signal:9` or `ExitCode:1`, where no reason is given.
fn exit(terminated: &Value) -> String {
    match terminated.integer(&["signal"]).unwrap_or_default() {
        0 => format!("ExitCode:{}", terminated.integer(&["exitCode"]).unwrap_or_default()),
        signal => format!("Signal:{signal}"),
    }
}

impl Row<'_> {
    /// Reads the init containers up to the first that is not done; gives the restarts of the sidecars.
    fn read_init_statuses(&mut self) -> Restarts {
        let containers = self.pod.list(&["spec", "initContainers"]);
        let mut of_sidecars = Restarts::default();
        for (at, status) in self.pod.list(&["status", "initContainerStatuses"]).iter().enumerate() {
            self.restarts.add(status);
            let name = status.text(&["name"]);
            let is_sidecar = containers.iter().any(|one| one.text(&["name"]) == name && is_sidecar(one));
            if is_sidecar {
                of_sidecars.add(status);
            }
            let terminated = status.at(&["state", "terminated"]);
            if terminated.is_some_and(|end| end.integer(&["exitCode"]).unwrap_or_default() == 0) {
                continue;
            }
            if is_sidecar && status.boolean(&["started"]) == Some(true) {
                self.ready += usize::from(status.boolean(&["ready"]) == Some(true));
                continue;
            }
            let waiting = status.text(&["state", "waiting", "reason"]);
            let detail = match terminated {
                Some(end) if end.text(&["reason"]).is_empty() => exit(end),
                Some(end) => end.text(&["reason"]).to_owned(),
                None if !waiting.is_empty() && waiting != "PodInitializing" => waiting.to_owned(),
                None => format!("{at}/{}", containers.len()),
            };
            self.reason = format!("Init:{detail}");
            self.is_starting = true;
            break;
        }
        of_sidecars
    }

    fn read_main_statuses(&mut self) {
        let mut is_running = false;
        for status in self.pod.list(&["status", "containerStatuses"]).iter().rev() {
            self.restarts.add(status);
            let waiting = status.text(&["state", "waiting", "reason"]);
            let is_ready = status.boolean(&["ready"]) == Some(true);
            match status.at(&["state", "terminated"]) {
                _ if !waiting.is_empty() => waiting.clone_into(&mut self.reason),
                Some(end) if end.text(&["reason"]).is_empty() => self.reason = exit(end),
                Some(end) => end.text(&["reason"]).clone_into(&mut self.reason),
                None if is_ready && status.at(&["state", "running"]).is_some() => {
                    is_running = true;
                    self.ready += 1;
                }
                None => {}
            }
        }
        if self.reason == "Completed" && is_running {
            let is_ready = has_condition(self.pod, "Ready");
            self.reason = if is_ready { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn read_deletion(&mut self) {
        if !self.pod.is_deleting() {
            return;
        }
        if self.pod.text(&["status", "reason"]) == "NodeLost" {
            self.reason = "Unknown".to_owned();
        } else if !matches!(self.pod.text(&["status", "phase"]), "Succeeded" | "Failed") {
            self.reason = "Terminating".to_owned();
        }
    }
}

//! Runs the program.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A command of the program with these arguments.
pub(crate) fn kluis(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kluis"));
    command.args(arguments).env_remove("XDG_DATA_HOME").stdin(Stdio::null());
    command
}

/// The output of the program with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Output {
    // What should be refused and runs instead must not run for ever.
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", "30", env!("CARGO_BIN_EXE_kluis")]).args(arguments);
    command.env_remove("XDG_DATA_HOME").stdin(Stdio::null()).output().unwrap()
}

/// What it printed, after it succeeded.
pub(crate) fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line that says why it failed.
pub(crate) fn refused(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let line = text.strip_suffix('\n').filter(|line| line.starts_with("kluis: ") && !line.contains('\n'));
    assert!(!output.status.success() && line.is_some(), "{text}");
    line.unwrap_or_default().to_owned()
}

/// Waits until this is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < end, "waited too long for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A running server on a folder and a port of its own.
pub(crate) struct Server {
    pub(crate) data: PathBuf,
    pub(crate) report: Vec<String>,
    child: Child,
    _folder: Option<TempDir>,
}

impl Server {
    /// Starts one on a new folder.
    pub(crate) fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::start_on(&folder.path().join("data"), more);
        server._folder = Some(folder);
        server
    }

    /// Starts one on this folder.
    pub(crate) fn start_on(data: &Path, more: &[&str]) -> Self {
        let mut command = kluis(&["up", "--secure-port=0", "--log-level=warn", "--data-dir"]);
        let child = command.arg(data).args(more).stdout(Stdio::piped()).spawn().unwrap();
        let mut server = Self { data: data.to_owned(), report: Vec::new(), child, _folder: None };
        let lines = BufReader::new(server.child.stdout.take().unwrap()).lines().map(Result::unwrap);
        for line in lines {
            server.report.push(line);
            if server.report.last().is_some_and(|line| line.contains("stolen disk")) {
                return server;
            }
        }
        panic!("it ended before it was ready: {:?}", server.report);
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it is, without `https://`.
    pub(crate) fn address(&self) -> String {
        let text = std::fs::read_to_string(self.data.join("lock")).unwrap();
        text.lines().nth(1).unwrap().trim_start_matches("https://").to_owned()
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Ends it as an administrator would.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        assert!(self.wait().success());
    }
}

/// Leaves no process behind when a test fails.
impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when the process is gone already, which is what they are for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

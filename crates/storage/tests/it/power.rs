//! A power cut: of what was written to a file since its last sync any part may be there, in any order, torn. strace says
//! what a child wrote and synced; files as a cut would leave them are laid and opened.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::crash::{Expected, run_storm};
use crate::place::{Folder, child, folder_of_child};

/// Power cuts that are played.
const CUTS: usize = 60;
/// Enough for the write-ahead log to be copied and started again.
const WRITES: u64 = 1500;

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let trace = folder.path.join("trace");
    let inner = child("power::storm_until_enough", &folder.path);
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-xx",
        "-s",
        "5000000",
        "-e",
        "trace=openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename",
    ]);
    command.arg("-o").arg(&trace).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => {}
        other => return println!("skipped: strace cannot be used here: {other:?}"),
    }
    let text = fs::read_to_string(&trace).unwrap();
    let mut disk = Disk::default();
    let (lines, mut random) = (text.lines().count(), Random(0x9e37_79b9_7f4a_7c15));
    let mut cuts: Vec<usize> = (0..CUTS).map(|_| random.below(lines)).collect();
    cuts.sort_unstable();
    let mut played = 0;
    for (number, line) in text.lines().enumerate() {
        disk.note(line);
        let due = cuts.partition_point(|cut| *cut <= number);
        if cuts.drain(..due).count() > 0 && disk.files.contains_key("kluis.db") {
            play(&folder, &disk, &mut random);
            played += 1;
        }
    }
    assert!(played > CUTS / 3, "{played} cuts were played");
}

/// Not a test of its own: what the child does.
#[test]
fn storm_until_enough() {
    if let Some(path) = folder_of_child() {
        run_storm(&Folder::at(&path), WRITES);
    }
}

/// Lays what a cut now would leave, with the same key, and opens it.
fn play(original: &Folder, disk: &Disk, random: &mut Random) {
    let copy = Folder::new();
    fs::copy(original.path.join("keys/local-1.key"), copy.path.join("keys/local-1.key")).unwrap();
    let way = random.below(4);
    for (name, file) in &disk.files {
        if name.ends_with(".db") || name.ends_with("-wal") {
            fs::write(copy.path.join(name), file.after_a_cut(way, random)).unwrap();
        }
    }
    let (store, seen) = copy.try_open().unwrap();
    assert!(seen.failed().is_empty(), "{:?}", seen.failed());
    disk.expected.clone().check(&seen.state(), store.revision());
}

/// The files as the trace tells of them, and what was acknowledged.
#[derive(Default)]
struct Disk {
    files: HashMap<String, Traced>,
    names: HashMap<u32, String>,
    /// Calls that have begun, by thread, and how many writes a sync then covers.
    begun: HashMap<String, (String, usize)>,
    output: Vec<u8>,
    expected: Expected,
}

#[derive(Default)]
struct Traced {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    fn note(&mut self, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else { return };
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            let covered = self.file(begun).map_or(0, |file| file.pending.len());
            self.begun.insert(thread.to_owned(), (begun.to_owned(), covered));
            return;
        }
        let (call, covered) = match rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, end)) => {
                let (begun, covered) = self.begun.remove(thread).unwrap();
                (begun + end, covered)
            }
            None => (rest.to_owned(), usize::MAX),
        };
        let Some((name, arguments)) = call.split_once('(') else { return };
        let Some((arguments, result)) = arguments.rsplit_once(" = ") else { return };
        let arguments = arguments.trim_end().trim_end_matches(')').trim_end();
        let result: i64 = result.split(' ').next().and_then(|number| number.trim().parse().ok()).unwrap_or(-1);
        if result >= 0 {
            self.done(name, arguments, usize::try_from(result).unwrap(), covered);
        }
    }

    fn done(&mut self, name: &str, arguments: &str, result: usize, covered: usize) {
        let last = || arguments.rsplit(", ").next().unwrap().trim().parse::<usize>().unwrap();
        let strings: Vec<Vec<u8>> = arguments.split('"').skip(1).step_by(2).map(from_hex).collect();
        match name {
            "openat" => drop(self.names.insert(result as u32, base(&strings[0]))),
            "close" => drop(self.names.remove(&descriptor(arguments))),
            "rename" => {
                let (from, to) = (base(&strings[0]), base(&strings[1]));
                let file = self.files.remove(&from).unwrap_or_default();
                self.files.insert(to.clone(), file);
                self.names.values_mut().filter(|name| **name == from).for_each(|name| to.clone_into(name));
            }
            "write" if descriptor(arguments) == 1 => self.said(&strings[0][..result]),
            "pwrite64" => {
                let change = Change::Write(last(), strings[0][..result].to_vec());
                self.change(arguments, change);
            }
            "ftruncate" => self.change(arguments, Change::Length(last())),
            "fsync" | "fdatasync" => {
                if let Some(file) = self.file(&format!("sync({arguments}")) {
                    // What was written while it ran may not be covered.
                    let covered = covered.min(file.pending.len());
                    let pending: Vec<_> = file.pending.drain(..covered).collect();
                    pending.iter().for_each(|change| change.apply(&mut file.synced));
                }
            }
            _ => {}
        }
    }

    fn file(&mut self, call: &str) -> Option<&mut Traced> {
        let name = self.names.get(&descriptor(call.split_once('(')?.1))?;
        name.contains("kluis.db").then(|| self.files.entry(name.clone()).or_default())
    }

    fn change(&mut self, arguments: &str, change: Change) {
        if let Some(file) = self.file(&format!("write({arguments}")) {
            file.pending.push(change);
        }
    }

    fn said(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
        while let Some(end) = self.output.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.output.drain(..=end).collect();
            self.expected.note(String::from_utf8_lossy(&line).trim_end());
        }
    }
}

impl Traced {
    fn after_a_cut(&self, way: usize, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.pending {
            match (way, change) {
                (0, _) => {}
                (1, _) => change.apply(&mut bytes),
                (2, Change::Write(at, written)) => {
                    for (number, sector) in written.chunks(512).enumerate().filter(|_| random.below(10) < 7) {
                        Change::Write(at + number * 512, sector.to_vec()).apply(&mut bytes);
                    }
                }
                _ if random.below(2) == 0 => change.apply(&mut bytes),
                _ => {}
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => {
                bytes.resize(bytes.len().max(at + written.len()), 0);
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

/// The same cuts in each run of the same trace.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn descriptor(arguments: &str) -> u32 {
    let digits: String = arguments.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u32::MAX)
}

fn base(path: &[u8]) -> String {
    String::from_utf8_lossy(path).rsplit('/').next().unwrap().to_owned()
}

/// strace -xx: `\x41\x42`.
fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(4).map(|byte| digit(byte[2]) << 4 | digit(byte[3])).collect()
}

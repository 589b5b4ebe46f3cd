//! `metadata.managedFields`: who owns which fields, read and written.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::apply::Manager;
use crate::apply::compare::Difference;
use crate::apply::fields::FieldSet;
use crate::value::{Map, Value};

/// More managers by update than this are gathered into one (`DefaultMaxUpdateManagers`).
const MOST_UPDATERS: usize = 10;
/// Who they become.
const GATHERED: &str = "ancient-changes";

/// How a manager came by its fields. Declared in the order in which entries are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// By apply.
    Apply,
    /// By any other write.
    Update,
}

/// What tells managers apart. Declared in the order in which conflicts are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) operation: Operation,
    /// Empty for appliers, who stay the same when they change versions.
    pub(super) api_version: String,
    pub(super) subresource: String,
}

/// What a manager owns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) fields: FieldSet,
    pub(super) api_version: String,
    pub(super) time: Option<String>,
}

/// All managers of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Managers {
    all: BTreeMap<Identity, Owned>,
}

impl Identity {
    /// The manager of a request.
    pub(super) fn of(who: &Manager<'_>, operation: Operation) -> Self {
        let name = if who.name.is_empty() { "unknown" } else { who.name };
        let api_version = if operation == Operation::Apply { "" } else { who.api_version };
        Self {
            operation,
            name: name.to_owned(),
            api_version: api_version.to_owned(),
            subresource: who.subresource.to_owned(),
        }
    }
}

/// Whether a request asks to forget all managers: one entry with nothing in it.
pub(super) fn is_reset(entries: &[Value]) -> bool {
    matches!(entries, [Value::Object(entry)] if entry.is_empty())
}

impl Managers {
    /// Reads `managedFields`.
    pub(super) fn decode(entries: &[Value]) -> Result<Self, String> {
        let entries = entries.iter().enumerate().map(|(at, entry)| decode_entry(at, entry));
        Ok(Self { all: entries.collect::<Result<_, String>>()? })
    }

    /// Writes `managedFields`, sorted by operation, time, name, version and subresource.
    pub(super) fn encode(self) -> Vec<Value> {
        let mut all: Vec<(Identity, Owned)> = self.all.into_iter().collect();
        all.sort_by(|(one, a), (two, b)| {
            let by_operation = one.operation.cmp(&two.operation);
            by_operation.then_with(|| by_time(a, b)).then_with(|| one.cmp(two))
        });
        all.into_iter().map(|(who, owned)| encode_entry(who, owned)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn get(&self, who: &Identity) -> Option<&Owned> {
        self.all.get(who)
    }

    pub(super) fn get_mut(&mut self, who: &Identity) -> Option<&mut Owned> {
        self.all.get_mut(who)
    }

    pub(super) fn insert(&mut self, who: Identity, owned: Owned) {
        self.all.insert(who, owned);
    }

    pub(super) fn remove(&mut self, who: &Identity) {
        self.all.remove(who);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Identity, &Owned)> {
        self.all.iter()
    }

    /// Takes changed and removed fields from all but this manager.
    pub(super) fn give_up(&mut self, difference: &Difference, except: Option<&Identity>) {
        self.all.retain(|who, owned| {
            if except != Some(who) {
                owned.fields.subtract(&difference.changed);
                owned.fields.subtract(&difference.removed);
            }
            !owned.fields.is_empty()
        });
    }

    /// Gathers the oldest managers by update until there are few enough, by version.
    pub(super) fn gather_oldest(&mut self) {
        let updaters = self.all.iter().filter(|(who, _)| who.operation == Operation::Update);
        let mut oldest: Vec<(Identity, Owned)> = updaters.map(|(who, owned)| (who.clone(), owned.clone())).collect();
        let mut count = oldest.len();
        if count <= MOST_UPDATERS {
            return;
        }
        oldest.sort_by(|(one, a), (two, b)| by_time(a, b).then_with(|| one.cmp(two)));
        let mut first_of_version: BTreeMap<String, Identity> = BTreeMap::new();
        for (who, owned) in oldest {
            if count <= MOST_UPDATERS {
                return;
            }
            let Some(first) = first_of_version.get(&owned.api_version) else {
                first_of_version.insert(owned.api_version, who);
                continue;
            };
            let bucket = Identity {
                operation: Operation::Update,
                name: GATHERED.to_owned(),
                api_version: owned.api_version.clone(),
                subresource: String::new(),
            };
            let mut gathered = self.all.remove(&bucket).or_else(|| self.all.remove(first)).unwrap_or_default();
            if bucket != who {
                self.all.remove(&who);
            }
            gathered.fields = gathered.fields.union(owned.fields);
            self.all.insert(bucket, Owned { api_version: owned.api_version, time: owned.time, ..gathered });
            count -= 1;
        }
    }
}

fn by_time(a: &Owned, b: &Owned) -> Ordering {
    let seconds = |owned: &Owned| owned.time.as_deref().and_then(crate::time::seconds).unwrap_or(0);
    // Texts of one moment are mostly equal: spare the parsing.
    if a.time == b.time { Ordering::Equal } else { seconds(a).cmp(&seconds(b)) }
}

fn decode_entry(at: usize, entry: &Value) -> Result<(Identity, Owned), String> {
    let operation = match entry.text(&["operation"]) {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return Err("operation must be `Apply` or `Update`".to_owned()),
    };
    let api_version = entry.text(&["apiVersion"]).to_owned();
    if api_version.is_empty() {
        return Err("apiVersion must not be empty".to_owned());
    }
    match entry.text(&["fieldsType"]) {
        "FieldsV1" => {}
        "" => return Err(format!("missing fieldsType in managed fields entry {at}")),
        other => return Err(format!("invalid fieldsType {other:?} in managed fields entry {at}")),
    }
    let fields = match entry.get("fieldsV1") {
        None | Some(Value::Null) => FieldSet::default(),
        Some(fields) => FieldSet::decode(fields)?,
    };
    let identity = Identity {
        operation,
        name: entry.text(&["manager"]).to_owned(),
        api_version: if operation == Operation::Apply { String::new() } else { api_version.clone() },
        subresource: entry.text(&["subresource"]).to_owned(),
    };
    let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
    Ok((identity, Owned { fields, api_version, time }))
}

fn encode_entry(who: Identity, owned: Owned) -> Value {
    let operation = match who.operation {
        Operation::Apply => "Apply",
        Operation::Update => "Update",
    };
    let mut entry = Map::new();
    let mut insert = |name: &str, value: Value| drop(entry.insert(name.to_owned(), value));
    insert("apiVersion", owned.api_version.into());
    insert("fieldsType", "FieldsV1".into());
    insert("fieldsV1", owned.fields.encode());
    if !who.name.is_empty() {
        insert("manager", who.name.into());
    }
    insert("operation", operation.into());
    if !who.subresource.is_empty() {
        insert("subresource", who.subresource.into());
    }
    if let Some(time) = owned.time {
        insert("time", time.into());
    }
    Value::Object(entry)
}

//! Server-side apply: who owns which field of an object (`metadata.managedFields`), and what an applied configuration
//! makes of an object. The model is Kubernetes' structured-merge-diff and its field manager.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::schema::{Schema, Shape, TypeId};
use crate::value::Value;

mod client_side;
mod compare;
mod conflict;
mod element;
mod extract;
mod fields;
mod managers;
mod merge;
mod place;
mod prune;
mod validate;

use compare::Difference;
pub use conflict::Conflict;
use fields::FieldSet;
use managers::{Identity, Managers, Operation, Owned};
use place::Place;

/// Who owns what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
const MANAGED_FIELDS: &[&str] = &["metadata", "managedFields"];
/// Fields that nobody owns, because the server sets them or they say what the object is.
const SYSTEM_FIELDS: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Who writes, through which version and part of the resource, and when.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// The field manager of the request; `unknown` where it is empty.
    pub name: &'a str,
    /// e.g. `v1`
    pub api_version: &'a str,
    /// e.g. `status`; empty for the object itself.
    pub subresource: &'a str,
    /// The time of the request as `metav1.Time` is written.
    pub now: &'a str,
    /// Fields that this part of the resource does not write (`Rules::reset_fields`).
    pub reset: &'a [&'a [&'a str]],
}

/// Why an apply failed; the text is the message of the Status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// 400, reason BadRequest.
    #[error("{0}")]
    BadRequest(String),
    /// 409, reason Conflict, one cause for each conflict.
    #[error("{}", conflict::message(.0))]
    Conflict(Vec<Conflict>),
    /// 500 without a reason.
    #[error("{0}")]
    Failed(String),
}

/// Writes `managedFields` of an object that is created, updated or patched: the manager owns what it added or changed.
///
/// `new` is decoded and defaulted, but nothing that only the server sets is in it yet. `old` is none when the object is
/// created. Entries that the request brings replace those of `old` if they can be read; one empty entry forgets all.
pub fn track_update(definition: TypeId, who: &Manager<'_>, old: Option<&Value>, new: &mut Value) {
    let brought = new.remove(MANAGED_FIELDS);
    let place_shape = Shape::Ref(definition);
    let place = Place::root(crate::generated::schema(), &place_shape);
    // As in Kubernetes, an object whose fields cannot be told apart has no managers.
    if let Ok(Some(managers)) = tracked(place, who, old, new, brought.as_ref()) {
        set_managers(new, managers);
    }
}

fn tracked(
    place: Place<'_>,
    who: &Manager<'_>,
    old: Option<&Value>,
    new: &Value,
    brought: Option<&Value>,
) -> Result<Option<Managers>, String> {
    let mut managers = known_managers(who, old, brought);
    if managers.is_empty() && old.is_some() {
        return Ok(None);
    }
    let empty = Value::object();
    let difference = Difference::between(place, old.unwrap_or(&empty), new)?;
    update(&mut managers, who, difference);
    Ok(Some(managers))
}

/// The managers that the request brings, or those of the live object.
fn known_managers(who: &Manager<'_>, old: Option<&Value>, brought: Option<&Value>) -> Managers {
    let brought = brought.and_then(Value::as_list).unwrap_or_default();
    if who.subresource.is_empty() {
        if managers::is_reset(brought) {
            return Managers::default();
        }
        if let Ok(managers) = Managers::decode(brought)
            && !managers.is_empty()
        {
            return managers;
        }
    }
    let live = old.map(|old| old.list(MANAGED_FIELDS)).unwrap_or_default();
    Managers::decode(live).unwrap_or_default()
}

/// Gives what changed to the manager of an update, and takes it and what was removed from all others.
fn update(managers: &mut Managers, who: &Manager<'_>, mut difference: Difference) {
    difference.leave_out(&FieldSet::of_fields(who.reset));
    managers.give_up(&difference, None);
    let mut fields = difference.changed;
    fields.subtract(system_fields());
    if !fields.is_empty() {
        let me = Identity::of(who, Operation::Update);
        let before = managers.get_mut(&me).map(|owned| std::mem::take(&mut owned.fields)).unwrap_or_default();
        let time = Some(who.now.to_owned());
        managers.insert(me, Owned { fields: before.union(fields), api_version: who.api_version.to_owned(), time });
    }
    managers.gather_oldest();
}

fn system_fields() -> &'static FieldSet {
    static SYSTEM: OnceLock<FieldSet> = OnceLock::new();
    SYSTEM.get_or_init(|| FieldSet::of_fields(SYSTEM_FIELDS))
}

fn set_managers(object: &mut Value, managers: Managers) {
    if !managers.is_empty() {
        object.set(MANAGED_FIELDS, managers.encode());
    }
}

/// Keeps the times of `managedFields` where nothing else differs, so that a write that changes nothing is none.
pub fn keep_times(new: &mut Value, old: &Value) {
    let (before, after) = (old.list(MANAGED_FIELDS), new.list(MANAGED_FIELDS));
    let same_owners =
        before.len() == after.len() && before.iter().zip(after).all(|(one, two)| equal_without(one, two, "time"));
    if before.is_empty() || before == after || !same_owners {
        return;
    }
    let meta = |object| Value::get(object, "metadata").unwrap_or(&Value::Null);
    if equal_without(new, old, "metadata") && equal_without(meta(new), meta(old), "managedFields") {
        new.set(MANAGED_FIELDS, before.to_vec());
    }
}

/// Whether two objects are equal but for this field.
fn equal_without(one: &Value, two: &Value, name: &str) -> bool {
    let (Value::Object(one), Value::Object(two)) = (one, two) else { return one == two };
    one.iter().filter(|(field, _)| *field != name).eq(two.iter().filter(|(field, _)| *field != name))
}

/// Merges a configuration, untyped as the client sent it, into the live object.
///
/// The result is untyped: check it with [`crate::patch::restore::check`], decode it with [`crate::decode::tree`] and
/// default it. It has the new `managedFields`. `live` is none when the object is created.
pub fn apply(
    definition: TypeId,
    who: &Manager<'_>,
    live: Option<&Value>,
    config: &Value,
    force: bool,
) -> Result<Value, ApplyError> {
    let shape = Shape::Ref(definition);
    let schema = crate::generated::schema();
    check_type(schema, definition, who, config)?;
    let mut live = live.map_or_else(Value::object, crate::encode::untyped);
    let entries = live.remove(MANAGED_FIELDS);
    let entries = entries.as_ref().and_then(Value::as_list).unwrap_or_default();
    let managers = Managers::decode(entries)
        .map_err(|error| ApplyError::Failed(format!("failed to decode managed fields: {error}")))?;
    let apply = Apply { place: Place::root(schema, &shape), who, live: &live, config };
    let managers = apply.with_first(managers)?;
    let applied = match apply.run(managers.clone(), force) {
        Err(ApplyError::Conflict(_)) if who.name == client_side::KUBECTL => apply.take_over(managers),
        other => other,
    };
    let (object, managers) = applied?;
    let mut object = object.unwrap_or(live);
    if who.name == client_side::KUBECTL {
        client_side::keep_annotation(&mut object, config);
    }
    set_managers(&mut object, managers);
    Ok(object)
}

fn check_type(schema: &Schema, definition: TypeId, who: &Manager<'_>, config: &Value) -> Result<(), ApplyError> {
    let (version, kind) = (config.text(&["apiVersion"]), config.text(&["kind"]));
    if version != who.api_version || kind != schema.get(definition).go_name {
        return Err(ApplyError::BadRequest(format!("invalid object type: {}", group_version_kind(config))));
    }
    Ok(())
}

/// As Go prints a `GroupVersionKind`.
fn group_version_kind(object: &Value) -> String {
    let version = object.text(&["apiVersion"]);
    let slash = if version.contains('/') { "" } else { "/" };
    format!("{slash}{version}, Kind={}", object.text(&["kind"]))
}

/// One apply.
struct Apply<'a> {
    place: Place<'a>,
    who: &'a Manager<'a>,
    live: &'a Value,
    config: &'a Value,
}

/// The merged object, none where the live one already is as applied; and who owns it.
type Applied = (Option<Value>, Managers);

impl Apply<'_> {
    /// Where nobody owns anything yet, somebody owned it before.
    fn with_first(&self, mut managers: Managers) -> Result<Managers, ApplyError> {
        if managers.is_empty() {
            let before = Manager { name: BEFORE_FIRST_APPLY, ..*self.who };
            let difference = Difference::between(self.place, &Value::object(), self.live).map_err(|error| {
                ApplyError::Failed(format!("failed to create manager for existing fields: {error}"))
            })?;
            update(&mut managers, &before, difference);
        }
        Ok(managers)
    }

    /// Takes fields by force that kubectl's client-side apply left as they are.
    fn take_over(&self, managers: Managers) -> Result<Applied, ApplyError> {
        let left = self.run(managers.clone(), false);
        let Err(ApplyError::Conflict(conflicts)) = left else { return left };
        let allowed = client_side::still_as_applied(self.place, self.who, self.live).unwrap_or_default();
        let allowed: HashSet<String> = allowed.paths().into_iter().collect();
        let left: Vec<Conflict> = conflicts.into_iter().filter(|one| !allowed.contains(&one.field)).collect();
        if left.is_empty() { self.run(managers, true) } else { Err(ApplyError::Conflict(left)) }
    }

    fn run(&self, mut managers: Managers, force: bool) -> Result<Applied, ApplyError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: String| ApplyError::Failed(format!("{what}: {error}"))
        };
        if self.config.at(MANAGED_FIELDS).is_some_and(|entries| matches!(entries, Value::List(_))) {
            return Err(ApplyError::BadRequest("metadata.managedFields must be nil".to_owned()));
        }
        let described = self.described();
        validate::check(self.place, self.config)
            .map_err(failed(&format!("failed to create typed patch object ({described})")))?;
        let merged = merge::merge(self.place, self.live.clone(), self.config.clone())
            .map_err(failed("failed to merge config"))?;
        let fields = extract::stated(self.place, self.config).map_err(failed("failed to get field set"))?.below;

        let me = Identity::of(self.who, Operation::Apply);
        let last = managers.get(&me).cloned().unwrap_or_default();
        let reset = FieldSet::of_fields(self.who.reset);
        let mut fields = fields;
        fields.subtract_all_below(&reset);
        let api_version = self.who.api_version.to_owned();
        managers.insert(me.clone(), Owned { fields, api_version, time: last.time });
        let pruned =
            prune::prune(self.place, merged, &last.fields, &managers).map_err(failed("failed to prune fields"))?;

        let mut difference =
            Difference::between(self.place, self.live, &pruned).map_err(failed("failed to compare objects"))?;
        let same = difference.is_none();
        difference.leave_out(&reset);
        if !force {
            no_conflicts(&managers, &me, &difference)?;
        }
        managers.give_up(&difference, Some(&me));
        self.settle(&mut managers, &me, same);
        Ok((if same { None } else { Some(pruned) }, managers))
    }

    /// Takes what nobody owns from the applier, and writes the time if its apply changed something.
    fn settle(&self, managers: &mut Managers, me: &Identity, same: bool) {
        let Some(mine) = managers.get_mut(me) else { return };
        mine.fields.subtract(system_fields());
        if !same {
            mine.time = Some(self.who.now.to_owned());
        }
        if mine.fields.is_empty() {
            managers.remove(me);
        }
    }

    /// The configuration as errors name it.
    fn described(&self) -> String {
        format!("{}/{}; {}", self.config.namespace(), self.config.name(), group_version_kind(self.config))
    }
}

/// Whether nobody else owns what would change.
fn no_conflicts(managers: &Managers, me: &Identity, difference: &Difference) -> Result<(), ApplyError> {
    let others = managers.iter().filter(|(who, _)| *who != me);
    let lost = others.map(|(who, owned)| (who, owned.fields.intersection(&difference.changed)));
    let conflicts: Vec<Conflict> = lost.flat_map(|(who, fields)| conflict::with(who, &fields)).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(ApplyError::Conflict(conflicts)) }
}

/// The text for a merged object that [`crate::patch::restore::check`] refuses.
pub fn unconvertible(config: &Value, error: &str) -> ApplyError {
    let (namespace, name, kind) = (config.namespace(), config.name(), group_version_kind(config));
    ApplyError::Failed(format!(
        "failed to convert new object ({namespace}/{name}; {kind}) to proper version: unable to convert unstructured object to {kind}: {error}"
    ))
}

#[cfg(test)]
mod tests;

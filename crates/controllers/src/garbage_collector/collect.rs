//! What is done about one object: `attemptToDeleteItem` and `attemptToOrphan` of `garbagecollector.go`.

use std::sync::{Arc, Mutex};

use kube::api::{DeleteParams, Patch};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use tracing::debug;

use super::graph::{FOREGROUND, Graph, Key, Node, ORPHAN, Owner, Stage, Uid, lock};
use crate::Error;
use crate::meta::Meta;
use crate::objects::{Kind, Objects};
use crate::work::Next;

/// Does the work.
pub(super) struct Collector {
    objects: Objects,
    kinds: Arc<[Kind]>,
    graph: Arc<Mutex<Graph>>,
    recorder: Recorder,
}

/// An object as the server has it now.
struct Live<'a> {
    kind: &'a Kind,
    node: Node,
    object: Meta,
}

/// What has become of an owner.
enum Standing {
    /// It is there; or nobody can tell, because the server does not have its kind.
    Solid,
    /// It waits for its dependents.
    Waiting,
    /// There is no such object.
    Absent,
    /// It cannot be this object's owner.
    Invalid,
}

impl Collector {
    pub(super) fn new(objects: Objects, kinds: Arc<[Kind]>, graph: Arc<Mutex<Graph>>) -> Self {
        let reporter = Reporter { controller: objects.manager().to_owned(), instance: None };
        let recorder = Recorder::new(objects.client.clone(), reporter);
        Self { objects, kinds, graph, recorder }
    }

    pub(super) async fn work(self: Arc<Self>, key: Key) -> Result<Next<Key>, Error> {
        match key {
            Key::Collect(uid) => self.collect(&uid).await,
            Key::Orphan(uid) => self.orphan(&uid).await,
        }
    }

    /// The object as it is now; where it is gone, what has to be looked at because of that.
    async fn live(&self, uid: &str) -> Result<Result<Live<'_>, Vec<Key>>, Error> {
        let Some(node) = lock(&self.graph).node(uid).cloned() else { return Ok(Err(Vec::new())) };
        let Some(kind) = self.kinds.get(node.kind) else { return Ok(Err(Vec::new())) };
        let object = self.objects.get(kind, node.namespace.as_deref(), &node.name).await?;
        let live = object.and_then(|object| Some((Node::new(node.kind, &object)?, object)));
        Ok(match live {
            Some((node, object)) if node.uid == uid => Ok(Live { kind, node, object }),
            _ => Err(lock(&self.graph).remove(uid)),
        })
    }

    async fn collect(&self, uid: &str) -> Result<Next<Key>, Error> {
        let live = match self.live(uid).await? {
            Ok(live) => live,
            Err(keys) => return Ok(Next::Also(keys)),
        };
        match live.node.stage {
            Stage::Foreground => self.finish(&live).await,
            Stage::Alive => self.judge(&live).await,
            Stage::Going | Stage::Orphaning => Ok(Next::Done),
        }
    }

    /// Lets an object go that waits for its dependents, once none of them blocks it
    /// (`processDeletingDependentsItem`).
    async fn finish(&self, live: &Live<'_>) -> Result<Next<Key>, Error> {
        let uid = &live.node.uid;
        if let Some(keys) = self.blocking(uid) {
            return Ok(Next::Also(keys));
        }
        // The watches of other kinds may be behind: only a list can say that there is nothing.
        self.find_dependents(&live.node).await?;
        if let Some(keys) = self.blocking(uid) {
            return Ok(Next::Also(keys));
        }
        self.drop_finalizer(live, FOREGROUND).await?;
        Ok(Next::Done)
    }

    /// The dependents to look at where some block this object; those that wait for dependents of their own go
    /// by themselves.
    fn blocking(&self, uid: &str) -> Option<Vec<Key>> {
        let graph = lock(&self.graph);
        let mut blocking = graph.blocking(uid).peekable();
        blocking.peek()?;
        let alive = blocking.filter(|node| node.stage != Stage::Foreground);
        Some(alive.map(|node| Key::Collect(node.uid.clone())).collect())
    }

    /// Deletes an object whose owners are all gone or going, and takes from one that keeps an owner the
    /// references to the others.
    async fn judge(&self, live: &Live<'_>) -> Result<Next<Key>, Error> {
        let (mut solid, mut waiting, mut lost) = (false, false, Vec::new());
        for owner in &live.node.owners {
            match self.standing(&live.node, owner).await? {
                Standing::Solid => solid = true,
                Standing::Waiting => {
                    waiting = true;
                    lost.push(owner.uid.clone());
                }
                Standing::Absent => lost.push(owner.uid.clone()),
                Standing::Invalid => {
                    self.report(live, owner).await;
                    return Ok(Next::Done);
                }
            }
        }
        match (lost.is_empty(), solid) {
            (true, _) => {}
            (false, true) => self.release(live, &lost).await?,
            (false, false) => self.delete(live, waiting).await?,
        }
        Ok(Next::Done)
    }

    /// What has become of an owner (`isDangling` and `classifyReferences`).
    async fn standing(&self, node: &Node, owner: &Owner) -> Result<Standing, Error> {
        if lock(&self.graph).is_absent(&owner.uid) {
            return Ok(Standing::Absent);
        }
        let same = |kind: &&Kind| kind.resource.api_version == owner.api_version && kind.resource.kind == owner.kind;
        let Some(kind) = self.kinds.iter().find(same) else {
            debug!(api_version = owner.api_version, kind = owner.kind, "an owner is of a kind that is not served");
            return Ok(Standing::Solid);
        };
        if kind.namespaced && node.namespace.is_none() {
            return Ok(Standing::Invalid);
        }
        // An owner in a namespace owns only there; elsewhere it is as if it were not.
        let found = self.objects.get(kind, node.namespace.as_deref(), &owner.name).await?;
        Ok(match found.filter(|found| found.metadata.uid.as_deref() == Some(&owner.uid)) {
            None => Standing::Absent,
            Some(found) if Stage::of(&found) == Stage::Foreground => Standing::Waiting,
            Some(_) => Standing::Solid,
        })
    }

    /// Deletes an object that has lost its owners. One whose owner waits for it, and that has dependents itself,
    /// goes after those.
    async fn delete(&self, live: &Live<'_>, owner_waits: bool) -> Result<(), Error> {
        let (has_dependents, in_a_circle) = {
            let graph = lock(&self.graph);
            let mut dependents = graph.dependents(&live.node.uid).peekable();
            (dependents.peek().is_some(), dependents.any(|node| node.stage == Stage::Foreground))
        };
        let has = |wanted: &str| live.object.finalizers().iter().any(|finalizer| finalizer == wanted);
        let params = if owner_waits && has_dependents {
            if in_a_circle {
                self.unblock(live).await?;
                return self.delete_now(live, DeleteParams::foreground(), false).await;
            }
            DeleteParams::foreground()
        } else if has(ORPHAN) {
            DeleteParams::orphan()
        } else if has(FOREGROUND) {
            DeleteParams::foreground()
        } else {
            DeleteParams::background()
        };
        self.delete_now(live, params, true).await
    }

    async fn delete_now(&self, live: &Live<'_>, params: DeleteParams, unchanged: bool) -> Result<(), Error> {
        let mut seen = live.object.clone();
        if !unchanged {
            seen.metadata.resource_version = None;
        }
        self.objects.delete(live.kind, &seen, params).await?;
        let (kind, namespace) = (&live.kind.resource.plural, live.node.namespace.as_deref().unwrap_or_default());
        debug!(kind, namespace, name = live.node.name, "deleted what has lost its owners");
        Ok(())
    }

    /// Takes the references to these owners from an object.
    async fn release(&self, live: &Live<'_>, owners: &[Uid]) -> Result<(), Error> {
        let references = owners.iter().map(|uid| json!({ "$patch": "delete", "uid": uid })).collect();
        self.change_owners(live.kind, &live.object, references).await
    }

    /// Breaks a circle of objects that wait for each other.
    async fn unblock(&self, live: &Live<'_>) -> Result<(), Error> {
        let blocking = live.node.owners.iter().filter(|owner| owner.blocks);
        let references = blocking.map(|owner| json!({ "uid": owner.uid, "blockOwnerDeletion": false })).collect();
        self.change_owners(live.kind, &live.object, references).await
    }

    async fn change_owners(&self, kind: &Kind, object: &Meta, references: Vec<Value>) -> Result<(), Error> {
        let metadata = json!({ "uid": object.metadata.uid, "ownerReferences": references });
        self.objects.patch(kind, object, Patch::Strategic(json!({ "metadata": metadata }))).await
    }

    /// Releases the dependents of an object, then lets it go.
    async fn orphan(&self, uid: &str) -> Result<Next<Key>, Error> {
        let live = match self.live(uid).await? {
            Ok(live) if live.node.stage == Stage::Orphaning => live,
            Ok(_) => return Ok(Next::Done),
            Err(keys) => return Ok(Next::Also(keys)),
        };
        // The watches may be behind, and a dependent that is missed here would be deleted later.
        for (kind, object) in self.find_dependents(&live.node).await? {
            self.change_owners(&kind, &object, vec![json!({ "$patch": "delete", "uid": uid })]).await?;
        }
        self.drop_finalizer(&live, ORPHAN).await?;
        Ok(Next::Done)
    }

    async fn drop_finalizer(&self, live: &Live<'_>, finalizer: &str) -> Result<(), Error> {
        let left: Vec<_> = live.object.finalizers().iter().filter(|one| *one != finalizer).collect();
        let metadata = json!({ "resourceVersion": live.object.metadata.resource_version, "finalizers": left });
        self.objects.patch(live.kind, &live.object, Patch::Merge(json!({ "metadata": metadata }))).await
    }

    /// Lists the objects that name this one as owner, and takes them into the graph.
    async fn find_dependents(&self, owner: &Node) -> Result<Vec<(Kind, Meta)>, Error> {
        let mut found = Vec::new();
        for (place, kind) in self.kinds.iter().enumerate() {
            if owner.namespace.is_some() && !kind.namespaced {
                continue;
            }
            let (objects, _) = self.objects.list(kind, owner.namespace.as_deref()).await?;
            for object in objects {
                if object.owner_references().iter().any(|reference| reference.uid == owner.uid) {
                    lock(&self.graph).apply(place, &object);
                    found.push((kind.clone(), object));
                }
            }
        }
        Ok(found)
    }

    /// Says that an object of the cluster names one of a namespace as its owner, which cannot be
    /// (`reportInvalidNamespaceOwnerRef`).
    async fn report(&self, live: &Live<'_>, owner: &Owner) {
        let event = Event {
            type_: EventType::Warning,
            reason: "OwnerRefInvalidNamespace".to_owned(),
            note: Some(format!(
                "ownerRef [{}/{}, name: {}, uid: {}] is in a namespace, but its dependent is cluster-scoped",
                owner.api_version, owner.kind, owner.name, owner.uid
            )),
            action: "GarbageCollect".to_owned(),
            secondary: None,
        };
        let reference = live.object.object_ref(&live.kind.resource);
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            debug!(%error, "cannot report an invalid owner");
        }
    }
}

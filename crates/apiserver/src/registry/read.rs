//! GET and LIST (`apiserver/pkg/endpoints/handlers/get.go`, `.../storage/etcd3/store.go`).

use std::sync::Arc;
use std::time::Duration;

use api::field::quote;
use api::resources::Resource;
use api::selector::{FieldSelector, LabelSelector};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use storage::Revision;

use super::{Answer, Call, Content, List, Registry, storing};
use crate::blocking::long;
use crate::cache::{Entry, Scope, key, restore};
use crate::error::{ApiError, Result};
use crate::query::{ListOptions, Match, parse_revision};

/// How long a read waits for a revision that has not come (`blockTimeout` of the watch cache).
const WAIT: Duration = Duration::from_secs(3);
/// What looking at an object costs beside decoding a byte.
const LOOKED_AT: usize = 16;
/// How many records of the past are read at a time.
const LOG_PAGE: usize = 1000;

impl Registry {
    /// GET of one object.
    pub(crate) async fn get(&self, call: &Call<'_>) -> Result<Answer> {
        let who = call.who;
        let asked = parse_revision(call.query.text("resourceVersion")).map_err(|why| ApiError::new(500, "", why))?;
        self.wait_for(asked.unwrap_or(0)).await?;
        let stored = storing(who.row);
        let path = crate::cache::path_of(stored, &who.namespace, &who.name);
        match self.cache.get(stored, &path) {
            Some(entry) => Ok(Answer::ok(Content::Object(entry))),
            None => Err(self.missing(stored, who.row, &path, &who.name)),
        }
    }

    /// An object that is not there, or one that is and cannot be read.
    pub(super) fn missing(&self, stored: &Resource, row: &Resource, path: &str, name: &str) -> ApiError {
        self.unreadable_at(stored, row, path, name).unwrap_or_else(|| ApiError::not_found(row, name))
    }

    /// The failure of a request for an object that is there but cannot be read.
    pub(super) fn unreadable_at(&self, stored: &Resource, row: &Resource, path: &str, name: &str) -> Option<ApiError> {
        self.cache.damaged_at(&key(stored, path))?;
        let why = "the stored object cannot be read: it is damaged or sealed with a key that this server does not have";
        Some(ApiError::internal(format!("{} {}: {why}", row.qualified(), quote(name))))
    }

    /// GET of a collection.
    pub(crate) async fn list(&self, call: &Call<'_>) -> Result<Answer> {
        let options = ListOptions::parse(&call.query, call.who.row, false, None)?;
        let list = self.collect(call, &options).await?;
        let mut damaged: Vec<_> = self.cache.damaged(storing(call.who.row), &call.who.namespace);
        if !damaged.is_empty() && options.resource_version == "0" {
            // A client that goes on to watch from here would take what is left out for deleted.
            return Err(unreadable(&damaged));
        }
        damaged.extend(list.left_out.iter().map(|key| (Arc::clone(key), 0)));
        damaged.sort_unstable();
        damaged.dedup_by(|one, other| one.0 == other.0);
        let warnings = if damaged.is_empty() {
            Vec::new()
        } else {
            vec![format!("left out what cannot be read: {}", damaged_names(&damaged))]
        };
        Ok(Answer { code: 200, content: Content::List(list), warnings })
    }

    /// The page of a collection that the options ask for.
    pub(super) async fn collect(&self, call: &Call<'_>, options: &ListOptions) -> Result<List> {
        let row = storing(call.who.row);
        let selection = Selection { labels: &options.labels, fields: &options.fields };
        let asked = parse_revision(&options.resource_version)
            .map_err(|why| ApiError::bad_request(format!("invalid resource version: {why}")))?;
        // As the watch cache of Kubernetes: what may be of any age comes whole.
        let whole = asked == Some(0) && options.continue_token.is_empty();
        let limit = if whole { 0 } else { options.limit };
        let page = Page { row, namespace: &call.who.namespace, limit, selection };
        if !options.continue_token.is_empty() {
            let token = Token::decode(&options.continue_token, &page)?;
            if asked.is_some_and(|revision| revision > 0) {
                return Err(ApiError::bad_request("specifying resource version is not allowed when using continue"));
            }
            return self.continued(&page, &token).await;
        }
        let exact = match (asked, options.version_match) {
            (Some(revision), Match::Exact) if revision > 0 => Some(revision),
            // A limit with a revision means that revision (legacy semantics).
            (Some(revision), Match::Unset) if revision > 0 && options.limit > 0 => Some(revision),
            _ => None,
        };
        self.wait_for(asked.unwrap_or(0)).await?;
        match exact {
            Some(revision) => self.page_at(&page, revision, None).await,
            None => Ok(self.page_now(&page, None)),
        }
    }

    async fn continued(&self, page: &Page<'_>, token: &Token) -> Result<List> {
        let after = key(page.row, "") + &token.start;
        if token.revision == 0 {
            return Ok(self.page_now(page, Some(&after)));
        }
        if self.cache.unchanged_since(page.row, token.revision) {
            let mut list = self.page_now(page, Some(&after));
            list.revision = token.revision;
            list.retoken();
            return Ok(list);
        }
        match self.page_at(page, token.revision, Some(&after)).await {
            Err(error) if error.code == 410 => Err(expired(&token.start)),
            other => other,
        }
    }

    /// A page of the present.
    fn page_now(&self, page: &Page<'_>, after: Option<&str>) -> List {
        let scope = Scope { namespace: page.namespace, after };
        let work = self.cache.len(page.row) * LOOKED_AT;
        let snapshot =
            long(work, || self.cache.list(page.row, &scope, page.limit, |entry| page.selection.matches(entry)));
        let beyond = match snapshot.entries.last() {
            Some(last) if page.is_full(snapshot.entries.len()) => {
                self.cache.count_after(page.row, &Scope { after: Some(&last.key), ..scope })
            }
            _ => 0,
        };
        page.finish(snapshot.entries, snapshot.revision, beyond)
    }

    /// A page as it was at a revision, read from the log.
    async fn page_at(&self, page: &Page<'_>, revision: u64, after: Option<&str>) -> Result<List> {
        let prefix = Scope { namespace: page.namespace, after: None }.prefix(page.row);
        let (mut entries, mut left_out): (Vec<Arc<Entry>>, Vec<storage::Key>) = (Vec::new(), Vec::new());
        let mut after = after.map(str::to_owned);
        // How many objects, selected or not, come after the last one that is shown.
        let mut beyond: u64 = 0;
        loop {
            let read = self.store.at(&prefix, Revision(revision), after.as_deref(), LOG_PAGE).await?;
            left_out.extend(read.unreadable.into_iter().map(|unreadable| unreadable.key));
            let size = read.records.iter().map(|record| record.value.len()).sum();
            long(size, || {
                for record in read.records {
                    let Ok(prepared) = restore(page.row, Arc::clone(&record.key), &record.value) else {
                        left_out.push(record.key);
                        continue;
                    };
                    let entry = prepared.at(record.revision.0);
                    beyond += 1;
                    if !page.is_full(entries.len()) && page.selection.matches(&entry) {
                        entries.push(Arc::new(entry));
                        beyond = 0;
                    }
                }
            });
            match read.next {
                Some(next) if !page.is_full(entries.len()) => after = Some(next.to_string()),
                _ => {
                    beyond += read.remaining;
                    break;
                }
            }
        }
        let list = page.finish(entries, revision, usize::try_from(beyond).unwrap_or(usize::MAX));
        Ok(List { left_out, ..list })
    }

    /// Waits until readers can see a revision.
    pub(super) async fn wait_for(&self, revision: u64) -> Result<()> {
        if revision <= self.cache.revision() {
            return Ok(());
        }
        let mut seen = self.cache.subscribe();
        let waited = tokio::time::timeout(WAIT, seen.wait_for(|seen| *seen >= revision)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            _ => Err(ApiError::too_large_revision(revision, self.cache.revision())),
        }
    }
}

/// What selectors keep.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) labels: &'a LabelSelector,
    pub(super) fields: &'a FieldSelector,
}

impl Selection<'_> {
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        entry.is_selected(self.labels, self.fields)
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

impl Entry {
    /// Whether selectors accept the object.
    pub(crate) fn is_selected(&self, labels: &LabelSelector, fields: &FieldSelector) -> bool {
        let label = |name: &str| {
            let found = self.summary.labels.binary_search_by(|(key, _)| (**key).cmp(name)).ok();
            found.and_then(|at| self.summary.labels.get(at)).map(|(_, value)| &**value)
        };
        let field = |name: &str| match name {
            "metadata.name" => self.name(),
            "metadata.namespace" => self.namespace(),
            _ => self.summary.fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value),
        };
        (labels.is_empty() || labels.matches(label)) && (fields.is_empty() || fields.matches(field))
    }
}

struct Page<'a> {
    row: &'static Resource,
    namespace: &'a str,
    limit: usize,
    selection: Selection<'a>,
}

impl Page<'_> {
    fn is_full(&self, shown: usize) -> bool {
        self.limit > 0 && shown >= self.limit
    }

    /// The answer; `beyond` is how many objects come after the last one, selected or not.
    fn finish(&self, entries: Vec<Arc<Entry>>, revision: u64, beyond: usize) -> List {
        let mut list = List { entries, revision, continue_token: String::new(), remaining: None, left_out: Vec::new() };
        if beyond > 0 && self.is_full(list.entries.len()) {
            list.token();
            // With a selector what remains is not known without looking at it.
            list.remaining = self.selection.is_empty().then(|| i64::try_from(beyond).unwrap_or(i64::MAX));
        }
        list
    }
}

impl List {
    fn token(&mut self) {
        if let Some(last) = self.entries.last() {
            self.continue_token = Token { revision: self.revision, start: last.path().to_owned() }.encode();
        }
    }

    /// Makes the continue token anew, for the revision of the list.
    fn retoken(&mut self) {
        if !self.continue_token.is_empty() {
            self.token();
        }
    }
}

/// A continue token: a revision and the last path that was sent.
#[derive(Serialize, Deserialize)]
struct Token {
    /// 0: go on with the present (the token of a 410).
    #[serde(rename = "rv")]
    revision: u64,
    start: String,
}

impl Token {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str, page: &Page<'_>) -> Result<Self> {
        let invalid = |why: &str| ApiError::bad_request(format!("continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| invalid("illegal base64 data"))?;
        let token: Self = serde_json::from_slice(&bytes).map_err(|_| invalid("incorrect encoded token"))?;
        let outside = !page.namespace.is_empty() && token.start.split('/').next() != Some(page.namespace);
        if outside || token.start.contains("..") {
            return Err(invalid("it belongs to another list"));
        }
        Ok(token)
    }
}

/// The 410 of a token whose revision is gone, with a token that goes on with the present.
fn expired(start: &str) -> ApiError {
    let fresh = Token { revision: 0, start: start.to_owned() }.encode();
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the \
                   continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing \
                   with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the \
                   time the first chunk was returned and now may show up in the list.";
    ApiError { continue_token: fresh, ..ApiError::expired(message) }
}

/// The failure of a list from which a client would go on to watch.
pub(super) fn unreadable(damaged: &[(storage::Key, u64)]) -> ApiError {
    ApiError::internal(format!("{} cannot be read", damaged_names(damaged)))
}

fn damaged_names(damaged: &[(storage::Key, u64)]) -> String {
    let names: Vec<&str> = damaged.iter().take(10).map(|(key, _)| key.trim_start_matches("/registry/")).collect();
    let more = damaged.len().saturating_sub(names.len());
    if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
}

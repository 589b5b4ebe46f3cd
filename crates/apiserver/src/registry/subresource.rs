//! POST below an object: placing a Pod, evicting it.

use api::resources::Resource;
use api::resources::pod::binding::{self, BindError};
use api::resources::pod::eviction;
use api::value::Value;

use super::update::Source;
use super::{Answer, Call, Content, Registry, metadata};
use crate::body::RequestBody;
use crate::error::{ApiError, Details, Result};
use crate::negotiate;
use crate::query::{Query, WriteOptions};

impl Registry {
    /// POST on `pods/NAME/binding`, `bindings` and `pods/NAME/eviction`.
    pub(crate) async fn create_subresource(&self, call: &Call<'_>, body: RequestBody) -> Result<Answer> {
        let options = WriteOptions::parse(&call.query, "CreateOptions", false)?;
        let (group, version, kind, definition) = match call.who.sub {
            Some(sub) => (sub.group, sub.version, sub.kind, sub.definition),
            None => (call.who.row.group, call.who.row.version, call.who.row.kind, call.who.row.definition),
        };
        let definition = api::generated::schema().lookup(definition).ok_or_else(ApiError::no_route)?;
        let expect = api::decode::Expect { group, version, kind, definition };
        let media = negotiate::body_media(call.headers)?;
        let bytes = self.read(body).await?;
        let decoded = api::decode::object(&expect, media, &bytes, options.field_validation)?;
        match kind {
            "Binding" => self.bind(call, &options, decoded.value).await,
            "Eviction" => self.evict(call, &options, decoded.value).await,
            _ => Err(ApiError::method_not_allowed()),
        }
    }

    async fn bind(&self, call: &Call<'_>, options: &WriteOptions, found: Value) -> Result<Answer> {
        let name = if call.who.name.is_empty() { found.name().to_owned() } else { call.who.name.clone() };
        binding::check(&name, &found).map_err(|why| refused_binding(&name, &why))?;
        let who = call.who.within(pods()?, &name);
        let (query, body_size) = (Query::default(), call.body_size);
        let inner = Call { who: &who, headers: call.headers, query, accepted: call.accepted, body_size };
        let edit = move |pod: &mut Value| {
            binding::bind(pod, &found, &metadata::now()).map_err(|why| refused_binding(pod.name(), &why))
        };
        self.modify(&inner, options, &Source::Edit(Box::new(edit)), &mut Vec::new()).await?;
        Ok(created())
    }

    async fn evict(&self, call: &Call<'_>, options: &WriteOptions, found: Value) -> Result<Answer> {
        let asked =
            eviction::delete_options(&call.who.name, &found).map_err(|why| ApiError::bad_request(why.to_string()))?;
        self.delete_pod(call, &asked, options.dry_run).await?;
        Ok(created())
    }
}

fn pods() -> Result<&'static Resource> {
    api::resources::find("", "v1", "pods").ok_or_else(ApiError::no_route)
}

fn refused_binding(name: &str, why: &BindError) -> ApiError {
    match why {
        BindError::Name => ApiError::bad_request(why.to_string()),
        BindError::Target(message) => ApiError::new(500, "", message.as_str()),
        BindError::Conflict(message) => {
            let message =
                format!("Operation cannot be fulfilled on pods/binding {}: {message}", api::field::quote(name));
            let details = Details { name: name.to_owned(), kind: "pods/binding".to_owned(), ..Details::default() };
            ApiError { details: Some(Box::new(details)), ..ApiError::new(409, "Conflict", message) }
        }
    }
}

/// `Status` of success with code 201.
fn created() -> Answer {
    let mut status = Value::object();
    status.set(&["kind"], "Status");
    status.set(&["apiVersion"], "v1");
    status.set(&["metadata"], Value::object());
    status.set(&["status"], "Success");
    status.set(&["code"], 201);
    Answer { code: 201, content: Content::Status(status), warnings: Vec::new() }
}

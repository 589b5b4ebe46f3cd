//! POST below an object: placing a Pod, evicting it.

use super::{Answer, Call, Registry};
use crate::body::RequestBody;
use crate::error::{ApiError, Result};

impl Registry {
    /// Comes with the rules of Pods.
    pub(crate) async fn create_subresource(&self, _call: &Call<'_>, _body: RequestBody) -> Result<Answer> {
        Err(ApiError::method_not_allowed())
    }
}

//! Why a piece of work failed. All of it is repeated.

use thiserror::Error;

/// Why a piece of work failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The kinds that the server has could not be found out.
    #[error("discover the kinds of the server")]
    Discover(#[source] kube::Error),
    /// The server refused a request or did not answer.
    #[error("{doing}")]
    Api {
        /// What was asked for.
        doing: String,
        /// What came back.
        #[source]
        source: Box<kube::Error>,
    },
    /// A request could not be made.
    #[error("{doing}")]
    Request {
        /// What was to be asked for.
        doing: String,
        /// Why not.
        #[source]
        source: Box<kube::core::request::Error>,
    },
    /// Objects are left that should have been deleted.
    #[error("objects are left: {0}")]
    Remains(String),
}

impl Error {
    pub(crate) fn api(doing: String, source: kube::Error) -> Self {
        Self::Api { doing, source: Box::new(source) }
    }

    pub(crate) fn request(doing: String, source: kube::core::request::Error) -> Self {
        Self::Request { doing, source: Box::new(source) }
    }
}

//! Seals under the newest seed, opens under all.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::error::Unspecified;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::envelope::{self, Envelope, EnvelopeError, LimitError, SourceType};
use crate::key::Key32;
use crate::provider::{Provider, ProviderError, Wrapped};
use crate::seed::{DataError, Seed};

/// The keys at hand: a provider whose seed seals, and all whose values can be opened.
pub struct Keyring {
    providers: Vec<Box<dyn Provider>>,
    current: Arc<Seed>,
    opened: RwLock<Opened>,
}

/// Which key wrapped the seed of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The provider's name.
    pub provider: String,
    /// The provider's key.
    pub key_id: String,
}

/// What a person may know of a keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Who seals.
    pub current: Origin,
    /// Whether the seed that seals is kept out of swap.
    pub locked: bool,
    /// How many seeds of earlier starts are open.
    pub opened_seeds: usize,
}

/// A keyring could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The name would not be found again in the prefix.
    #[error("provider name {0:?} is empty or contains a colon")]
    Name(String),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness,
    /// The fresh seed could not be wrapped.
    #[error("wrap a fresh seed with provider {name}")]
    Wrap {
        /// The provider.
        name: String,
        /// The cause.
        #[source]
        source: ProviderError,
    },
    /// What the provider answered breaks the limits of KMS v2.
    #[error("wrap a fresh seed with provider {name}")]
    Limit {
        /// The provider.
        name: String,
        /// The cause.
        #[source]
        source: LimitError,
    },
}

/// A value could not be sealed: no randomness, or a value of an impossible size.
#[derive(Debug, Clone, Copy, Error)]
#[error("the cipher failed")]
pub struct SealError;

/// A value could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is not a sealed value.
    #[error("read the envelope")]
    Envelope(#[source] EnvelopeError),
    /// No provider of this name is configured.
    #[error("no provider {0:?} is configured")]
    NoProvider(String),
    /// The provider did not unwrap the seed.
    #[error("failed to decrypt DEK with key {key_id:?} of provider {provider:?}")]
    Unwrap {
        /// The provider.
        provider: String,
        /// Its key.
        key_id: String,
        /// The cause.
        #[source]
        source: ProviderError,
    },
    /// The sealed part is cut off.
    #[error("the stored data was shorter than the required size")]
    Short,
    /// The value was changed, or it was sealed for another place.
    #[error("message authentication failed")]
    Authentication,
}

impl Keyring {
    /// Makes a fresh seed, wrapped by `primary`, that seals from now on. All providers open.
    pub fn new(primary: Box<dyn Provider>, readers: Vec<Box<dyn Provider>>) -> Result<Self, KeyringError> {
        let current = Arc::new(fresh_seed(primary.as_ref())?);
        let mut providers = vec![primary];
        providers.extend(readers);
        match providers.iter().find(|provider| !is_name(provider.name())) {
            Some(provider) => Err(KeyringError::Name(provider.name().to_owned())),
            None => Ok(Self { providers, current, opened: RwLock::default() }),
        }
    }

    /// Seals a value for the place that `aad` names.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut out = Vec::new();
        self.seal_into(plain, aad, &mut out)?;
        Ok(out)
    }

    /// Seals a value for the place that `aad` names, appending to `out`.
    pub fn seal_into(&self, plain: &[u8], aad: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.current.seal(plain, aad, out).map_err(|Unspecified| SealError)
    }

    /// Opens a value that was sealed for the place that `aad` names.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let envelope = Envelope::parse(sealed).map_err(OpenError::Envelope)?;
        let seed = self.seed(envelope.provider, envelope.wrapped)?;
        let opened = match envelope.source_type {
            SourceType::Seed => seed.open(envelope.data, aad),
            SourceType::Key => seed.open_as_key(envelope.data, aad),
        };
        opened.map_err(|error| match error {
            DataError::Short => OpenError::Short,
            DataError::Authentication => OpenError::Authentication,
        })
    }

    /// Which key a value needs; it is not opened.
    pub fn origin(sealed: &[u8]) -> Result<Origin, OpenError> {
        let envelope = Envelope::parse(sealed).map_err(OpenError::Envelope)?;
        Ok(Origin { provider: envelope.provider.to_owned(), key_id: envelope.wrapped.key_id })
    }

    /// What a person may know.
    pub fn status(&self) -> Status {
        let current = self.providers.first().map_or(String::new(), |provider| provider.name().to_owned());
        Status {
            current: Origin { provider: current, key_id: self.current.wrapped.key_id.clone() },
            locked: self.current.is_locked(),
            opened_seeds: self.opened.read().unwrap_or_else(PoisonError::into_inner).seeds.len(),
        }
    }

    fn seed(&self, provider: &str, wrapped: Wrapped) -> Result<Arc<Seed>, OpenError> {
        let is_current = self.providers.first().is_some_and(|primary| primary.name() == provider);
        if is_current && self.current.wrapped == wrapped {
            return Ok(Arc::clone(&self.current));
        }
        let name = (provider.to_owned(), wrapped);
        if let Some(seed) = self.opened.read().unwrap_or_else(PoisonError::into_inner).seeds.get(&name) {
            return Ok(Arc::clone(seed));
        }
        let key = self.unwrap(provider, &name.1)?;
        let seed = Arc::new(Seed::new(provider, key, name.1.clone()));
        self.opened.write().unwrap_or_else(PoisonError::into_inner).insert(name, &seed);
        Ok(seed)
    }

    /// Asks all providers of this name in turn, as Kubernetes does; the last refusal is the answer.
    fn unwrap(&self, provider: &str, wrapped: &Wrapped) -> Result<Key32, OpenError> {
        let mut refusal = OpenError::NoProvider(provider.to_owned());
        for candidate in self.providers.iter().filter(|candidate| candidate.name() == provider) {
            match candidate.unwrap(wrapped) {
                Ok(key) => return Ok(key),
                // A key that is not there says less than one that refused.
                Err(ProviderError::UnknownKey(_)) if matches!(refusal, OpenError::Unwrap { .. }) => {}
                Err(source) => {
                    let (provider, key_id) = (provider.to_owned(), wrapped.key_id.clone());
                    refusal = OpenError::Unwrap { provider, key_id, source };
                }
            }
        }
        Err(refusal)
    }
}

/// Seeds of earlier starts, so that a provider is asked once for each. The oldest go first when there are many.
#[derive(Default)]
struct Opened {
    seeds: HashMap<SeedName, Arc<Seed>>,
    order: VecDeque<SeedName>,
}

/// The provider's name and the wrapped seed.
type SeedName = (String, Wrapped);

impl Opened {
    fn insert(&mut self, name: SeedName, seed: &Arc<Seed>) {
        if self.seeds.insert(name.clone(), Arc::clone(seed)).is_none() {
            self.order.push_back(name);
        }
        if self.order.len() > MAX_OPENED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seeds.remove(&oldest);
        }
    }
}

fn fresh_seed(provider: &dyn Provider) -> Result<Seed, KeyringError> {
    let name = || provider.name().to_owned();
    let key = Key32::random().map_err(|_| KeyringError::Randomness)?;
    let mut wrapped = provider.wrap(&key).map_err(|source| KeyringError::Wrap { name: name(), source })?;
    wrapped.annotations.sort();
    envelope::check_limits(&wrapped).map_err(|source| KeyringError::Limit { name: name(), source })?;
    Ok(Seed::new(provider.name(), key, wrapped))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(':')
}

/// Each takes a locked page.
const MAX_OPENED: usize = 256;

#[cfg(test)]
mod tests;

//! Admission that looks at other objects: NamespaceLifecycle, ServiceAccount, and the addresses of Services.
//! What needs no other object is in the rules of the kinds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use api::field::{FieldError, Path, Verbatim, quote};
use api::resources::Resource;
use api::value::Value;

use crate::cache::Cache;
use crate::error::{ApiError, Cause, Result};
use crate::node_ports;
use crate::pipeline::Authorized;

/// Namespaces that cannot be deleted (`plugin/namespace/lifecycle`).
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];
const MIRROR: &str = "kubernetes.io/config.mirror";

/// See the module.
pub(crate) struct Admission {
    service_range: ServiceRange,
}

impl Admission {
    pub(crate) fn new(service_range: ServiceRange) -> Self {
        Self { service_range }
    }

    /// A new object, before its strategy sees it.
    pub(crate) fn admit_create(&self, cache: &Cache, who: &Authorized, object: &mut Value) -> Result<()> {
        if who.row.namespaced {
            live_namespace(cache, who, object.name())?;
        }
        match (who.row.group, who.row.plural) {
            ("", "pods") => {
                service_account(cache, who, object)?;
                let refusal = api::resources::pod::refusal(object);
                refusal.map_or(Ok(()), |why| Err(ApiError::refused(who.row, object.name(), &why)))
            }
            ("", "services") => {
                self.service_range.assign(cache, who.row, object, None)?;
                node_ports::assign(cache, who.row, object, None)
            }
            _ => Ok(()),
        }
    }

    /// A changed object, before it is validated.
    pub(crate) fn admit_update(&self, cache: &Cache, who: &Authorized, new: &mut Value, old: &Value) -> Result<()> {
        match (who.row.group, who.row.plural) {
            ("", "services") if who.sub.is_none() => {
                self.service_range.assign(cache, who.row, new, Some(old))?;
                node_ports::assign(cache, who.row, new, Some(old))
            }
            _ => Ok(()),
        }
    }

    /// A delete.
    pub(crate) fn admit_delete(&self, who: &Authorized) -> Result<()> {
        if who.row.group.is_empty() && who.row.plural == "namespaces" && IMMORTAL.contains(&who.name.as_str()) {
            return Err(ApiError::refused(who.row, &who.name, "this namespace may not be deleted"));
        }
        Ok(())
    }
}

/// NamespaceLifecycle: the namespace is there and nobody is deleting it.
fn live_namespace(cache: &Cache, who: &Authorized, name: &str) -> Result<()> {
    let namespaces = api::resources::find("", "v1", "namespaces").ok_or_else(ApiError::no_route)?;
    let Some(entry) = cache.get(namespaces, &who.namespace) else {
        return Err(ApiError::not_found(namespaces, &who.namespace));
    };
    let terminating =
        entry.summary.fields.iter().any(|(field, value)| *field == "status.phase" && &**value == "Terminating");
    if !terminating {
        return Ok(());
    }
    let namespace = &who.namespace;
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut error = ApiError::refused(who.row, name, &why);
    if let Some(details) = &mut error.details {
        details.causes.push(Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".into(),
        });
    }
    Err(error)
}

/// ServiceAccount (`plugin/pkg/admission/serviceaccount`), without the token volume.
fn service_account(cache: &Cache, who: &Authorized, pod: &mut Value) -> Result<()> {
    let refuse = |pod: &Value, why: &str| Err(ApiError::refused(who.row, pod.name(), why));
    if pod.at(&["metadata", "annotations", MIRROR]).is_some() {
        if !pod.text(&["spec", "serviceAccountName"]).is_empty() {
            return refuse(pod, "a mirror pod may not reference service accounts");
        }
        return Ok(());
    }
    if pod.text(&["spec", "serviceAccountName"]).is_empty() {
        pod.set(&["spec", "serviceAccountName"], "default");
        pod.set(&["spec", "serviceAccount"], "default");
    }
    let name = pod.text(&["spec", "serviceAccountName"]).to_owned();
    let accounts = api::resources::find("", "v1", "serviceaccounts").ok_or_else(ApiError::no_route)?;
    let namespace = &who.namespace;
    let Some(account) = cache.get(accounts, &format!("{namespace}/{name}")) else {
        let why =
            format!("error looking up service account {namespace}/{name}: serviceaccount {} not found", quote(&name));
        return refuse(pod, &why);
    };
    if pod.list(&["spec", "imagePullSecrets"]).is_empty() {
        let account = account.decode(accounts).map_err(ApiError::internal)?;
        let inherited = account.list(&["imagePullSecrets"]);
        if !inherited.is_empty() {
            pod.set(&["spec", "imagePullSecrets"], inherited.to_vec());
        }
    }
    Ok(())
}

/// The addresses that Services get (`--service-cluster-ip-range`).
#[derive(Debug, Clone, Copy)]
pub struct ServiceRange {
    first: u128,
    last: u128,
    v6: bool,
}

impl ServiceRange {
    /// Reads a CIDR.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(cidr: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("{cidr:?} is no CIDR such as 10.96.0.0/12");
        let (address, bits) = cidr.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        let (number, width, v6) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32, false),
            IpAddr::V6(v6) => (v6.to_bits(), 128, true),
        };
        let host = u32::checked_sub(width, bits).filter(|host| *host >= 2).ok_or_else(wrong)?;
        let size = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
        let base = number & !size;
        // The base and, for IPv4, the broadcast address are never given out; large ranges are cut as upstream does.
        let last = if v6 { base + size.min(0xffff) } else { base + size.min(0xffff) - 1 };
        Ok(Self { first: base + 1, last, v6 })
    }

    /// The first address: that of the Service `default/kubernetes`.
    pub fn first(&self) -> IpAddr {
        self.address(self.first)
    }

    fn address(&self, number: u128) -> IpAddr {
        if self.v6 {
            Ipv6Addr::from_bits(number).into()
        } else {
            Ipv4Addr::from_bits(u32::try_from(number).unwrap_or_default()).into()
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        let number = match address {
            IpAddr::V4(v4) if !self.v6 => u128::from(v4.to_bits()),
            IpAddr::V6(v6) if self.v6 => v6.to_bits(),
            _ => return false,
        };
        (self.first..=self.last).contains(&number)
    }

    /// Gives the Service an address, or checks the one it asks for.
    fn assign(&self, cache: &Cache, row: &'static Resource, service: &mut Value, old: Option<&Value>) -> Result<()> {
        let needs = matches!(service.text(&["spec", "type"]), "" | "ClusterIP" | "NodePort" | "LoadBalancer");
        let asked = service.text(&["spec", "clusterIP"]).to_owned();
        if !needs {
            if old.is_some() {
                return Ok(());
            }
            service.remove(&["spec", "clusterIP"]);
            service.remove(&["spec", "clusterIPs"]);
            return Ok(());
        }
        let kept = old.map(|old| old.text(&["spec", "clusterIP"])).unwrap_or_default();
        if asked == "None" || (!asked.is_empty() && asked == kept) {
            service.set(&["spec", "clusterIPs"], vec![Value::from(asked)]);
            return Ok(());
        }
        if asked.is_empty() && !kept.is_empty() {
            let kept = kept.to_owned();
            service.set(&["spec", "clusterIPs"], vec![Value::from(kept.as_str())]);
            service.set(&["spec", "clusterIP"], kept);
            return Ok(());
        }
        let address = if asked.is_empty() { self.free(cache, row)? } else { self.check(cache, row, service, &asked)? };
        service.set(&["spec", "clusterIPs"], vec![Value::from(address.as_str())]);
        service.set(&["spec", "clusterIP"], address);
        Ok(())
    }

    fn check(&self, cache: &Cache, row: &'static Resource, service: &Value, asked: &str) -> Result<String> {
        let invalid = |why: &str| {
            let list = format!("[{}]", quote(asked));
            let error = FieldError::invalid(&Path::new("spec").child("clusterIPs"), Verbatim(&list), why);
            Err(ApiError::invalid(row.group, row.kind, service.name(), vec![error]))
        };
        match asked.parse::<IpAddr>() {
            // The rules of Services say what is wrong with a malformed one.
            Err(_) => Ok(asked.to_owned()),
            Ok(address) if !self.holds(address) => invalid(&format!(
                "failed to allocate IP {asked}: the provided network does not match the current range"
            )),
            Ok(_) if self.taken(cache, row).contains(asked) => {
                invalid(&format!("failed to allocate IP {asked}: provided IP is already allocated"))
            }
            Ok(_) => Ok(asked.to_owned()),
        }
    }

    fn taken(&self, cache: &Cache, row: &'static Resource) -> std::collections::HashSet<String> {
        let all = cache.list(row, &crate::cache::Scope::default(), 0, |_| true).entries;
        all.iter()
            .filter_map(|entry| entry.summary.fields.iter().find(|(field, _)| *field == "spec.clusterIP"))
            .map(|(_, ip)| ip.to_string())
            .collect()
    }

    /// A free address, looked for from a random place.
    fn free(&self, cache: &Cache, row: &'static Resource) -> Result<String> {
        let taken = self.taken(cache, row);
        let size = self.last - self.first + 1;
        let start = u128::from_le_bytes(*uuid::Uuid::new_v4().as_bytes()) % size;
        // The first address is kept for the Service of the API itself.
        let candidates = (0..size)
            .map(|step| self.address(self.first + (start + step) % size))
            .filter(|address| *address != self.first());
        let free = candidates.map(|address| address.to_string()).find(|address| !taken.contains(address));
        free.ok_or_else(|| ApiError::internal("failed to allocate a serviceIP: range is full"))
    }
}

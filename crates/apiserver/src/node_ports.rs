//! The node ports of Services: 30000 to 32767, each given to one Service
//! (`pkg/registry/core/service/portallocator`).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use api::resources::Resource;
use api::resources::service::ports;
use api::value::Value;

use crate::cache::{Cache, Scope};
use crate::error::{ApiError, Result};

/// `DefaultServiceNodePortRange`
const RANGE: RangeInclusive<i64> = 30_000..=32_767;

/// Gives the Service the node ports that its type needs, or checks those that it asks for.
pub(crate) fn assign(cache: &Cache, row: &'static Resource, service: &mut Value, old: Option<&Value>) -> Result<()> {
    if !matches!(service.text(&["spec", "type"]), "NodePort" | "LoadBalancer") {
        return Ok(());
    }
    let mut taken = taken(cache, row)?;
    let errors = ports::fill(service, old, &mut |asked| take(&mut taken, asked));
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(row.group, row.kind, service.name(), errors)) }
}

fn take(taken: &mut BTreeSet<i64>, asked: Option<i64>) -> std::result::Result<i64, String> {
    let free = |port: &i64| !taken.contains(port);
    let port = match asked {
        None => RANGE.clone().find(free).ok_or("range is full")?,
        Some(port) if !RANGE.contains(&port) => {
            let (first, last) = (RANGE.start(), RANGE.end());
            return Err(format!(
                "The provided port is not in the valid range. The range of valid ports is {first}-{last}"
            ));
        }
        Some(port) if !free(&port) => return Err("provided port is already allocated".to_owned()),
        Some(port) => port,
    };
    taken.insert(port);
    Ok(port)
}

/// What the Services hold now; those of other types are not read.
fn taken(cache: &Cache, row: &'static Resource) -> Result<BTreeSet<i64>> {
    let all = cache.list(row, &Scope::default(), 0, |_| true).entries;
    let holders = all.iter().filter(|entry| {
        entry
            .summary
            .fields
            .iter()
            .any(|(field, kind)| *field == "spec.type" && matches!(&**kind, "NodePort" | "LoadBalancer"))
    });
    let mut taken = BTreeSet::new();
    for holder in holders {
        taken.extend(ports::held(&holder.decode(row).map_err(ApiError::internal)?));
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::take;

    #[test]
    fn a_port_is_taken_once() {
        // TestAllocate of portallocator
        let mut taken = [30_000, 30_002].into();
        assert_eq!(take(&mut taken, None), Ok(30_001));
        assert_eq!(take(&mut taken, None), Ok(30_003));
        assert_eq!(take(&mut taken, Some(31_000)), Ok(31_000));
        assert_eq!(take(&mut taken, Some(31_000)), Err("provided port is already allocated".to_owned()));
        let outside = "The provided port is not in the valid range. The range of valid ports is 30000-32767";
        assert_eq!(take(&mut taken, Some(80)), Err(outside.to_owned()));
    }
}

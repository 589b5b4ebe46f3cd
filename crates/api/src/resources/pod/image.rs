//! Names of images: only what decides how often they are pulled.

/// `SetDefaults_Container`: an image without a tag, or with the tag `latest`, is pulled always. A name that is
/// none is for the node to refuse; here it counts as one with a tag, as in `parsers.ParseImageName`.
pub(super) fn pull_policy(image: &str) -> &'static str {
    if tag(image) == Some("latest") { "Always" } else { "IfNotPresent" }
}

/// The tag that the image is pulled by; `None` where a digest says it, or where the name is wrong.
fn tag(image: &str) -> Option<&str> {
    let is_id = image.len() == 64 && image.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if is_id {
        return None;
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    if !is_name(name) || !tag.is_none_or(is_tag) || !digest.is_none_or(is_digest) {
        return None;
    }
    match digest {
        Some(_) => tag,
        None => Some(tag.unwrap_or("latest")),
    }
}

/// A registry, perhaps, and a path in lower case (`ParseNormalizedNamed`).
fn is_name(name: &str) -> bool {
    let path = match name.split_once('/') {
        Some((domain, path)) if is_domain_like(domain) => {
            if !is_domain(domain) {
                return false;
            }
            path
        }
        _ => name,
    };
    path.split('/').all(is_path_part)
}

fn is_domain_like(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost" || text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_none_or(is_port) {
        return false;
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    }
    host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Words of small letters and digits between `.`, `_`, `__` or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = part.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| is_word(**byte)).count();
        let Some(after) = rest.get(word..).filter(|_| word > 0) else { return false };
        let between = after.iter().take_while(|byte| !is_word(**byte)).count();
        let (separator, next) = after.split_at(between);
        match separator {
            [] => return true,
            b"." | b"_" | b"__" => rest = next,
            dashes if dashes.iter().all(|byte| *byte == b'-') => rest = next,
            _ => return false,
        }
    }
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(is_part)
        && hex.len() >= 32
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_policies_follow_the_tag() {
        // TestSetDefaultContainer..., pkg/util/parsers TestParseImageName
        let digest = "sha256:2f3a9c6c1e6c4c3a1e6c4c3a1e6c4c3a1e6c4c3a1e6c4c3a1e6c4c3a1e6c4c3a";
        for always in ["busybox", "i", "a/b", "r.io/a", "r.io:5000/a", "localhost/a:latest", "a__b-c.d", "[::1]:5000/a"]
        {
            assert_eq!(pull_policy(always), "Always", "{always}");
        }
        let by_digest = format!("busybox@{digest}");
        let both = format!("busybox:latest@{digest}");
        for once in ["busybox:1.35", "r.io:5000/a:v1", "", "Upper", "a b", "a//b", "a:", "a@b", "a/B", &by_digest] {
            assert_eq!(pull_policy(once), "IfNotPresent", "{once}");
        }
        assert_eq!(pull_policy(&both), "Always");
    }
}

//! The flag `--controllers`, as kube-controller-manager has it.

use std::str::FromStr;

use controllers::Controller;

/// One entry of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `*`
    All,
    /// `NAME`
    On(Controller),
    /// `-NAME`
    Off(Controller),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let find = |name: &str| {
            Controller::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| {
                let names = Controller::ALL.map(Controller::name).join(", ");
                format!("there is no controller `{name}`; there are {names}")
            })
        };
        match (text, text.strip_prefix('-')) {
            ("*", _) => Ok(Self::All),
            (_, Some(name)) => find(name).map(Self::Off),
            (name, None) => find(name).map(Self::On),
        }
    }
}

/// The controllers that the list asks for: an entry with the name decides, else whether there is a `*`
/// (`IsControllerEnabled` of `cmd/kube-controller-manager`).
pub(crate) fn chosen(list: &[Choice]) -> Vec<Controller> {
    let wanted = |one: &Controller| {
        let named = list.iter().find(|choice| matches!(choice, Choice::On(it) | Choice::Off(it) if it == one));
        matches!(named, Some(Choice::On(_))) || (named.is_none() && list.contains(&Choice::All))
    };
    Controller::ALL.into_iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::{Choice, chosen};

    #[test]
    fn entries_decide_as_in_kubernetes() {
        let check = |list: &str, wanted: &str| {
            let list: Vec<Choice> = list.split(',').map(|item| item.parse().unwrap()).collect();
            let names: Vec<_> = chosen(&list).into_iter().map(controllers::Controller::name).collect();
            assert_eq!(names.join(" "), wanted);
        };
        check("*", "namespace-controller garbage-collector-controller serviceaccount-controller");
        check("*,-namespace-controller", "garbage-collector-controller serviceaccount-controller");
        check("-namespace-controller", "");
        check("namespace-controller", "namespace-controller");
    }
}

//! What to do about a missing program, decided from a description of the machine.

/// A package manager that has the programs needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageManager {
    AptGet,
    Dnf,
    Pacman,
    Brew,
}

impl PackageManager {
    /// In the order in which they are looked for.
    pub(super) const ALL: [Self; 4] = [Self::AptGet, Self::Dnf, Self::Pacman, Self::Brew];

    /// Its program.
    pub(super) const fn program(self) -> &'static str {
        match self {
            Self::AptGet => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        }
    }

    /// Whether it installs for the whole machine, as root. Homebrew refuses to run as root.
    const fn needs_root(self) -> bool {
        !matches!(self, Self::Brew)
    }
}

/// What can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Package {
    Qemu,
    Chromium,
}

impl Package {
    /// What the package manager calls it.
    const fn name(self, manager: PackageManager) -> &'static str {
        match (self, manager) {
            (Self::Qemu, PackageManager::Brew) => "qemu",
            (Self::Qemu, _) => "qemu-system-arm",
            (Self::Chromium, PackageManager::Brew) => "--cask chromium",
            (Self::Chromium, _) => "chromium",
        }
    }
}

/// What matters about a machine on which a program is missing.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) manager: Option<PackageManager>,
    /// The user is root.
    pub(super) root: bool,
    /// Somebody can be asked: stdin and stderr are terminals.
    pub(super) terminal: bool,
    /// There is `sudo`.
    pub(super) sudo: bool,
    /// The suite of backports to take QEMU from, if any.
    pub(super) backports: Option<Backports>,
}

/// A suite of backports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backports {
    /// Its name.
    suite: String,
    /// The line for apt's sources that is needed first, where the suite is not configured.
    source: Option<String>,
}

/// A command, program first.
pub(super) type Command = Vec<String>;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Run these commands, one after the other.
    Run(Vec<Command>),
    /// Run them after a yes.
    Ask(Vec<Command>),
    /// Run nothing; show them.
    Show(Vec<Command>),
    /// There is nothing that could be run.
    NoPackageManager,
}

/// Root installs, a user at a terminal is asked, and everybody else is told what to type.
pub(super) fn install(package: Package, machine: &Machine) -> Plan {
    let Some(manager) = machine.manager else { return Plan::NoPackageManager };
    let backports = machine.backports.as_ref().filter(|_| package == Package::Qemu);
    let mut commands = commands(package, manager, backports);
    if machine.root {
        return if manager.needs_root() { Plan::Run(commands) } else { Plan::Show(commands) };
    }
    if manager.needs_root() {
        for command in &mut commands {
            command.insert(0, "sudo".into());
        }
    }
    let possible = machine.sudo || !manager.needs_root();
    if machine.terminal && possible { Plan::Ask(commands) } else { Plan::Show(commands) }
}

/// The commands that install a package, as root types them.
fn commands(package: Package, manager: PackageManager, backports: Option<&Backports>) -> Vec<Command> {
    let name = package.name(manager);
    let lines = match manager {
        PackageManager::AptGet => {
            let suite = backports.map_or_else(String::new, |Backports { suite, .. }| format!("-t {suite} "));
            vec!["update".into(), format!("install -y --no-install-recommends {suite}{name}")]
        }
        PackageManager::Dnf => vec![format!("install -y {name}")],
        PackageManager::Pacman => vec![format!("-Sy --needed --noconfirm {name}")],
        PackageManager::Brew => vec![format!("install {name}")],
    };
    let words = |line: String| {
        [manager.program()].into_iter().chain(line.split(' ')).map(str::to_owned).collect::<Vec<_>>()
    };
    let add_source = backports.and_then(|Backports { suite, source }| {
        let script = format!("echo '{}' > /etc/apt/sources.list.d/{suite}.list", source.as_ref()?);
        Some(vec!["sh".into(), "-c".into(), script])
    });
    add_source.into_iter().chain(lines.into_iter().map(words)).collect()
}

/// One line to type that runs all of them.
pub(super) fn as_typed(commands: &[Command]) -> String {
    let quoted = |word: &String| if word.contains(' ') { format!("\"{word}\"") } else { word.clone() };
    let line = |command: &Command| command.iter().map(quoted).collect::<Vec<_>>().join(" ");
    commands.iter().map(line).collect::<Vec<_>>().join(" && ")
}

/// The suite of backports to take QEMU from, given `/etc/os-release`, apt's lists of sources and the versions of
/// the QEMU packages that are installed.
///
/// Debian 12 has QEMU 7.2 in its main suite, which is enough for one of the boards, and 10.0 in its backports. The
/// suite is used where somebody configured it. Where it is not configured and some package of QEMU came from it all
/// the same, the main suite's packages would conflict with that one, so the suite is added, from the mirror that the
/// main suite comes from.
pub(super) fn backports(os_release: &str, sources: &[String], installed: &str) -> Option<Backports> {
    if !os_release.lines().any(|line| line.trim() == "VERSION_CODENAME=bookworm") {
        return None;
    }
    let suite = "bookworm-backports";
    if sources.iter().any(|text| configures(text, suite)) {
        return Some(Backports { suite: suite.into(), source: None });
    }
    if !installed.contains("~bpo12+") {
        return None;
    }
    let mirror = sources.iter().find_map(|text| mirror(text, "bookworm"))?;
    Some(Backports { suite: suite.into(), source: Some(format!("deb {mirror} {suite} main")) })
}

/// Where a suite comes from, by a list of apt's sources of either format.
fn mirror<'s>(sources: &'s str, suite: &str) -> Option<&'s str> {
    let stanza = sources.split("\n\n").find(|stanza| configures(stanza, suite))?;
    let lines = stanza.lines().filter(|line| !line.trim_start().starts_with('#'));
    // in the one-line format the line that names the suite names its mirror too
    let one_line =
        lines.clone().find(|line| line.split_whitespace().any(|word| word == suite) && line.contains("://"));
    let words = one_line.into_iter().chain(lines).flat_map(str::split_whitespace);
    words.filter(|word| !word.starts_with('[')).find(|word| word.contains("://"))
}

/// Whether a list of apt's sources, of either format, has that suite switched on.
fn configures(sources: &str, suite: &str) -> bool {
    sources.split("\n\n").any(|stanza| {
        let mut lines = stanza.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let disabled = lines.clone().any(|line| line.to_ascii_lowercase().replace(' ', "") == "enabled:no");
        !disabled && lines.any(|line| line.split_whitespace().any(|word| word == suite))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(manager: Option<PackageManager>, root: bool, terminal: bool) -> Machine {
        Machine { manager, root, terminal, sudo: true, backports: None }
    }

    fn typed(plan: &Plan) -> String {
        match plan {
            Plan::Run(commands) | Plan::Ask(commands) | Plan::Show(commands) => as_typed(commands),
            Plan::NoPackageManager => String::new(),
        }
    }

    const APT: &str = "apt-get update && apt-get install -y --no-install-recommends qemu-system-arm";
    const SUDO_APT: &str =
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends qemu-system-arm";

    #[test]
    fn root_installs_without_being_asked() {
        for terminal in [false, true] {
            let plan = install(Package::Qemu, &machine(Some(PackageManager::AptGet), true, terminal));
            assert!(matches!(plan, Plan::Run(_)), "{plan:?}");
            assert_eq!(typed(&plan), APT);
        }
    }

    #[test]
    fn a_user_at_a_terminal_is_asked_and_others_are_told() {
        let asked = install(Package::Qemu, &machine(Some(PackageManager::AptGet), false, true));
        assert!(matches!(asked, Plan::Ask(_)), "{asked:?}");
        assert_eq!(typed(&asked), SUDO_APT);
        let told = install(Package::Qemu, &machine(Some(PackageManager::AptGet), false, false));
        assert!(matches!(told, Plan::Show(_)), "{told:?}");
        assert_eq!(typed(&told), SUDO_APT);
    }

    #[test]
    fn without_sudo_a_user_is_told() {
        let machine = Machine { sudo: false, ..machine(Some(PackageManager::Dnf), false, true) };
        let plan = install(Package::Qemu, &machine);
        assert_eq!(
            plan,
            Plan::Show(vec!["sudo dnf install -y qemu-system-arm".split(' ').map(str::to_owned).collect()])
        );
    }

    #[test]
    fn homebrew_asks_a_user_and_never_runs_as_root() {
        let asked = install(Package::Qemu, &machine(Some(PackageManager::Brew), false, true));
        assert!(matches!(asked, Plan::Ask(_)), "{asked:?}");
        assert_eq!(typed(&asked), "brew install qemu");
        let no_sudo = Machine { sudo: false, ..machine(Some(PackageManager::Brew), false, true) };
        assert!(matches!(install(Package::Qemu, &no_sudo), Plan::Ask(_)));
        assert!(matches!(
            install(Package::Qemu, &machine(Some(PackageManager::Brew), true, true)),
            Plan::Show(_)
        ));
    }

    #[test]
    fn each_package_manager_has_its_own_words() {
        let line = |manager| typed(&install(Package::Qemu, &machine(Some(manager), true, false)));
        assert_eq!(line(PackageManager::Dnf), "dnf install -y qemu-system-arm");
        assert_eq!(line(PackageManager::Pacman), "pacman -Sy --needed --noconfirm qemu-system-arm");
        assert_eq!(install(Package::Qemu, &machine(None, true, true)), Plan::NoPackageManager);
    }

    #[test]
    fn a_browser_comes_from_the_main_suite() {
        let backports = Some(Backports { suite: "bookworm-backports".into(), source: None });
        let apt = Machine { backports, ..machine(Some(PackageManager::AptGet), true, false) };
        let line = |machine| typed(&install(Package::Chromium, &machine));
        assert_eq!(line(apt), "apt-get update && apt-get install -y --no-install-recommends chromium");
        let brew = machine(Some(PackageManager::Brew), false, true);
        assert_eq!(line(brew), "brew install --cask chromium");
    }

    #[test]
    fn backports_are_preferred_where_they_are_configured() {
        let backports = Some(Backports { suite: "bookworm-backports".into(), source: None });
        let plan = install(
            Package::Qemu,
            &Machine { backports, ..machine(Some(PackageManager::AptGet), true, false) },
        );
        assert_eq!(
            typed(&plan),
            "apt-get update && apt-get install -y --no-install-recommends -t bookworm-backports qemu-system-arm"
        );
    }

    #[test]
    fn backports_are_found_in_both_formats_of_sources() {
        let bookworm = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\n";
        let suite = |sources: &str| {
            let found = backports(bookworm, &[String::new(), sources.into()], "1:7.2+dfsg-7+deb12u18");
            found.inspect(|found| assert_eq!(found.source, None)).map(|found| found.suite)
        };
        let found = Some("bookworm-backports".to_owned());
        assert_eq!(suite("deb http://mirror.example/debian bookworm-backports main"), found);
        assert_eq!(suite("Types: deb\nSuites: bookworm bookworm-backports\nComponents: main\n"), found);
        assert_eq!(suite("# deb http://mirror.example/debian bookworm-backports main"), None);
        assert_eq!(suite("Suites: bookworm-backports\nEnabled: no\n\nSuites: bookworm\n"), None);
        assert_eq!(suite("deb http://mirror.example/debian bookworm main"), None);
        let other = "VERSION_CODENAME=trixie\n";
        assert_eq!(backports(other, &["deb http://x bookworm-backports main".into()], ""), None);
    }

    #[test]
    fn backports_are_added_where_a_package_of_qemu_came_from_there() {
        let bookworm = "VERSION_CODENAME=bookworm\n";
        let line = "deb cdrom:[Debian] bookworm main\n# deb http://old.example/debian bookworm main\n\
                    deb [arch=amd64] http://mirror.example/debian bookworm main\n";
        let stanza = "Types: deb\n# http://old.example/\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n";
        for sources in [line, stanza] {
            let found = backports(bookworm, &[sources.into()], "1:10.0.2+ds-2+deb13u1~bpo12+1\n");
            let plan = install(
                Package::Qemu,
                &Machine { backports: found, ..machine(Some(PackageManager::AptGet), false, false) },
            );
            assert_eq!(
                typed(&plan),
                "sudo sh -c \"echo 'deb http://mirror.example/debian bookworm-backports main' > \
                 /etc/apt/sources.list.d/bookworm-backports.list\" && sudo apt-get update && sudo apt-get install -y \
                 --no-install-recommends -t bookworm-backports qemu-system-arm"
            );
        }
        assert_eq!(backports(bookworm, &["no mirror".into()], "~bpo12+1"), None);
    }
}

//! `command.txt`: a command as one types it.

use std::borrow::Cow;

/// Joins words into one line that a POSIX shell takes apart into just these words.
///
/// ```
/// use refrain_trainer::run::command_line;
///
/// assert_eq!(command_line(["refrain", "train", "--data", "my set"]), "refrain train --data 'my set'");
/// ```
pub fn command_line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A word of letters, digits and harmless signs stays; all others go between single quotes, where nothing but a
/// single quote means anything to a shell.
fn quote(word: &str) -> Cow<'_, str> {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_harmless) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_as_they_are() {
        let words = ["refrain", "train", "simple-rnn", "--data", "/home/me/set_2", "--out", "f.ckpt"];
        assert_eq!(command_line(words), words.join(" "));
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_the_very_words() {
        let words = [
            "",
            "two words",
            "it's",
            "\"",
            "$HOME",
            "`id`",
            "a\\b",
            "*",
            "~",
            "#x",
            "new\nline",
            "&;|<>",
            "é ü",
        ];
        let line = format!("printf '%s\\0' {}", command_line(words));
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        let read: Vec<_> = output.stdout.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        assert_eq!(read[..words.len()], words);
    }
}

//! `history.json` and `history.csv`, and the same figures for TensorBoard.

use crate::train::Epoch;

/// What is told of an epoch, by the names that all files use.
pub(super) fn figures(epoch: &Epoch) -> [(&'static str, Option<f64>); 8] {
    [
        ("loss", Some(epoch.loss)),
        ("accuracy", epoch.accuracy),
        ("mean_absolute_error", epoch.mean_absolute_error),
        ("r2", epoch.r2),
        ("val_loss", Some(epoch.val_loss)),
        ("val_accuracy", epoch.val_accuracy),
        ("val_mean_absolute_error", epoch.val_mean_absolute_error),
        ("val_r2", epoch.val_r2),
    ]
}

/// One object a line, so that the file can be looked at and compared line by line.
pub(super) fn to_json(history: &[Epoch]) -> String {
    let object = |epoch| serde_json::to_string(epoch).expect("an epoch has only names for keys");
    let objects: Vec<String> = history.iter().map(object).collect();
    match objects.is_empty() {
        true => "[]\n".into(),
        false => format!("[\n{}\n]\n", objects.join(",\n")),
    }
}

/// A line of names and a line an epoch, with the figures that the task has. RFC 4180 but for its line ends.
pub(super) fn to_csv(history: &[Epoch]) -> String {
    let told = |epoch: &Epoch| figures(epoch).into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    let names = history.first().map(|first| {
        let names: String = told(first).map(|(name, _)| format!(",{name}")).collect();
        format!("epoch{names}\n")
    });
    let line = |epoch: &Epoch| {
        let figures: String = told(epoch).map(|(_, figure)| format!(",{figure}")).collect();
        format!("{}{figures}\n", epoch.epoch)
    };
    names.into_iter().chain(history.iter().map(line)).collect()
}

/// The scalars of an epoch. TensorBoard puts those of one name before the slash side by side.
pub(super) fn scalars(epoch: &Epoch) -> Vec<(String, f64)> {
    let scalar = |(name, figure): (&str, Option<f64>)| {
        let tag = match name.strip_prefix("val_") {
            Some(name) => format!("{name}/validation"),
            None => format!("{name}/train"),
        };
        figure.map(|figure| (tag, figure))
    };
    figures(epoch).into_iter().filter_map(scalar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Score;

    fn score(loss: f64, accuracy: f64) -> Score {
        Score { loss, accuracy: Some(accuracy), ..Score::default() }
    }

    fn history() -> [Epoch; 2] {
        let validation = score(1e-7, 1.0 / 3.0);
        [Epoch::new(1, &score(0.5, 0.25), &validation), Epoch::new(2, &score(0.125, 0.25), &validation)]
    }

    #[test]
    fn a_table_has_a_line_an_epoch() {
        assert_eq!(
            to_csv(&history()),
            "epoch,loss,accuracy,val_loss,val_accuracy\n\
             1,0.5,0.25,0.0000001,0.3333333333333333\n\
             2,0.125,0.25,0.0000001,0.3333333333333333\n"
        );
    }

    #[test]
    fn a_regression_has_columns_of_its_own() {
        let score = Score { loss: 0.5, mean_absolute_error: Some(2.0), r2: Some(0.75), ..Score::default() };
        let table = to_csv(&[Epoch::new(1, &score, &score)]);
        let names = "epoch,loss,mean_absolute_error,r2,val_loss,val_mean_absolute_error,val_r2";
        assert_eq!(table, format!("{names}\n1,0.5,2,0.75,0.5,2,0.75\n"));
        assert_eq!(to_csv(&[]), "");
    }

    #[test]
    fn json_gives_back_every_bit() {
        let read: Vec<Epoch> = serde_json::from_str(&to_json(&history())).unwrap();
        assert_eq!(read, history());
        assert_eq!(to_json(&history()).lines().count(), 4);
        assert_eq!(serde_json::from_str::<Vec<Epoch>>(&to_json(&[])).unwrap(), []);
    }

    #[test]
    fn training_and_validation_share_a_name() {
        let tags: Vec<String> = scalars(&history()[0]).into_iter().map(|(tag, _)| tag).collect();
        assert_eq!(tags, ["loss/train", "accuracy/train", "loss/validation", "accuracy/validation"]);
    }
}

//! The reader of CSV folders on every layout, and on every kind of unsound file or folder.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::array;
use refrain_trainer::data::{
    DataError, Dataset, Kind, Source, Split, Targets, Values, ValuesView, csv_folder, load,
};
use tempfile::TempDir;

/// A folder `set` with files of these names and contents.
struct Folder(TempDir);

impl Folder {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path()).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("set")
    }

    fn read(&self) -> Result<(Dataset, Vec<String>), DataError> {
        csv_folder::read(&self.path())
    }
}

fn sound<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Dataset, Vec<String>) {
    Folder::new(files).read().expect("a sound folder")
}

/// The message about an unsound folder without the folder's name, with which it must begin.
fn refused<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let folder = Folder::new(files);
    let text = folder.read().expect_err("an unsound folder").to_string();
    let start = folder.path().display().to_string();
    let rest = text.strip_prefix(&start).unwrap_or_else(|| panic!("does not name the folder: {text}"));
    rest.trim_start_matches(['/', ':', ' ']).to_owned()
}

/// A sound set of two classes in all three parts, with `file` added or replaced.
fn with(name: &str, text: &str) -> String {
    let sound = [
        ("train/a/1.csv", "1,2\n3,4\n"),
        ("train/a/2.csv", "2,2\n3,5\n"),
        ("train/b/1.csv", "5,6\n7,8\n"),
        ("val/a/1.csv", "1,2\n"),
        ("test/b/1.csv", "5,6\n"),
    ];
    let others = sound.into_iter().filter(|(other, _)| *other != name);
    refused(others.chain([(name, text)]).collect::<Vec<_>>())
}

fn sequence(split: &Split, index: usize) -> ValuesView<'_> {
    split.view().sequence(index)
}

#[test]
fn sub_folders_are_classes_and_lines_are_timesteps() {
    let (set, notes) = sound([
        ("train/wave/b.csv", "ax,ay\n1,2\n3,4\n5,6\n"),
        ("train/wave/a.csv", "ax, ay\r\n-1, -2\r\n"),
        ("train/fall/z.csv", "ax,ay\n\n7,8\n9,10\n"),
        ("validation/fall/1.csv", "ax,ay\n1,1\n"),
        ("test/wave/1.csv", "ax,ay\n2,2\n"),
        ("train/.hidden/1.csv", "not,numbers\n"),
        ("train/wave/notes.txt", "not a sequence"),
    ]);
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!((set.name(), set.classes()), ("set", &["fall".to_owned(), "wave".into()][..]));
    assert_eq!((set.inputs(), set.timesteps(), set.task().per_step), (2, 3, false));
    let train = set.train();
    assert_eq!(train.labels(), Some(&[0, 1, 1][..]));
    assert_eq!(sequence(train, 0), ValuesView::I16(&[7, 8, 9, 10]));
    assert_eq!(sequence(train, 1), ValuesView::I16(&[-1, -2]));
    assert_eq!(sequence(train, 2), ValuesView::I16(&[1, 2, 3, 4, 5, 6]));
    let files = [0, 1, 2].map(|index| Path::new(train.name(index).expect("a file")));
    assert_eq!(files, ["train/fall/z.csv", "train/wave/a.csv", "train/wave/b.csv"].map(Path::new));
    assert_eq!(
        (set.validation().and_then(Split::labels), set.test().labels()),
        (Some(&[0][..]), Some(&[1][..]))
    );
}

#[test]
fn integers_stay_integers_and_one_float_makes_all_floats() {
    let kind = |number: &str| {
        let (set, _) = sound([
            ("train/a/1.csv", "1\n-32768\n"),
            ("train/b/1.csv", "3\n"),
            ("val/a/1.csv", "2\n"),
            ("test/a/1.csv", number),
        ]);
        (set.train().sequences().values().clone(), set.test().sequences().values().clone())
    };
    let floats = |numbers: &[f32]| Values::F32(numbers.to_vec());
    assert_eq!(kind("32767"), (Values::I16(vec![1, -32768, 3]), Values::I16(vec![32767])));
    assert_eq!(kind("32768"), (floats(&[1.0, -32768.0, 3.0]), floats(&[32768.0])));
    assert_eq!(kind("2.5e-3"), (floats(&[1.0, -32768.0, 3.0]), floats(&[0.0025])));
}

#[test]
fn an_index_gives_labels_values_and_parts() {
    let files =
        [("r/1.csv", "1,5\n2,7\n"), ("r/2.csv", "3,4\n"), ("r/3.csv", "9,9\n5,5\n"), ("r/4.csv", "1,1\n")];
    let read = |index: &'static str| sound(files.into_iter().chain([("index.csv", index)]));
    let (set, _) = read(
        "label, file, split\n10,r/1.csv,train\n9,r/2.csv,train\n9,r/3.csv,val\n10,r/4.csv,test\n9,r/4.csv,test\n",
    );
    assert_eq!(set.classes(), ["9", "10"], "in the order of the numbers");
    assert_eq!((set.train().labels(), set.test().labels()), (Some(&[1, 0][..]), Some(&[1, 0][..])));
    assert_eq!(set.validation().map(|split| sequence(split, 0)), Some(ValuesView::I16(&[9, 9, 5, 5])));

    let (set, notes) =
        read("file,target_speed,target_load\nr/1.csv,1,20\nr/2.csv,2.5,10\nr/3.csv,3,-5\nr/4.csv,4,0\n");
    let Kind::Regression { names, .. } = &set.task().kind else { panic!("{:?}", set.task()) };
    assert_eq!(names, &["target_speed", "target_load"]);
    assert_eq!(notes.len(), 2, "held out: {notes:?}");
    assert_eq!(
        (set.train().count(), set.validation().map(Split::count), set.test().count()),
        (2, Some(1), 1)
    );
}

#[test]
fn columns_of_the_files_give_each_timestep_a_target() {
    let (set, _) = sound([
        ("train/1.csv", "x,label\n1,ok\n2,ok\n30,worn\n"),
        ("train/2.csv", "x,label\n1,ok\n20,worn\n"),
        ("val/1.csv", "x,label\n1,ok\n"),
        ("test/1.csv", "x,label\n1,ok\n25,worn\n"),
    ]);
    assert!(set.task().per_step);
    assert_eq!((set.classes(), set.inputs()), (&["ok".to_owned(), "worn".into()][..], 1));
    assert_eq!(set.train().labels(), Some(&[0, 0, 1, 0, 1][..]));
    assert_eq!(set.test().view().target(0), set.test().view().targets());

    let (set, _) = sound([
        ("index.csv", "file,split\na.csv,train\nb.csv,val\nc.csv,test\n"),
        ("a.csv", "x,target,y\n1,0.5,2\n3,1.5,4\n"),
        ("b.csv", "x,target,y\n1,0.5,2\n"),
        ("c.csv", "x,target,y\n1,2.5,2\n"),
    ]);
    assert_eq!((set.task().per_step, set.inputs()), (true, 2));
    assert_eq!(set.train().targets(), &Targets::Values(array![[0.5], [1.5]]));
    assert_eq!(sequence(set.train(), 0), ValuesView::I16(&[1, 2, 3, 4]));
}

#[test]
fn lines_that_are_wrong_are_named() {
    let cases = [
        ("1,2\n3,4,5\n", "train/a/1.csv: line 2 has 3 fields where the lines before it have 2"),
        ("ax,ay\n1,2\n\n3\n", "train/a/1.csv: line 4 has 1 fields where"),
        ("ax,ay\r\n1,2\r\n\r\n3\r\n", "train/a/1.csv: line 4 has 1 fields where"),
        ("1,2\n3,four\n", "train/a/1.csv: line 2, column 2: \"four\" is no number"),
        ("1,2\n3,\n", "train/a/1.csv: line 2, column 2: \"\" is no number"),
        ("1,2\nNaN,4\n", "train/a/1.csv: line 2, column 1: NaN is no finite number"),
        ("1,2\n3,-inf\n", "train/a/1.csv: line 2, column 2: -inf is no finite number"),
        ("nan,2\n", "train/a/1.csv: line 1, column 1: nan is no finite number"),
        ("1,2\n1e39,4\n", "train/a/1.csv: line 2, column 1: 1e39 is no finite number that fits an f32"),
        (
            "1700000000123,2\n",
            "train/a/1.csv: line 1, column 1: 1700000000123 is more than an f32 holds exactly",
        ),
        ("ax,ay\n1,2;3\n", "train/a/1.csv: line 2, column 2 (ay): \"2;3\" is no number"),
        ("ax;ay\n1,5;2\n", "train/a/1.csv: line 1 holds a semicolon, but columns are told apart by commas"),
        ("1,5;2,5\n", "train/a/1.csv: line 1 holds a semicolon"),
        ("1\t2\n3\t4\n", "train/a/1.csv: line 1 holds a tab, but columns are told apart by commas"),
        ("", "train/a/1.csv: it has no timesteps"),
        ("ax,ay\n", "train/a/1.csv: it has no timesteps"),
        (
            ",ax\n0,1\n",
            "train/a/1.csv: column 1 has no name in the first line; if it is the row number that pandas",
        ),
        ("ax,ay,ax\n1,2,3\n", "train/a/1.csv: it has two columns ax; leave one of them out"),
        ("label\nx\n", "train/a/1.csv: it has no features"),
        (
            "x,label\n1,a\n",
            "train/a/1.csv: it has a column label, which gives each timestep a target, but its sub-folder",
        ),
        ("x,label,target\n1,a,2\n", "train/a/1.csv: it has both a column label and columns of targets"),
    ];
    for (text, words) in cases {
        let message = with("train/a/1.csv", text);
        assert!(message.starts_with(words), "{message}");
    }
}

#[test]
fn files_that_do_not_belong_together_are_named() {
    let other = with("val/a/1.csv", "1,2,3\n");
    assert!(other.starts_with("val/a/1.csv: its columns are 3 without names, but those of "), "{other}");
    assert!(other.ends_with("train/a/1.csv are 2 without names"), "{other}");
    let named = with("train/b/1.csv", "x,y\n1,2\n");
    assert!(named.starts_with("train/b/1.csv: its columns are x, y, but those of"), "{named}");
    let unknown = with("test/c/1.csv", "1,2\n");
    assert!(
        unknown.starts_with(
            "test/c/1.csv: its label is c, which no training sequence has; the classes are a, b"
        )
    );
    let loose = with("train/loose.csv", "1,2\n");
    assert!(loose.starts_with("train/loose.csv: nothing says what is to be learnt of it"), "{loose}");
}

#[test]
fn folders_that_are_wrong_are_named() {
    let one_class = refused([("a/1.csv", "1\n2\n"), ("a/2.csv", "3\n"), ("a/3.csv", "3\n")]);
    assert!(one_class.starts_with("every training label is a; "), "{one_class}");
    let few = refused([("a/1.csv", "1\n2\n"), ("b/2.csv", "3\n")]);
    assert!(few.starts_with("2 sequences are too few to hold some out"), "{few}");
    let constant = refused([("a/1.csv", "1\n"), ("a/2.csv", "1\n"), ("b/2.csv", "1\n"), ("b/3.csv", "1\n")]);
    assert!(constant.starts_with("every feature is constant"), "{constant}");
    assert!(
        refused([("a/1.csv", "1\n"), ("b/notes.txt", "")])
            .starts_with("b: there is no .csv file in this folder")
    );
    assert!(
        refused([("train/a/1.csv", "1\n"), ("val/notes.txt", "")]).starts_with("val: there is no .csv file")
    );
    let many: Vec<(String, &str)> = (0..257).map(|n| (format!("{n}/1.csv"), "1\n")).collect();
    let many = refused(many.iter().map(|(name, text)| (name.as_str(), *text)));
    assert!(many.starts_with("there are 257 classes, at most 256 are supported"), "{many}");
}

#[test]
fn an_index_that_is_wrong_is_named() {
    let index =
        |text: &'static str| refused([("index.csv", text), ("1.csv", "1,2\n3,3\n"), ("2.csv", "2,3\n")]);
    let cases = [
        ("", "index.csv: there are no sequences to train on"),
        ("file,label\n", "there are no sequences to train on"),
        ("file,label,split\n1.csv,a,test\n", "there are no sequences to train on"),
        ("name,label\n1.csv,a\n", "index.csv: it has no column file; its columns are name, label"),
        ("file,label,split,split\n1.csv,a,train,test\n", "index.csv: it has two columns split; leave one of"),
        ("file,label\n1.csv,\n", "index.csv: line 2: the label is empty"),
        ("file,label\n,a\n", "index.csv: line 2: the file is empty"),
        (
            "file,label,split\n1.csv,a,dev\n",
            "index.csv: line 2: \"dev\" is no split; expected train, val or test",
        ),
        (
            "file,label,split\n1.csv,a,train\n2.csv,b,train\n1.csv,a,test\n",
            "index.csv: line 4: 1.csv is listed for another split already",
        ),
        ("file,target\n1.csv,much\n", "index.csv: line 2, column 2 (target): \"much\" is no number"),
        ("file,label,target\n1.csv,a,1\n", "index.csv: it has both a column label and columns of targets"),
        ("file,label\n3.csv,a\n", "3.csv: cannot open it: "),
        ("file\n1.csv\n", "1.csv: nothing says what is to be learnt of it"),
        ("file,label\n1.csv,a,b\n", "index.csv: line 2 has 3 fields where the lines before it have 2"),
    ];
    for (text, words) in cases {
        let message = index(text);
        assert!(message.starts_with(words), "{text:?}: {message}");
    }
}

#[test]
fn what_lies_beside_the_parts_is_told() {
    let files =
        ["train/a/1.csv", "train/a/2.csv", "train/b/1.csv", "train/b/2.csv"].map(|name| (name, "1,2\n3,4\n"));
    let more = [("train/a/3.csv", "5,6\n"), ("Test/a/1.csv", "1,2\n"), ("list.csv", "1,2\n")];
    let (set, notes) = sound(files.into_iter().chain(more));
    assert_eq!(set.train().count() + set.validation().map_or(0, Split::count) + set.test().count(), 5);
    let note = notes.iter().find(|note| note.contains("nothing was done with")).expect("a note");
    assert!(note.contains("set/Test, ") && note.contains("set/list.csv: beside the folder train"), "{note}");
}

#[test]
fn a_run_that_is_recorded_among_the_data_is_no_class() {
    let files = ["a/1.csv", "a/2.csv", "b/1.csv", "b/2.csv"].map(|name| (name, "1,2\n3,4\n"));
    let run =
        [("g.run/config.json", "{}"), ("g.run/command.txt", ""), ("g.run/history.csv", "epoch,loss\n1,2\n")];
    let folder = Folder::new(files.into_iter().chain([("a/3.csv", "5,6\n")]));
    let before = folder.read().expect("a sound folder").0;
    for (name, text) in run {
        fs::create_dir_all(folder.path().join("g.run/checkpoints")).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
    }
    let after = folder.read().expect("a sound folder").0;
    assert_eq!((after.classes(), after.fingerprint()), (before.classes(), before.fingerprint()));
}

#[test]
fn numbers_that_skip_are_told_where_they_are_names() {
    let files =
        [("1/a.csv", "1\n"), ("1/b.csv", "2\n"), ("1/c.csv", "2\n"), ("4/a.csv", "3\n"), ("4/b.csv", "3\n")];
    let (set, notes) = sound(files);
    assert_eq!(set.classes(), ["1", "4"]);
    assert!(
        notes.last().unwrap().contains("the labels are numbers from 1 to 4 and skip 2 of them"),
        "{notes:?}"
    );
}

#[test]
fn a_folder_is_known_by_what_it_holds() {
    let read = |path: &Path| load(Some(&Source::Path(path.into())));
    for name in ["a/1.csv", "train/a/1.csv", "1.csv", "index.csv"] {
        let folder = Folder::new([(name, "x\n")]);
        let text = read(&folder.path()).expect_err("not sound").to_string();
        assert!(!text.contains("neither"), "{text}");
    }
    let folder = Folder::new([("a/b/c/1.csv", "1\n"), ("notes.txt", "")]);
    let text = read(&folder.path()).expect_err("no data").to_string();
    assert!(text.starts_with(&format!("{}: it holds neither idx files", folder.path().display())), "{text}");
    let text = read(&folder.path().join("none")).expect_err("nothing").to_string();
    assert!(
        text.contains("none: no such file or folder; --data takes a folder with the four idx files"),
        "{text}"
    );
    let folder =
        Folder::new([("a/1.csv", "1\n"), ("a/2.csv", "1\n"), ("b/1.csv", "2\n"), ("b/2.csv", "3\n")]);
    let loaded = read(&folder.path()).expect("a sound folder");
    assert_eq!(loaded.why, format!("the CSV files in {}, as --data says", folder.path().display()));
    assert_eq!(loaded.notes.len(), 2, "{:?}", loaded.notes);
}

//! Reports, opened in a real browser: their plots are drawn, they fit a telephone and a wide screen, they can be read
//! in light and dark, and they fetch nothing.
//!
//! Where there is no browser, Chromium is installed by the system's package manager, if that is allowed; otherwise
//! these tests fail with the command to type.

mod browser;
mod sample;
mod validations;

use browser::{Scheme, View, look};
use serde_json::Value;

/// Looks at a page in both widths: as `narrow` and as `wide`.
fn narrow_and_wide(html: &str, scheme: Scheme) -> [Value; 2] {
    let views = [View { name: "narrow", html, width: 360 }, View { name: "wide", html, width: 1280 }];
    let found = look(&views, scheme);
    for name in ["narrow", "wide"] {
        check(&found[name], scheme);
    }
    ["narrow", "wide"].map(|name| found[name].clone())
}

/// What holds of any report.
fn check(found: &Value, scheme: Scheme) {
    assert!(found["failed"].is_null(), "{}", found["failed"]);
    assert_eq!(found["overflow"], 0, "the page is wider than the screen");
    let list = |name: &str| found[name].as_array().unwrap_or_else(|| panic!("{name} in {found}")).clone();
    for name in ["faint", "fetched", "links", "handlers", "twins", "nameless"] {
        assert_eq!(list(name), Vec::<Value>::new(), "{name}, in {scheme:?}");
    }
    assert_eq!(found["scripts"], 1);
    assert_eq!(found["pictures"], found["images"], "a picture is not shown");
    let paper = found["background"][0].as_u64().unwrap();
    assert!(if scheme == Scheme::Dark { paper < 60 } else { paper > 240 }, "{scheme:?}: {paper}");
    assert!(found["headings"].as_str().unwrap().starts_with("H1 H2"), "{}", found["headings"]);
    for plot in list("plots") {
        let number = |name: &str| plot[name].as_f64().unwrap();
        assert!(number("width") > 90.0 && number("height") > 10.0, "{plot}");
        assert_eq!(number("outside"), 0.0, "drawn beyond the axes: {plot}");
    }
}

/// The plots of a section; each is drawn over some of its width.
fn plots(found: &Value, section: &str) -> Vec<Value> {
    let all = found["plots"].as_array().unwrap();
    let plots: Vec<_> = all.iter().filter(|plot| plot["section"] == section).cloned().collect();
    for plot in &plots {
        assert!(plot["span"].as_f64().unwrap() > 0.3, "{plot}");
    }
    plots
}

fn number(plot: &Value, name: &str) -> f64 {
    plot[name].as_f64().unwrap()
}

#[test]
fn three_cells_on_images() {
    let html = sample::images().to_html();
    for scheme in [Scheme::Light, Scheme::Dark] {
        for found in narrow_and_wide(&html, scheme) {
            let curves = plots(&found, "curves");
            assert_eq!(curves.len(), 2);
            for curve in &curves {
                // six lines, each across a good part of a plot that is 1000 wide
                assert!(
                    number(curve, "lines") > 3000.0 && number(curve, "shapes") >= 6.0 + 3.0 * 6.0,
                    "{curve}"
                );
                assert!(number(curve, "ticks") >= 5.0, "{curve}");
            }
            assert_eq!(plots(&found, "figures").len(), 1, "accuracy against cost");
            assert_eq!((&found["images"], &found["matrices"]), (&Value::from(36), &Value::from(3)));
            let tooltip = |name: &str| found["tooltip"][name].as_str().unwrap().to_owned();
            assert!(
                tooltip("pointed").starts_with("epoch | 30 | simple-rnn, training | "),
                "{}",
                tooltip("pointed")
            );
            assert!(!tooltip("pointed").contains("lstm"), "the LSTM has no epoch 30");
            assert!(
                tooltip("first").starts_with("epoch | 1 | ")
                    && tooltip("first").contains("gru, validation | ")
            );
            assert_eq!(tooltip("hidden"), "");
        }
    }
}

#[test]
fn values_have_scatter_plots_and_histograms() {
    for found in narrow_and_wide(&sample::values().to_html(), Scheme::Dark) {
        let plots = plots(&found, "errors");
        // two runs, two values, two plots each
        assert_eq!(plots.len(), 8);
        let [scatter, histogram] = [0, 1].map(|index| &plots[index]);
        assert!(number(scatter, "shapes") > 900.0, "{scatter}");
        assert!((10.0..=32.0).contains(&number(histogram, "shapes")), "{histogram}");
        assert_eq!((&found["matrices"], &found["images"]), (&Value::from(0), &Value::from(0)));
        let mistakes = self::plots(&found, "mistakes");
        assert!(mistakes.len() == 12 && mistakes.iter().all(|plot| number(plot, "lines") > 3000.0));
    }
}

#[test]
fn timesteps_have_timelines() {
    for found in narrow_and_wide(&sample::timesteps().to_html(), Scheme::Light) {
        let timelines = plots(&found, "timelines");
        // features, truth, prediction and differences of four sequences
        assert_eq!(timelines.len(), 16);
        assert!(
            timelines[1]["label"]
                .as_str()
                .unwrap()
                .starts_with("truth: normal from 0 to 59, anomaly from 60")
        );
        assert_eq!([1, 2, 3].map(|row| number(&timelines[row], "shapes")), [3.0, 5.0, 3.0]);
        assert_eq!(found["matrices"], 1);
    }
    for found in narrow_and_wide(&sample::value_timesteps().to_html(), Scheme::Dark) {
        // features and two values of three sequences, for two runs
        assert_eq!(plots(&found, "timelines").len(), 18);
    }
}

#[test]
fn names_are_text_whatever_they_hold() {
    let page = sample::hostile();
    let html = page.to_html();
    for found in narrow_and_wide(&html, Scheme::Light) {
        assert_eq!(found["title"], format!("{} on <!-- data --> – Refrain", page.runs[0].name));
        assert_eq!(found["images"], 12, "no picture but those of the mistakes");
    }
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("&lt;script&gt;document.title = 'taken over'&lt;/script&gt;"));
}

#[test]
fn equal_pages_are_equal_bytes() {
    assert_eq!(sample::images().to_html(), sample::images().to_html());
}

#[test]
fn a_validation_says_what_ran_where_and_what_each_part_costs() {
    let html = validations::of_images().to_html();
    for scheme in [Scheme::Light, Scheme::Dark] {
        for found in narrow_and_wide(&html, scheme) {
            assert_eq!(found["title"], "simple-rnn on mps2-an386 – Refrain");
            assert_eq!((&found["images"], &found["matrices"]), (&Value::from(12), &Value::from(1)));
            let bars = found["bars"].as_array().unwrap();
            let lengths: Vec<f64> = bars.iter().map(|bar| bar.as_f64().unwrap()).collect();
            assert_eq!(lengths.len(), 4, "a bar for each part");
            // each as long as its share of the greatest, which fills its place
            for (length, share) in lengths.iter().zip([0.012, 0.531, 0.442, 0.015]) {
                assert!((length - share / 0.531).abs() < 0.01, "{lengths:?}");
            }
        }
    }
    for words in
        ["Bit-exact", "emulated by QEMU 10.0", "nothing here was measured on silicon", "95 % of an echo"]
    {
        assert!(html.contains(words), "{words}");
    }
    assert_eq!(html, validations::of_images().to_html(), "equal pages are equal bytes");
}

#[test]
fn a_validation_that_failed_says_so_and_names_are_text() {
    let html = validations::hostile().to_html();
    for found in narrow_and_wide(&html, Scheme::Dark) {
        assert_eq!(found["title"], "<img src=x onerror=alert(1)> on mps2-an386 – Refrain");
        assert_eq!((&found["images"], &found["matrices"]), (&Value::from(0), &Value::from(0)));
        assert_eq!(plots(&found, "errors").len(), 4);
    }
    assert_eq!(html.matches("<script>").count(), 1);
    for words in ["Not bit-exact", "in sample 3, logit 1", "/dev/ttyACM0", "ticks", "16,218,112"] {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("QEMU") && !html.contains("Bit-exact"));
}

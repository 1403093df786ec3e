//! `cargo qemu-bench`: what inference costs on the emulated Cortex-M4.

use refrain_tests::cycles::Counter;
use refrain_tests::shipped_models;
use refrain_trainer::data;

fn main() {
    let loaded = data::load(None).unwrap();
    eprintln!("{}", loaded.why);
    let models = shipped_models();
    let counter = Counter::new(&models.each_ref()).unwrap();
    for (number, model) in models.iter().enumerate() {
        let calls = counter.count(number, loaded.dataset.test().view().first(1000)).unwrap();
        let worst = refrain_tests::unlabelled(refrain_tests::samples_without_zeros(100, 28, 28, 1));
        let worst = counter.count(number, worst.view()).unwrap();
        println!("{} without zeros {:?} {:?}", model.name(), worst.instructions(), worst.cycles());
        println!("{} {:?} {:?}", model.name(), calls.instructions(), calls.cycles());
    }
}

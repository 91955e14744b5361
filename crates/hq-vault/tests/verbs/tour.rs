//! `tour`: all of it, and nothing left.

use crate::support::home;

#[test]
fn the_tour_ends_well_and_leaves_nothing() {
    let home = home();
    let ran = home.cli(["tour"]).run().ok();
    for shown in
        ["✅ Stored: shop/stripe-key", "has no uses left", "worker c connects", "proven:", "hq-vault init"]
    {
        assert!(ran.out().contains(shown), "{shown} is not in\n{ran}");
    }
    assert_eq!(std::fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
    assert!(!home.vault().exists());
}

#[test]
fn ctrl_c_leaves_nothing_either() {
    let home = home();
    let mut tour = home.cli(["tour"]).on_terminal();
    tour.wait_for("3. ").keys(b"\x03");
    tour.finish().exits(130);
    assert_eq!(std::fs::read_dir(home.path().join("tmp")).unwrap().count(), 0);
}

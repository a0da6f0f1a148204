//! What is random can be had again.

use stepwell_test_servers::chance::Chance;

#[test]
fn one_seed_gives_the_same_numbers_again() {
    let (mut once, mut again, mut other) = (Chance::of(7), Chance::of(7), Chance::of(8));

    let drawn: Vec<_> = (0..100).map(|_| once.next(1000)).collect();

    assert!(drawn.iter().all(|number| *number < 1000));
    assert!(drawn.iter().all(|number| *number == again.next(1000)));
    assert!(drawn.iter().any(|number| *number != other.next(1000)));
}

#[test]
fn what_is_probable_happens_about_that_often() {
    let mut chance = Chance::from_environment();
    let mut struck = |probability| (0..10_000).filter(|_| chance.strikes(probability)).count();

    assert_eq!(struck(0.0), 0);
    assert!((2_000..3_000).contains(&struck(0.25)));
    assert_eq!(struck(1.0), 10_000);
}

//! Some runs of the random driver test, as tests.

use ndis_chaos::{ACTS, Act, Cast, Options, run};

/// A short run with a call manager that stands alone, in which lists go over a signaling VC.
const ALONE: u64 = 35;

/// A run that does many different things for its length.
const SHORT: u64 = 26;

/// Makes these runs; what they did, in sum.
fn runs(seeds: impl Iterator<Item = u64>) -> [u64; ACTS] {
    let options = Options::default();
    let mut counts = [0; ACTS];
    for seed in seeds {
        let outcome = run(seed, &options);
        assert!(
            outcome.findings.is_empty(),
            "seed {seed}:\n{}\nrepeat: cargo xtask chaos --seed {seed}",
            outcome.findings.join("\n")
        );
        for (sum, count) in counts.iter_mut().zip(outcome.counts) {
            *sum += u64::from(count);
        }
    }
    counts
}

fn idle(counts: &[u64; ACTS]) -> Vec<&'static str> {
    let acts = Act::ALL.iter().zip(counts);
    acts.filter(|(_, count)| **count == 0)
        .map(|((_, act), _)| act.name())
        .collect()
}

/// Some thousand runs, of all casts, in which every act is done.
#[test]
#[cfg_attr(miri, ignore)]
fn whatever_drivers_do_nothing_breaks() {
    // Two lanes, for a machine with two processors.
    let lanes = [0..1_000, 1_000..2_000].map(|seeds| std::thread::spawn(|| runs(seeds)));
    let mut counts = [0; ACTS];
    for lane in lanes {
        let own = lane.join().expect("no finding");
        counts
            .iter_mut()
            .zip(own)
            .for_each(|(sum, count)| *sum += count);
    }
    assert_eq!(idle(&counts), [""; 0], "acts that were never done");
}

/// All casts are among any few seeds.
#[test]
fn a_seed_has_its_cast() {
    let casts: Vec<Cast> = (0..8).map(Cast::of).collect();
    let [mcm, alone, both, joined] = [Cast::Mcm, Cast::Alone, Cast::Both, Cast::Joined]
        .map(|cast| casts.iter().filter(|other| **other == cast).count());
    assert_eq!(
        (casts[0], casts[1], casts[3], casts[5]),
        (Cast::Mcm, Cast::Joined, Cast::Alone, Cast::Both)
    );
    assert_eq!((mcm, alone, both, joined), (4, 2, 1, 1));
}

/// The same seed is the same run, event by event.
#[test]
#[cfg_attr(miri, ignore)]
fn a_seed_is_a_run() {
    let options = Options {
        digest: true,
        ..Options::default()
    };
    for seed in 0..40 {
        let [first, second] = [(); 2].map(|()| run(seed, &options));
        assert_eq!(first.counts, second.counts, "seed {seed}");
        assert_eq!(first.events, second.events, "seed {seed}");
        assert!(first.digest.is_some());
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}

/// As [`one_run`], of another cast. (It takes as long under Miri: even a run in which next to
/// nothing is done takes the better part of twenty seconds.)
#[test]
fn one_run_alone() {
    let counts = runs(std::iter::once(ALONE));
    assert!(idle(&counts).len() < ACTS, "something was done");
}

/// One run, for Miri above all, which sees what no pattern in freed memory
/// shows, and takes a minute for it. (Natively the run of a seed is another one:
/// debug builds ask for the level.)
#[test]
fn one_run() {
    let counts = runs(std::iter::once(SHORT));
    assert!(idle(&counts).len() < ACTS, "something was done");
}

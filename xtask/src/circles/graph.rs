//! Circles in a graph of files.

use std::collections::BTreeSet;

/// What each file uses.
pub type Uses = Vec<BTreeSet<usize>>;

/// The sets of files each of which leads to each, over uses.
pub fn circles(uses: &Uses) -> Vec<Vec<usize>> {
    let reach: Vec<_> = (0..uses.len()).map(|from| reached(uses, from)).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in 0..uses.len() {
        if !reach[file].contains(&file) || seen.contains(&file) {
            continue;
        }
        let circle: Vec<_> = reach[file]
            .iter()
            .copied()
            .filter(|other| reach[*other].contains(&file))
            .collect();
        seen.extend(circle.iter().copied());
        found.push(circle);
    }
    found
}

/// What can be reached from `from`, itself only if a way leads back.
fn reached(uses: &Uses, from: usize) -> BTreeSet<usize> {
    let mut open: Vec<_> = uses[from].iter().copied().collect();
    let mut seen = BTreeSet::new();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(uses[file].iter().copied());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_told_apart_from_what_leads_to_them() {
        let uses: [&[usize]; 7] = [&[1], &[0], &[3], &[4], &[2, 6], &[0], &[]];
        let uses = uses.map(|used| used.iter().copied().collect()).to_vec();
        assert_eq!(circles(&uses), [vec![0, 1], vec![2, 3, 4]]);
    }
}

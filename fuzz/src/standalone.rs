//! What runs a target without libFuzzer: it replays a corpus, then goes on with
//! inputs that it makes from those and a seed.
//!
//! libFuzzer is C++ and takes a minute of a processor to build. The tests want
//! to know that every target still runs and that nothing obvious has broken,
//! always with the same inputs: for that a few lines do.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// No input is longer.
const LONGEST: usize = 1024;

/// Bytes at which readers change their minds.
const TURNS: [u8; 8] = [0, 1, 0x7F, 0x80, 0xF0, 0xFA, 0xFE, 0xFF];

/// Numbers from a seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.next() >> 33) as usize) % count.max(1)
    }

    /// Changes an input in some places; `other` is one to take bytes from.
    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let byte = self.next().to_le_bytes()[7];
            match (self.below(6), input.get_mut(at)) {
                (0, Some(place)) => *place ^= 1 << (byte % 8),
                (1, Some(place)) => *place = TURNS[usize::from(byte) % TURNS.len()],
                (2, Some(_)) => drop(input.remove(at)),
                (3, _) => {
                    let from = other.get(self.below(other.len())..).unwrap_or_default();
                    let few = &from[..from.len().min(1 + usize::from(byte % 32))];
                    input.splice(at..at, few.iter().copied());
                }
                (4, Some(place)) => *place = byte,
                _ => input.insert(at, byte),
            }
        }
        input.truncate(LONGEST);
    }
}

/// What the command line asks for: `-runs=N`, `-seed=N` and `-input=FILE`
/// (where the input of the moment is left, for whoever wants to know what went
/// wrong), then files and folders to replay.
struct Orders {
    runs: u64,
    seed: u64,
    input: Option<PathBuf>,
    corpus: Vec<Vec<u8>>,
}

impl Orders {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut orders = Self {
            runs: 0,
            seed: 1,
            input: None,
            corpus: Vec::new(),
        };
        for word in words {
            let number = |text: &str| text.parse().map_err(|_| format!("no number: {word}"));
            match word.split_once('=') {
                Some(("-runs", text)) => orders.runs = number(text)?,
                Some(("-seed", text)) => orders.seed = number(text)?,
                Some(("-input", text)) => orders.input = Some(text.into()),
                _ if word.starts_with('-') => {
                    return Err(format!(
                        "{word} is not known here; libFuzzer has it: cargo xtask fuzz --seconds N"
                    ));
                }
                _ => replay(Path::new(&word), &mut orders.corpus)
                    .map_err(|error| format!("{word}: {error}"))?,
            }
        }
        Ok(orders)
    }
}

/// Reads a file, or all of a folder in the order of their names.
fn replay(path: &Path, corpus: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut files = entries.collect::<std::io::Result<Vec<_>>>()?;
        files.sort();
        for file in files {
            corpus.push(fs::read(file)?);
        }
    } else {
        corpus.push(fs::read(path)?);
    }
    Ok(())
}

/// The program of a target.
pub fn main(run: fn(&[u8])) -> ExitCode {
    let orders = match Orders::read(env::args().skip(1)) {
        Ok(orders) => orders,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let run = |input: &[u8]| {
        if let Some(file) = &orders.input {
            fs::write(file, input).expect("the file for the input can be written");
        }
        run(input);
    };
    let corpus = &orders.corpus;
    for input in corpus {
        run(input);
    }
    // Zero would stay zero.
    let mut random = Random(orders.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let empty = Vec::new();
    for _ in 0..orders.runs {
        let mut pick = || corpus.get(random.below(corpus.len())).unwrap_or(&empty);
        let (mut input, other) = (pick().clone(), pick());
        random.change(&mut input, other);
        run(&input);
    }
    println!("{} inputs replayed, {} made", corpus.len(), orders.runs);
    ExitCode::SUCCESS
}

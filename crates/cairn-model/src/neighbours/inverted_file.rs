//! An index of embeddings: lists of those that are near the same centre, of which a search reads few.
//!
//! The inverted file of Sivic and Zisserman, "Video Google" (ICCV 2003), with whole embeddings in its lists as in Jégou et al.,
//! "Product quantization for nearest neighbor search" (PAMI 2011), and centres by spherical k-means (Dhillon and Modha,
//! "Concept decompositions for large sparse text data using clustering", 2001). Photos of a landmark lie together, and so do
//! their lists. Why it is this one and not a graph: docs/decisions/019-neighbours.md.

use rayon::prelude::*;

use super::cosine::{cosine, nearest_centres};
use super::embedding_table::{EmbeddingTable, Neighbour};
use crate::Embedding;

/// Lists for the root of the number of rows: a search reads about as many centres as rows then.
const LISTS_PER_ROOT: f64 = 4.0;
/// Rows of each list, on average, that the centres are learned from.
const SAMPLED: usize = 40;
/// Rounds of k-means. More change few rows' lists.
const ROUNDS: usize = 8;
/// Lists that a search reads, at least.
const PROBES: usize = 64;
/// Rows that a thread takes at a time.
const STRETCH: usize = 1024;

/// An index of an [`EmbeddingTable`]: it knows the rows by their numbers, and is of use with that table only.
///
/// It is a function of the table: made again, it is the same, on any number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct InvertedFile {
    pub(super) features: usize,
    /// `[lists, features]`, of length 1 each.
    pub(super) centres: Vec<f32>,
    /// The places in `rows` at which each list begins, and where the last ends: `[lists + 1]`.
    pub(super) starts: Vec<u32>,
    /// The rows, list after list, in order within a list.
    pub(super) rows: Vec<u32>,
}

impl InvertedFile {
    /// Makes the index of these embeddings.
    ///
    /// # Panics
    /// If the table is empty, or has 2^32 rows.
    pub fn of(table: &EmbeddingTable) -> Self {
        let count = u32::try_from(table.len()).expect("a table has fewer than 2^32 rows");
        assert!(count > 0, "an index needs embeddings");
        let lists = ((LISTS_PER_ROOT * f64::from(count).sqrt()) as usize).clamp(1, table.len());
        let centres = centres(table, lists);
        let nearest: Vec<u32> = list_of_each(table.values(), &centres, table.features())
            .into_iter()
            .map(|(list, _)| list)
            .collect();
        let mut starts = vec![0_u32; lists + 1];
        nearest.iter().for_each(|&list| starts[list as usize + 1] += 1);
        for list in 0..lists {
            starts[list + 1] += starts[list];
        }
        let mut ends = starts.clone();
        let mut rows = vec![0; table.len()];
        for (row, &list) in (0_u32..).zip(&nearest) {
            let end = &mut ends[list as usize];
            rows[*end as usize] = row;
            *end += 1;
        }
        Self { features: table.features(), centres, starts, rows }
    }

    /// How many lists there are.
    pub fn lists(&self) -> usize {
        self.starts.len() - 1
    }

    /// The `k` rows that are most like `sought`, as far as they are in the lists of the centres that are most like it.
    /// Likenesses are as of [`EmbeddingTable::nearest`], of which this finds most.
    ///
    /// # Panics
    /// If `table` is not of as many rows and features as that of which the index is.
    pub fn nearest(&self, table: &EmbeddingTable, sought: &Embedding, k: usize) -> Vec<Neighbour> {
        assert_eq!((table.len(), table.features()), (self.rows.len(), self.features), "the index's table");
        let sought = sought.values();
        let lists = self.centres.chunks_exact(self.features).enumerate();
        let lists = lists.map(|(row, centre)| Neighbour { row, likeness: cosine(sought, centre) });
        let lists = Neighbour::first(lists.collect(), usize::MAX);
        let mut found = Vec::new();
        for (probe, list) in lists.iter().enumerate() {
            // So that many rows are found as well as few.
            if probe >= PROBES && found.len() >= k.saturating_mul(8) {
                break;
            }
            let [start, end] = [self.starts[list.row], self.starts[list.row + 1]];
            found.extend(self.rows[start as usize..end as usize].iter().map(|&row| {
                let row = row as usize;
                Neighbour { row, likeness: cosine(sought, table.row(row)) }
            }));
        }
        Neighbour::first(found, k)
    }
}

/// The list of each row, and how like its centre it is.
fn list_of_each(values: &[f32], centres: &[f32], features: usize) -> Vec<(u32, f32)> {
    let stretches = values.par_chunks(STRETCH * features);
    stretches.flat_map_iter(|rows| nearest_centres(rows, centres, features)).collect()
}

/// The centres of `lists` clusters, `[lists, features]`: spherical k-means of a sample.
fn centres(table: &EmbeddingTable, lists: usize) -> Vec<f32> {
    let features = table.features();
    let sample = sample(table, (SAMPLED * lists).min(table.len()));
    let mut centres = sample[..lists * features].to_vec();
    for _ in 0..ROUNDS {
        let nearest = list_of_each(&sample, &centres, features);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); lists];
        for (row, (list, _)) in (0_u32..).zip(&nearest) {
            members[*list as usize].push(row);
        }
        // A centre without rows becomes the row that is least like its own.
        let mut outliers: Vec<u32> = (0_u32..).take(nearest.len()).collect();
        outliers.sort_by(|&a, &b| nearest[a as usize].1.total_cmp(&nearest[b as usize].1));
        let mut outliers = outliers.into_iter();
        for rows in members.iter_mut().filter(|rows| rows.is_empty()) {
            rows.extend(outliers.next());
        }
        centres.par_chunks_exact_mut(features).zip(&members).for_each(|(centre, rows)| {
            let mut sum = vec![0.0_f32; features];
            for &row in rows {
                let values = &sample[row as usize * features..][..features];
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            centre.copy_from_slice(Embedding::of(&sum).values());
        });
    }
    centres
}

/// Rows from all over the table, `[count, features]`.
fn sample(table: &EmbeddingTable, count: usize) -> Vec<f32> {
    let rows = table.len() as u64;
    if count == table.len() {
        // In another order than theirs: neighbours in the table are often of one class, and the first become centres.
        return scattered(rows).flat_map(|row| table.row(row).iter().copied()).collect();
    }
    scattered(rows).take(count).flat_map(|row| table.row(row).iter().copied()).collect()
}

/// The numbers from 0 to `count`, each once, those that come one after the other far apart.
fn scattered(count: u64) -> impl Iterator<Item = usize> {
    // Steps of the golden section of the circle; made to share no factor with the count, they meet every number.
    let golden = (count as f64 * 0.618_033_988_749_895) as u64;
    let step = (golden..).find(|&step| greatest_common_divisor(step, count) == 1).unwrap_or(1);
    (0..count).map(move |place| (u128::from(place) * u128::from(step) % u128::from(count)) as usize)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::made_up::{clustered, recall_at_10};

    #[test]
    fn scattered_numbers_are_all_numbers() {
        for count in [1, 2, 3, 10, 997, 1000] {
            let mut numbers: Vec<usize> = scattered(count).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..count as usize).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_row_is_in_one_list_and_the_index_is_a_function_of_the_table() {
        let table = clustered(3_000, 100, 32, 1);
        let index = InvertedFile::of(&table);
        let mut rows = index.rows.clone();
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..3_000));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(|| InvertedFile::of(&table)), index);
    }

    #[test]
    fn nineteen_of_twenty_of_the_ten_nearest_are_found_among_clustered_embeddings() {
        // 1,500 landmarks, some 13 photos each, as long as the features of a MobileNetV3.
        let table = clustered(20_000, 1_500, 576, 2);
        let index = InvertedFile::of(&table);
        let sought = clustered(60, 1_500, 576, 3);
        let recall = recall_at_10(&table, &index, &sought);
        assert!(recall >= 0.95, "{recall}");
    }

    #[test]
    fn likenesses_are_those_of_the_exact_search_and_as_many_are_found_as_are_asked_for() {
        let table = clustered(12_000, 800, 64, 4);
        let index = InvertedFile::of(&table);
        let sought = Embedding::stored(table.row(77));
        let exact = table.nearest(&sought, 12_000);
        for k in [1, 10, 3_000, 12_000] {
            let found = index.nearest(&table, &sought, k);
            assert_eq!(found.len(), k);
            assert_eq!(found[0].row, 77);
            for neighbour in &found {
                let same = exact.iter().find(|exact| exact.row == neighbour.row).unwrap();
                assert_eq!(neighbour.likeness, same.likeness);
            }
            assert!(found.is_sorted_by(|a, b| a.likeness >= b.likeness));
        }
    }

    #[test]
    fn embeddings_that_are_all_alike_or_nothing_are_found_too() {
        let mut table = EmbeddingTable::new(8);
        for row in 0..500 {
            table.push(&Embedding::of(&[if row % 2 == 0 { 1.0 } else { 0.0 }; 8]));
        }
        let index = InvertedFile::of(&table);
        let found = index.nearest(&table, &Embedding::of(&[1.0; 8]), 3);
        assert_eq!(found.iter().map(|neighbour| neighbour.row).collect::<Vec<_>>(), [0, 2, 4]);
    }
}

//! What the positions of a destination map read along one axis.

use crate::conv::axis::Axis;

/// A source position that a destination position reads, and through which tap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) source: usize,
    pub(super) tap: usize,
}

/// The readings of every destination position, one after the other.
pub(super) struct Readings {
    /// Where those of a position begin; and where the last one's end.
    starts: Vec<usize>,
    readings: Vec<Reading>,
}

impl Readings {
    /// Of `destinations` positions, which read the positions of a source map of `sources` that are in it.
    pub(super) fn new(axes: &[Axis], tap_order: &[usize], destinations: usize, sources: usize) -> Self {
        let (mut starts, mut readings) = (Vec::with_capacity(destinations + 1), Vec::new());
        for destination in 0..destinations {
            starts.push(readings.len());
            for axis in axes {
                let Some(past) = destination.checked_sub(axis.first) else { continue };
                if past % axis.step != 0 {
                    continue;
                }
                let first = axis.source_first + (past / axis.step * axis.source_step) as isize;
                for tap in 0..axis.taps {
                    let source = first + tap as isize;
                    if (0..sources as isize).contains(&source) {
                        let tap = tap_order[axis.first_tap + tap];
                        readings.push(Reading { source: source as usize, tap });
                    }
                }
            }
        }
        starts.push(readings.len());
        Self { starts, readings }
    }

    /// Those of one position.
    pub(super) fn of(&self, destination: usize) -> &[Reading] {
        &self.readings[self.starts[destination]..self.starts[destination + 1]]
    }
}

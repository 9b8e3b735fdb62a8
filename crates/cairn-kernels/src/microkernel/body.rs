//! The one text of the microkernel, from which every instruction set's version is made.

/// Defines `fn $name<const ROWS: usize, const VECTORS: usize>(&Tile)` and the table of all its sizes.
///
/// A macro, and not a trait over vector types, because the instructions of a set may only be used in a function
/// that is marked with it: `$features`. The loops over rows and vectors have constant bounds and disappear; what is
/// left of the inner loop is `VECTORS` loads, `ROWS` broadcasts and `ROWS x VECTORS` multiply-adds.
macro_rules! microkernel {
    (
        $(#[$attribute:meta])*
        fn $name:ident, static $table:ident, lanes: $lanes:expr, max_vectors: $max_vectors:expr,
        zero: $zero:expr, load: $load:expr, broadcast: $broadcast:expr, multiply_add: $multiply_add:expr,
        load_sums: $load_sums:expr, store_sums: $store_sums:expr, finishing: $finishing:expr $(,)?
    ) => {
        $(#[$attribute])*
        unsafe fn $name<const ROWS: usize, const VECTORS: usize>(tile: &$crate::microkernel::tile::Tile<'_>) {
            // SAFETY: the caller vouches for the instruction set and for every address, see `Microkernel`.
            unsafe {
                let sums = $crate::microkernel::body::products!(
                    tile, ROWS, VECTORS, $lanes, $zero, $load, $broadcast, $multiply_add, $load_sums
                );
                for row in 0..ROWS {
                    for vector in 0..VECTORS {
                        $store_sums(tile.c.add((row * VECTORS + vector) * $lanes), sums[row][vector]);
                    }
                }
            }
        }

        pub(super) static $table: $crate::microkernel::tile::Microkernels = $crate::microkernel::tile::Microkernels {
            lanes: $lanes,
            max_vectors: $max_vectors,
            finishing: $finishing,
            table: [
                [$name::<1, 1>, $name::<1, 2>, $name::<1, 3>, $name::<1, 4>],
                [$name::<2, 1>, $name::<2, 2>, $name::<2, 3>, $name::<2, 4>],
                [$name::<3, 1>, $name::<3, 2>, $name::<3, 3>, $name::<3, 4>],
                [$name::<4, 1>, $name::<4, 2>, $name::<4, 3>, $name::<4, 4>],
                [$name::<5, 1>, $name::<5, 2>, $name::<5, 3>, $name::<5, 4>],
                [$name::<6, 1>, $name::<6, 2>, $name::<6, 3>, $name::<6, 4>],
            ],
        };
    };
}
pub(super) use microkernel;

/// The sums of a tile, `[[vector; VECTORS]; ROWS]`, in registers.
macro_rules! products {
    (
        $tile:ident, $rows:ident, $vectors:ident, $lanes:expr, $zero:expr, $load:expr, $broadcast:expr,
        $multiply_add:expr, $load_sums:expr
    ) => {{
        let mut sums = [[$zero; $vectors]; $rows];
        if $tile.accumulate {
            for row in 0..$rows {
                for vector in 0..$vectors {
                    sums[row][vector] = $load_sums($tile.c.add((row * $vectors + vector) * $lanes));
                }
            }
        }
        for run in $tile.runs {
            let mut w = $tile.w.add(run.w);
            let mut x = run.x;
            for _ in 0..$tile.depth {
                let mut weights = [$zero; $vectors];
                for vector in 0..$vectors {
                    weights[vector] = $load(w.add(vector * $lanes));
                }
                for row in 0..$rows {
                    let value = $broadcast($tile.rows[row].add(x));
                    for vector in 0..$vectors {
                        sums[row][vector] = $multiply_add(sums[row][vector], value, weights[vector]);
                    }
                }
                w = w.add($vectors * $lanes);
                x += $tile.step;
            }
        }
        sums
    }};
}
pub(super) use products;

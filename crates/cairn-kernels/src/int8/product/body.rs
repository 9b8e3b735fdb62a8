//! The one text of the product, from which every instruction set's version is made.

/// Defines `fn $name<const ROWS: usize, const VECTORS: usize, const RESIDUAL: bool, const EDGE: bool>(&Tile)` and the table of
/// its sizes.
///
/// As `microkernel!`, for bytes: `load` gives a vector of weights, `broadcast` one word of a pixel in the form that `dot` takes,
/// `columns` what all pixels of a vector of columns share at their end, `scaled` their sums as floats, `plus` adds the residual,
/// `store` stores levels. `RESIDUAL` says that a residual is added, `EDGE` that the last vector has columns that are no output
/// channels; these closures may use both names.
///
/// A branch in the loops over pixels and vectors, or one long loop in place of three short ones, which the compiler would
/// leave a loop, would put the sums into memory.
macro_rules! byte_product {
    (
        $(#[$attribute:meta])*
        fn $name:ident, static $table:ident, lanes: $lanes:expr, weight_bytes: $weight_bytes:expr,
        sizes: { $($vectors:literal: [$($rows:literal)*],)* },
        zero: $zero:expr, load: $load:expr, broadcast: $broadcast:expr, dot: $dot:expr,
        columns: $columns:expr, scaled: $scaled:expr, plus: $plus:expr, store: $store:expr $(,)?
    ) => {
        $(#[$attribute])*
        unsafe fn $name<const ROWS: usize, const VECTORS: usize, const RESIDUAL: bool, const EDGE: bool>(
            tile: &$crate::int8::product::Tile,
        ) {
            const LANES: usize = $lanes;
            const VECTOR_BYTES: usize = LANES * $weight_bytes;
            // SAFETY: the caller vouches for the instruction set and for every address, see `Product`.
            unsafe {
                let sums = $crate::int8::product::body::sums!(
                    tile, ROWS, VECTORS, VECTOR_BYTES, $zero, $load, $broadcast, $dot
                );
                let mut columns = [$columns(tile, 0); VECTORS];
                for vector in 1..VECTORS {
                    columns[vector] = $columns(tile, vector * LANES);
                }
                let mut values = [[$scaled($zero, &columns[0]); VECTORS]; ROWS];
                for row in 0..ROWS {
                    for vector in 0..VECTORS {
                        values[row][vector] = $scaled(sums[row][vector], &columns[vector]);
                    }
                }
                if RESIDUAL {
                    for row in 0..ROWS {
                        for vector in 0..VECTORS {
                            let at = row * tile.step + vector * LANES;
                            values[row][vector] = $plus(values[row][vector], &columns[vector], tile, at);
                        }
                    }
                }
                for row in 0..ROWS {
                    for vector in 0..VECTORS {
                        let at = row * tile.step + vector * LANES;
                        $store(values[row][vector], &columns[vector], tile, at);
                    }
                }
            }
        }

        pub(super) static $table: $crate::int8::product::Products = $crate::int8::product::Products {
            lanes: $lanes,
            weight_bytes: $weight_bytes,
            channel: |_, vector, lane| vector * $lanes + lane,
            table: &[$(&[$([
                [$name::<$rows, $vectors, false, false>, $name::<$rows, $vectors, false, true>],
                [$name::<$rows, $vectors, true, false>, $name::<$rows, $vectors, true, true>],
            ]),*]),*],
        };
    };
}
pub(super) use byte_product;

/// The sums of a tile, `[[vector; VECTORS]; ROWS]`, in registers.
macro_rules! sums {
    (
        $tile:ident, $rows:ident, $vectors:ident, $vector_bytes:expr, $zero:expr, $load:expr, $broadcast:expr, $dot:expr
    ) => {{
        let mut sums = [[$zero; $vectors]; $rows];
        let mut w = $tile.weights;
        for run in 0..$tile.runs {
            let mut x = run * $tile.run_step;
            for _ in 0..$tile.depth {
                let mut weights = [$load(w); $vectors];
                for vector in 1..$vectors {
                    weights[vector] = $load(w.add(vector * $vector_bytes));
                }
                for row in 0..$rows {
                    let value = $broadcast($tile.rows[row].add(x));
                    for vector in 0..$vectors {
                        sums[row][vector] = $dot(sums[row][vector], value, weights[vector]);
                    }
                }
                w = w.add($vectors * $vector_bytes);
                x += 4;
            }
        }
        sums
    }};
}
pub(super) use sums;

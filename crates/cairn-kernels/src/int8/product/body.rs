//! The one text of the product, from which every instruction set's version is made.

/// Defines `fn $name<const ROWS: usize, const VECTORS: usize>(&Tile)` and the table of its sizes.
///
/// As `microkernel!`, for bytes: `load` gives a vector of weights, `broadcast` one word of a pixel in the form that `dot` takes,
/// `columns` what all pixels of a vector of columns share at their end, `finish` stores the levels of one.
macro_rules! byte_product {
    (
        $(#[$attribute:meta])*
        fn $name:ident, static $table:ident, lanes: $lanes:expr, weight_bytes: $weight_bytes:expr,
        sizes: { $($vectors:literal: [$($rows:literal)*],)* },
        zero: $zero:expr, load: $load:expr, broadcast: $broadcast:expr, dot: $dot:expr,
        columns: $columns:expr, finish: $finish:expr $(,)?
    ) => {
        $(#[$attribute])*
        unsafe fn $name<const ROWS: usize, const VECTORS: usize>(tile: &$crate::int8::product::Tile) {
            const LANES: usize = $lanes;
            const VECTOR_BYTES: usize = LANES * $weight_bytes;
            // SAFETY: the caller vouches for the instruction set and for every address, see `Product`.
            unsafe {
                let mut sums = [[$zero; VECTORS]; ROWS];
                let mut w = tile.weights;
                for run in 0..tile.runs {
                    let mut x = run * tile.run_step;
                    for _ in 0..tile.depth {
                        let weights: [_; VECTORS] =
                            std::array::from_fn(#[inline(always)] |vector| $load(w.add(vector * VECTOR_BYTES)));
                        for row in 0..ROWS {
                            let value = $broadcast(tile.rows[row].add(x));
                            for vector in 0..VECTORS {
                                sums[row][vector] = $dot(sums[row][vector], value, weights[vector]);
                            }
                        }
                        w = w.add(VECTORS * VECTOR_BYTES);
                        x += 4;
                    }
                }
                for vector in 0..VECTORS {
                    let column = vector * LANES;
                    let columns = $columns(tile, column);
                    for row in 0..ROWS {
                        $finish(sums[row][vector], &columns, tile, row * tile.step + column);
                    }
                }
            }
        }

        pub(super) static $table: $crate::int8::product::Products = $crate::int8::product::Products {
            lanes: $lanes,
            weight_bytes: $weight_bytes,
            table: &[$(&[$($name::<$rows, $vectors>),*]),*],
        };
    };
}
pub(super) use byte_product;

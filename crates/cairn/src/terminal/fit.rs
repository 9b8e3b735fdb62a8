//! How large a picture is in a window.

/// The terminal's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Character cells across.
    pub columns: u16,
    /// Character cells down.
    pub rows: u16,
    /// Width and height of a cell in pixels, where the terminal says.
    pub cell: Option<(u16, u16)>,
}

/// What a cell measures where the terminal does not say: twice as high as wide, as nearly all fonts are.
const USUAL_CELL: (u16, u16) = (10, 20);

impl Window {
    /// Width and height of a cell in pixels.
    pub(super) fn cell(&self) -> (u32, u32) {
        let (width, height) = self.cell.unwrap_or(USUAL_CELL);
        (u32::from(width), u32::from(height))
    }
}

/// A number of columns and rows of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cells {
    pub columns: u32,
    pub rows: u32,
}

/// Pictures of one size in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrangement {
    /// How many stand side by side.
    pub across: u32,
    /// How many rows of them there are.
    pub down: u32,
    /// The cells of each. Between two pictures are a column or a row.
    pub picture: Cells,
    /// Width and height of a cell in pixels.
    pub cell: (u32, u32),
}

impl Arrangement {
    /// For this number of pictures of this width and height in pixels: that in which they are largest within half of the window's
    /// columns and half of its rows, with the fewest rows of those.
    pub(super) fn of(pictures: usize, size: (u32, u32), window: Window) -> Self {
        let pictures = u32::try_from(pictures).unwrap_or(u32::MAX).max(1);
        let room = Cells {
            columns: (u32::from(window.columns) / 2).max(1),
            rows: (u32::from(window.rows) / 2).max(1),
        };
        let cell = window.cell();
        let arranged = |across: u32| {
            let down = pictures.div_ceil(across);
            let each = Cells {
                columns: room.columns.saturating_sub(across - 1) / across,
                rows: room.rows.saturating_sub(down - 1) / down,
            };
            Self { across, down, picture: fitted(size, each, cell), cell }
        };
        // Only a window of a few cells has no room for all of them.
        let fits = |a: &Self| a.total().columns <= room.columns && a.total().rows <= room.rows;
        let candidates = (1..=pictures.min(room.columns)).rev().map(arranged).filter(fits);
        let area = |a: &Self| a.picture.columns * a.picture.rows;
        let best = candidates.reduce(|best, next| if area(&next) > area(&best) { next } else { best });
        best.unwrap_or(Self { across: 1, down: 1, picture: fitted(size, room, cell), cell })
    }

    /// The cells of the whole.
    pub(super) fn total(&self) -> Cells {
        Cells {
            columns: self.across * self.picture.columns + self.across - 1,
            rows: self.down * self.picture.rows + self.down - 1,
        }
    }
}

/// The most cells of a picture of this size in pixels within `room`, its proportions kept as near as whole cells can;
/// one cell at least.
fn fitted((width, height): (u32, u32), room: Cells, (cell_width, cell_height): (u32, u32)) -> Cells {
    let aspect = f64::from(width.max(1)) / f64::from(height.max(1));
    let (room_width, room_height) =
        (f64::from(room.columns * cell_width), f64::from(room.rows * cell_height));
    let (width, height) = if room_width / room_height > aspect {
        (room_height * aspect, room_height)
    } else {
        (room_width, room_width / aspect)
    };
    let cells =
        |length: f64, cell: u32, most: u32| ((length / f64::from(cell)).round() as u32).clamp(1, most.max(1));
    Cells { columns: cells(width, cell_width, room.columns), rows: cells(height, cell_height, room.rows) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(columns: u16, rows: u16) -> Window {
        Window { columns, rows, cell: None }
    }

    #[test]
    fn a_photo_takes_half_of_the_window_at_most_and_keeps_its_proportions() {
        let cells = |columns, rows, size| Arrangement::of(1, size, window(columns, rows)).total();
        // A window of 80 x 24 has room for 40 x 12 cells, which are 400 x 240 px.
        assert_eq!(cells(80, 24, (400, 240)), Cells { columns: 40, rows: 12 });
        assert_eq!(cells(80, 24, (400, 300)), Cells { columns: 32, rows: 12 });
        assert_eq!(cells(80, 24, (300, 400)), Cells { columns: 18, rows: 12 });
        assert_eq!(cells(40, 24, (400, 100)), Cells { columns: 20, rows: 3 });
        assert_eq!(cells(80, 24, (100_000, 1)), Cells { columns: 40, rows: 1 });
        assert_eq!(cells(1, 1, (400, 300)), Cells { columns: 1, rows: 1 });
    }

    #[test]
    fn several_pictures_stand_as_lets_them_be_largest() {
        let arranged = |columns, rows, pictures| {
            let Arrangement { across, down, picture, .. } =
                Arrangement::of(pictures, (400, 400), window(columns, rows));
            (across, down, picture)
        };
        // In 100 x 12 cells four squares have 24 columns each in a row, but only 12 rows.
        assert_eq!(arranged(200, 24, 4), (4, 1, Cells { columns: 24, rows: 12 }));
        assert_eq!(arranged(80, 60, 4), (2, 2, Cells { columns: 19, rows: 10 }));
        assert_eq!(arranged(40, 100, 4), (1, 4, Cells { columns: 20, rows: 10 }));
        assert_eq!(arranged(2, 2, 4).2, Cells { columns: 1, rows: 1 });
    }

    #[test]
    fn the_terminals_own_cells_count() {
        let window = Window { columns: 80, rows: 24, cell: Some((20, 20)) };
        assert_eq!(Arrangement::of(1, (100, 100), window).total(), Cells { columns: 12, rows: 12 });
    }

    proptest! {
        #[test]
        fn whatever_the_window_no_more_than_half_is_taken(
            pictures in 1..6_usize,
            size in (1..5000_u32, 1..5000_u32),
            columns in 2..400_u16,
            rows in 2..200_u16,
        ) {
            let total = Arrangement::of(pictures, size, window(columns, rows)).total();
            prop_assert!(total.columns <= u32::from(columns) / 2 && total.rows <= u32::from(rows) / 2, "{total:?}");
        }
    }
}

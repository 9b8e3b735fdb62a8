//! The page for people.

use crate::routes::Routes;

/// The routes of the page.
pub(crate) fn routes() -> Routes {
    Routes::new()
}

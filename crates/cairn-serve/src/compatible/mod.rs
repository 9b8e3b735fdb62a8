//! Endpoints of other services, for programs that were written for them.

use crate::routes::Routes;

/// The routes of other services.
pub(crate) fn routes() -> Routes {
    Routes::new()
}

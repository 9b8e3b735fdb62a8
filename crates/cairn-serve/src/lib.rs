//! Names the landmarks in photos over HTTP.
//!
//! | module | holds |
//! | --- | --- |
//! | `server` | the socket: accepting connections, stopping |
//! | `routes` | the native API, a file a route |
//! | `compatible` | endpoints of other services |
//! | `page` | the page for people |
//! | `review` | the page of `cairn library review`, a server of its own (feature `review`) |
//! | `guard` | keys, hosts, origins |
//! | `admission` | memory for bodies, reading them within limits |
//! | `submission` | from a body to photos |
//! | `engine` | from a photo's bytes to an answer |
//!
//! A request goes through them in this order: `server`, `guard`, `admission`, `submission`, `engine`, and back as its route
//! writes it. [`AppState::receive`] and [`AppState::predict`] are all that a route needs.

mod accept;
mod admission;
mod app;
mod compatible;
mod config;
mod deadline;
mod description;
mod engine;
mod error;
mod events;
mod feedback;
mod fetch;
mod geojson;
mod guard;
mod json_answer;
mod metrics;
mod page;
mod photos;
mod query;
mod request_log;
#[cfg(feature = "review")]
mod review;
mod routes;
mod routing;
mod serve;
mod serve_error;
mod served_model;
mod server;
mod similar_index;
mod size;
mod state;
mod submission;

pub use admission::BodyKind;
pub use app::{router, routes};
pub use config::{ConfigError, Limits, ServeConfig};
pub use engine::{ExplainOptions, Explanation, PhotoOutput, PhotoTiming};
pub use error::{ApiError, ErrorType};
pub use events::{Event, Observer, RequestEvent, Silent};
pub use guard::Key;
pub use photos::{PhotoAnswer, PredictOptions, Predictions, SubmittedPhoto};
#[cfg(feature = "review")]
pub use review::{Desk, ReviewServeError, ReviewServer};
pub use routing::{Listed, Routes};
pub use serve::{reload_on_change, serve, start};
pub use serve_error::ServeError;
pub use served_model::{ModelSource, OpenError, ServedModel};
pub use server::Server;
pub use similar_index::IndexError;
pub use size::{ByteSize, NotASize};
pub use state::AppState;
pub use submission::{Submission, decoded_base64};

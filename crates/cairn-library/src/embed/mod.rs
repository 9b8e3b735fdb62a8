//! Metadata inside of photos: JPEG, PNG and WebP.

//! Tests of the tiles.

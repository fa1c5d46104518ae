//! What other crates can do with mappings: see the test.

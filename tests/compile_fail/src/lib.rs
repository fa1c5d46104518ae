//! What must not compile: see the tests.

//! The composition root: listeners, runtimes, the child builder, readiness, drain.

//! The exchange's doors: decode -> lookup and decide -> encode. Synchronous in the core, never blocks, logs nothing per bid.
